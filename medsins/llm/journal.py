"""The journal: an append-only file of what was asked and answered, safe against kill -9.

One JSON object a line: `{"check":"<16 hex>","event":{…}}`, where `check` is XXH3-64 of the event's
bytes. The system has a line before anything depends on it, so that a kill loses none; the disk has
it a second later at the latest, which is what a power cut can lose. The first line says what the
journal is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import xxhash

from medsins.errors import BuildConflictError, InvalidFileError, OutputError
from medsins.io.files import sync
from medsins.io.locks import locked

VERSION = 2
_SYNC_SECONDS = 1.0
_HEAD = b'{"check":"'
_MIDDLE = b'","event":'
_CHECK = 16


class Journal:
    """A journal that this process holds the lock of; use it in a `with` statement.

    Args:
        path: The file; it is created with its folder.
        kind: What it is a journal of; a journal of something else is refused.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind
        self._stream: BinaryIO | None = None
        self._open = ExitStack()
        self._synced = 0.0

    def __enter__(self) -> Journal:
        """Open and lock it, and cut off a last line that was not finished.

        Raises:
            BuildConflictError: Another process writes it.
            InvalidFileError: It is damaged before its end, or of another kind or version.
            OutputError: It cannot be written.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        taken = f"another process writes {self.path}. Wait until it is done."
        with ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(lock, taken, remove=True))
                self._stream = stack.enter_context(self.path.open("a+b"))
            except BuildConflictError:
                raise
            except OSError as error:
                raise OutputError(
                    f"{self.path} cannot be written ({error.strerror}). Choose another folder."
                ) from error
            self._mend()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._stream is not None
        with self._open:
            sync(self._stream)

    def _mend(self) -> None:
        assert self._stream is not None
        end = 0
        self._stream.seek(0)
        for line in self._stream:
            if not line.endswith(b"\n"):
                # The process was killed while it wrote this line; nothing depends on it yet.
                break
            end += len(line)
        self._stream.truncate(end)
        if end == 0:
            self.append({"journal": self.kind, "version": VERSION})
            return
        first = next(self.events())
        if first.get("journal") != self.kind or first.get("version") != VERSION:
            raise InvalidFileError(
                f"{self.path} is a journal of {first.get('journal')!r}, version "
                f"{first.get('version')}; this is {self.kind!r}, version {VERSION}. Choose another "
                "folder, or move the file away: what it paid for is then asked again."
            )

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield all events in the order in which they were written, the first line included.

        Raises:
            InvalidFileError: A line is damaged.
        """
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                event = _read(line)
                if event is None:
                    raise InvalidFileError(
                        f"{self.path}, line {number}, is damaged: its checksum does not fit. "
                        "Restore the file from a copy, or move it away: what it paid for is then "
                        "asked again."
                    )
                yield event

    def append(self, *events: dict[str, Any]) -> None:
        """Write events, so that they outlive this process.

        Raises:
            OutputError: The disk is full, or the file cannot be written.
        """
        assert self._stream is not None
        try:
            self._stream.write(b"".join(map(_line, events)))
            self._stream.flush()
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                sync(self._stream)
                self._synced = time.monotonic()
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror}). Make room and run the same "
                "command again: what was answered is kept."
            ) from error


def _line(event: dict[str, Any]) -> bytes:
    body = json.dumps(event, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    check = xxhash.xxh3_64_hexdigest(body).encode()
    return b"".join((_HEAD, check, _MIDDLE, body, b"}\n"))


def _read(line: bytes) -> dict[str, Any] | None:
    start = len(_HEAD) + _CHECK
    check, body = line[len(_HEAD) : start], line[start + len(_MIDDLE) : -2]
    if not line.startswith(_HEAD) or xxhash.xxh3_64_hexdigest(body).encode() != check:
        return None
    event: dict[str, Any] = json.loads(body.decode("utf-8", "surrogatepass"))
    return event
