"""What is wrong with a wording taken by itself: the same for seed prompts and for machine output.

`faults` runs all checks on one text in the order in which they are reported; what a text repeats
is another matter (`medsins.instruct.filters`, `medsins.seeds`). The words it looks for are those
of `medsins.phrases`. All of it works on strings: no instance of a task can get here.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from medsins import phrases
from medsins.constraints import FIGURES, Constraint, constraints, damage, protected
from medsins.languages import language, speaks_against
from medsins.similarity import NEAR, masked, words

if TYPE_CHECKING:
    from medsins.recipe import Task

SHORTEST, LONGEST, FEWEST_WORDS = 0.5, 2.0, 4
"""Length of a wording in words, as a share of the definition's; and at least so many."""

ALWAYS_ALLOWED = 10
"""So many words are never too many, however short the definition."""

FILTERS = (
    "unicode", "language", "chat", "meta", "reversal", "prompt", "mood", "interleaved",
    "markup", "garble", "length", "constraints", "demand", "exact", "near",
)  # fmt: skip
"""Names of the filters, in the order in which they run; each can be switched off."""

REASONS = {
    "unicode": "is empty, or has characters that nobody sees",
    "language": "is not in the language of the definition",
    "leak:meta": "is talk of the rewriting, no instruction",
    "leak:chat": "is an assistant's reply, no instruction",
    "leak:reversal": "is an assistant on its own part, no instruction",
    "leak:prompt": "has words of the prompt that asked for it",
    "executed": "does the task, and is no instruction",
    "interleaved": "is two texts merged piece by piece",
    "markup": "has Markdown or HTML",
    "garbled": "is broken",
    "length": "is too short or too long",
    "constraint:lost": "does not keep",
    "constraint:altered": "alters, and so does not keep",
    "constraint:case": "has other capitals, and so does not keep",
    "demand:evidence": "asks for evidence, unlike the definition",
    "demand:account": "asks for an account of the answer, unlike the definition",
    "demand:explanation": "asks for an explanation, unlike the definition",
    "demand:limit": "sets a limit, unlike the definition",
    "demand:format": "asks for a format, unlike the definition",
}
"""Every fault, and what a wording with it is or does; the names are stable."""


@dataclass(frozen=True)
class Fault:
    """Something wrong with a wording.

    Attributes:
        reason: One of `REASONS`.
        detail: What shows it, for people; it quotes the wording or the definition, nothing else.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class Subject:
    """What a wording is held to: all that the checks know of a task.

    Attributes:
        task: Name of the task.
        definition: Its definition.
        language: ISO 639-1 code of the definition's language; "" where it cannot be told.
        constraints: What a wording has to keep.
        protected: Spans that wordings repeat byte for byte; left out where texts are compared.
    """

    task: str
    definition: str
    language: str = "en"
    constraints: tuple[Constraint, ...] = ()
    protected: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task) -> Subject:
        """Return the subject of a task; nothing of its instances is in it."""
        held_to = tuple(constraints(task))
        spans = dict.fromkeys([*protected(held_to), *task.fill.values()])
        return cls(task.name, task.definition, language(task.definition), held_to, tuple(spans))

    @cached_property
    def length(self) -> int:
        """Words of the definition."""
        return len(words(self.definition))

    @cached_property
    def bare_length(self) -> int:
        """Words of the definition outside protected spans."""
        return len(words(masked(self.definition, self.protected)))

    @cached_property
    def folded(self) -> str:
        """The definition in lower case and on one line."""
        return " ".join(self.definition.lower().split())

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of words side by side in the definition, outside protected spans."""
        return frozenset(pairwise(words(masked(self.definition, self.protected))))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Beginnings of the words of the definition that carry its meaning."""
        return _stems(self.definition)


@dataclass(frozen=True)
class Filters:
    """Thresholds and switches of the filters.

    Attributes:
        off: Names of filters that are switched off (see `FILTERS`).
        shortest: Fewest words of a wording, as a share of the definition's.
        longest: Most words of a wording, as a share of the definition's.
        fewest_words: Fewest words of a wording, whatever the definition.
        shared_run: A run of so many words shared with our prompt, and not with the definition,
            is a leak of it.
        near: From this ROUGE-L on, two wordings are near repeats.
        near_short: The same for tasks with a short definition.
        short: A definition with fewer words than this is short.
    """

    off: frozenset[str] = frozenset()
    shortest: float = SHORTEST
    longest: float = LONGEST
    fewest_words: int = FEWEST_WORDS
    shared_run: int = 6
    near: float = NEAR
    near_short: float = 0.6
    short: int = 25

    def __post_init__(self) -> None:
        if unknown := sorted(self.off - set(FILTERS)):
            raise ValueError(
                f"there is no filter {', '.join(unknown)}; there are {', '.join(FILTERS)}"
            )


DEFAULT = Filters()


def faults(
    text: str, subject: Subject, filters: Filters = DEFAULT, *, template: str = ""
) -> Iterator[Fault]:
    """Yield what is wrong with a wording, in the order of `FILTERS`; nothing if it is good.

    Args:
        text: The wording.
        subject: What it is held to.
        filters: Thresholds, and which checks are left out.
        template: The text of the prompt that asked for it, without what was filled in.
    """
    if "unicode" not in filters.off and (fault := _unicode(text)):
        yield fault
    bare = masked(text, subject.protected)
    checks: dict[str, Callable[[], Fault | None]] = {
        "language": lambda: _language(bare, subject),
        "chat": lambda: _leak("chat", text, subject),
        "meta": lambda: _leak("meta", text, subject),
        "reversal": lambda: _leak("reversal", text, subject),
        "prompt": lambda: _prompt(text, template, subject, filters.shared_run),
        "mood": lambda: _executed(bare, subject),
        "interleaved": lambda: _interleaved(bare, subject),
        "markup": lambda: _markup(text, subject),
        "garble": lambda: _garbled(text, subject),
        "length": lambda: _length(text, bare, subject, filters),
    }
    for name, check in checks.items():
        if name not in filters.off and (fault := check()):
            yield fault
    if "constraints" not in filters.off:
        yield from _broken(text, subject)
    if "demand" not in filters.off:
        yield from _demands(bare, subject)


def _found(section: str | dict[str, re.Pattern[str]], text: str, code: str) -> Iterator[str]:
    """Yield what patterns of a section and language find in a text, in lower case, on one line."""
    patterns = phrases.by_language(section) if isinstance(section, str) else section
    for match in patterns.get(code, patterns["en"]).finditer(text.lower()):
        yield " ".join(match[0].split())


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _unicode(text: str) -> Fault | None:
    if not text.strip():
        return Fault("unicode", "it is empty")
    one_line = text.replace("\n", "")
    for character in "" if one_line.isprintable() else one_line:
        # Zl, Zp: line ends that other programs do not see. Cf: marks that nobody sees.
        if unicodedata.category(character) in _UNSEEN:
            return Fault("unicode", f"it has the character U+{ord(character):04X}")
    if not unicodedata.is_normalized("NFC", text):
        return Fault("unicode", "it is not in normal form C")
    return None


def _language(bare: str, subject: Subject) -> Fault | None:
    why = speaks_against(bare, subject.language)
    return Fault("language", why) if why else None


def _leak(kind: str, text: str, subject: Subject) -> Fault | None:
    for found in _found(kind, text, subject.language):
        # What the definition says itself is no leak.
        if found not in subject.folded:
            return Fault(f"leak:{kind}", repr(found))
    return None


def _prompt(text: str, template: str, subject: Subject, run: int) -> Fault | None:
    if template:
        own = _runs(template, run) - _runs(subject.definition, run)
        if shared := sorted(own & _runs(text, run)):
            return Fault("leak:prompt", repr(" ".join(shared[0])))
    return None


@lru_cache(maxsize=512)
def _runs(text: str, length: int) -> frozenset[tuple[str, ...]]:
    counted = words(text)
    return frozenset(
        tuple(counted[start : start + length]) for start in range(len(counted) - length + 1)
    )


def _executed(bare: str, subject: Subject) -> Fault | None:
    for found in _found("answers", bare.strip(), subject.language):
        if found not in subject.folded:
            return Fault("executed", f"it begins like an answer: {found!r}")
    stems = _stems(bare)
    shared = len(stems & subject.stems)
    speaks = "?" in bare or "？" in bare
    speaks = speaks or next(_found("mood", bare, subject.language), None) is not None
    # A short definition can be worded without any of its words.
    long = len(subject.stems) >= _MANY
    if shared < min(_FEWEST_SHARED, len(subject.stems)) and (long or not speaks):
        return Fault("executed", "it has nothing to do with the definition")
    if not speaks and shared < _CLOSE * len(stems):
        return Fault("executed", "it tells nobody what to do")
    return None


_FEWEST_SHARED, _MANY, _CLOSE = 2, 15, 0.4
_CHARACTERS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{2}")


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    """Return the first letters of the longer words of a text, and its pairs of characters."""
    longer = {word[:5] for word in words(text) if len(word) > 3}
    if not text.isascii():
        pairs = {text[i : i + 2] for i in range(len(text) - 1)}
        longer |= {pair for pair in pairs if _CHARACTERS.fullmatch(pair)}
    return frozenset(longer)


def _markup(text: str, subject: Subject) -> Fault | None:
    found = phrases.markup().search(text)
    if found and found[0] not in subject.definition:
        return Fault("markup", repr(found[0]))
    return None


_LONGEST_LOOP = 8


def _garbled(text: str, subject: Subject) -> Fault | None:
    for pattern, what in phrases.broken():
        found = pattern.search(text)
        if found and not pattern.search(subject.definition):
            return Fault("garbled", f"{what}: {found[0]!r}")
    if loop := _loop(words(masked(text, subject.protected))):
        return Fault("garbled", f"a loop: {loop!r}")
    return None


def _loop(counted: Sequence[str]) -> str:
    """Return words that come three times in a row; "" if none do."""
    pairs = Counter(pairwise(counted))
    if not any(count > 2 or (count == 2 and a == b) for (a, b), count in pairs.items()):
        return ""
    for length in range(1, _LONGEST_LOOP + 1):
        same = 0
        for end, (one, later) in enumerate(zip(counted, counted[length:], strict=False), 1):
            same = same + 1 if one == later else 0
            if same == 2 * length:
                return " ".join(counted[end - length : end])
    return ""


_JOINT = re.compile(r"[a-zß-öø-ÿа-яё]{2}[A-ZÀ-ÖØ-ÞА-ЯЁ][a-zß-öø-ÿа-яё]")
_SKIPPED = 5
"""By so many places in a stretch of a text, pairs of next but one words are more often pairs of
the definition than pairs of neighbours are. No seed prompt of any task comes that far."""


def _interleaved(bare: str, subject: Subject) -> Fault | None:
    """Find two texts that were merged piece by piece.

    Either two words run together where the second text begins, or every other word continues
    the one before: then the pairs that the definition has are found one word apart.
    """
    for joint in _JOINT.finditer(bare):
        start = max(bare.rfind(mark, 0, joint.start()) for mark in " \n'\"(") + 1
        word = bare[start:].split(maxsplit=1)[0]
        known = word in subject.definition or joint[0] in subject.definition
        if not known and not any(camel in word for camel in phrases.spelt()):
            return Fault("interleaved", f"words run together: {word!r}")
    counted = words(bare)
    running = 0
    for one, following, next_but_one in zip(counted, counted[1:], counted[2:], strict=False):
        running += (one, next_but_one) in subject.pairs
        running = max(0, running - ((one, following) in subject.pairs))
        if running >= _SKIPPED:
            return Fault("interleaved", f"every other word goes on: … {one} … {next_but_one} …")
    return None


def _length(text: str, bare: str, subject: Subject, filters: Filters) -> Fault | None:
    count = len(words(text))
    if count < max(filters.fewest_words, filters.shortest * subject.length):
        return Fault("length", f"it has {count} words, the definition {subject.length}")
    # Lists that every wording repeats must not make room for talk in the others.
    for many, length in ((count, subject.length), (len(words(bare)), subject.bare_length)):
        if many > max(ALWAYS_ALLOWED, filters.longest * length):
            return Fault("length", f"it has {many} words, the definition {length}")
    return None


def _broken(text: str, subject: Subject) -> Iterator[Fault]:
    for one in subject.constraints:
        done = damage(one, text)
        if done != "kept":
            yield Fault(f"constraint:{done}", str(one))


_CLAUSE = re.compile(
    r"[.。!?！？;；:：\n]|,\s+(?:and|but|then|also|et|mais|puis|y|pero|и|но|а также)\s",
    re.IGNORECASE,
)


def _demands(bare: str, subject: Subject) -> Iterator[Fault]:
    """Yield what a wording asks for that the definition does not speak of."""
    code = subject.language
    for what, patterns in phrases.demands().items():
        if next(_found(patterns, bare, code), None) is None:
            continue
        for clause in _CLAUSE.split(bare):
            asked = next(_found(patterns, clause, code), "")
            # "Not more than" is no less of a limit.
            denied = what != "limit" and phrases.negated().search(clause.lower())
            if asked and not denied and not _known(what, asked, subject):
                yield Fault(f"demand:{what}", repr(asked))
                break


def _known(what: str, asked: str, subject: Subject) -> bool:
    """Return whether the definition speaks of what is demanded, with the same numbers."""
    if asked in subject.folded:
        return True
    if what in phrases.allowed():
        return phrases.allowed()[what].search(subject.folded) is not None
    counted = words(subject.folded)
    if numbers := [word for word in words(asked) if word.isdecimal() or word in FIGURES]:
        return all(number in counted for number in numbers)
    return asked.split()[-1].rstrip("s") in subject.folded
