"""`score`: a model's predictions against a benchmark, in both modes, as a results file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from medsins.bench.asking.record import RunRecord
from medsins.bench.scoring.corrected.statistics import Comparison
from medsins.bench.scoring.predictions import Answer, join, read_predictions
from medsins.bench.scoring.results import Miss, Results, TaskResult, write_results
from medsins.bench.scoring.task_scores import Score, compare, score_task
from medsins.bench.suite.benchmark import Benchmark, TaskFacts
from medsins.bench.suite.families import profile
from medsins.errors import (
    InvalidFileError,
    MedsinsError,
    MissingFilesError,
    UnknownNameError,
)
from medsins.io.logs import logger
from medsins.io.version import __version__
from medsins.policy.decisions import publication
from medsins.registry import resolve
from medsins.registry import task as find_task

RESULTS = "results.json"

_NO_PUNKT = (
    "NLTK's punkt_tab is not there; run `python -m nltk.downloader punkt_tab`, or score with "
    "--no-punkt"
)
_MISSES = 20
_LONGEST_TEXT = 4000
_LOG = logger("bench")


@dataclass(frozen=True)
class Scored:
    """What `score` made of a file of predictions.

    Attributes:
        results: The scores, as they are in the results file.
        scores: The corrected scores by task, with all that comparisons need.
        problems: What the user has to know of the file, in plain sentences.
        path: The results file, if one was written.
    """

    results: Results
    scores: Mapping[str, Score]
    problems: tuple[str, ...]
    path: Path | None


def score(
    predictions: str | os.PathLike[str],
    benchmark: str | os.PathLike[str] = "medsins-bench",
    *,
    select: str | Iterable[str] = "all",
    model: str = "",
    paper: bool = True,
    partial: bool = False,
    punkt: bool = True,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Scored:
    """Score predictions against a benchmark, as the published code does and as it should.

    Blank and missing answers count as wrong. A page made from the results shows texts of a task
    only where its source may be passed on.

    Args:
        predictions: JSON Lines with `id` and `prediction`, or a CSV in the published layout; or
            the folder of a run.
        benchmark: The benchmark folder.
        select: Which of its tasks.
        model: Name of the model; default: what the run or the file says.
        paper: Whether to compute the published scores too.
        partial: Score what is there: leave out tasks without any row, and pass over rows that
            belong to no question.
        punkt: Whether the published scores find sentences first, as published.
        out: Where to write the results file; default: beside the predictions of a run, else
            nowhere.
        seed: Of the intervals.

    Raises:
        InvalidFileError: The file is not one of predictions, or its rows are not those asked for.
        MissingFilesError: The folder holds no benchmark, or a parameter file of the published
            scores is not there.
        MissingExtraError: A package that a metric needs is not installed.
        UnknownNameError: The benchmark has none of the tasks.
    """
    path = Path(predictions).expanduser()
    run: RunRecord | None = None
    if path.is_dir():
        run = RunRecord.read(path)
        out = out if out is not None else path / RESULTS
        path = path / "predictions.jsonl"
    bench = Benchmark(benchmark)
    wanted = {task.name for task in resolve(select).tasks}
    asked = run.tasks if run else bench.tasks
    tasks = [name for name in bench.tasks if name in wanted and name in asked]
    if not tasks:
        raise UnknownNameError(f"{bench.path} has none of the tasks to score.")
    read = read_predictions(path)
    joined = join(read, [one for task in tasks for one in bench.items(task)], partial=partial)
    _LOG.info("scoring %s: %d answers, %d tasks", path, len(joined.answers), len(tasks))
    by_task: dict[str, list[Answer]] = {}
    for answer in joined.answers:
        by_task.setdefault(answer.task, []).append(answer)
    if not by_task:
        raise InvalidFileError(
            f"{path}: no row answers a question of {bench.path}. Is it of another benchmark?"
        )
    shown = {one.task for one in publication(bench) if one.allowed}
    scores = {task: score_task(task, by_task[task], seed=seed) for task in by_task}
    results = Results(
        model=model or (run.model if run else "") or read.model or path.stem,
        benchmark=bench.digest,
        subset=bench.facts.options.subset,
        medsins=__version__,
        mode="corrected",
        num_fewshot=_num_fewshot(run),
        complete=set(by_task) == set(bench.tasks) and not joined.missing,
        tasks={
            task: _result(
                bench.tasks[task],
                one,
                by_task[task],
                _published(task, by_task[task], punkt) if paper else {},
                task in shown,
            )
            for task, one in scores.items()
        },
        signatures={profile(find_task(t)).family.value: s.signature for t, s in scores.items()},
    )
    if out is not None:
        write_results(Path(out), results)
    written = Path(out) if out is not None else None
    return Scored(results, scores, tuple(joined.problems), written)


def compared(scored: list[Scored]) -> list[tuple[str, str, str, Comparison]]:
    """Compare each model with the next, task by task, on the same rows.

    Args:
        scored: Two or more, on the same benchmark.

    Returns:
        Names of the two models, the task, and how they differ on it.

    Raises:
        InvalidFileError: The rows are not the same.
    """
    return [
        (one.results.model, other.results.model, task, compare(mine, other.scores[task]))
        for one, other in pairwise(scored)
        for task, mine in one.scores.items()
        if task in other.scores
    ]


def _num_fewshot(run: RunRecord | None) -> str:
    if run is None:
        return "not stated"
    return "none for multiple choice, else 3" if run.num_fewshot is None else str(run.num_fewshot)


def _published(task: str, answers: list[Answer], punkt: bool) -> dict[str, float | str]:
    try:
        score = score_task(task, answers, mode="paper", punkt=punkt)
    except MissingFilesError:
        # The message lists folders of this machine, which are nobody's business in a report.
        return {"not computed": _NO_PUNKT}
    except MedsinsError as error:
        return {"not computed": str(error)}
    values: dict[str, float | str] = {
        name: 100 * value for name, value in score.values.items() if np.isfinite(value)
    }
    crash = score.details.get("crash")
    return values | ({"the published script stops": crash} if crash else {})


def _result(
    facts: TaskFacts,
    score: Score,
    answers: list[Answer],
    paper: dict[str, float | str],
    may_be_shown: bool,
) -> TaskResult:
    low, high = score.interval or (None, None)
    return TaskResult(
        benchmark_id=facts.benchmark_id,
        category=facts.category,
        language=score.language,
        metric=score.primary,
        value=100 * score.value,
        low=None if low is None else 100 * low,
        high=None if high is None else 100 * high,
        n=score.n_total,
        n_empty=score.n_empty,
        n_missing=score.n_missing,
        n_unparsed=score.n_unparsed,
        metrics={name: 100 * value for name, value in score.values.items()},
        paper=paper,
        items=facts.items,
        may_be_shown=may_be_shown,
        misses=_misses(score, answers, may_be_shown),
    )


def _misses(score: Score, answers: list[Answer], may_be_shown: bool) -> list[Miss]:
    """Return the answers with the lowest scores; of equal ones those first in order of id."""
    by_id = {answer.id: answer for answer in answers}
    found = []
    for place in np.argsort(score.rows, kind="stable")[:_MISSES]:
        if score.rows[place] >= 1:
            break
        answer = by_id[score.ids[place]]
        texts = {}
        if may_be_shown:
            texts = {
                "input": answer.input[:_LONGEST_TEXT],
                "prediction": answer.prediction[:_LONGEST_TEXT],
                "reference": answer.references[0][:_LONGEST_TEXT],
            }
        found.append(Miss(id=answer.id, score=100 * float(score.rows[place]), **texts))
    return found
