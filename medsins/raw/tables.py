"""Readers of delimited text of any size; `csv_cutting` cuts large files.

A record is a dict from column name to cell, and from the name of a group to the cells of its
columns. Cells are always strings, as in the file; an empty cell is "".
"""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from medsins.errors import CorruptFileError, RecordError
from medsins.raw.cells import Layout, Records, check_columns
from medsins.raw.csv_cutting import RowCutter
from medsins.raw.files import (
    Batch,
    Cutter,
    FileSet,
    RawFile,
    Readable,
    Reader,
    Span,
    SpanStream,
    file_set,
)

BLOCK = 1 << 19
"""Bytes parsed at a time: small enough for a flat memory profile (measured in benchmarks/)."""

_LARGEST_BLOCK = 1 << 30


def csv(
    *patterns: str,
    columns: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    names: Sequence[str] | None = None,
    delimiter: str = ",",
    quoting: bool = True,
    encoding: str = "utf-8",
    **splits: str | Sequence[str],
) -> FileSet:
    """Files of delimited text (RFC 4180): quoted cells may hold delimiters and line breaks.

    Args:
        *patterns: Files without an official split.
        columns: The columns the recipe reads one by one; columns that it does not read are not even
            decoded. Default: all, or none if there are groups.
        groups: Columns that are read together, by name: `record["vitals"]` is then the tuple of
            the cells of all columns in `groups["vitals"]`, which suits the many columns of a wide
            table. A column may be in several places.
        names: Column names of files without a header row.
        delimiter: The character between cells.
        quoting: False where quotes are ordinary characters.
        encoding: Character encoding of the files.
        **splits: Files by official split.

    Raises:
        ValueError: A column is not among the names, a name occurs twice, or a group is called
            like a column.
    """
    layout = None
    if columns is not None or groups:
        layout = Layout.of(columns or (), groups or {})
    if names is not None:
        unknown = set(layout.names if layout else ()).difference(names)
        if unknown or len(set(names)) < len(names):
            raise ValueError("names has to hold every one of columns, and each name once")
    reader = TableReader(
        layout, tuple(names) if names is not None else None, delimiter, quoting, encoding
    )
    return file_set(reader, patterns, splits)


def tsv(
    *patterns: str,
    columns: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    names: Sequence[str] | None = None,
    quoting: bool = False,
    encoding: str = "utf-8",
    **splits: str | Sequence[str],
) -> FileSet:
    """Files of tab separated cells; by default, quotes are ordinary characters. See `csv`."""
    return csv(
        *patterns,
        columns=columns,
        groups=groups,
        names=names,
        delimiter="\t",
        quoting=quoting,
        encoding=encoding,
        **splits,
    )


@dataclass(frozen=True)
class TableReader(Reader):
    """Reads delimited text with Arrow's parser; see `csv` for the fields.

    Attributes:
        layout: What a record holds; None: every column.
    """

    layout: Layout | None
    names: tuple[str, ...] | None
    delimiter: str
    quoting: bool
    encoding: str

    def cutter(self) -> Cutter | None:
        """Return a cutter by quote parity; text in another encoding is one unit."""
        return RowCutter(self.quoting) if self.encoding == "utf-8" else None

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield dicts from column to cell.

        Raises:
            CorruptFileError: A column is missing, a quote is never closed, or the text is not in
                the declared encoding.
        """
        names = self.names or self._header(file)
        first = self.names is None and (span is None or span[0] == 0)
        # Records larger than a block are rare, and so are rows with too few cells or too many:
        # only then is the file read again, in larger blocks or in the slower way that can tell
        # which rows to leave out. What was yielded stays yielded: a second reading starts over,
        # since Arrow cannot be asked to go on after an error, and drops rows up to `done`.
        size, done, lenient = BLOCK, 0, False
        while True:
            try:
                for batch in self._read_blocks(file, span, names, first, size, done, lenient):
                    done = max((done, *batch.rows[-1:], *(row for row, _ in batch.bad)))
                    yield batch
            except _StraddlingRecordError as error:
                size *= 16
                if size > _LARGEST_BLOCK:
                    raise CorruptFileError(
                        f"{file.path}: the record after row {done} is longer than "
                        f"{_LARGEST_BLOCK >> 20} MiB; a quote is probably never closed."
                    ) from error
            except _WrongWidthError:
                # Bytes pass as characters then, and those beyond ASCII are twice as long in UTF-8:
                # without a larger block a record that fitted before would straddle its end.
                size, lenient = size * 2, True
            else:
                return

    def _header(self, file: RawFile) -> tuple[str, ...]:
        """Return the column names of the header row; each wanted one occurs exactly once."""
        import csv as stdlib_csv

        with file.open() as stream:
            source: Any = self._decoded(stream, file)
            # The invalid bytes may be in a later row: those of the header are checked below.
            lines = io.TextIOWrapper(source, "utf-8-sig", "surrogateescape", newline="")
            rows: Iterator[list[str]]
            if self.quoting:
                rows = stdlib_csv.reader(lines, delimiter=self.delimiter)
            else:
                cells = (line.rstrip("\r\n") for line in lines)
                rows = (line.split(self.delimiter) if line else [] for line in cells)
            try:
                names = next((tuple(row) for row in rows if row), ())
            except stdlib_csv.Error as error:
                raise CorruptFileError(
                    f"{file.path} does not begin with a header row ({error}). Check that it is "
                    "the right file."
                ) from error
        if not names:
            raise CorruptFileError(f"{file.path} is empty, without a header row.")
        if any("\udc80" <= letter <= "\udcff" for letter in "".join(names)):
            raise CorruptFileError(
                f"{file.path}: the header row is not UTF-8 text. Convert the file, or declare its "
                "encoding in the recipe."
            )
        check_columns(str(file.path), names, self.layout.names if self.layout else ())
        return names

    def _decoded(self, stream: IO[bytes], file: RawFile) -> Readable:
        return stream if self.encoding == "utf-8" else _Transcoder(stream, self.encoding, file)

    def _read_blocks(
        self,
        file: RawFile,
        span: Span | None,
        names: tuple[str, ...],
        has_header: bool,
        size: int,
        done: int,
        lenient: bool,
    ) -> Iterator[Batch]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        refused: deque[tuple[int, RecordError]] = deque()
        # Arrow counts the header row, we count records.
        shift = 1 if has_header else 0
        origin = f"{span[0]}+" if span is not None and span[0] else ""
        row = 0

        def spelt(columns: tuple[str, ...]) -> list[str]:
            # Arrow decodes the rows that it refuses, and fails on bytes that are not UTF-8. So the
            # lenient way passes every byte as a character of its own.
            return [name.encode().decode("latin-1") if lenient else name for name in columns]

        def refuse(row: Any) -> str:
            wrong = f"row has {row.actual_columns} cells, the header has {len(names)}"
            refused.append((row.number - shift, RecordError(wrong)))
            return "skip"

        layout = self.layout or Layout(names)
        wanted = layout.names
        with file.open() as opened, self._stream(opened, file, span) as stream:
            # Reading through a Python stream makes workers wait for the interpreter's lock, so
            # Arrow opens the span by itself wherever nothing has to be counted or transcoded.
            alone = None if lenient or stream.counts else _segment(file, span, size)
            try:
                reader = arrow_csv.open_csv(
                    _Transcoder(stream, "latin-1", file) if lenient else alone or stream,
                    read_options=arrow_csv.ReadOptions(
                        block_size=size,
                        use_threads=False,
                        column_names=None if has_header else spelt(names),
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=self.delimiter,
                        quote_char='"' if self.quoting else False,
                        newlines_in_values=self.quoting,
                        invalid_row_handler=refuse if lenient else None,
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        column_types=dict.fromkeys(spelt(wanted), pa.binary()),
                        include_columns=spelt(wanted),
                        strings_can_be_null=False,
                    ),
                )
                for arrow_batch in reader:
                    rows, bad = _number(arrow_batch.num_rows, row, refused)
                    row = rows[-1] if rows else row
                    if row > done:
                        batch = Batch(file.name, [], rows, bad, origin)
                        _decode(batch, arrow_batch, layout, lenient)
                        yield _after(batch, done)
            except pa.ArrowInvalid as error:
                # Arrow's errors differ in their messages alone; tests/raw/test_tables.py provokes
                # each, so that a version with other messages fails there. A header row longer than
                # the block makes the file seem empty: no types can be inferred.
                large = "cannot infer" in str(error) and (alone or stream.passed >= size)
                if large or "straddling" in str(error):
                    raise _StraddlingRecordError from error
                if "columns, got" in str(error) and not lenient:
                    raise _WrongWidthError from error
                if "Empty CSV" not in str(error):
                    raise CorruptFileError(
                        f"{file.path}: its rows cannot be separated after row {row}: a quote is "
                        "not closed, or occurs inside a cell that is not quoted "
                        f"({str(error).partition('. ')[0]})."
                    ) from error
            except pa.ArrowKeyError as error:
                raise CorruptFileError(
                    f"{file.path}: the header row cannot be read ({error}). Check that the "
                    "file begins with its column names."
                ) from error
            if trailing := [item for item in refused if item[0] > done]:
                yield Batch(file.name, [], [], trailing, origin)
            # Arrow closes an open cell at the end of the file, and all rows after a stray quote
            # would silently be part of that cell.
            if stream.quotes % 2:
                last = max(row, *(number for number, _ in refused), 1)
                raise CorruptFileError(
                    f"{file.path} ends inside a quoted cell: a quote that opens is never closed, "
                    f"at row {last} at the latest. The file is cut off or damaged; get it again."
                )

    def _stream(self, opened: IO[bytes], file: RawFile, span: Span | None) -> SpanStream:
        # In the last span a quote may be open at the end; the cutter saw to all spans before it.
        last = span is None or span[1] == file.path.stat().st_size
        return SpanStream(self._decoded(opened, file), span, count_quotes=self.quoting and last)


def _segment(file: RawFile, span: Span | None, block: int) -> Any:
    """Return a span as Arrow reads it by itself, without the interpreter's lock; None if it cannot.

    It cannot where a block ends in a carriage return; see `SpanStream`.
    """
    import pyarrow as pa

    if span is None or span[1] - span[0] <= block:
        return None
    with file.path.open("rb", buffering=0) as stream:
        for start in range(span[0] + block, span[1], block):
            stream.seek(start - 1)
            if stream.read(1) == b"\r":
                return None
    return pa.OSFile(str(file.path)).get_stream(span[0], span[1] - span[0])


class _StraddlingRecordError(Exception):
    """A record is longer than the block in which Arrow looks for its end."""


class _WrongWidthError(Exception):
    """A row has too few cells, or too many."""


def _number(
    good: int, row: int, refused: deque[tuple[int, RecordError]]
) -> tuple[Sequence[int], list[tuple[int, RecordError]]]:
    """Number the good rows after `row`, and take the refused ones before the last of them.

    Arrow parses ahead of the batch that it returns: rows refused later are left for the next one.
    """
    bad: list[tuple[int, RecordError]] = []
    if not refused or refused[0][0] > row + good:
        return range(row + 1, row + good + 1), bad
    rows: list[int] = []
    while len(rows) < good:
        row += 1
        if refused and refused[0][0] == row:
            bad.append(refused.popleft())
        else:
            rows.append(row)
    return rows, bad


def _after(batch: Batch, done: int) -> Batch:
    """Return a batch without the rows up to `done`."""
    if not done or (batch.rows and batch.rows[0] > done and not batch.bad):
        return batch
    kept = [i for i, row in enumerate(batch.rows) if row > done]
    return Batch(
        batch.file,
        [batch.records[i] for i in kept],
        [batch.rows[i] for i in kept],
        [item for item in batch.bad if item[0] > done],
        batch.origin,
    )


def _decode(batch: Batch, table: Any, layout: Layout, lenient: bool) -> None:
    """Put the records of an Arrow batch into a batch whose rows are numbered."""
    import pyarrow as pa

    try:
        # A view checks nothing: Python's decoder is what refuses bytes that are not UTF-8.
        columns = [column.view(pa.string()).to_pylist() for column in table.columns]
        if lenient:
            columns = [
                [cell if cell.isascii() else cell.encode("latin-1").decode() for cell in column]
                for column in columns
            ]
    except UnicodeDecodeError:
        _decode_each(batch, table, layout, lenient)
    else:
        batch.records = Records(layout, columns)


def _decode_each(batch: Batch, table: Any, layout: Layout, lenient: bool) -> None:
    """Decode row by row, so that only the rows with bytes that are not UTF-8 are set aside."""
    decoded: list[list[str]] = []
    kept = []
    encoded = zip(*(column.to_pylist() for column in table.columns), strict=True)
    for row, cells in zip(batch.rows, encoded, strict=True):
        texts: list[str] = []
        for name, cell in zip(layout.names, cells, strict=True):
            try:
                texts.append((cell.decode().encode("latin-1") if lenient else cell).decode())
            except UnicodeDecodeError as error:
                wrong = f"invalid UTF-8 at byte {error.start} of the cell"
                batch.bad.append((row, RecordError("invalid UTF-8", field=name, detail=wrong)))
                break
        else:
            decoded.append(texts)
            kept.append(row)
    columns = [[texts[i] for texts in decoded] for i in range(len(layout.names))]
    batch.records, batch.rows = Records(layout, columns), kept
    batch.bad.sort(key=lambda item: item[0])


class _Transcoder(io.RawIOBase):
    """Another encoding's bytes as UTF-8."""

    def __init__(self, stream: Readable, encoding: str, file: RawFile) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._file = file
        self._ready = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes of UTF-8; none only at the end."""
        want = size if size >= 0 else 1 << 62
        while len(self._ready) < want:
            block = self._stream.read(BLOCK)
            try:
                self._ready += self._decoder.decode(block, final=not block).encode()
            except UnicodeError as error:
                reason = error.reason if isinstance(error, UnicodeDecodeError) else error
                raise CorruptFileError(
                    f"{self._file.path} is not {self._encoding} text ({reason}). Declare its real "
                    "encoding in the recipe, or convert the file."
                ) from error
            if not block:
                break
        # For Arrow's sake no block ends between the two characters of a line end: see `SpanStream`.
        kept = want - (want > 1 and self._ready[want - 1 : want] == b"\r")
        data, self._ready = self._ready[:kept], self._ready[kept:]
        return data
