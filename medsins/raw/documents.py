"""Readers of XML documents and OBO ontologies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from medsins.errors import CorruptFileError, RecordError
from medsins.raw.files import Batch, FileSet, RawFile, Reader, Span, file_set, parsed


def xml(*patterns: str, roots: Sequence[str] = (), **splits: str | Sequence[str]) -> FileSet:
    """XML documents; a record is the root element of a file.

    Args:
        *patterns: Files without an official split.
        roots: Names that the root element may have; a document with another is set aside.
        **splits: Files by official split.
    """
    return file_set(XmlReader(tuple(roots)), patterns, splits)


@dataclass(frozen=True)
class XmlReader(Reader):
    """Reads one XML document a file; see `xml` for the field."""

    roots: tuple[str, ...]

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield the root element (`xml.etree.ElementTree.Element`).

        A document that is not well-formed, or has an unknown root, is set aside: one broken file
        among thousands does not stop a build, unless there are more of them than its limit.
        """
        del span
        yield parsed(file.name, [(1, file)], self._root)

    def _root(self, file: RawFile) -> ElementTree.Element:
        try:
            root = ElementTree.fromstring(file.read())
        except (ElementTree.ParseError, LookupError, ValueError) as error:
            # An encoding that the parser does not know is a LookupError or a ValueError.
            raise RecordError("XML is not well-formed", detail=str(error)) from error
        if self.roots and root.tag not in self.roots:
            wanted = " or ".join(f"<{name}>" for name in self.roots)
            raise RecordError(f"root element is not {wanted}", detail=f"it is <{root.tag}>")
        return root


@dataclass(slots=True)
class Term:
    """One term of an OBO ontology.

    Attributes:
        id: Identifier, such as "DOID:162".
        name: Its name.
        definition: Text of `def`, unescaped; "" if there is none.
        synonyms: (text, scope) pairs; scope is EXACT, RELATED, NARROW or BROAD.
        parents: (id, name) pairs of `is_a`.
        obsolete: Whether the term is marked `is_obsolete`.
    """

    id: str = ""
    name: str = ""
    definition: str = ""
    synonyms: list[tuple[str, str]] = field(default_factory=list)
    parents: list[tuple[str, str]] = field(default_factory=list)
    obsolete: bool = False


def obo(*patterns: str, **splits: str | Sequence[str]) -> FileSet:
    """OBO 1.2 and 1.4 flat files; a record is a `Term`.

    Format: the OBO Flat File Format 1.2 guide of the Gene Ontology consortium. Other stanzas
    than `[Term]` are left out.

    Args:
        *patterns: Files without an official split.
        **splits: Files by official split.
    """
    return file_set(OboReader(), patterns, splits)


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(\w+)?')
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "W": " "}


@dataclass(frozen=True)
class OboReader(Reader):
    """Reads the terms of OBO files."""

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield every `Term`; rows count them.

        Raises:
            CorruptFileError: The file has no `format-version` line and no term.
        """
        del span
        text = file.text()
        if not text.startswith("format-version:") and "\n[Term]" not in f"\n{text}":
            raise CorruptFileError(
                f"{file.path} does not look like an OBO file: it has no format-version line. "
                "Check that it is the right file."
            )
        yield parsed(file.name, enumerate(_term_stanzas(text), 1), _term)


def _term_stanzas(text: str) -> Iterator[list[str]]:
    inside: list[str] | None = None
    for line in text.split("\n"):
        line = line.rstrip()
        if line.startswith("["):
            if inside is not None:
                yield inside
            inside = [] if line == "[Term]" else None
        elif inside is not None and line:
            inside.append(line)
    if inside is not None:
        yield inside


def _term(lines: list[str]) -> Term:
    term = Term()
    for line in lines:
        tag, _, value = line.partition(":")
        value = value.strip()
        if tag == "id":
            term.id = value.partition(" ! ")[0].strip()
        elif tag == "name":
            term.name = _unescape(value.strip())
        elif tag == "def":
            term.definition = _quoted(value, "def")[0]
        elif tag == "synonym":
            term.synonyms.append(_quoted(value, "synonym"))
        elif tag == "is_a":
            parent, _, name = value.partition(" ! ")
            term.parents.append((parent.split(" ")[0].strip(), _unescape(name.strip())))
        elif tag == "is_obsolete":
            term.obsolete = value.strip() == "true"
    if not term.id:
        raise RecordError("term has no id", field="id")
    return term


def _quoted(value: str, tag: str) -> tuple[str, str]:
    match = _QUOTED.match(value)
    if match is None:
        raise RecordError("quoted text is not closed", field=tag)
    return _unescape(match[1]), match[2] or "RELATED"


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text)
