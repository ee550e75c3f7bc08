"""Scores of a model: a task at a time, averages over tasks, and one model against another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import xxhash

from medsins.bench.scoring.corrected import choices, entities, labels, text
from medsins.bench.scoring.corrected.statistics import (
    LEVEL,
    RESAMPLES,
    Comparison,
    Floats,
    Measured,
    compared,
    interval,
    resampled,
)
from medsins.bench.scoring.predictions import Answer
from medsins.bench.suite.benchmark import Benchmark, Item
from medsins.bench.suite.families import Family, Profile, profile
from medsins.errors import InvalidFileError
from medsins.io.version import __version__
from medsins.recipe import Task
from medsins.registry import task as find_task

Mode: TypeAlias = Literal["corrected", "paper"]

_PUBLISHED_FIRST = {Family.TEXT: "bleu", Family.LABELS: "f1_score"}

_PLAIN = (
    *("task", "category", "language", "mode", "primary", "n_total", "n_scored", "n_empty"),
    *("n_missing", "n_unparsed", "signature"),
)


@dataclass(frozen=True, eq=False)
class Score:
    """What a model scores on a task. All values are from 0 to 1.

    Attributes:
        task: Name of the task.
        category: Category of the benchmark.
        language: ISO 639-1 code of its answers.
        mode: How it was scored.
        primary: The metric that stands for the task.
        values: Values by metric.
        intervals: 95 % bootstrap intervals by metric; none in paper mode.
        n_total: Rows; blank and missing ones among them, which score 0.
        n_scored: Rows with an answer in them.
        n_empty: Rows whose answer is blank, without the missing ones.
        n_missing: Rows that the file did not have.
        n_unparsed: Rows with words in them, but no answer that could be read.
        ids: Ids of the rows, sorted.
        rows: The primary metric of each row alone, shape (n_total,), in the order of `ids`; NaN in
            paper mode, which scores files.
        signature: What the values depend on.
        details: A confusion table, counts by label, or where the published code stops.
        measured: What intervals and comparisons are made from.
        draws: The primary metric of each resample, shape (1000,).
    """

    task: str
    category: str
    language: str
    mode: Mode
    primary: str
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    n_total: int
    n_scored: int
    n_empty: int
    n_missing: int
    n_unparsed: int
    ids: tuple[str, ...]
    rows: Floats
    signature: str
    details: Mapping[str, Any] = field(default_factory=dict)
    measured: Measured | None = field(default=None, repr=False)
    draws: Floats = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def value(self) -> float:
        """The value of the primary metric."""
        return self.values[self.primary]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the primary metric, if there is one."""
        return self.intervals.get(self.primary)

    def record(self) -> dict[str, Any]:
        """Return the score for a JSON file."""
        confusion = self.details.get("confusion")
        details = {name: value for name, value in self.details.items() if name != "confusion"}
        if confusion is not None:
            details["confusion"] = [[*pair, count] for pair, count in sorted(confusion.items())]
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "values": dict(self.values),
            "intervals": {name: list(pair) for name, pair in self.intervals.items()},
            "details": details,
            "ids": list(self.ids),
            "rows": self.rows.tolist(),
        }


def score_task(
    task: Task | str,
    answers: Iterable[Answer],
    mode: Mode = "corrected",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    punkt: bool = True,
) -> Score:
    """Score the answers of a model to one task.

    The order of the answers does not matter.

    Args:
        task: The task, or its name.
        answers: One for each question, blank or missing ones too.
        mode: "corrected", or "paper" for what the published code computes.
        resamples: Resamples for the intervals.
        seed: Of the resamples.
        punkt: Whether paper mode finds sentences first, as published; False changes its BLEU.

    Raises:
        UnknownNameError: The task is not in the benchmark.
        MissingFilesError: Paper mode needs the parameters of Punkt, which are not here.
        InvalidFileError: There are no answers, or a reference is not what the task's should be.
        MissingExtraError: A package that the metric needs is not installed.
    """
    known = profile(find_task(task) if isinstance(task, str) else task)
    rows = sorted(answers, key=lambda answer: answer.id)
    if not rows:
        raise InvalidFileError(f"{known.task}: there are no answers to score.")
    if any(not answer.references for answer in rows):
        raise InvalidFileError(f"{known.task}: an answer has no reference. Build it again.")
    missing = sum(answer.missing for answer in rows)
    blank = sum(not answer.prediction.strip() for answer in rows)
    counted: dict[str, Any] = {
        "n_total": len(rows),
        "n_scored": len(rows) - blank,
        "n_empty": blank - missing,
        "n_missing": missing,
    }
    ids = tuple(answer.id for answer in rows)
    if mode == "paper":
        return Score(**_as_published(known, rows, punkt), **counted, ids=ids)
    measured = _measure(known, rows)
    drawn = resampled(measured, resamples, _seed(known, seed))
    return Score(
        task=known.task,
        category=known.category,
        language=known.language,
        mode=mode,
        primary=measured.primary,
        values=measured.points,
        intervals={name: interval(values) for name, values in drawn.items()},
        **counted,
        n_unparsed=measured.unparsed,
        ids=ids,
        rows=measured.rows,
        signature=_signature(known, measured, resamples, seed),
        details=measured.details,
        measured=measured,
        draws=drawn[measured.primary],
    )


def _as_published(known: Profile, answers: Sequence[Answer], punkt: bool) -> dict[str, Any]:
    """Return the fields of a score that the published code decides on."""
    from medsins.bench.scoring.published import paper_table

    rows = (
        {
            "task_id": known.benchmark_id,
            "prediction": answer.prediction,
            "reference": answer.references[0],
        }
        for answer in answers
    )
    table = paper_table(rows, punkt=punkt)
    result = table.results[0]
    own = {known.benchmark_id, "CT", "MRI"} & result.values.keys()
    values: dict[str, float] = {}
    for name, value in result.values.items():
        # CT and MRI are columns of all their tasks together; with one task they are its own.
        if own and (name not in own or value == (-1, -1)):
            continue
        if isinstance(value, tuple):
            values |= {"bleu": value[0] / 100, "peer_rouge": value[1] / 100}
        else:
            values["value" if name in own else name] = value / 100
    details: dict[str, Any] = {"crashes": result.n_crashes, "skipped": result.n_skipped}
    if result.crash:
        details["crash"] = result.crash.peer_error
    return {
        "task": known.task,
        "category": known.category,
        "language": known.language,
        "mode": "paper",
        "primary": _PUBLISHED_FIRST.get(known.family, "value"),
        "values": values,
        "intervals": {},
        "n_unparsed": 0,
        "rows": np.full(len(answers), np.nan),
        "signature": "; ".join((table.signature, *table.warnings)),
        "details": details,
    }


def _seed(known: Profile, seed: int) -> int:
    # Tasks are drawn independently of each other, models of a task alike.
    return xxhash.xxh3_64_intdigest(f"{seed}/{known.task}".encode())


def _signature(known: Profile, measured: Measured, resamples: int, seed: int) -> str:
    parts = {
        "medsins": __version__,
        "task": known.task,
        "family": known.family.value,
        "mode": "corrected",
        **measured.signature,
        "interval": f"bootstrap:{resamples}|level:{LEVEL:g}|seed:{seed}",
    }
    return "; ".join(f"{name}={value}" for name, value in parts.items())


def _measure(known: Profile, answers: Sequence[Answer]) -> Measured:
    said = [answer.prediction for answer in answers]
    references = [answer.references for answer in answers]
    match known.family:
        case Family.TEXT:
            return text.measure(said, references, known.language)
        case Family.CHOICE:
            return _measure_choices(known, answers)
        case Family.LABEL:
            return _measure_label(known, answers)
        case Family.LABELS:
            reader = labels.LabelReader(known.labels, known.aliases)
            first = [targets[0] for targets in references]
            return labels.measure_several(said, first, known.labels, reader)
        case Family.ENTITIES:
            return entities.measure_entities(said, references)
        case Family.PHRASES:
            return entities.measure_phrases(said, references)
        case Family.DOSE:
            return entities.measure_doses(said, references)
        case Family.DEMOGRAPHICS:
            return entities.measure_demographics(said, references)


def _measure_choices(known: Profile, answers: Sequence[Answer]) -> Measured:
    try:
        return choices.measure(
            [answer.prediction for answer in answers],
            [answer.references for answer in answers],
            [answer.input for answer in answers],
            known.labels,
        )
    except choices.UnreadableReferenceError as error:
        raise _unreadable(known, answers[error.row]) from error


def _measure_label(known: Profile, answers: Sequence[Answer]) -> Measured:
    reader = labels.LabelReader(known.labels, known.aliases)
    references = {reference for answer in answers for reference in answer.references}
    read = {reference: reader.one(reference) for reference in references}
    gold = []
    for answer in answers:
        found = [read[reference] for reference in answer.references]
        if not all(found):
            raise _unreadable(known, answer)
        gold.append([label for label in found if label])
    return labels.measure_one([answer.prediction for answer in answers], gold, reader)


def _unreadable(known: Profile, answer: Answer) -> InvalidFileError:
    return InvalidFileError(
        f"{known.task}: the reference of {answer.id} names no label or option of the task. "
        "Build the benchmark again."
    )


def compare(
    one: Score, other: Score, metric: str = "", *, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """Test whether two models differ on a task.

    Args:
        one: Score of the first.
        other: Score of the second, on the same rows and in the same mode.
        metric: What to compare; default: the primary metric.
        resamples: Draws of each test.
        seed: Of the draws.

    Raises:
        InvalidFileError: The scores are of different tasks, modes or rows.
    """
    if (one.task, one.mode, one.ids) != (other.task, other.mode, other.ids):
        raise InvalidFileError(
            f"scores of {one.task} ({one.mode}, {one.n_total:,} rows) and {other.task} "
            f"({other.mode}, {other.n_total:,} rows) are not of the same rows."
        )
    if one.measured is None or other.measured is None:
        raise InvalidFileError(f"{one.task}: a score read from a file cannot be compared.")
    return compared(
        one.measured, other.measured, metric or one.primary, resamples=resamples, seed=seed
    )


@dataclass(frozen=True, eq=False)
class Average:
    """The mean of a metric over tasks.

    Attributes:
        name: Category, or language code.
        metric: Metric; "primary" for that of each task.
        value: The mean.
        interval: Its 95 % interval; None in paper mode.
        weights: Weight of each task.
    """

    name: str
    metric: str
    value: float
    interval: tuple[float, float] | None
    weights: Mapping[str, float]


def averages(
    scores: Sequence[Score],
    declared: Iterable[Task],
    *,
    by: Literal["category", "language"] = "category",
    partial: bool = False,
) -> list[Average]:
    """Return means over tasks: each task weighs the same, whatever its size.

    For every category (or language) there is the mean of the primary metrics, and one for each
    primary metric over the tasks that have it, where these differ.

    Args:
        scores: One for each task.
        declared: Tasks that belong to the benchmark.
        by: What tasks are put together by.
        partial: Average what is there, instead of refusing where a task is absent.

    Raises:
        InvalidFileError: A declared task has no score, or a task has two.
    """
    known = {score.task: score for score in scores}
    if len(known) < len(scores):
        raise InvalidFileError("a task is scored twice; each counts once in an average.")
    wanted = [profile(task) for task in declared if task.benchmark_id]
    absent = [one.task for one in wanted if one.task not in known]
    if absent and not partial:
        raise InvalidFileError(
            f"{len(absent)} of {len(wanted)} tasks have no score: {', '.join(absent[:5])}"
            f"{' and more' if len(absent) > 5 else ''}. Score them, or give `--partial`."
        )
    groups: dict[str, list[Score]] = defaultdict(list)
    for one in wanted:
        if one.task in known:
            groups[getattr(one, by)].append(known[one.task])
    found = []
    for name, members in groups.items():
        found.append(_average(name, "primary", members))
        metrics = dict.fromkeys(score.primary for score in members)
        if len(metrics) > 1:
            for metric in metrics:
                same = [score for score in members if score.primary == metric]
                found.append(_average(name, metric, same))
    return found


def _average(name: str, metric: str, members: Sequence[Score]) -> Average:
    drawn = [score.draws for score in members if len(score.draws)]
    sure = interval(np.mean(drawn, axis=0)) if len(drawn) == len(members) else None
    return Average(
        name=name,
        metric=metric,
        value=float(np.mean([score.value for score in members])),
        interval=sure,
        weights={score.task: 1 / len(members) for score in members},
    )


def score_run_task(
    bench: Benchmark, task: str, items: Sequence[Item], predictions: Mapping[str, str]
) -> str:
    """Return in a line what a model scores on a task, for a run in progress.

    Args:
        bench: The benchmark.
        task: Name of the task.
        items: Its questions.
        predictions: Answers by id; a question without one counts as blank.
    """
    del bench
    answers = [
        Answer(one.id, task, predictions.get(one.id, ""), one.references, one.input)
        for one in items
    ]
    score = score_task(task, answers)
    low, high = score.intervals[score.primary]
    return f"{score.primary} {100 * score.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
