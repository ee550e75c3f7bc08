"""Writing rows into the files that trainers read: JSON Lines, Parquet, tar, task files.

Rows come as JSON in UTF-8 without line breaks. Nothing of the time or the machine is in any file.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import pyarrow as pa
from pyarrow import json as arrow_json
from pyarrow import parquet

from medsins.io.files import sync

FILE_BYTES = 512 << 20
"""Bytes of rows in a file."""

ROW_GROUP_BYTES = 16 << 20
"""Bytes of rows in a row group of Parquet; one is held in memory while it is written."""


Finished = TypeVar("Finished", bound="Closing")


class Closing(Protocol):
    """Has something to finish."""

    def close(self) -> None:
        """Finish it, down to the disk."""


class Writer(Closing, Protocol):
    """Writes one file."""

    def add(self, row: bytes) -> None:
        """Append a row."""


@contextmanager
def finishing(writer: Finished) -> Iterator[Finished]:
    """Finish a writer when all went well; else let go of its files without a second error."""
    try:
        yield writer
    except BaseException:
        # A full disk fails again on the last flush; the first error is the one to see.
        with suppress(OSError, ValueError):
            writer.close()
        raise
    writer.close()


class JsonLines:
    """A file of one row a line.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")

    def add(self, row: bytes) -> None:
        """Append a row."""
        self._stream.write(row)
        self._stream.write(b"\n")

    def close(self) -> None:
        """Finish the file."""
        _close(self._stream)


class Parquet:
    """A Parquet file, compressed with zstd.

    Args:
        path: The file.
        schema: Columns of the rows.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._stream = path.open("wb")
        self._writer = parquet.ParquetWriter(
            self._stream, schema, compression="zstd", write_page_index=True
        )
        self._rows: list[bytes] = []
        self._bytes = 0

    def add(self, row: bytes) -> None:
        """Append a row."""
        self._rows.append(row)
        self._bytes += len(row)
        if self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        text = b"\n".join(self._rows)
        self._rows, self._bytes = [], 0
        table = arrow_json.read_json(
            pa.BufferReader(text),
            # A block holds whole rows, so it is as large as all of them.
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=self._schema, unexpected_field_behavior="error"
            ),
        )
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))

    def close(self) -> None:
        """Finish the file."""
        try:
            self._flush()
        finally:
            try:
                self._writer.close()
            finally:
                _close(self._stream)


class Tar:
    """A tar archive with a member `<number>.json` for each row, as WebDataset reads it.

    Args:
        path: The file.
        first: Number of its first row among all rows of the export.
    """

    def __init__(self, path: Path, first: int) -> None:
        self._number = first
        self._stream = path.open("wb")

    def add(self, row: bytes) -> None:
        """Append a row."""
        member = tarfile.TarInfo(f"{self._number:09d}.json")
        member.size = len(row)
        self._stream.write(member.tobuf(tarfile.USTAR_FORMAT))
        self._stream.write(row)
        self._stream.write(bytes(-len(row) % tarfile.BLOCKSIZE))
        self._number += 1

    def close(self) -> None:
        """Finish the file."""
        try:
            self._stream.write(bytes(2 * tarfile.BLOCKSIZE))
        finally:
            _close(self._stream)


class Files:
    """Rows in one file after the other: `<stem>-00000-of-0000N.<suffix>`.

    Args:
        folder: Where they go; it must exist.
        stem: The split.
        suffix: The container.
        open: Opens a writer for a path and the number of rows before it.

    Attributes:
        paths: The files in order; under their final names once they are closed.
    """

    def __init__(
        self, folder: Path, stem: str, suffix: str, open: Callable[[Path, int], Writer]
    ) -> None:
        self._folder = folder
        self._stem = stem
        self._suffix = suffix
        self._open = open
        self.paths: list[Path] = []
        self._writer: Writer | None = None
        self._bytes = 0
        self._rows = 0

    def add(self, row: bytes) -> None:
        """Append a row."""
        if self._writer is None or self._bytes + len(row) > FILE_BYTES:
            self._next()
        assert self._writer is not None
        self._writer.add(row)
        self._bytes += len(row)
        self._rows += 1

    def _next(self) -> None:
        if self._writer is not None:
            self._writer.close()
        path = self._folder / f"{self._stem}-{len(self.paths):05d}"
        self._writer = self._open(path, self._rows)
        self.paths.append(path)
        self._bytes = 0

    def close(self) -> None:
        """Finish the last file, and give all of them their final names."""
        if self._writer is not None:
            self._writer.close()
        count = len(self.paths)
        self.paths = [
            path.rename(path.with_name(f"{path.name}-of-{count:05d}.{self._suffix}"))
            for path in self.paths
        ]


class TaskFile:
    """A task file as published: one JSON object whose last member is the list of instances.

    Args:
        path: The file.
        head: Its other members.
    """

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        self._stream = path.open("wb")
        text = json.dumps(head, indent=2, ensure_ascii=False)
        self._stream.write(f'{text[:-2]},\n  "Instances": ['.encode())
        self._separator = b"\n    "

    def add(self, row: bytes) -> None:
        """Append an instance."""
        self._stream.write(self._separator)
        self._stream.write(row)
        self._separator = b",\n    "

    def close(self) -> None:
        """Finish the file."""
        try:
            self._stream.write(b"\n  ]\n}\n")
        finally:
            _close(self._stream)


def _close(stream: IO[bytes]) -> None:
    with stream:
        sync(stream)
