"""Raw files: which ones a source has, where they are, and how to open them.

A recipe names its files with glob patterns, relative to the folder of its source. `a.csv` is
also found as `a.csv.gz`, `a.csv.xz` or `a.csv.bz2`. `a.zip!inner/*.csv` names members of a zip
or tar archive; they are read in place.
"""

from __future__ import annotations

import bz2
import codecs
import fnmatch
import hashlib
import io
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, Any, ClassVar, Protocol

from medsins.errors import CorruptFileError, MedsinsError, MissingFilesError, RecordError
from medsins.taxonomy import SPLITS

COMPRESSED = (".gz", ".xz", ".bz2")
"""Suffixes of compressed files that are found and read in place of the plain file."""

_READ_ERRORS = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Download:
    """One file that `medsins fetch` gets.

    Attributes:
        url: Where its owners, or a pinned commit of their repository, keep it.
        path: Where it goes, relative to the source's folder.
        sha256: Hex digest of the bytes; nothing else is accepted.
        mirrors: Other addresses of the same bytes.
    """

    url: str
    path: str
    sha256: str
    mirrors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawFile:
    """One raw file on disk, or one member of an archive on disk.

    Attributes:
        path: Path of the file, or of the archive that holds it.
        name: Its path below the source's folder, with `/`; `archive!member` for a member.
        split: The official split it belongs to, or "" where the source has none.
        member: The member's path inside the archive, or "".
    """

    path: Path
    name: str
    split: str = ""
    member: str = ""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open for reading bytes, decompressed.

        Raises:
            CorruptFileError: The file or its archive ends early or is damaged.
            MissingFilesError: The file does not exist.
        """
        with self.reading():
            if self.member:
                with _open_member(self.path, self.member) as stream:
                    yield stream
            else:
                with _open_plain(self.path) as stream:
                    yield stream

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what goes wrong while reading into errors that name this file."""
        try:
            yield
        except MedsinsError:
            # It has a message already, perhaps about a companion of this file.
            raise
        except FileNotFoundError as error:
            raise MissingFilesError(f"{self.path} does not exist, or not any more.") from error
        except PermissionError as error:
            raise MissingFilesError(
                f"{self.path} cannot be read: permission denied. Change its mode or its owner."
            ) from error
        except _READ_ERRORS as error:
            raise CorruptFileError(
                f"{self.path} is damaged or ends too early ({' '.join(str(error).split())}). Get "
                "the file again and compare its size and checksum with those its owners publish."
            ) from error
        except OSError as error:
            # gzip reports a wrong magic number or checksum as a bare OSError.
            raise CorruptFileError(f"{self.path} cannot be read ({error}).") from error

    def read(self) -> bytes:
        """Return all bytes, decompressed."""
        with self.open() as stream:
            return stream.read()

    def text(self, encoding: str = "utf-8-sig") -> str:
        """Return all text; a byte order mark is dropped.

        Raises:
            CorruptFileError: The bytes are not text in this encoding.
        """
        data = self.read()
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise CorruptFileError(
                f"{self.path} is not {encoding} text: byte {error.start} is "
                f"0x{data[error.start]:02x}. Convert it, or declare its encoding in the recipe."
            ) from error

    def sibling(self, suffix: str) -> RawFile:
        """Return the file beside this one whose last suffix is `suffix` instead.

        Either may be compressed. If there is none, what is returned cannot be opened.
        """
        if self.member:
            member = str(Path(self.member).with_suffix(suffix))
            return RawFile(self.path, self.name.split("!")[0] + "!" + member, self.split, member)
        packed = self.path.suffix in COMPRESSED
        stem = self.path.with_suffix("") if packed else self.path
        twins = [stem.with_suffix(suffix + packing) for packing in ("", *COMPRESSED)]
        path = next((twin for twin in twins if twin.is_file()), twins[0])
        return RawFile(path, f"{self.name.removesuffix(self.path.name)}{path.name}", self.split)


@contextmanager
def _open_plain(path: Path) -> Iterator[IO[bytes]]:
    suffix = path.suffix
    if suffix == ".gz":
        from isal import igzip

        if not path.stat().st_size:
            raise EOFError("it is empty")
        with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]
            yield stream
    elif suffix == ".xz":
        with lzma.open(path, "rb") as stream:
            yield stream
    elif suffix == ".bz2":
        with bz2.open(path, "rb") as stream:
            yield stream
    else:
        with path.open("rb", buffering=0) as stream:
            yield stream


class _Opened:
    """The archive that was opened last: one with 200,000 members is not opened for each."""

    def __init__(self) -> None:
        self._key: tuple[Path, int] | None = None
        self._archive: zipfile.ZipFile | tarfile.TarFile | None = None

    def get(self, path: Path) -> zipfile.ZipFile | tarfile.TarFile:
        key = (path, path.stat().st_mtime_ns)
        if self._archive is None or self._key != key:
            self.close()
            self._archive = _archive(path)
            self._key = key
        return self._archive

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
            self._archive = None


def _archive(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else tarfile.open(path)


_opened = _Opened()


@contextmanager
def _open_member(path: Path, member: str) -> Iterator[IO[bytes]]:
    archive = _opened.get(path)
    try:
        if isinstance(archive, zipfile.ZipFile):
            opened: IO[bytes] | None = archive.open(member)
        else:
            opened = archive.extractfile(member)
    except KeyError as error:
        raise MissingFilesError(
            f"{path} has no member {member}. Check that it is the right archive, and complete."
        ) from error
    except RuntimeError as error:
        # A password, or a compression method that Python cannot undo.
        raise CorruptFileError(
            f"{path}: its member {member} cannot be read ({error}). Unpack the archive, and "
            "pack it again as a plain zip file."
        ) from error
    if opened is None:
        raise CorruptFileError(f"{path} has no regular file {member}.")
    with opened as stream:
        yield stream


def archive_members(path: Path) -> list[str]:
    """Return the names of the regular files in a zip or tar archive, sorted.

    Members that macOS adds (`__MACOSX/`, `._name`) are left out.
    """
    with RawFile(path, path.name).reading():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                names = [info.filename for info in zipped.infolist() if not info.is_dir()]
        else:
            with tarfile.open(path) as tarred:
                names = [info.name for info in tarred if info.isfile()]
    return sorted(
        name
        for name in names
        if not name.startswith("__MACOSX/") and not name.rsplit("/", 1)[-1].startswith("._")
    )


@dataclass(slots=True)
class Batch:
    """Some records of one file, in order.

    Attributes:
        file: Name of the file, as in `RawFile.name`.
        records: The records, in the reader's own form.
        rows: Number of each record in its file, counted from 1.
        bad: Records that could not be read, as (row, why).
        origin: Text in front of the row number where rows are not counted from the file's start.
    """

    file: str
    records: Sequence[Any]
    rows: Sequence[int]
    bad: list[tuple[int, RecordError]] = field(default_factory=list)
    origin: str = ""


def parsed(
    file: str, rows: Iterable[tuple[int, Any]], parse: Callable[[Any], Any], origin: str = ""
) -> Batch:
    """Return a batch of parsed rows; those whose parsing raises `RecordError` are bad.

    Args:
        file: Name of the file, as in `RawFile.name`.
        rows: (number, unparsed record) pairs.
        parse: Returns the record.
        origin: See `Batch`.
    """
    records, numbers, bad = [], [], []
    for number, row in rows:
        try:
            records.append(parse(row))
            numbers.append(number)
        except RecordError as error:
            # A copy: what was raised holds its stack frames, and with them the whole batch.
            copy = RecordError(error.reason, field=error.field, detail=error.detail)
            bad.append((number, copy))
    return Batch(file, records, numbers, bad, origin)


Span = tuple[int, int]
"""A range of bytes in a file: the first, and the one after the last."""


class Reader(Protocol):
    """Turns one raw file into batches of records."""

    companions: ClassVar[tuple[str, ...]] = ()
    """Suffixes of files that are read together with each listed one."""

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield the records of a file, or of one span of it between two cuts of `cutter`."""
        ...

    def cutter(self) -> Cutter | None:
        """Return what finds record boundaries in an uncompressed file; None: it is never cut."""
        return None


class Cutter(Protocol):
    """Finds the record boundaries near which a large file can be cut."""

    def feed(self, block: bytes | bytearray) -> None:
        """Take the next bytes of the file."""
        ...

    def boundary(self, block: bytes | bytearray) -> int | None:
        """Return the offset in `block`, the bytes that follow, where a record starts."""
        ...


@dataclass(frozen=True)
class FileSet:
    """The raw files of one kind that a recipe reads, by split.

    Attributes:
        reader: What reads them.
        patterns: Glob patterns by split; the split "" is for sources without an official one.
        folder: Folder below the raw root; "" for the recipe's own.
    """

    reader: Reader
    patterns: Mapping[str, tuple[str, ...]]
    folder: str = ""

    def locate(self, folder: Path) -> Located:
        """List the files under a folder.

        Args:
            folder: The source's folder.

        Returns:
            The files in order of split, pattern and name, and the patterns that match none.

        Raises:
            MissingFilesError: The folder is a file, or a pattern's folder is one.
        """
        if folder.exists() and not folder.is_dir():
            raise MissingFilesError(f"{folder} is a file, but has to be the source's folder.")
        found: list[RawFile] = []
        absent: list[tuple[str, str]] = []
        for split, patterns in self.patterns.items():
            for pattern in patterns:
                files = _match(folder, pattern, split)
                if not files:
                    absent.append((split, pattern))
                found.extend(files)
        for _, pattern in absent if not found else ():
            _refuse_wrong_kind(folder, pattern)
        return Located(tuple(dict.fromkeys(found)), tuple(absent))


@dataclass(frozen=True, slots=True)
class Located:
    """The files of a file set that are there, and the (split, pattern) pairs that match none."""

    files: tuple[RawFile, ...]
    absent: tuple[tuple[str, str], ...]


def _refuse_wrong_kind(folder: Path, pattern: str) -> None:
    """Raise if a path of the pattern is a file instead of a folder, or the reverse."""
    parts = pattern.split("!")[0].split("/")
    path = folder
    for number, part in enumerate(parts):
        path = path / part
        last = number == len(parts) - 1
        if path.is_file() and not last:
            raise MissingFilesError(f"{path} is a file, but has to be a folder (for {pattern}).")
        if path.is_dir() and last:
            raise MissingFilesError(f"{path} is a folder, but has to be a file.")


def _match(folder: Path, pattern: str, split: str) -> list[RawFile]:
    outer, _, inner = pattern.partition("!")
    # Some sources have tens of thousands of files: text is much cheaper than paths.
    start = len(os.path.join(folder, ""))  # noqa: PTH118
    files = []
    matches = re.compile(fnmatch.translate(inner)).match
    for place in _glob(folder, outer):
        name = place[start:].replace(os.sep, "/")
        if not inner:
            files.append(RawFile(Path(place), name, split))
            continue
        files.extend(
            RawFile(Path(place), f"{name}!{member}", split, member)
            for member in archive_members(Path(place))
            # "tar -cf a.tar ." puts "./" in front of every name.
            if matches(member.removeprefix("./"))
        )
    return files


def _glob(folder: Path, pattern: str) -> list[str]:
    """Return matching files, sorted, one of each: the plain one, else the first that is packed."""
    chosen: dict[str, tuple[int, str]] = {}
    for suffix in ("", *COMPRESSED):
        for path in folder.glob(pattern + suffix):
            if _is_data(path, folder):
                place = str(path)
                rank = COMPRESSED.index(path.suffix) + 1 if path.suffix in COMPRESSED else 0
                plain = place.removesuffix(path.suffix) if rank else place
                chosen[plain] = min(chosen.get(plain, (rank, place)), (rank, place))
    return sorted(place for _, place in chosen.values())


def _is_data(path: Path, folder: Path) -> bool:
    """Return whether a path is a file that is not hidden, nor in a hidden folder."""
    below = str(path)[len(str(folder)) :]
    return f"{os.sep}." not in below and path.is_file()


def file_set(
    reader: Reader, patterns: tuple[str, ...], splits: Mapping[str, str | Sequence[str]]
) -> FileSet:
    """Put a reader and patterns together, as every `raw.<format>(...)` function does.

    Args:
        reader: What reads the files.
        patterns: Patterns of files without an official split.
        splits: Patterns by official split: `train=`, `validation=`, `test=`.

    Raises:
        ValueError: A split has another name, or there is no pattern at all.
    """
    unknown = set(splits) - set(SPLITS)
    if unknown:
        raise ValueError(
            f"{', '.join(sorted(unknown))}: not a split. Splits are {', '.join(SPLITS)}."
        )
    named = {
        split: (value,) if isinstance(value, str) else tuple(value)
        for split, value in splits.items()
    }
    by_split = {"": patterns, **named} if patterns else named
    if not by_split:
        raise ValueError("a file set needs at least one pattern")
    return FileSet(reader, by_split)


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""
        ...


def blocks(stream: Readable, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield a stream's bytes in blocks."""
    while block := stream.read(size):
        yield block


class SpanStream(io.RawIOBase):
    """The bytes of one span of an open stream, with a count of quotes as they pass by.

    A byte order mark at the start of the file is left out. Arrow reads from it, with two
    peculiarities. It drops a line feed at the start of a block if the last block ended in a
    carriage return, even inside a quoted cell: so no block ends in one. And it reads ahead in a
    thread of its own: closing waits for that, so that the file itself can be closed afterwards.

    Attributes:
        counts: Whether quotes are counted.
        passed: How many bytes have been read so far.
        quotes: How many quote characters have been read so far.
    """

    def __init__(self, stream: Readable, span: Span | None, *, count_quotes: bool) -> None:
        super().__init__()
        self._stream = stream
        self._left = -1
        self._lock = Lock()
        self._at_start = span is None or span[0] == 0
        self._held = b""
        if span is not None:
            # Only plain files are cut into spans, and those can be sought in.
            stream.seek(span[0])  # type: ignore[attr-defined]
            self._left = span[1] - span[0]
        self.counts = count_quotes
        self.passed = self.quotes = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; none only at the end."""
        with self._lock:
            if self.closed:
                return b""
            if size > 0:
                size -= len(self._held)
            if self._left >= 0:
                size = self._left if size < 0 else min(size, self._left)
            data = self._stream.read(size)
            self.passed += len(data)
            if self._left >= 0:
                self._left -= len(data)
            if self._at_start:
                data = data.removeprefix(codecs.BOM_UTF8)
                self._at_start = False
            if self.counts:
                self.quotes += count_quotes(data)
            kept = len(data) - (len(data) > 1 and data.endswith(b"\r"))
            given, self._held = self._held + data[:kept], data[kept:]
            return given

    def close(self) -> None:
        """Wait for a read in another thread to end; later reads return nothing."""
        with self._lock:
            super().close()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file on disk in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def count_quotes(block: bytes | bytearray) -> int:
    """Return the number of `"` in a block: as `block.count` does, several times as fast."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord('"')))
