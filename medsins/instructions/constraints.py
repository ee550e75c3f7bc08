"""Constraints that every wording of a definition has to keep: literals, labels, limits and so on.

Most are derived from the definition by rule. A task declares those that no rule finds
(`must_include`) and those derived wrongly (`ignored_constraints`). `violation` returns how a
wording breaks a constraint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz

from medsins.instructions.languages import language
from medsins.instructions.phrases import negated
from medsins.taxonomy import LANGUAGES

Violation = Literal["case", "altered", "lost"]

KINDS = {
    "literal": "a quoted string, byte for byte",
    "label": "a label of the closed set, byte for byte",
    "language": "the name of a language to translate from or into",
    "direction": "the language that a translation goes into, not from",
    "number": "a number or limit, in figures or in words",
    "separator": "what separates the items of an answer",
    "order": "that items have an order",
    "only": "that nothing else is to be written",
    "choice": "that one of several is to be given",
    "format": "a format such as JSON",
    "polarity": "what the definition rules out is not asked for",
    "purpose": "that something is found, not removed",
    "required": "what the task declares",
}
"""Kinds of constraints, and what a wording has to keep for each."""

MATCHES = ("exact", "casefold", "denied", "absent", "direction")
"""How a wording can satisfy a constraint (see `Constraint.match`)."""

HARD = frozenset({"literal", "label", "separator", "order", "format", "number", "required"})
"""Kinds about the form of the answer: if one is broken, right answers are scored as wrong."""

_NEARLY, _SHORTEST = 80, 10
"""Similarity (in percent) from which on a literal is altered rather than lost, and the length of a
literal for which that is meaningful."""


@dataclass(frozen=True)
class Constraint:
    """Something that a wording has to keep.

    Attributes:
        kind: One of `KINDS`.
        any_of: What satisfies it: one of these. For "direction", the source and the target
            language; for "polarity" and "purpose", beginnings of words.
        match: How: "exact" (one occurs byte for byte, not inside a longer word), "casefold" (one
            occurs in any case), "denied" (where one begins a word, its sentence denies it),
            "absent" (none begins a word, unless it is about a punctuation mark) or "direction".
        source: "derived" by rule, or "declared" in the task.
        ignored: Whether the task ignores it: then it is listed, but not checked.
    """

    kind: str
    any_of: tuple[str, ...]
    match: str = "casefold"
    source: str = "derived"
    ignored: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.match not in MATCHES:
            raise ValueError(f"there is no constraint of kind {self.kind!r} by {self.match!r}")

    @property
    def exact(self) -> bool:
        """Whether it has to occur byte for byte."""
        return self.match == "exact"

    def kept(self, text: str) -> bool:
        """Return whether a wording keeps it."""
        if self.match == "exact":
            return any(_occurs(one, text) for one in self.any_of)
        if self.match == "casefold":
            folded = text.casefold()
            return any(one.casefold() in folded for one in self.any_of)
        if self.match == "direction":
            return not _reversed(*self.any_of).search(text)
        spoken = _beginnings(self.any_of)
        if self.match == "absent":
            return all(
                _MARK.search(text[max(0, found.start() - 40) : found.end() + 40])
                for found in spoken.finditer(text)
            )
        return all(negated().search(s.lower()) for s in _SENTENCE.findall(text) if spoken.search(s))

    def __str__(self) -> str:
        between = " → " if self.match == "direction" else " | "
        never = {"denied": "no ", "absent": "never "}.get(self.match, "")
        return f"{self.kind}: {never}{between.join(self.any_of)}"


def violation(constraint: Constraint, text: str) -> Violation | None:
    """Return how a wording breaks a constraint.

    Returns:
        None if it keeps it; "case" if only the case of letters differs; "altered" if it has other
        words or the opposite; "lost" if it is missing.
    """
    if constraint.kept(text):
        return None
    if constraint.match in ("denied", "absent", "direction"):
        return "altered"
    if constraint.exact and any(
        _occurs(one.casefold(), text.casefold()) for one in constraint.any_of
    ):
        return "case"
    if constraint.kind in ("literal", "label", "required", "format"):
        folded = text.casefold()
        if any(_nearly(one.casefold(), folded) for one in constraint.any_of):
            return "altered"
    return "lost"


def _nearly(literal: str, text: str) -> bool:
    """Return whether something much like a literal occurs in a text."""
    if literal in text:
        return True
    # A short literal is similar to many words, and one longer than the text cannot be part of it.
    if not _SHORTEST <= len(literal) <= len(text):
        return False
    return fuzz.partial_ratio(literal, text, score_cutoff=_NEARLY) > 0


@lru_cache(maxsize=4096)
def _bounded(literal: str) -> re.Pattern[str]:
    before = r"(?<![^\W_])" if literal[:1].isalnum() and literal[:1].isascii() else ""
    after = r"(?![^\W_])" if literal[-1:].isalnum() and literal[-1:].isascii() else ""
    return re.compile(before + re.escape(literal) + after)


def _occurs(literal: str, text: str) -> bool:
    """Return whether a literal occurs in a text, not inside a longer word or number."""
    return literal in text and _bounded(literal).search(text) is not None


@lru_cache(maxsize=1024)
def _beginnings(stems: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, stems))})", re.IGNORECASE)


@lru_cache(maxsize=64)
def _reversed(source: str, target: str) -> re.Pattern[str]:
    """Return a pattern of translations in the opposite direction."""
    return re.compile(
        rf"\b(?:in)?to (?:(?!from\b)[\w-]+ ){{0,2}}{source}\b|"
        rf"\bfrom (?:the )?{target} (?:(?:\w+ )?(?:in)?to|original|text|sentence|question)\b|"
        rf"\b{target}[- ](?:in)?to[- ]{source}\b|"
        rf"\b{source} (?:translation|version|rendering|equivalent)\b",
        re.IGNORECASE,
    )


_SENTENCE = re.compile(r"[^.。!?;；\n]+")
_MARK = re.compile(
    r"\b(?:stops?|commas?|quot\w+|punctuation|brackets?|hyphens?|dots?|duplicates?)\b"
)
_QUOTED = re.compile(
    r"(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)|\"([^\"\n]+)\"|“([^”\n]+)”|"
    r"«\s?([^»\n]+?)\s?»|「([^」\n]+)」"
)
_INPUT_MARK = re.compile(
    r"(?:after|behind|under|below|marked|follows?|between|before|headed|"
    r"starts? with|begins? with|après|tras|después de|после|在|以)\s*$",
    re.IGNORECASE,
)

_CLAUSE_END = re.compile(r"[.。]")
_SEPARATED = re.compile(
    r"separat|join|divid|sépar|separ|раздел|分隔|隔开|区切|of its own|a line each|"
    r"one (?:a|per|on each) line|each on",
    re.IGNORECASE,
)
_SEPARATORS = (
    (
        r"comma|virgule|\bcoma|запят|逗号|、|読点",
        {
            "en": ("comma", "','", "', '"),
            "fr": ("virgule", "','", "', '"),
            "es": ("coma", "','", "', '"),
            "ru": ("запят", "','", "', '"),
            "zh": ("逗号", "、", "，", "','", "', '"),
            "ja": ("読点", "カンマ", "、", "','", "', '"),
        },
    ),
    (
        r"semicolon|point-virgule|punto y coma",
        {"en": ("semicolon", "';'", "'; '"), "fr": ("point-virgule",), "es": ("punto y coma",)},
    ),
    (r"\btabs?\b|tabulat", {"en": ("tab",)}),
    (
        (
            r"line of its own|one (?:a|per|on each) line|each on (?:a|its own) (?:new )?line|"
            r"a line each|each (?:\w+ )?on a line"
        ),
        {"en": ("line",)},
    ),
)
_ORDER = re.compile(
    r"\bin (?:the |their |reading |text )?(?:same )?order\b|in the order|dans l'ordre|en el orden|"
    r"по порядку|в порядке|顺序|の順",
    re.IGNORECASE,
)
_ORDERED = {
    "en": (
        "order", "sequence", "as they appear", "as they come", "first to last",
        "from left to right",
    ),
    "fr": ("ordre",),
    "es": ("orden",),
    "ru": ("поряд",),
    "zh": ("顺序", "先后"),
    "ja": ("順",),
}  # fmt: skip
_ONLY = re.compile(
    r"nothing else|nothing more|\bonly\b|\balone\b|and no other|rien d'autre|n'ajoutez|uniquement|"
    r"\bnada más|únicamente|\bsolo\b|ничего|только|不要|只|仅|以外|のみ|だけ",
    re.IGNORECASE,
)
_EXCLUSIVE = {
    "en": (
        "nothing else", "nothing more", "nothing beyond", "nothing besides", "nothing but",
        "nothing around", "nothing before", "nothing after", "only", "alone", "just ", "no other",
        "no more", "no further", "no explanation", "no comment", "no extra", "no additional",
        "not add", "n't add", "add nothing", "without any", "without adding", "without further",
        "without comment", "without explanation", "leave out", "solely", "exclusively", "bare",
        "nothing in front", "and stop",
    ),
    "fr": (
        "rien d'autre", "rien de plus", "n'ajoute", "uniquement", "seulement", "sans rien",
        "sans autre", "sans commentaire",
    ),
    "es": (
        "nada más", "únicamente", "solo ", "sólo", "sin añadir", "sin nada", "no añadas",
        "no agregue", "no añada",
    ),
    "ru": ("ничего", "только", "без ", "лишь", "не добавля"),
    "zh": ("不要", "只", "仅", "无需", "不得", "不必", "别", "以外"),
    "ja": ("以外", "のみ", "だけ", "ないで", "不要です", "せず"),
}  # fmt: skip
_CHOICE = re.compile(r"\b(?:choose|pick|name|give|write) (?:any )?one of them\b", re.IGNORECASE)
_ONE = (
    "one of them", "any one", "one of these", "a single", "just one", "only one", "choose one",
    "pick one", "name one", "one is enough", "one will do", "one suffices", "one of those",
)  # fmt: skip
FIGURES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
"""Numbers that limits are written with, in words and figures."""

_NUMBER = rf"(?:one|{'|'.join(FIGURES)})"
_LIMIT = re.compile(
    rf"\b({_NUMBER}) (?:to|or) ({_NUMBER}|more)\b|"
    rf"\b({_NUMBER}) (?:\w+ )?(?:sentences|lines|paragraphs)\b",
    re.IGNORECASE,
)
_STOP = r"[.!?;\n]"
_FIGURE = re.compile(r"(?<![\w.,-])\d{2,}(?![\w-]|[.,]\d|[.)]\s+[A-Z])")
_EXAMPLE = re.compile(r"such as|for example|for instance|as in|e\.g\.|\[", re.IGNORECASE)

# What an answer may be forbidden to have. Other nouns are mentioned for too many other reasons for
# a rule.
_FORMS = (
    r"(headings?|bullets?|quotation marks|full stop|explanations?|citations?|acronyms?|"
    r"qualifiers?|greetings?|line breaks|numbers|figures|doses|comments?|comillas|guillemets)"
)
_RULED_OUT = re.compile(
    rf"\b(?:without|no|avoid|leave out|sin|sans)(?: an?| any| the)? {_FORMS}"
    rf"(?:(?:,| and| or| nor)(?: without)?(?: an?)? {_FORMS})?|"
    r"\bnothing (broader) or (narrower)\b",
    re.IGNORECASE,
)
_TAKES_AWAY = (
    "remov", "delet", "eras", "anonymi", "redact", "expung", "de-identif", "deidentif", "conceal",
    "obscur", "censor", "purg",
)  # fmt: skip


def declared(text: str) -> Constraint:
    """Return the constraint that a task declares: ways to satisfy it, with "|" between them."""
    ways = tuple(text.split("|"))
    # A name or a string is declared as it is spelt; a common word may begin a sentence.
    spelt = any(letter.isupper() or not (letter.isalpha() or letter in " -'") for letter in text)
    match = "exact" if len(ways) == 1 and spelt else "casefold"
    return Constraint("required", ways, match, source="declared")


def derive(
    definition: str,
    *,
    labels: Iterable[str] = (),
    languages: tuple[str, str] | None = None,
    finds: bool = False,
) -> Iterator[Constraint]:
    """Yield the constraints that rules find in a definition.

    Args:
        definition: The definition.
        labels: The closed set of labels, where there is one.
        languages: ISO 639-1 codes of source and target, if the task is to translate.
        finds: Whether the task is to find something in a text.
    """
    for match in _QUOTED.finditer(definition):
        literal = next(group for group in match.groups() if group)
        before = definition[: match.start()].rstrip("'\"“«「")
        marks_input = literal.rstrip().endswith((":", "：")) and _INPUT_MARK.search(before)
        # A quotation of several lines shows a layout, which wordings need not repeat.
        if not marks_input and "\n" not in literal:
            yield Constraint("literal", (literal,), "exact")
    for label in labels:
        yield Constraint("label", (label,), "exact")
    if languages:
        source, target = (LANGUAGES[code] for code in languages)
        yield Constraint("language", (source,), "exact")
        yield Constraint("language", (target,), "exact")
        yield Constraint("direction", (source, target), "direction")
    yield from _numbers(definition)
    spoken = language(definition) or "en"
    for clause in filter(_SEPARATED.search, _CLAUSE_END.split(definition)):
        for pattern, ways in _SEPARATORS:
            if spoken in ways and re.search(pattern, clause, re.IGNORECASE):
                yield Constraint("separator", ways[spoken])
    if spoken in _ORDERED and _ORDER.search(definition):
        yield Constraint("order", _ORDERED[spoken])
    if spoken in _EXCLUSIVE and _ONLY.search(definition):
        yield Constraint("only", _EXCLUSIVE[spoken])
    if _CHOICE.search(definition):
        yield Constraint("choice", _ONE)
    if "JSON" in definition:
        yield Constraint("format", ("JSON",), "exact")
    for match in _RULED_OUT.finditer(definition):
        for noun in filter(None, match.groups()):
            yield Constraint("polarity", (noun.lower().removesuffix("s"),), "denied")
    if finds and (stems := tuple(stem for stem in _TAKES_AWAY if stem not in definition.lower())):
        yield Constraint("purpose", stems, "absent")


def _numbers(definition: str) -> Iterator[Constraint]:
    quoted = _QUOTED.sub(" ", definition)
    for match in _LIMIT.finditer(quoted):
        for word in filter(None, match.groups()):
            if word.lower() in FIGURES:
                yield Constraint("number", (word.lower(), str(FIGURES[word.lower()])))
    for match in _FIGURE.finditer(quoted):
        before = re.split(_STOP, quoted[: match.start()])[-1]
        after = re.split(_STOP, quoted[match.end() :], maxsplit=1)[0]
        if not _EXAMPLE.search(f"{before} {after}"):
            yield Constraint("number", (match[0],), "exact")


def protected(found: Iterable[Constraint]) -> list[str]:
    """Return the spans that every wording repeats byte for byte.

    Single punctuation marks are left out: they occur elsewhere in the text as well.
    """
    spans = (span for one in found if one.exact for span in one.any_of)
    return [span for span in dict.fromkeys(spans) if len(span.strip()) > 1 or span.isalnum()]
