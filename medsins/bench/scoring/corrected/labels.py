"""Closed sets of labels: one to an answer, or several.

An answer counts as a label if it is that label, or if that label alone is mentioned in it and not
denied. One that mentions several, or lists all of them, is not an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from medsins.bench.scoring.corrected.reading import Names, YesOrNo, folded
from medsins.bench.scoring.corrected.statistics import Floats, Measured, additive, ratio
from medsins.bench.scoring.libraries import library, versions

UNPARSED = ""
"""Stands in the confusion table for answers in which no label was found."""


class LabelReader:
    """Reads labels out of answers.

    Args:
        labels: The closed set, as references write it.
        aliases: Other spellings, and the label each stands for.
    """

    def __init__(self, labels: Sequence[str], aliases: Mapping[str, str] | None = None) -> None:
        spellings = {label: label for label in labels}
        self._polar = YesOrNo(spellings) if YesOrNo.reads(spellings) else None
        self._names = Names(spellings | dict(aliases or {}))

    def one(self, text: str) -> str | None:
        """Return the one label of an answer; None if none or several are in it."""
        if self._polar:
            return self._polar.read(text)
        low = folded(text)
        exact = self._names.exact(low)
        if exact is not None:
            return exact
        mentioned = self._names.mentioned(low)
        return mentioned.pop() if len(mentioned) == 1 else None

    def several(self, text: str) -> frozenset[str]:
        """Return all labels that an answer names and does not deny."""
        return frozenset(self._names.mentioned(folded(text)))


def measure_one(
    predictions: Sequence[str], golds: Sequence[Sequence[str]], reader: LabelReader
) -> Measured:
    """Measure answers that name one label: accuracy, and macro-F1 over labels with support.

    Args:
        predictions: Answers.
        golds: For each the acceptable labels; the first is that of the confusion table.
        reader: Reads the answers.
    """
    metrics = library("sklearn.metrics", "scikit-learn")
    read = {text: reader.one(text) or UNPARSED for text in set(predictions)}
    found = [read[text] for text in predictions]
    # Where several labels are acceptable, naming any of them is no confusion.
    gold = [own if own in labels else labels[0] for own, labels in zip(found, golds, strict=True)]
    supported = sorted(set(gold))
    pairs = sorted(set(zip(gold, found, strict=True)))
    number = {pair: place for place, pair in enumerate(pairs)}
    codes = np.array([number[pair] for pair in zip(gold, found, strict=True)])
    table = np.array([_hits(true, own, supported) for true, own in pairs])

    def combine(sums: Floats) -> dict[str, Floats]:
        right, named, gold_rows = np.split(sums[..., 2:], 3, axis=-1)
        scores = ratio(2 * right, named + gold_rows)
        present = (gold_rows > 0).astype(np.float64)
        macro = ratio((scores * present).sum(axis=-1), present.sum(axis=-1))
        return {"accuracy": sums[..., 1] / sums[..., 0], "macro_f1": macro}

    rows = np.array([float(own == true) for own, true in zip(found, gold, strict=True)])
    empty = sum(not text.strip() for text in predictions)
    return Measured(
        primary="accuracy",
        points={
            "accuracy": float(metrics.accuracy_score(gold, found)),
            "macro_f1": float(
                metrics.f1_score(gold, found, labels=supported, average="macro", zero_division=0)
            ),
        },
        rows=rows,
        codes=codes,
        table=table,
        combine=combine,
        unparsed=found.count(UNPARSED) - empty,
        details={"confusion": Counter(zip(gold, found, strict=True))},
        signature={
            "labels": "exact, else the only one mentioned|nfkc|casefold|not denied",
            "macro": "labels with support|zero_division:0",
            **versions("scikit-learn"),
        },
    )


def _hits(gold: str, found: str, labels: Sequence[str]) -> list[float]:
    right = [float(label == gold == found) for label in labels]
    named = [float(label == found) for label in labels]
    wanted = [float(label == gold) for label in labels]
    return [1.0, float(gold == found), *right, *named, *wanted]


def measure_several(
    predictions: Sequence[str], golds: Sequence[str], labels: Sequence[str], reader: LabelReader
) -> Measured:
    """Measure answers that name several labels: macro and micro F1, and the share of exact sets.

    Macro averages are over labels with support; `macro_f1_zero0` and `macro_f1_zero1` are over all
    labels, where one that is in no reference and no answer counts 0 or 1.

    Args:
        predictions: Answers.
        golds: For each the labels of its reference, joined as the task has it.
        labels: The closed set.
        reader: Reads answers and references.
    """
    metrics = library("sklearn.metrics", "scikit-learn")
    found = _indicators(predictions, labels, reader)
    gold = _indicators(golds, labels, reader)
    both = found * gold
    sizes = found.sum(axis=1) + gold.sum(axis=1)
    supported = np.flatnonzero(gold.sum(axis=0))

    def average(kind: str, chosen: Sequence[int] | None = None, zero: int = 0) -> list[float]:
        scores = metrics.precision_recall_fscore_support(
            gold, found, labels=chosen, average=kind, zero_division=zero
        )
        return [float(score) for score in scores[:3]]

    macro = average("macro", supported.tolist())
    points = {
        "macro_f1": macro[2],
        "macro_precision": macro[0],
        "macro_recall": macro[1],
        "macro_f1_zero0": average("macro")[2],
        "macro_f1_zero1": average("macro", zero=1)[2],
        "micro_f1": average("micro")[2],
        "subset_accuracy": float(metrics.accuracy_score(gold, found)),
    }
    columns = {
        f"{kind}{place}": block[:, place]
        for kind, block in (("right", both), ("named", found), ("gold", gold))
        for place in range(len(labels))
    }
    codes, table = additive({"subset": (found == gold).all(axis=1).astype(np.float64), **columns})
    blank = np.array([not text.strip() for text in predictions])
    return Measured(
        primary="macro_f1",
        points=points,
        rows=ratio(2 * both.sum(axis=1), sizes),
        codes=codes,
        table=table,
        combine=_combine_several,
        unparsed=int(((found.sum(axis=1) == 0) & ~blank).sum()),
        details={
            "labels": {
                label: {
                    "right": int(both[:, place].sum()),
                    "named": int(found[:, place].sum()),
                    "gold": int(gold[:, place].sum()),
                }
                for place, label in enumerate(labels)
            }
        },
        signature={
            "labels": "all that are mentioned|nfkc|casefold|not denied",
            "macro": "labels with support|zero_division:0",
            **versions("scikit-learn"),
        },
    )


def _indicators(texts: Sequence[str], labels: Sequence[str], reader: LabelReader) -> Floats:
    named = [reader.several(text) for text in texts]
    return np.array([[float(label in one) for label in labels] for one in named])


def _combine_several(sums: Floats) -> dict[str, Floats]:
    right, named, gold = np.split(sums[..., 2:], 3, axis=-1)
    has = (gold > 0).astype(np.float64)
    count = has.sum(axis=-1)
    f1 = ratio(2 * right, named + gold)

    def macro(scores: Floats) -> Floats:
        return ratio((scores * has).sum(axis=-1), count)

    return {
        "macro_f1": macro(f1),
        "macro_precision": macro(ratio(right, named)),
        "macro_recall": macro(ratio(right, gold)),
        "macro_f1_zero0": f1.mean(axis=-1),
        "macro_f1_zero1": ratio(2 * right, named + gold, 1.0).mean(axis=-1),
        "micro_f1": ratio(2 * right.sum(axis=-1), named.sum(axis=-1) + gold.sum(axis=-1)),
        "subset_accuracy": sums[..., 1] / sums[..., 0],
    }
