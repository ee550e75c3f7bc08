"""Free text: BLEU, BLEU-1 and chrF over the corpus, ROUGE F as a mean over rows.

BLEU counts come from sacrebleu, tokenized by its 13a, zh or ja-mecab rules, and ROUGE-1 and
ROUGE-2 from rouge-score with a tokenizer for all six languages. What those packages are slow at or
give no counts for, chrF and ROUGE-L, is computed here; tests hold it equal to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import LCSseq

from medsins.bench.scoring import segmentation
from medsins.bench.scoring.corrected.statistics import Floats, Integers, Measured, ratio
from medsins.bench.scoring.libraries import library, versions
from medsins.text import casefolded

PRIMARY = "rouge1"
"""The paper names BLEU-1 and ROUGE-1; the latter is defined row by row, and knows recall."""

ROUGES = ("rouge1", "rouge2", "rougeL", "rougeLsum")

_ORDERS = 4
_CHARACTERS = 6
_BETA = 2.0
_WORD = re.compile(r"\w+")
_SEGMENTED = {"zh": "jieba", "ja": "janome"}
_BLEU_TOKENIZER = {"zh": "zh", "ja": "ja-mecab"}


def words(text: str, language: str) -> list[str]:
    r"""Return the words that ROUGE counts.

    NFKC, case folded; runs of `\w`, or for zh and ja the pieces of jieba and janome that hold one.

    Args:
        text: Any text.
        language: ISO 639-1 code.

    Raises:
        MissingExtraError: The language's segmenter is not installed.
    """
    folded = casefolded(text)
    if language not in _SEGMENTED:
        return _WORD.findall(folded)
    cut = segmentation.chinese() if language == "zh" else segmentation.japanese()
    return [piece for piece in cut(folded) if _WORD.search(piece)]


class _AsTheyAre:
    """A tokenizer for rouge-score that is handed words already."""

    @staticmethod
    def tokenize(text: list[str]) -> list[str]:
        return text


class Rouge:
    """ROUGE F of one answer at a time, the best over its references for each kind.

    Args:
        language: ISO 639-1 code.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        module = library("rouge_score.rouge_scorer", "rouge-score")
        self._scorer = module.RougeScorer(["rouge1", "rouge2"], tokenizer=_AsTheyAre)

    def score(self, prediction: str, references: Sequence[str]) -> list[float]:
        """Return the F measures in the order of `ROUGES`, from 0 to 1."""
        answer = words(prediction, self._language)
        best = [0.0] * len(ROUGES)
        if not answer:
            return best
        for reference in references:
            target = words(reference, self._language)
            grams = self._scorer.score(target, answer)
            long = _f(LCSseq.similarity(target, answer), len(target), len(answer))
            found = (grams["rouge1"].fmeasure, grams["rouge2"].fmeasure, long)
            lines = long
            if "\n" in reference or "\n" in prediction:
                lines = self._by_lines(reference, prediction)
            best = [max(pair) for pair in zip(best, (*found, lines), strict=True)]
        return best

    def _by_lines(self, reference: str, prediction: str) -> float:
        return rouge_lsum(
            [words(line, self._language) for line in reference.split("\n") if line],
            [words(line, self._language) for line in prediction.split("\n") if line],
        )


def _f(hits: int, reference: int, prediction: int) -> float:
    # As rouge-score has it, so that not even the last digit differs, as it would by
    # `medsins.instructions.similarity.rouge_l`.
    if not hits:
        return 0.0
    precision, recall = hits / prediction, hits / reference
    return 2 * precision * recall / (precision + recall)


def rouge_lsum(reference: Sequence[Sequence[str]], prediction: Sequence[Sequence[str]]) -> float:
    """Return ROUGE-Lsum F of texts given as lines of words (Lin 2004, 3.2).

    For each line of the reference, the words that are in a longest common subsequence with any
    line of the prediction are hits, each word no more often than it occurs in either text.
    """
    left = Counter(word for line in reference for word in line)
    right = Counter(word for line in prediction for word in line)
    lengths = left.total(), right.total()
    number = {word: place for place, word in enumerate(left.keys() | right.keys())}
    coded = [np.array([number[word] for word in line], np.int64) for line in prediction]
    hits = 0
    for line in reference:
        here = np.array([number[word] for word in line], np.int64)
        common: set[int] = set().union(*(_common(here, other) for other in coded))
        for place in sorted(common):
            word = line[place]
            if left[word] and right[word]:
                hits += 1
                left[word] -= 1
                right[word] -= 1
    return _f(hits, *lengths)


def _common(reference: Integers, prediction: Integers) -> set[int]:
    """Return places in the reference of one longest common subsequence: the one rouge-score takes.

    A row of the table of lengths is the running maximum of the row above, raised by one, shifted,
    where the words match.
    """
    table = np.zeros((len(reference) + 1, len(prediction) + 1), np.int32)
    for place, word in enumerate(reference, 1):
        above = table[place - 1]
        extended = np.where(prediction == word, above[:-1] + 1, above[1:])
        table[place, 1:] = np.maximum.accumulate(np.maximum(extended, above[1:]))
    found = set()
    row, column = len(reference), len(prediction)
    while row and column:
        if reference[row - 1] == prediction[column - 1]:
            row, column = row - 1, column - 1
            found.add(row)
        elif table[row, column - 1] > table[row - 1, column]:
            column -= 1
        else:
            row -= 1
    return found


def chrf_counts(prediction: str, references: Sequence[str]) -> list[int]:
    """Return the counts of chrF (Popović 2015), of the reference that fits best.

    They are, for n-grams of 1 to 6 characters each, the number in the prediction, in the reference
    and in both. White space is left out.
    """
    best: list[int] = []
    answer = "".join(prediction.split())
    for reference in references:
        target = "".join(reference.split())
        counts: list[int] = []
        match = 1
        for order in range(1, _CHARACTERS + 1):
            theirs = max(0, len(target) - order + 1)
            # An order that the reference is too short for does not count.
            ours = max(0, len(answer) - order + 1) if theirs else 0
            # What has no gram in common has no longer one either.
            match = _shared_grams(answer, target, order) if match else 0
            counts += [ours, theirs, match]
        if not best or (len(references) > 1 and _chrf(counts) > _chrf(best)):
            best = counts
    return best


def _shared_grams(one: str, other: str, order: int) -> int:
    left, right = (
        Counter([text[start : start + order] for start in range(len(text) - order + 1)])
        for text in (one, other)
    )
    return sum([min(left[gram], right[gram]) for gram in left.keys() & right.keys()])


def _chrf(counts: Sequence[int]) -> float:
    return float(chrf(np.array(counts, np.float64)))


def chrf(counts: Floats) -> Floats:
    """Return chrF of summed counts of shape (..., 18), from 0 to 1, as sacrebleu has it.

    Precision and recall are averaged over the orders that both sides have, beta is 2.
    """
    ours, theirs, match = (counts[..., start::3] for start in range(3))
    both = (ours > 0) & (theirs > 0)
    orders = both.sum(axis=-1).astype(np.float64)
    precision = ratio(np.where(both, ratio(match, ours), 0.0).sum(axis=-1), orders)
    recall = ratio(np.where(both, ratio(match, theirs), 0.0).sum(axis=-1), orders)
    weight = _BETA**2
    return ratio((1 + weight) * precision * recall, weight * precision + recall)


def bleu(counts: Floats, orders: int = _ORDERS) -> Floats:
    """Return corpus BLEU of summed counts, from 0 to 1, as sacrebleu has it (smoothing: exp).

    Args:
        counts: Shape (..., 10): length of predictions, length of references, then of n-grams of 1
            to 4 words the matching ones and all of the predictions.
        orders: Longest n-grams that count.
    """
    ours, theirs = counts[..., 0], counts[..., 1]
    match = counts[..., 2 : 2 + orders]
    total = counts[..., 2 + _ORDERS : 2 + _ORDERS + orders]
    missed = (match == 0) & (total > 0)
    halved = 2.0 ** np.cumsum(missed, axis=-1)
    precision = np.where(missed, ratio(np.ones_like(total), halved * total), ratio(match, total))
    scored = (match > 0).any(axis=-1) & (precision > 0).all(axis=-1)
    logs = np.log(np.where(precision > 0, precision, 1.0)).mean(axis=-1)
    brevity = np.where(ours < theirs, np.exp(np.minimum(0.0, 1 - ratio(theirs, ours, np.inf))), 1.0)
    return np.where(scored, brevity * np.exp(logs), 0.0)


def _bleu_counts(metric: Any, prediction: str, references: Sequence[str]) -> list[int]:
    score = metric.sentence_score(prediction, references)
    return [score.sys_len, score.ref_len, *score.counts, *score.totals]


def measure(
    predictions: Sequence[str], references: Sequence[Sequence[str]], language: str
) -> Measured:
    """Measure free text.

    Args:
        predictions: Answers; a blank one counts in full.
        references: For each the acceptable answers, at least one.
        language: ISO 639-1 code of the answers.

    Raises:
        MissingExtraError: A package that the language needs is not installed.
    """
    module = library("sacrebleu.metrics", "sacrebleu")
    tokenizer = _BLEU_TOKENIZER.get(language, "13a")
    if tokenizer == "ja-mecab":
        library("MeCab", "sacrebleu[ja]")
    metric = module.BLEU(tokenize=tokenizer, effective_order=True)
    rouge = Rouge(language)
    width = 1 + 2 + 2 * _ORDERS + 3 * _CHARACTERS + len(ROUGES)
    table = np.empty((len(predictions), width))
    for line, prediction, targets in zip(table, predictions, references, strict=True):
        line[:] = [
            1,
            *_bleu_counts(metric, prediction, targets),
            *chrf_counts(prediction, targets),
            *rouge.score(prediction, targets),
        ]
    points = {name: float(value) for name, value in _combine(table.sum(axis=0)).items()}
    most = max(map(len, references))
    used = ["sacrebleu", "rouge-score"]
    if language in _SEGMENTED:
        used.append(_SEGMENTED[language])
    return Measured(
        primary=PRIMARY,
        points=points,
        rows=table[:, -len(ROUGES)],
        codes=np.arange(len(table)),
        table=table,
        combine=_combine,
        signature={
            "bleu": f"nrefs:{most}|case:mixed|eff:no|tok:{tokenizer}|smooth:exp",
            "chrf": f"nrefs:{most}|case:mixed|eff:yes|nc:{_CHARACTERS}|nw:0|space:no",
            "rouge": f"f|nfkc|casefold|tok:{_SEGMENTED.get(language, 'words')}|stem:no|refs:max",
            **versions(*used),
        },
    )


def _combine(sums: Floats) -> dict[str, Floats]:
    rows, counts = sums[..., 0], sums[..., 1 : 3 + 2 * _ORDERS]
    characters = sums[..., 3 + 2 * _ORDERS : -len(ROUGES)]
    values = {"bleu": bleu(counts), "bleu1": bleu(counts, 1), "chrf": chrf(characters)}
    for place, name in enumerate(ROUGES):
        values[name] = sums[..., place - len(ROUGES)] / rows
    return values
