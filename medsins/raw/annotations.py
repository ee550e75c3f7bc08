"""Readers of annotated text: CoNLL columns (IOB, IOBES), PubTator and brat standoff.

Whatever the format, offsets count characters from 0 and ends are exclusive. A mention whose
offsets are outside its text, or whose text differs from the text at its offsets, is an error of the
record: it is set aside with its reason, never repaired silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from medsins.errors import CorruptFileError, RecordError
from medsins.raw.files import Batch, FileSet, RawFile, Reader, Span, file_set, parsed
from medsins.raw.records import line_blocks

_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a CoNLL file.

    Attributes:
        tokens: Its tokens.
        tags: Their tags, such as "B-Chemical", "I-Chemical", "O"; as many as tokens.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]

    def entities(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return (type, tokens) of each entity, in order; type is "" for bare B and I tags.

        B- and S- open an entity, and so does an I- or E- that continues none of its type; E- and
        S- end it (the reading of conlleval).
        """
        found: list[tuple[str, tuple[str, ...]]] = []
        current: list[str] = []
        kind = ""
        for token, tag in zip(self.tokens, self.tags, strict=True):
            head, _, label = tag.partition("-")
            continues = head in ("I", "E") and current and label == kind
            if current and not continues:
                found.append((kind, tuple(current)))
                current = []
            if head != "O":
                current.append(token)
                kind = label
            if head in ("E", "S"):
                found.append((kind, tuple(current)))
                current = []
        if current:
            found.append((kind, tuple(current)))
        return found


def conll(*patterns: str, token: int = 0, tag: int = -1, **splits: str | Sequence[str]) -> FileSet:
    """CoNLL columns: one token a line, empty lines between sentences; a record is a `Sentence`.

    Columns are split at tabs, or at spaces in lines without a tab. `-DOCSTART-` lines are left
    out.

    Args:
        *patterns: Files without an official split.
        token: Column of the token.
        tag: Column of the tag.
        **splits: Files by official split.
    """
    return file_set(ConllReader(token, tag), patterns, splits)


@dataclass(frozen=True)
class ConllReader(Reader):
    """Reads sentences of CoNLL columns; see `conll` for the fields."""

    token: int
    tag: int

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield sentences; rows count them. One with a malformed line is set aside."""
        del span
        yield from _batches(file, self._sentence)

    def _sentence(self, block: list[str]) -> Sentence:
        tokens, tags = [], []
        for line in block:
            # Other white space, such as a no-break space, may be part of a token.
            cells = line.split("\t") if "\t" in line else [c for c in line.split(" ") if c]
            try:
                token, tag = cells[self.token], cells[self.tag]
            except IndexError as error:
                raise RecordError("line lacks a column", detail=repr(line)) from error
            if len(cells) < 2 or not token:
                raise RecordError("line lacks its token or tag", detail=repr(line))
            if tag != "O" and tag.partition("-")[0] not in ("B", "I", "E", "S"):
                raise RecordError("tag is none of B, I, E, S, O", field="tag", detail=repr(tag))
            tokens.append(token)
            tags.append(tag)
        return Sentence(tuple(tokens), tuple(tags))


def _batches(file: RawFile, parse: Callable[[list[str]], Any]) -> Iterator[Batch]:
    """Yield the parsed blocks of a file in batches."""
    numbered = enumerate(_blocks(file), 1)
    while several := list(islice(numbered, _BATCH)):
        yield parsed(file.name, several, parse)


def _blocks(file: RawFile) -> Iterator[list[str]]:
    """Yield the blocks of lines between empty lines."""
    block: list[str] = []
    for _, first, lines in line_blocks(file):
        for number, data in enumerate(lines, first):
            try:
                line = data.removesuffix(b"\r").decode()
            except UnicodeDecodeError as error:
                raise CorruptFileError(
                    f"{file.path} is not UTF-8 text: line {number}, byte {error.start} of it. "
                    "Convert it."
                ) from error
            if not line.strip():
                if block:
                    yield block
                block = []
            elif not line.startswith("-DOCSTART-"):
                block.append(line)
    if block:
        yield block


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of text with a type.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        text: The mention as the annotation gives it.
        type: Its type, such as "Disease".
        id: Identifier inside the document ("T1" in brat, "" in PubTator).
        concept: Identifiers of the concept, as written ("D003110", "OMIM:1|D2"), or "".
        fragments: (start, end) of each part; more than one for a discontinuous mention.
    """

    start: int
    end: int
    text: str
    type: str
    id: str = ""
    concept: str = ""
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed link between two mentions (brat) or two concepts (PubTator), by identifier."""

    type: str
    head: str
    tail: str


@dataclass(slots=True)
class Document:
    """One annotated document.

    Attributes:
        id: PubMed identifier, or the file name without its suffix.
        text: The text that offsets refer to; title, a space and abstract in PubTator.
        title: The title, in PubTator; else "".
        mentions: Its mentions, in the order of the file.
        relations: Its relations.
        attributes: (attribute, identifier of what it is about) pairs of brat A and M lines.
    """

    id: str
    text: str
    title: str = ""
    mentions: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)


def pubtator(*patterns: str, **splits: str | Sequence[str]) -> FileSet:
    """PubTator files: `pmid|t|title`, `pmid|a|abstract`, mention and relation rows.

    Format: Wei et al. 2013, doi:10.1093/nar/gkt441. Rows of four fields are relations; mention
    rows have six fields or more (BC5CDR adds a seventh for parts of composite mentions).

    Args:
        *patterns: Files without an official split.
        **splits: Files by official split.
    """
    return file_set(PubTatorReader(), patterns, splits)


@dataclass(frozen=True)
class PubTatorReader(Reader):
    """Reads PubTator documents."""

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield a `Document` for each abstract; rows count them."""
        del span
        yield from _batches(file, _pubtator_document)


def _pubtator_document(lines: list[str]) -> Document:
    if len(lines) < 2 or "|t|" not in lines[0] or "|a|" not in lines[1]:
        raise RecordError("document does not begin with its title and abstract lines")
    identifier, _, title = lines[0].partition("|t|")
    _, _, abstract = lines[1].partition("|a|")
    document = Document(identifier, f"{title} {abstract}", title)
    for line in lines[2:]:
        cells = line.split("\t")
        if cells[0] != identifier:
            raise RecordError("row is of another document", field="pmid", detail=repr(line))
        if len(cells) == 4:
            document.relations.append(Relation(cells[1], cells[2], cells[3]))
            continue
        if len(cells) < 5:
            raise RecordError("annotation row has too few fields", detail=repr(line))
        start, end = _offset(cells[1]), _offset(cells[2])
        _check_spans(document.text, [(start, end)], cells[3])
        concept = cells[5].strip() if len(cells) > 5 else ""
        document.mentions.append(
            Mention(start, end, cells[3], cells[4], "", concept, ((start, end),))
        )
    return document


def brat(*patterns: str, **splits: str | Sequence[str]) -> FileSet:
    """The brat standoff format: pairs of `.txt` and `.ann`; a record is a `Document`.

    Format: https://brat.nlplab.org/standoff.html. T, R, A and M lines are read; `*`, E and #
    lines are left out. Patterns name the `.txt` files; each has its `.ann` beside it.

    Args:
        *patterns: `.txt` files without an official split.
        **splits: `.txt` files by official split.
    """
    return file_set(BratReader(), patterns, splits)


@dataclass(frozen=True)
class BratReader(Reader):
    """Reads brat documents."""

    companions = (".ann",)

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield one `Document`."""
        del span
        # Offsets count the line break characters that are in the file, so none is translated.
        text = file.text("utf-8")
        annotations = file.sibling(".ann").text()
        identifier = file.name.rsplit("/", 1)[-1].partition(".txt")[0]
        yield parsed(file.name, [(1, text)], partial(_brat_document, identifier, annotations))


def _brat_document(identifier: str, annotations: str, text: str) -> Document:
    document = Document(identifier, text)
    for line in annotations.split("\n"):
        line = line.rstrip("\r\t ")
        kind = line[:1]
        if kind == "T":
            document.mentions.append(_brat_mention(line, text))
        elif kind == "R":
            label, *arguments = line.partition("\t")[2].split(" ")
            ends = [end for _, _, end in (argument.partition(":") for argument in arguments) if end]
            if len(arguments) != 2 or len(ends) != 2:
                raise RecordError("relation line has not two arguments", detail=repr(line))
            document.relations.append(Relation(label, *ends))
        elif kind in ("A", "M"):
            label, _, about = line.partition("\t")[2].partition(" ")
            if not label:
                raise RecordError("attribute line has no name", detail=repr(line))
            document.attributes.append((label, about.partition(" ")[0]))
    known = {mention.id for mention in document.mentions}
    for relation in document.relations:
        for end in (relation.head, relation.tail):
            if end.startswith("T") and end not in known:
                raise RecordError("relation refers to a mention that is not there", detail=end)
    return document


def _brat_mention(line: str, text: str) -> Mention:
    cells = line.split("\t", 2)
    if len(cells) < 3:
        raise RecordError("mention line has too few fields", detail=repr(line))
    label, _, spans = cells[1].partition(" ")
    fragments = []
    for part in spans.split(";"):
        first, _, last = part.partition(" ")
        fragments.append((_offset(first), _offset(last)))
    _check_spans(text, fragments, cells[2])
    starts, ends = zip(*fragments, strict=True)
    return Mention(min(starts), max(ends), cells[2], label, cells[0], "", tuple(fragments))


def _offset(cell: str) -> int:
    # Longer than any text: int() refuses numbers of thousands of digits.
    if not cell.isdecimal() or len(cell) > 15:
        raise RecordError("offset is not a number", field="offset", detail=repr(cell))
    return int(cell)


def _check_spans(text: str, fragments: Sequence[Span], mention: str) -> None:
    for start, end in fragments:
        if not 0 <= start < end <= len(text):
            raise RecordError(
                "offsets lie outside the text",
                field="offset",
                detail=f"{start}-{end} in {len(text)} characters",
            )
    # brat puts a space between fragments and in place of a line break; white space around a
    # mention is an accident of writing (one row of the NCBI disease corpus has two spaces more
    # than its offsets).
    there = " ".join(text[start:end] for start, end in fragments)
    if there.split() != mention.split():
        raise RecordError(
            "text at the offsets differs from the mention",
            field="offset",
            detail=f"{there!r} is not {mention!r}",
        )
