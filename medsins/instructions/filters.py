"""Quality filters of a single wording: the same for seed prompts and for machine output.

`run_filters` runs them on one text in the order in which they are reported; repeats of other texts
are found in `medsins.self_instruct.pool` and `lint`. The phrases they search for are in `phrases`.
They get strings only, never an instance of a task.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from medsins.instructions import phrases
from medsins.instructions.constraints import FIGURES, violation
from medsins.instructions.languages import speaks_against
from medsins.instructions.similarity import NEAR, masked, stems, words
from medsins.instructions.spec import InstructionSpec

SHORTEST, LONGEST, FEWEST_WORDS = 0.5, 2.0, 4
"""Shortest and longest wording, as a share of the definition's words; fewest words at all."""

ALWAYS_ALLOWED = 10
"""Words that are never too many, however short the definition."""

FILTERS = (
    "unicode", "language", "chat", "meta", "reversal", "prompt", "mood", "interleaved",
    "markup", "garble", "length", "constraints", "demand", "exact", "near",
)  # fmt: skip
"""Names of the filters, in the order in which they run; each can be switched off."""

REASONS = {
    "unicode": "is empty, or has invisible characters",
    "language": "is not in the language of the definition",
    "leak:meta": "is about the rewriting, so not an instruction",
    "leak:chat": "is an assistant's reply, not an instruction",
    "leak:reversal": "is an assistant's statement about itself, not an instruction",
    "leak:prompt": "has words of the prompt that asked for it",
    "executed": "does the task, so is not an instruction",
    "interleaved": "is two texts merged piece by piece",
    "markup": "has Markdown or HTML",
    "garbled": "is broken",
    "length": "is too short or too long",
    "constraint:lost": "does not keep",
    "constraint:altered": "alters, so does not keep",
    "constraint:case": "has other capitals, so does not keep",
    "demand:evidence": "asks for evidence, unlike the definition",
    "demand:account": "asks for an account of the answer, unlike the definition",
    "demand:explanation": "asks for an explanation, unlike the definition",
    "demand:limit": "sets a limit, unlike the definition",
    "demand:format": "asks for a format, unlike the definition",
}
"""Every reason, with the verb phrase that reports it; the names are stable."""


@dataclass(frozen=True)
class FilterHit:
    """Something wrong with a wording.

    Attributes:
        reason: One of `REASONS`.
        detail: Evidence for people; it quotes the wording or the definition, nothing else.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class FilterSettings:
    """Thresholds and switches of the filters.

    Attributes:
        off: Names of filters that are switched off (see `FILTERS`).
        shortest: Fewest words of a wording, as a share of the definition's.
        longest: Most words of a wording, as a share of the definition's.
        fewest_words: Fewest words of a wording, whatever the definition.
        shared_run: A run of this many words that is in our prompt, but not in the definition,
            was copied from the prompt.
        near: ROUGE-L from which on two wordings are near repeats.
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


DEFAULT = FilterSettings()


def run_filters(
    text: str, spec: InstructionSpec, settings: FilterSettings = DEFAULT, *, template: str = ""
) -> Iterator[FilterHit]:
    """Yield the problems of a wording, in the order of `FILTERS`.

    Args:
        text: The wording.
        spec: What its definition demands.
        settings: Thresholds and switches.
        template: The prompt that asked for it, before its variables were filled in.
    """
    if "unicode" not in settings.off and (hit := _unicode(text)):
        yield hit
    bare = masked(text, spec.protected)
    checks: dict[str, Callable[[], FilterHit | None]] = {
        "language": lambda: _language(bare, spec),
        "chat": lambda: _leak("chat", text, spec),
        "meta": lambda: _leak("meta", text, spec),
        "reversal": lambda: _leak("reversal", text, spec),
        "prompt": lambda: _prompt(text, template, spec, settings.shared_run),
        "mood": lambda: _executed(bare, spec),
        "interleaved": lambda: _interleaved(bare, spec),
        "markup": lambda: _markup(text, spec),
        "garble": lambda: _garbled(text, spec),
        "length": lambda: _length(text, bare, spec, settings),
    }
    for name, check in checks.items():
        if name not in settings.off and (hit := check()):
            yield hit
    if "constraints" not in settings.off:
        yield from _broken(text, spec)
    if "demand" not in settings.off:
        yield from _demands(bare, spec)


def _found(section: str | dict[str, re.Pattern[str]], text: str, code: str) -> Iterator[str]:
    """Yield the matches of a section's patterns in a text, in lower case and on one line."""
    patterns = phrases.by_language(section) if isinstance(section, str) else section
    for match in patterns.get(code, patterns["en"]).finditer(text.lower()):
        yield " ".join(match[0].split())


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _unicode(text: str) -> FilterHit | None:
    if not text.strip():
        return FilterHit("unicode", "it is empty")
    one_line = text.replace("\n", "")
    for character in "" if one_line.isprintable() else one_line:
        # Zl, Zp: line ends that other programs do not know. Cf: invisible format characters.
        if unicodedata.category(character) in _UNSEEN:
            return FilterHit("unicode", f"it has the character U+{ord(character):04X}")
    if not unicodedata.is_normalized("NFC", text):
        return FilterHit("unicode", "it is not in normal form C")
    return None


def _language(bare: str, spec: InstructionSpec) -> FilterHit | None:
    why = speaks_against(bare, spec.language)
    return FilterHit("language", why) if why else None


def _leak(kind: str, text: str, spec: InstructionSpec) -> FilterHit | None:
    for found in _found(kind, text, spec.language):
        # A phrase of the definition itself is allowed.
        if found not in spec.folded:
            return FilterHit(f"leak:{kind}", repr(found))
    return None


def _prompt(text: str, template: str, spec: InstructionSpec, run: int) -> FilterHit | None:
    if template:
        own = _runs(template, run) - _runs(spec.definition, run)
        if shared := sorted(own & _runs(text, run)):
            return FilterHit("leak:prompt", repr(" ".join(shared[0])))
    return None


@lru_cache(maxsize=512)
def _runs(text: str, length: int) -> frozenset[tuple[str, ...]]:
    counted = words(text)
    return frozenset(
        tuple(counted[start : start + length]) for start in range(len(counted) - length + 1)
    )


def _executed(bare: str, spec: InstructionSpec) -> FilterHit | None:
    for found in _found("answers", bare.strip(), spec.language):
        if found not in spec.folded:
            return FilterHit("executed", f"it begins like an answer: {found!r}")
    said = stems(bare)
    shared = len(said & spec.stems)
    speaks = "?" in bare or "？" in bare
    speaks = speaks or next(_found("mood", bare, spec.language), None) is not None
    # A good wording of a short definition may have none of its words.
    long = len(spec.stems) >= _MANY
    if shared < min(_FEWEST_SHARED, len(spec.stems)) and (long or not speaks):
        return FilterHit("executed", "it has nothing to do with the definition")
    if not speaks and shared < _CLOSE * len(said):
        return FilterHit("executed", "it has no instruction: neither imperative nor question")
    return None


_FEWEST_SHARED, _MANY, _CLOSE = 2, 15, 0.4


def _markup(text: str, spec: InstructionSpec) -> FilterHit | None:
    found = phrases.markup().search(text)
    if found and found[0] not in spec.definition:
        return FilterHit("markup", repr(found[0]))
    return None


_LONGEST_LOOP = 8


def _garbled(text: str, spec: InstructionSpec) -> FilterHit | None:
    for pattern, what in phrases.broken():
        found = pattern.search(text)
        if found and not pattern.search(spec.definition):
            return FilterHit("garbled", f"{what}: {found[0]!r}")
    if loop := _loop(words(masked(text, spec.protected))):
        return FilterHit("garbled", f"a loop: {loop!r}")
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
"""In a stretch of a merged text, pairs of every other word are pairs of the definition at least
this much more often than pairs of neighbours are. No seed prompt of any task comes near it."""


def _interleaved(bare: str, spec: InstructionSpec) -> FilterHit | None:
    """Find two texts that were merged piece by piece.

    Either two words are joined where the second text begins ("diseaseList"), or words of the two
    texts alternate: then pairs of neighbours in the definition are one word apart.
    """
    for joint in _JOINT.finditer(bare):
        start = max(bare.rfind(mark, 0, joint.start()) for mark in " \n'\"(") + 1
        word = bare[start:].split(maxsplit=1)[0]
        known = word in spec.definition or joint[0] in spec.definition
        if not known and not any(camel in word for camel in phrases.spelt()):
            return FilterHit("interleaved", f"words run together: {word!r}")
    counted = words(bare)
    running = 0
    # The largest sum of a run: it grows by each such pair and shrinks by each pair of neighbours.
    for one, following, next_but_one in zip(counted, counted[1:], counted[2:], strict=False):
        running += (one, next_but_one) in spec.pairs
        running = max(0, running - ((one, following) in spec.pairs))
        if running >= _SKIPPED:
            return FilterHit("interleaved", f"every other word goes on: … {one} … {next_but_one} …")
    return None


def _length(
    text: str, bare: str, spec: InstructionSpec, settings: FilterSettings
) -> FilterHit | None:
    count = len(words(text))
    if count < max(settings.fewest_words, settings.shortest * spec.length):
        return FilterHit("length", f"it has {count} words, the definition {spec.length}")
    # Also without protected spans: long lists of labels must not allow for as much chatter.
    for many, length in ((count, spec.length), (len(words(bare)), spec.bare_length)):
        if many > max(ALWAYS_ALLOWED, settings.longest * length):
            return FilterHit("length", f"it has {many} words, the definition {length}")
    return None


def _broken(text: str, spec: InstructionSpec) -> Iterator[FilterHit]:
    for one in spec.constraints:
        if done := violation(one, text):
            yield FilterHit(f"constraint:{done}", str(one))


_CLAUSE = re.compile(
    r"[.。!?！？;；:：\n]|,\s+(?:and|but|then|also|et|mais|puis|y|pero|и|но|а также)\s",
    re.IGNORECASE,
)


def _demands(bare: str, spec: InstructionSpec) -> Iterator[FilterHit]:
    """Yield what a wording asks for and the definition does not."""
    code = spec.language
    for what, patterns in phrases.demands().items():
        if next(_found(patterns, bare, code), None) is None:
            continue
        for clause in _CLAUSE.split(bare):
            asked = next(_found(patterns, clause, code), "")
            # "Not more than" is no less of a limit.
            denied = what != "limit" and phrases.negated().search(clause.lower())
            if asked and not denied and not _known(what, asked, spec):
                yield FilterHit(f"demand:{what}", repr(asked))
                break


def _known(what: str, asked: str, spec: InstructionSpec) -> bool:
    """Return whether the definition demands this too, with the same numbers."""
    if asked in spec.folded:
        return True
    if what in phrases.allowed():
        return phrases.allowed()[what].search(spec.folded) is not None
    counted = words(spec.folded)
    if numbers := [word for word in words(asked) if word.isdecimal() or word in FIGURES]:
        return all(number in counted for number in numbers)
    return asked.split()[-1].rstrip("s") in spec.folded
