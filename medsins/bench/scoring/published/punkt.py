"""Sentences as NLTK's Punkt finds them in English (Kiss and Strunk, 2006).

The published scores split every text of a language written with spaces into sentences with the
English parameters before they split it into words. The algorithm is written out here after NLTK
3.9.2, whose sentences are those of 3.8.1 and 3.10. Its parameters (abbreviations, collocations,
words that start sentences, and how words are capitalised) are NLTK's data package `punkt_tab`,
which no package index has: `find` looks for a copy on this machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from medsins.errors import CorruptFileError, MissingFilesError

FILES = {
    "abbrev_types.txt": "92a3e070f43d9b4c5534758ca40ad7343b04e7e29bfe0c2eb658a39445a4f779",
    "collocations.tab": "8e2da1225e4dd2cc9dba261ee231ccb134859e21b46006e7f472c5ee269af0cf",
    "ortho_context.tab": "4bbcca25ed3d3f06c02402abf8419b9f033b8adc06e7b482eca4e45f81a5dc4c",
    "sent_starters.txt": "f3f8535483e1dba487241b764945168123bca3209a9645e59acd1225dc76edac",
}
"""The four files of the English parameters, and the SHA-256 of those the parity was measured on."""

MENDS = "pip install nltk && python -m nltk.downloader punkt_tab"
"""The command that brings the parameters, where there is a network."""

_CLOSING = r"[)\";}\]*:@'({\[?!]"
_ENDS = re.compile(rf"[.?!](?=({_CLOSING}|\s+(\S+)))")
_SEVERAL = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_TOKENS = re.compile(
    rf"({_SEVERAL}"
    rf"|(?=[^(\"`{{\[:;&#*@)}}\]\-,])\S+?(?=\s|$|{_CLOSING}|{_SEVERAL}|,(?=$|\s|{_CLOSING}|{_SEVERAL}))"
    r"|\S)"
)
_BELONGS_BEFORE = re.compile(r"[\"')\]}]+?(?:\s+|(?=--)|$)", re.MULTILINE)
_NUMBER = re.compile(r"^-?[.,]?\d[\d,.-]*\.?$")
_ELLIPSIS = re.compile(r"\.\.+$")
_INITIAL = re.compile(r"[^\W\d]\.$")
_BREAKS = (" ", "\n", "\t", "\r", "\x0b", "\x0c")

_BEGINS_UPPER, _INSIDE_UPPER, _UNKNOWN_UPPER = 2, 4, 8
_BEGINS_LOWER, _INSIDE_LOWER, _UNKNOWN_LOWER = 16, 32, 64
_UPPER = _BEGINS_UPPER | _INSIDE_UPPER | _UNKNOWN_UPPER
_LOWER = _BEGINS_LOWER | _INSIDE_LOWER | _UNKNOWN_LOWER


class _Token(NamedTuple):
    """A word with what its form alone says: `ends` a sentence, `short` for an abbreviation."""

    text: str
    kind: str
    ends: bool
    short: bool

    @property
    def bare(self) -> str:
        return self.kind[:-1] if len(self.kind) > 1 and self.kind[-1] == "." else self.kind


@dataclass(frozen=True)
class Punkt:
    """A sentence splitter.

    Attributes:
        folder: Where the parameters were read from.
        sha256: SHA-256 of the four files, joined in the order of `FILES`.
        verified: Whether they are the ones the parity was measured on.
    """

    folder: Path
    abbreviations: frozenset[str]
    collocations: frozenset[tuple[str, str]]
    starters: frozenset[str]
    contexts: dict[str, int]
    sha256: str
    verified: bool

    def sentences(self, text: str) -> list[str]:
        """Split a text into sentences; white space between them goes with neither."""
        spans = []
        shift = 0
        previous: tuple[int, int] | None = None
        for start, stop in self._cuts(text):
            if previous is None:
                previous = start, stop
                continue
            first = previous[0] + shift
            closing = _BELONGS_BEFORE.match(text, start, stop)
            if closing:
                # Quotes and brackets after the full stop still belong to the sentence.
                spans.append((first, start + len(closing[0].rstrip())))
                shift = closing.end() - start
            else:
                shift = 0
                if text[first : previous[1]]:
                    spans.append((first, previous[1]))
            previous = start, stop
        assert previous is not None
        if text[previous[0] + shift : previous[1]]:
            spans.append((previous[0] + shift, previous[1]))
        return [text[start:stop] for start, stop in spans]

    def _cuts(self, text: str) -> Iterator[tuple[int, int]]:
        start = 0
        for match, context in _candidates(text):
            if self.decide(context):
                yield start, match.end()
                start = match.start(2) if match[2] else match.end()
        yield start, len(text.rstrip())

    @cached_property
    def decide(self) -> _Decide:
        """Whether a sentence ends within a context; contexts repeat, so answers are kept."""
        return _Decide(self)

    def ends_within(self, context: str) -> bool:
        """Decide whether a sentence ends within a word, its punctuation and what follows."""
        tokens = [
            self._token(text) for line in context.split("\n") for text in _TOKENS.findall(line)
        ]
        return any(self._ends(token, following) for token, following in pairwise(tokens))

    def _token(self, text: str) -> _Token:
        kind = _NUMBER.sub("##number##", text.lower())
        if text in (".", "?", "!"):
            return _Token(text, kind, True, False)
        if _ELLIPSIS.match(text):
            return _Token(text, kind, False, True)
        if not text.endswith(".") or text.endswith(".."):
            return _Token(text, kind, False, False)
        stem = text[:-1].lower()
        short = stem in self.abbreviations or stem.split("-")[-1] in self.abbreviations
        return _Token(text, kind, not short, short)

    def _ends(self, token: _Token, following: _Token) -> bool:
        """Correct the decision on one word by the word that follows."""
        if not token.text.endswith("."):
            return token.ends
        kind = token.bare
        next_kind = following.bare if following.ends else following.kind
        initial = _INITIAL.match(token.text) is not None
        if (kind, next_kind) in self.collocations:
            return False
        starts = self._starts_sentence(following, next_kind)
        upper = following.text[0].isupper()
        ends = token.ends
        if token.short and not initial and (starts or (upper and next_kind in self.starters)):
            return True
        if initial or kind == "##number##":
            if starts is False:
                return False
            seen_lower = self.contexts.get(next_kind, 0) & _LOWER
            if starts is None and initial and upper and not seen_lower:
                return False
        return ends

    def _starts_sentence(self, token: _Token, kind: str) -> bool | None:
        """Tell from its capital whether a word starts a sentence; None: it cannot be told."""
        if token.text in (";", ":", ",", ".", "!", "?"):
            return False
        context = self.contexts.get(kind, 0)
        first = token.text[0]
        if first.isupper() and context & _LOWER and not context & _INSIDE_UPPER:
            return True
        if first.islower() and (context & _UPPER or not context & _BEGINS_LOWER):
            return False
        return None


class _Decide:
    """`Punkt.ends_within` with a memory, which long contexts do not enter."""

    def __init__(self, punkt: Punkt) -> None:
        self._decide = punkt.ends_within
        self._known: dict[str, bool] = {}

    def __call__(self, context: str) -> bool:
        answer = self._known.get(context)
        if answer is None:
            answer = self._decide(context)
            if len(self._known) < 50_000 and len(context) < 100:
                self._known[context] = answer
        return answer


def _candidates(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each mark that may end a sentence, with the word before it and what comes after.

    Marks without white space between them ("acting!!!") are one candidate: the last of them.
    """
    start = stop = 0
    waiting: re.Match[str] | None = None
    for match in _ENDS.finditer(text):
        before = text[stop : match.start()]
        space = max(before.rfind(blank) for blank in _BREAKS)
        # A space in the very first place counts as none: so it does in NLTK.
        word = stop + space + 1 if space > 0 else start
        if waiting and stop <= word:
            yield waiting, text[start:stop] + waiting[0] + waiting[1]
        waiting, start, stop = match, word, match.start()
    if waiting:
        yield waiting, text[start:stop] + waiting[0] + waiting[1]


def folders() -> list[Path]:
    """Return where parameters may lie: `NLTK_DATA`, NLTK's own search path, a cached copy."""
    roots = [Path(part) for part in os.environ.get("NLTK_DATA", "").split(os.pathsep) if part]
    roots.append(Path("~/nltk_data").expanduser())
    prefix = Path(sys.prefix)
    roots += [prefix / part for part in ("nltk_data", "share/nltk_data", "lib/nltk_data")]
    if sys.platform == "win32":
        roots.append(Path(os.environ.get("APPDATA", "C:\\")) / "nltk_data")
        roots += [Path(f"{drive}:\\nltk_data") for drive in "CDE"]
    else:
        shared = ("share", "local/share", "lib", "local/lib")
        roots += [Path("/usr") / part / "nltk_data" for part in shared]
    spec = find_spec("llama_index") and find_spec("llama_index.core")
    if spec and spec.origin:
        roots.append(Path(spec.origin).parent / "_static" / "nltk_cache")
    return roots


def find() -> Path:
    """Return the folder with the English parameters of Punkt.

    Raises:
        MissingFilesError: There is none on this machine.
    """
    roots = folders()
    for root in roots:
        folder = root / "tokenizers" / "punkt_tab" / "english"
        if all((folder / name).is_file() for name in FILES):
            return folder
    raise MissingFilesError(
        "The published scores split texts into sentences with NLTK's punkt_tab, which is in none "
        f"of these folders: {', '.join(str(root) for root in roots)}. Run `{MENDS}`, or set "
        "NLTK_DATA to a folder that has tokenizers/punkt_tab/english; or score without it "
        "(--no-punkt, punkt=False): then BLEU is some 1.5 points too low, and the result says so."
    )


def splitter() -> Punkt:
    """Return the splitter with the parameters that `find` finds, read once for each folder.

    Raises:
        MissingFilesError: There are none on this machine.
        CorruptFileError: They cannot be read.
    """
    return _located(os.environ.get("NLTK_DATA", ""))


@lru_cache(maxsize=4)
def _located(_: str) -> Punkt:
    # Kept by the value of NLTK_DATA: looking for the folder takes longer than splitting a text.
    return _read(find())


@lru_cache(maxsize=4)
def _read(folder: Path) -> Punkt:
    contents = {name: (folder / name).read_bytes() for name in FILES}
    try:
        lines = {
            name: [line.rstrip("\r") for line in text.decode("utf-8").split("\n") if line]
            for name, text in contents.items()
        }
        return Punkt(
            folder,
            frozenset(lines["abbrev_types.txt"]),
            frozenset((first, second) for first, second in _pairs(lines["collocations.tab"])),
            frozenset(lines["sent_starters.txt"]),
            {word: int(flags) for word, flags in _pairs(lines["ortho_context.tab"])},
            hashlib.sha256(b"".join(contents.values())).hexdigest(),
            all(hashlib.sha256(contents[name]).hexdigest() == sha for name, sha in FILES.items()),
        )
    except ValueError as error:
        raise CorruptFileError(
            f"The Punkt parameters in {folder} cannot be read: {error}. Delete the folder and run "
            f"`{MENDS}`."
        ) from error


def _pairs(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        yield line.split("\t")
