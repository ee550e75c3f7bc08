"""What the harnesses call while they run: documents to ask, and our scores of the answers.

Values are the corrected ones of `medsins bench score` for the same answers, from 0 to 1. There are
no intervals here: of those the harnesses have their own notions, or none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medsins.bench.harnesses.records import PRIMARY
from medsins.bench.scoring.predictions import Answer
from medsins.bench.suite.benchmark import Benchmark, Item

if TYPE_CHECKING:
    from medsins.bench.scoring.task_scores import Score


def scored(task: str, answers: Sequence[Answer]) -> Score:
    """Score answers to one task, without intervals.

    Args:
        task: Full name of the task.
        answers: The answers.

    Raises:
        InvalidFileError: There are none, or a reference is not what the task's should be.
        MissingExtraError: A package that the metric needs is not installed.
    """
    from medsins.bench.scoring.task_scores import score_task

    return score_task(task, answers, resamples=1)


def values(score: Score) -> dict[str, float]:
    """Return the values of a score by metric, the one that stands for its task first."""
    return {PRIMARY: score.value, **score.values}


def documents(
    folder: Path, data_files: Mapping[str, str], *, seed: int = 0, **others: Any
) -> dict[str, Any]:
    """Return the splits of a task as lm-evaluation-harness reads them.

    They are made in memory, since `load_dataset` would leave a copy of the texts in the cache of
    the user, and would read some texts as times.

    Args:
        folder: The export.
        data_files: File by split, relative to the export: "test", and "fewshot" if there are
            candidates.
        seed: Of the order of candidates.
        others: What the harness hands on besides.

    Returns:
        A `datasets.Dataset` by split, with the columns task, id, input and references.

    Raises:
        InvalidFileError: A file was changed since it was exported.
    """
    from datasets import Dataset

    del others
    bench = Benchmark(folder)
    task = Path(data_files["test"]).stem
    rows = {"test": [(one.id, one.input, list(one.references)) for one in bench.items(task)]}
    if "fewshot" in data_files:
        examples = [(one.id, one.input, [one.output]) for one in bench.fewshot_examples(task)]
        random.Random(f"{seed}/{task}").shuffle(examples)
        rows["fewshot"] = examples
    return {
        split: Dataset.from_list(
            [{"task": task, "id": key, "input": text, "references": refs} for key, text, refs in of]
        )
        for split, of in rows.items()
    }


def answered(document: Mapping[str, Any], said: str, metrics: Sequence[str]) -> dict[str, Any]:
    """Return what lm-evaluation-harness keeps of an answer until all are there.

    Args:
        document: One of `documents`.
        said: The answer.
        metrics: Names of the task's metrics.
    """
    kept = [document["task"], document["id"], said]
    return dict.fromkeys((PRIMARY, *metrics), kept)


def value(folder: Path, metric: str, kept: Sequence[Sequence[str]]) -> float:
    """Return the value of a metric over all answers to a task.

    Args:
        folder: The export.
        metric: Name of the metric.
        kept: What `answered` returned for each answer; all of one task.

    Raises:
        InvalidFileError: A file was changed since it was exported.
        MissingExtraError: A package that the metric needs is not installed.
    """
    return _values(folder, tuple((task, key, said) for task, key, said in kept))[metric]


@lru_cache(maxsize=2)
def _values(folder: Path, kept: tuple[tuple[str, str, str], ...]) -> dict[str, float]:
    # The harness asks for one metric after the other, and all come from one pass.
    task = kept[0][0]
    items = {item.id: item for item in Benchmark(folder).items(task)}
    return values(scored(task, [answer(items[key], said) for _, key, said in kept]))


def answer(item: Item, said: str) -> Answer:
    """Return an answer beside what it is judged by."""
    return Answer(item.id, item.task, said, item.references, item.input)
