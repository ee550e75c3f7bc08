"""BibTeX of the corpora, derived from what their recipes say.

A recipe's citation is a line for people: "Kasai et al., 2023, arXiv:2303.18027", several of them
with semicolons between. It has no titles of publications, so none is made up: the entry of a
corpus bears the corpus's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

_LEAD = re.compile(r"(?P<lead>[^:,]+): (?P<rest>.+)")
_DATED = re.compile(r"(?P<who>.+?), (?P<year>(?:19|20)\d{2})(?:, (?P<rest>.+))?")
_ARXIV = re.compile(r"arXiv:(?P<id>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})")
_DOI = re.compile(r"doi:(?P<id>10\.\S+)")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\^{}",
    "~": r"\~{}",
    # Even with a backslash before it, a brace counts when BibTeX looks for the end of a field.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    **{character: f"\\{character}" for character in "&%$#_"},
}
_OPEN, _CLOSE = "\x02", "\x03"
"""Stand for braces that keep words together, until the text between them is escaped."""

_RAW = {"url", "doi", "eprint", "archiveprefix", "year"}
_IN_URLS = {" ": "%20", "\\": "%5C", "{": "%7B", "}": "%7D"}


@dataclass(frozen=True)
class Entry:
    """One BibTeX entry of type misc.

    Attributes:
        key: Its citation key.
        fields: Its fields, in order; text as people write it, not escaped yet.
    """

    key: str
    fields: dict[str, str]

    def __str__(self) -> str:
        lines = [f"@misc{{{self.key},"]
        lines += [f"  {name} = {{{_value(name, text)}}}," for name, text in self.fields.items()]
        return "\n".join([*lines, "}"])


@dataclass(frozen=True)
class Cited:
    """A corpus that is cited.

    Attributes:
        title: Its name.
        homepage: Where it lives.
        citation: What its recipe says.
    """

    title: str
    homepage: str
    citation: str


@dataclass
class _Publication:
    """A publication, and what it is cited for.

    Attributes:
        text: The citation.
        main: Corpora of which it is the first citation.
        others: Names of the other corpora that cite it.
    """

    text: str
    main: list[Cited] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def entries(corpora: Iterable[Cited]) -> list[Entry]:
    """Return the entries of corpora, each publication once, with keys that differ."""
    found: dict[str, _Publication] = {}
    for corpus in corpora:
        for number, piece in enumerate(_one_line(corpus.citation).split("; ")):
            one = found.setdefault(_identity(piece), _Publication(piece))
            # Of two that say more or less of the same publication, the fuller one.
            one.text = max(one.text, piece, key=len)
            if number == 0:
                one.main.append(corpus)
            else:
                one.others.append(_one_line(corpus.title))
    made: dict[str, Entry] = {}
    for publication in found.values():
        key, fields = _entry(publication)
        unique, number = key, 1
        while unique in made:
            number += 1
            unique = f"{key}-{number}"
        made[unique] = Entry(unique, fields)
    return list(made.values())


def _one_line(text: str) -> str:
    return " ".join(text.replace(_OPEN, " ").replace(_CLOSE, " ").split())


def _identity(piece: str) -> str:
    known = _ARXIV.search(piece) or _DOI.search(piece)
    return known[0] if known else piece


def _entry(publication: _Publication) -> tuple[str, dict[str, str]]:
    """Return the key and the fields of a publication."""
    piece = publication.text
    notes = []
    lead = _LEAD.fullmatch(piece)
    if lead:
        notes.append(lead["lead"][0].upper() + lead["lead"][1:])
        piece = lead["rest"]
    dated = _DATED.fullmatch(piece)
    if dated:
        who, year, rest = dated["who"], dated["year"], dated["rest"] or ""
    else:
        # No year of publication stands by itself: the first part says who, the others the rest.
        who, _, rest = piece.partition(", ")
        year = ""
        if not rest:
            notes.append(who)
            who = ""
    known, venue = _places(rest)
    if venue and not year:
        notes.append(venue)
    titles = [_one_line(corpus.title) for corpus in publication.main]
    if not titles:
        notes.append(f"Cited for {', '.join(publication.others)}")
    fields = {
        "author": _authors(who),
        "title": f"{_OPEN}{' and '.join(titles)}{_CLOSE}" if titles else "",
        "year": year,
        "howpublished": venue if year else "",
        **known,
        "note": ". ".join(notes),
    }
    if publication.main:
        fields.setdefault("url", publication.main[0].homepage)
    first = re.split(r", | and | et al\.", who)[0] if who else "".join(titles)
    where = venue.split()[0] if venue and year else "arxiv" if "eprint" in known else ""
    key = (_slug(first) or "corpus") + year + _slug(where)
    return key, {name: text for name, text in fields.items() if text}


def _places(rest: str) -> tuple[dict[str, str], str]:
    """Return what of a citation's end has a field of its own, and what has none."""
    known: dict[str, str] = {}
    other = []
    for part in rest.split(", ") if rest else ():
        if arxiv := _ARXIV.fullmatch(part):
            known |= {"eprint": arxiv["id"], "archiveprefix": "arXiv"}
        elif doi := _DOI.fullmatch(part):
            known["doi"] = doi["id"]
        elif part.startswith(("http://", "https://")):
            known["url"] = part
        else:
            other.append(part)
    return known, ", ".join(other)


def _authors(who: str) -> str:
    """Return authors as BibTeX has them; names of several words are kept together."""
    if not who:
        return ""
    names = re.split(r", | and ", who.removesuffix(" et al."))
    whole = [f"{_OPEN}{name}{_CLOSE}" if " " in name else name for name in names]
    return " and ".join([*whole, *(["others"] if who.endswith(" et al.") else [])])


def _value(name: str, text: str) -> str:
    if name in _RAW:
        return "".join(_IN_URLS.get(character, character) for character in text)
    escaped = "".join(_SPECIAL.get(character, character) for character in text)
    return escaped.replace(_OPEN, "{").replace(_CLOSE, "}")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())
