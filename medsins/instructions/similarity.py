"""How alike two wordings are: ROUGE-L over words, with what has to be the same left out.

ROUGE-L F = 2 · LCS / (words of one + words of the other), Lin 2004; on Latin text it equals the
`rouge-score` package without stemming. Characters of Chinese and Japanese count as words.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

from rapidfuzz.distance import LCSseq

from medsins.text import casefolded

NEAR = 0.7
"""From this ROUGE-L on, two wordings are near repeats (Self-Instruct, arXiv:2212.10560)."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_CHARACTERS = re.compile(rf"[{_CJK}]{{2}}")
_NOT_WORDS = re.compile(r"[\W_]+")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; each Chinese or Japanese character is one."""
    return _WORD.findall(text.lower())


def masked(text: str, spans: Iterable[str]) -> str:
    """Return a text without the spans that every wording has to repeat."""
    for span in sorted(set(spans), key=len, reverse=True):
        text = text.replace(span, " ")
    return text


def rouge_l(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Return the ROUGE-L F measure of two lists of words, from 0 to 1.

    It is one division, so that a value of exactly `NEAR` compares as equal. The benchmark's ROUGE-L
    is computed from precision and recall instead, like that of `rouge-score`, to the last digit.
    """
    if not one or not other:
        return 0.0
    return 2 * LCSseq.similarity(one, other) / (len(one) + len(other))


def normalised(text: str) -> str:
    """Return a text for exact comparison: NFKC, case folded, without punctuation."""
    return _NOT_WORDS.sub(" ", casefolded(text)).strip()


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """Return the first letters of the longer words of a text, and its pairs of characters."""
    longer = {word[:5] for word in words(text) if len(word) > 3}
    if not text.isascii():
        pairs = {text[i : i + 2] for i in range(len(text) - 1)}
        longer |= {pair for pair in pairs if _CHARACTERS.fullmatch(pair)}
    return frozenset(longer)
