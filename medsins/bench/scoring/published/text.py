"""The two text metrics of the published scripts, value for value.

`bleu` is what NLTK's `sentence_bleu` gives with the weights (1, 0, 0, 0) and its first smoothing:
the share of words that the reference has too, each counted as often as it occurs there, times a
penalty for answers shorter than the reference. `rouge` is the F of `rouge-l` in the package
`rouge` 1.0.1: sentences end at every full stop, words at white space, and what counts is how many
different words lie on some longest common subsequence of a sentence of the reference and one of
the answer. It is neither ROUGE-1 nor ROUGE-L, whatever the paper's tables call it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from medsins.bench.scoring.published.crash import (
    PublishedAssertionError,
    PublishedRecursionError,
    PublishedValueError,
    text_of,
)
from medsins.bench.scoring.published.tokens import bleu_words, rouge_text

DEEPEST = 9990
"""Steps back through a table that fit below the recursion limit of the published scripts."""


def bleu_of_words(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Return the published BLEU of words: 0 (an int) without a common word, else 0 < value <= 1."""
    available = Counter(reference)
    common = 0
    for word, count in Counter(answer).items():
        there = available.get(word, 0)
        common += count if count < there else there
    if not common:
        return 0
    length = len(answer)
    penalty = 1 if length > len(reference) else math.exp(1 - len(reference) / length)
    # log and exp as NLTK has them: without them the last bit differs.
    return penalty * math.exp(math.log(common / length))


def rouge_of_texts(answer: Any, reference: Any) -> float:
    """Return the published ROUGE of two texts whose words stand between white space.

    Raises:
        PublishedAssertionError: The answer is not a string.
        PublishedAttributeError: The reference is not a string.
        PublishedValueError: One of them has nothing but full stops.
        PublishedRecursionError: A sentence is longer than the published recursion reaches.
    """
    if not isinstance(answer, str):
        raise PublishedAssertionError("", "`rouge` wants two strings.")
    said = _sentences(answer)
    wanted = _sentences(text_of(reference, "split"))
    if not said:
        raise PublishedValueError("Hypothesis is empty.")
    if not wanted:
        raise PublishedValueError("Reference is empty.")
    said_words = {word for words in said for word in words}
    wanted_words = {word for words in wanted for word in words}
    common = _on_common_subsequences(said, wanted, said_words & wanted_words)
    recall = common / len(wanted_words)
    precision = common / len(said_words)
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def _sentences(text: str) -> list[tuple[str, ...]]:
    """Split at every full stop; a blank between two of them is a sentence of one empty word.

    A sentence that comes again adds no word to any pair, so it is left out.
    """
    parts = dict.fromkeys(part for part in text.split(".") if part)
    return list(dict.fromkeys(tuple(part.split()) or ("",) for part in parts))


def _on_common_subsequences(
    said: list[tuple[str, ...]], wanted: list[tuple[str, ...]], shared: set[str]
) -> int:
    """Count the different words on the longest common subsequences of all pairs of sentences.

    Of several longest subsequences of a pair, the published code follows one: back from the end, it
    takes two equal words wherever it meets them, and else leaves a word of the answer unless that
    shortens the rest. Here the lengths of all sentences of the answer grow together, one bit a word
    (Crochemore et al., 2001, IPL 80:279-285), with an empty bit between sentences, and the way back
    jumps from one common word to the next.
    """
    places: dict[str, int] = {}
    starts: list[int] = []
    words: list[str] = []
    everywhere = 0
    bit = 1
    for sentence in said:
        starts.append(len(words))
        for word in sentence:
            if word in shared:
                places[word] = places.get(word, 0) | bit
            bit <<= 1
        words += sentence
        everywhere |= bit - (1 << starts[-1])
        words.append("")
        bit <<= 1
    missing = set(shared)
    longest = max(map(len, said))
    for sentence in wanted:
        short = len(sentence) + longest <= DEEPEST
        if short and not (missing and not missing.isdisjoint(sentence)):
            continue
        # Beyond this many rows from the end the published code has crashed.
        rows: deque[int] = deque(maxlen=DEEPEST + 1)
        where: dict[str, list[int]] = {}
        open_places = everywhere
        for number, word in enumerate(sentence):
            here = places.get(word, 0)
            if here:
                common = open_places & here
                open_places = ((open_places + common) | (open_places - common)) & everywhere
                where.setdefault(word, []).append(number)
            rows.append((everywhere ^ open_places) | here)
        for start, part in zip(starts, said, strict=True):
            if not short or not missing.isdisjoint(part):
                _follow(start, start + len(part), words, len(sentence), rows, where, missing)
    return len(shared) - len(missing)


def _follow(
    start: int,
    stop: int,
    words: list[str],
    height: int,
    rows: deque[int],
    where: dict[str, list[int]],
    missing: set[str],
) -> None:
    """Take the words of one longest common subsequence out of those that are missing.

    Args:
        start: First word of a sentence of the answer among all its words.
        stop: The place after its last word.
        words: All words of the answer.
        height: How many words the sentence of the reference has.
        rows: For its words, which bits are set where the subsequence grows or the words are equal.
        where: The places in it of each word that the answer has too.
        missing: The words that no pair had so far.

    Raises:
        PublishedRecursionError: The published code recurses once for each step of the way.
    """
    above = height - len(rows)
    row = height - 1
    steps = 0
    while row >= 0:
        if steps > DEEPEST:
            break
        at = (rows[row - above] & ((1 << stop) - 1)).bit_length() - 1
        if at < start:
            steps += stop - start
            break
        word = words[at]
        ways = where[word]
        found = ways[bisect_left(ways, row + 1) - 1]
        steps += stop - at + row - found
        missing.discard(word)
        row = found - 1
        stop = at
    if steps > DEEPEST:
        raise PublishedRecursionError("maximum recursion depth exceeded in comparison")


def bleu(
    answer: Any, reference: Any, language: str = "en", *, split_sentences: bool = True
) -> float:
    """Return the published BLEU of an answer.

    Args:
        answer: What the model said.
        reference: What it should have said.
        language: A code of the published scripts: en, zh, jp, fra, spa or ru.
        split_sentences: Whether Punkt finds sentences first, as in the published scripts.

    Raises:
        PublishedCrash: The published code raises.
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    wanted = bleu_words(reference, language, split_sentences=split_sentences)
    said = bleu_words(answer, language, split_sentences=split_sentences)
    return bleu_of_words(said, wanted)


def rouge(answer: Any, reference: Any, language: str = "en") -> float:
    """Return the published ROUGE of an answer; a language it does not know is read as English.

    Raises:
        PublishedCrash: The published code raises.
    """
    wanted = rouge_text(reference, language)
    return rouge_of_texts(rouge_text(answer, language), wanted)
