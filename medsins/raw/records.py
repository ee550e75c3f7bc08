"""Readers of JSON, JSON Lines, plain lines and Super-NaturalInstructions task files."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from json import decoder as json_decoder
from typing import IO, Any, NoReturn

import orjson

from medsins.errors import CorruptFileError, RecordError
from medsins.raw.csv_cutting import RowCutter
from medsins.raw.files import (
    Batch,
    Cutter,
    FileSet,
    RawFile,
    Reader,
    Span,
    SpanStream,
    blocks,
    file_set,
    parsed,
)

STREAMED = 16 << 20
"""Size in bytes above which a JSON document is parsed piece by piece."""

_BATCH = 1024
_STREAM_BLOCK = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER_PART = re.compile(r"[-+.eE\d]*")


def json(
    *patterns: str,
    records: Callable[[Any], Iterable[Any]] | None = None,
    **splits: str | Sequence[str],
) -> FileSet:
    """Files that hold one JSON document each.

    A record is an element of the document's array, or a (key, value) pair of its object. A file
    that turns out to be JSON Lines is read as such.

    Args:
        *patterns: Files without an official split.
        records: Takes the document and yields its records, where they are nested deeper.
        **splits: Files by official split.
    """
    return file_set(JsonReader(records), patterns, splits)


def jsonl(*patterns: str, **splits: str | Sequence[str]) -> FileSet:
    """Files with one JSON value a line (JSON Lines); a record is such a value.

    A file that turns out to be one JSON array is read as such.

    Args:
        *patterns: Files without an official split.
        **splits: Files by official split.
    """
    return file_set(JsonLinesReader(), patterns, splits)


def lines(*patterns: str, encoding: str = "utf-8", **splits: str | Sequence[str]) -> FileSet:
    """Files of text lines; a record is a line without its line break.

    Args:
        *patterns: Files without an official split.
        encoding: Character encoding of the files.
        **splits: Files by official split.
    """
    if "\n".encode(encoding) != b"\n":
        raise ValueError(f"lines of {encoding} text cannot be found by their bytes")
    return file_set(LineReader(encoding), patterns, splits)


def superni(*tasks: str, group: Callable[[str], str] = str.strip) -> FileSet:
    """Task files of Super-NaturalInstructions, in the folder `superni/` of the raw root.

    They are found at any depth, compressed or not, in a copy of the whole repository
    (`tasks/task1451_….json`) or as single files. A record is an instance: a dict with `input`, and
    `output` as a list of accepted answers. Both generations of the schema are read.

    Args:
        *tasks: File names without `.json`, such as "task1451_drug_dose_extraction".
        group: Takes an input and returns the sentence or passage that several instances share, so
            that they all go into one split. Default: the whole input.
    """
    found = file_set(SuperNIReader(group), tuple(f"**/{task}*.json" for task in tasks), {})
    return replace(found, folder="superni")


@dataclass(frozen=True)
class JsonReader(Reader):
    """Reads one JSON document a file; see `json` for the field."""

    records: Callable[[Any], Iterable[Any]] | None

    def _found(self, file: RawFile) -> Iterator[Any]:
        if self.records is None and not file.member and file.path.stat().st_size > STREAMED:
            return _lines(file) if _has_many_values(file) else _elements(file)
        document = load(file)
        if self.records is not None:
            return iter(self.records(document))
        if isinstance(document, dict):
            return iter(document.items())
        if not isinstance(document, list):
            raise TypeError(f"a document that is {type(document).__name__} has no records")
        return iter(document)

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield the document's records.

        Raises:
            CorruptFileError: The document is cut off, or is neither an array nor an object.
        """
        del span
        try:
            row = 0
            found = self._found(file)
            while chunk := list(islice(found, _BATCH)):
                yield Batch(file.name, chunk, range(row + 1, row + len(chunk) + 1))
                row += len(chunk)
        except (LookupError, TypeError, AttributeError) as error:
            raise CorruptFileError(
                f"{file.path} is JSON, but not laid out as its source documents it "
                f"({type(error).__name__}: {error}). Check that it is the right file."
            ) from error


def _lines(file: RawFile) -> Iterator[Any]:
    for batch in _parse_lines(file, None):
        if batch.bad:
            row, error = batch.bad[0]
            raise CorruptFileError(f"{file.path} is not valid JSON: {error}, line {row}.")
        yield from batch.records


def _has_many_values(file: RawFile) -> bool:
    """Return whether the first line is a whole value and more lines follow: JSON Lines."""
    with file.open() as stream:
        begin = stream.read(_STREAM_BLOCK).removeprefix(codecs.BOM_UTF8).lstrip()
        # As much again each time, until the first line is complete: the line may be the whole file.
        while b"\n" not in begin and (block := stream.read(len(begin) + 1)):
            begin += block
        first, ended, rest = begin.partition(b"\n")
        if not ended:
            return False
        try:
            orjson.loads(first)
        except orjson.JSONDecodeError:
            return False
        return bool(rest.strip() or stream.read(_STREAM_BLOCK).strip())


def _elements(file: RawFile) -> Iterator[Any]:
    """Yield the elements of a document's array, or the pairs of its object, one by one.

    Corpora of hundreds of megabytes come as one document.

    Raises:
        CorruptFileError: The document is cut off, or is neither an array nor an object.
    """
    with file.open() as stream:
        text = _JsonText(file, stream)
        opening = text.symbol()
        if opening not in ("{", "["):
            raise TypeError(f"a document that begins with {opening!r} has no records")
        closing = "}" if opening == "{" else "]"
        symbol = text.symbol(take=False)
        while symbol != closing:
            value = text.value()
            if opening == "{":
                if not isinstance(value, str):
                    text.fail("a key is missing")
                text.expect(":")
                yield value, text.value()
            else:
                yield value
            symbol = text.symbol(take=False)
            if symbol == ",":
                # Take it. A closing bracket after it is an error, found where a value is read.
                text.symbol()
            elif symbol != closing:
                text.fail("a comma is missing")
        text.symbol()
        if text.symbol(take=False):
            text.fail("something follows the end of the document")


class _JsonText:
    """A moving window on the text of a JSON document, which holds little more than one element."""

    def __init__(self, file: RawFile, stream: IO[bytes]) -> None:
        self._file, self._stream = file, stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        # The standard library can parse a value at an offset and return where it ends, orjson
        # cannot. So this one only looks for the end, with numbers left as text, and orjson parses
        # the value, so that large documents give the same values as small ones.
        self._scan = json_decoder.JSONDecoder(
            parse_int=str, parse_float=str, parse_constant=self._refuse
        ).raw_decode
        self._text = ""
        self._at = 0
        self._passed = 0
        self._ended = False

    def _more(self) -> bool:
        """Read another block; return whether the end had not been reached before."""
        if self._ended:
            return False
        # As much again as is waiting: an element of n characters is scanned from its start about
        # log(n) times, and not once for every block.
        block = self._stream.read(max(_STREAM_BLOCK, len(self._text) - self._at))
        self._ended = not block
        try:
            added = self._decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            self.fail(f"it is not UTF-8 ({error.reason})")
        self._passed += self._at
        self._text, self._at = self._text[self._at :] + added, 0
        return True

    def symbol(self, *, take: bool = True) -> str:
        """Return the next character that is not white space; "" at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                found = self._text[self._at]
                self._at += take
                return found
            if not self._more():
                return ""

    def expect(self, symbol: str) -> None:
        """Take the next character, or fail if it is another one."""
        if self.symbol() != symbol:
            self.fail(f"{symbol!r} is missing")

    def value(self) -> Any:
        """Return the next value."""
        self.symbol(take=False)
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except json_decoder.JSONDecodeError as error:
                if not self._more():
                    self.fail(error.msg)
                continue
            except RecursionError:
                self.fail("it is nested too deeply")
            # At the end of the window, "12" may be the beginning of "123": read on to be sure.
            if not _NUMBER_PART.fullmatch(self._text, end) or not self._more():
                start, self._at = self._at, end
                try:
                    return orjson.loads(self._text[start:end])
                except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
                    self.fail(str(error))

    def _refuse(self, constant: str) -> NoReturn:
        self.fail(f"{constant} is not a JSON value")

    def fail(self, what: str) -> NoReturn:
        """Raise the error that the document is not valid JSON here."""
        raise CorruptFileError(
            f"{self._file.path} is not valid JSON: {what}, near character "
            f"{self._passed + self._at:,}. The file is cut off or damaged; get it again."
        )


def load(file: RawFile) -> Any:
    """Parse a whole file as JSON, or as JSON Lines if it is that.

    Raises:
        CorruptFileError: It is neither.
    """
    data = file.read().removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        rows = [row for row in data.split(b"\n") if row.strip()]
        if len(rows) > 1:
            try:
                return [orjson.loads(row) for row in rows]
            except orjson.JSONDecodeError:
                pass
        raise CorruptFileError(
            f"{file.path} is not valid JSON: {error}. The file is cut off or damaged; get it again."
        ) from error


@dataclass(frozen=True)
class JsonLinesReader(Reader):
    """Reads one JSON value a line."""

    def cutter(self) -> Cutter | None:
        """Return a cutter at line breaks; a file that may be one array is not cut."""
        return _LineCutter()

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield the lines' values; invalid lines are set aside, empty ones are left out."""
        if _begins_array(file) and not _has_many_values(file):
            return JsonReader(None).read(file)
        return _parse_lines(file, span)


class _LineCutter(RowCutter):
    """Cuts at line breaks, unless the file begins as an array does."""

    def __init__(self) -> None:
        super().__init__(quoting=False)
        self._whole: bool | None = None

    def feed(self, block: bytes | bytearray) -> None:
        """Take the next bytes of the file."""
        if self._whole is None:
            self._whole = _opens_array(block)

    def boundary(self, block: bytes | bytearray) -> int | None:
        """Return where the first line starts in the bytes that follow those fed so far."""
        return None if self._whole else super().boundary(block)


def _opens_array(begin: bytes | bytearray) -> bool:
    return begin.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["


def _begins_array(file: RawFile) -> bool:
    with file.open() as stream:
        return _opens_array(stream.read(1 << 10))


def _parse_lines(file: RawFile, span: Span | None) -> Iterator[Batch]:
    for origin, row, chunk in line_blocks(file, span):
        try:
            values = list(map(orjson.loads, chunk))
            yield Batch(file.name, values, range(row, row + len(chunk)), origin=origin)
        except orjson.JSONDecodeError:
            # A line is bad or empty. Parsing one by one is slower, but finds out which.
            numbered = (item for item in enumerate(chunk, row) if item[1].strip())
            yield parsed(file.name, numbered, _value, origin)


def _value(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RecordError("line is not valid JSON", detail=error.msg) from error


def line_blocks(file: RawFile, span: Span | None = None) -> Iterator[tuple[str, int, list[bytes]]]:
    """Yield (origin, row of the first line, lines) of a file or a span of it."""
    origin = f"{span[0]}+" if span is not None and span[0] else ""
    with file.open() as opened:
        stream = SpanStream(opened, span, count_quotes=False)
        row, rest = 1, b""
        for block in blocks(stream):
            found = (rest + block).split(b"\n")
            rest = found.pop()
            if found:
                yield origin, row, found
                row += len(found)
        if rest:
            yield origin, row, [rest]


@dataclass(frozen=True)
class LineReader(Reader):
    """Reads text lines; see `lines` for the field."""

    encoding: str

    def cutter(self) -> Cutter | None:
        """Return a cutter at line breaks."""
        return RowCutter(quoting=False) if self.encoding == "utf-8" else None

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield the lines; one that is not in the declared encoding is set aside."""
        for origin, first, chunk in line_blocks(file, span):
            yield parsed(file.name, enumerate(chunk, first), self._text, origin)

    def _text(self, line: bytes) -> str:
        try:
            return line.removesuffix(b"\r").decode(self.encoding)
        except UnicodeDecodeError as error:
            wrong = f"invalid {self.encoding} at byte {error.start} of the line"
            raise RecordError(f"invalid {self.encoding}", detail=wrong) from error


@dataclass(frozen=True)
class SuperNIReader(Reader):
    """Reads Super-NaturalInstructions task files of both schema generations.

    The older generation has `Definition` as a string and instances without `id`; the newer one
    has lists and ids (github.com/allenai/natural-instructions, README). An instance's `output`
    may be a string in files written by hand. See `superni` for the field.
    """

    group: Callable[[str], str]

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield dicts: `task`, `id`, `input`, `output`, `group`, `held_out` and `related`.

        `task` is the file's name without its ending, `id` is "" in the older schema, `output` is
        a list of strings. `held_out` marks the last tenth of the file, rounded up: the test set of
        those tasks that MedS-Bench has, 43 of 423, 23 of 222, 650 of 6,500 (the published counts).
        `related` marks what shares its group with a held-out instance: no training data.

        Raises:
            CorruptFileError: It is not a task file.
        """
        del span
        document = load(file)
        if not isinstance(document, dict) or not isinstance(document.get("Instances"), list):
            raise CorruptFileError(
                f"{file.path} is JSON without a list of Instances, so it is not a task file of "
                "Super-NaturalInstructions. Get it again from that project's tasks/ folder."
            )
        task = file.name.rsplit("/", 1)[-1].partition(".")[0]
        kept = len(document["Instances"]) * 9 // 10
        batch = parsed(file.name, enumerate(document["Instances"], 1), self._instance)
        for row, record in zip(batch.rows, batch.records, strict=True):
            record["task"], record["held_out"] = task, row > kept
        tested = {record["group"] for record in batch.records if record["held_out"]}
        for record in batch.records:
            record["related"] = not record["held_out"] and record["group"] in tested
        yield batch

    def _instance(self, item: Any) -> dict[str, Any]:
        try:
            output, text = item["output"], item["input"]
            outputs = [output] if isinstance(output, str) else list(output)
            found = {"id": item.get("id", ""), "input": text, "output": outputs}
            return {**found, "group": self.group(text)}
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordError("instance lacks input or output") from error
