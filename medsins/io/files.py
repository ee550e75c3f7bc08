"""Files that appear whole or not at all, and errors that say what to do about a disk."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from medsins.errors import MedsinsError, OutputError

_FULL = "Make room and run the same command again: what is finished is kept."


@contextmanager
def writing(folder: Path, full: str = _FULL) -> Iterator[None]:
    """Turn what goes wrong while writing into errors that name the folder.

    Args:
        folder: Where files are written.
        full: What to do when the disk is full.

    Raises:
        OutputError: The folder is read-only, the disk is full, or a file is in the way.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, MedsinsError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "disk" if error.errno == errno.ENOSPC else "quota on the disk"
            raise OutputError(f"the {what} of {folder} is full. {full}") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(
                f"{folder} cannot be written ({os.strerror(error.errno)}). Choose another output "
                "folder, or change its mode."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise OutputError(
                f"{folder} or a part of it is a file, but has to be a folder."
            ) from error
        raise


@contextmanager
def written_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write bytes into, and put it in its place when all went well.

    It is there whole or not at all, even after a power cut.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            sync(stream)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all, even after a power cut."""
    with written_atomically(path) as stream:
        stream.write(text.encode())


def put(temporary: Path, path: Path, *, durable: bool = True) -> None:
    """Put a file that is written in its place, where it is whole or not at all.

    Args:
        temporary: The file.
        path: The place, on the same disk.
        durable: Whether that holds after a power cut too, for which the disk is waited for.
    """
    if durable:
        with temporary.open("rb") as stream:
            sync(stream)
    temporary.replace(path)


def sync(stream: IO[bytes]) -> None:
    """Wait until the disk has what was written into a file."""
    stream.flush()
    os.fsync(stream.fileno())


def dump(value: Any) -> str:
    """Return JSON as this library writes it into files: sorted keys, two spaces, one last line."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
