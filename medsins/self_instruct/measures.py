"""How alike, and how varied, the wordings of one task are.

ROUGE-L (Lin 2004) is over the words that the `rouge-score` package finds without stemming, and
equals its value; BLEU-4 is that of Papineni et al. 2002 with all other wordings as references
("self-BLEU", Zhu et al. 2018, arXiv:1802.01886), distinct-n that of Li et al. 2016
(arXiv:1510.03055).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from medsins.instructions.languages import script
from medsins.instructions.phrases import imperatives
from medsins.instructions.similarity import NEAR, rouge_l, words
from medsins.text import casefolded, one_line

VERY_NEAR = 0.9
"""From this ROUGE-L on, two wordings are very near repeats."""

_ROUGE_WORD = re.compile(r"[a-z0-9]+")
_PUNCTUATION = re.compile(r"[^\w\s]")
_SMOOTHED = 0.1
_SMALL = frozenset(
    "this that these those your each every given following from with".split()  # noqa: SIM905
)

Codes: TypeAlias = list[list[int]]


def rouge_words(text: str) -> list[str]:
    """Return the words of a text as the `rouge-score` package has them.

    It knows the letters a to z and digits alone; text in other scripts is cut as everywhere else.
    """
    return _ROUGE_WORD.findall(text.lower()) if script(text) in ("Latin", "") else words(text)


def coded(texts: Sequence[Sequence[str]]) -> Codes:
    """Return lists of words as lists of numbers, one for each different word."""
    known: dict[str, int] = {}
    return [[known.setdefault(word, len(known)) for word in text] for text in texts]


def squeezed(text: str) -> str:
    """Return a text without case, punctuation and surplus blanks.

    Unlike `normalised`, which decides what is new, it joins what a hyphen or apostrophe parts and
    keeps underscores: published counts of repeats are made like that.
    """
    return one_line(_PUNCTUATION.sub("", casefolded(text)))


@dataclass(frozen=True)
class Likeness:
    """How alike the wordings of a task are.

    Attributes:
        near: Wordings with a ROUGE-L of at least `NEAR` to an earlier one.
        very_near: The same for `VERY_NEAR`.
        survivors: What is left if, one after the other, only those are kept that are not near a
            kept one.
        mean: Mean ROUGE-L over all pairs; 0 if there is none.
    """

    near: int
    very_near: int
    survivors: int
    mean: float


def likeness(texts: Codes) -> Likeness:
    """Measure how alike wordings are, pair by pair.

    Args:
        texts: The wordings, as `coded` returns them.
    """
    near = very_near = 0
    total = 0.0
    kept: list[int] = []
    for i, one in enumerate(texts):
        row = [rouge_l(one, other) for other in texts[:i]]
        total += sum(row)
        most = max(row, default=0.0)
        near += most >= NEAR
        very_near += most >= VERY_NEAR
        if all(row[j] < NEAR for j in kept):
            kept.append(i)
    pairs = len(texts) * (len(texts) - 1) / 2
    return Likeness(near, very_near, len(kept), total / pairs if pairs else 0.0)


def self_bleu(texts: Codes) -> float:
    """Return the mean BLEU-4 of each wording with all others as references.

    Counts without a match are smoothed to 0.1. The brevity penalty looks at the reference that is
    closest in length.

    Args:
        texts: The wordings, as `coded` returns them.
    """
    if len(texts) < 2:
        return 0.0
    logs = [0.0] * len(texts)
    for order in range(1, 5):
        grams = [Counter(zip(*(text[i:] for i in range(order)), strict=False)) for text in texts]
        highest = _two_highest(grams)
        for number, counted in enumerate(grams):
            hits = 0
            for gram, count in counted.items():
                most, owner, second = highest[gram]
                hits += min(count, second if owner == number else most)
            logs[number] += math.log((hits or _SMOOTHED) / (counted.total() or 1)) / 4
    lengths = Counter(map(len, texts))
    return sum(
        math.exp(log) * _brevity(len(text), lengths) for log, text in zip(logs, texts, strict=True)
    ) / len(texts)


def _two_highest(
    grams: Sequence[Counter[tuple[int, ...]]],
) -> dict[tuple[int, ...], tuple[int, int, int]]:
    """Return for each n-gram its highest count, in which text, and the highest in any other."""
    highest: dict[tuple[int, ...], tuple[int, int, int]] = {}
    for number, counted in enumerate(grams):
        for gram, count in counted.items():
            most, owner, second = highest.get(gram, (0, -1, 0))
            if count > most:
                highest[gram] = (count, number, most)
            elif count > second:
                highest[gram] = (most, owner, count)
    return highest


def _brevity(length: int, lengths: Counter[int]) -> float:
    others = (other for other, count in lengths.items() if count > (other == length))
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= closest else math.exp(1 - closest / max(1, length))


def distinct(texts: Codes, order: int) -> float:
    """Return the share of different ones among all n-grams of the wordings (distinct-n)."""
    grams = [
        gram for text in texts for gram in zip(*(text[i:] for i in range(order)), strict=False)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0


def openings(texts: Codes) -> tuple[float, float]:
    """Return how the wordings begin, by their first two words.

    Returns:
        Share of the commonest beginning, and the entropy of beginnings in bits.
    """
    counts = Counter(tuple(text[:2]) for text in texts)
    shares = [count / len(texts) for count in counts.values()]
    return max(shares, default=0.0), -sum(share * math.log2(share) for share in shares)


def lead_verbs(texts: Sequence[str]) -> tuple[int, int]:
    """Return how many verbs lead English wordings, and how many pairs of verb and object do.

    No parser is asked: a verb leads where an imperative can stand, and its object is the next
    word that is long enough to mean something. Take it as a rough measure.
    """
    pairs: set[tuple[str, str]] = set()
    for text in texts:
        found = imperatives().search(text.lower())
        if found:
            rest = (word for word in words(text[found.end() :]) if len(word) > 3)
            pairs.add((found[1], next((word for word in rest if word not in _SMALL), "")))
    return len({verb for verb, _ in pairs}), len(pairs)
