"""What goes into a report: who stands where, what each table holds, and what has to be said.

Complete runs are ranked by their average, rounded as it is shown, so that equal figures share a
rank. A run that lacks tasks, or was not finished, has an average over other questions; it stands
after them and has no rank. What is best in a column is decided among values over the same tasks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from medsins.bench.scoring.results import (
    Mean,
    Miss,
    Results,
    TaskResult,
    category_mean,
    compatible,
    overall_mean,
    read_results,
)
from medsins.bench.suite.tasks import CATEGORIES
from medsins.errors import InvalidFileError
from medsins.taxonomy import LANGUAGES
from medsins.text import counted

DIGITS = 1
"""Decimals of the values in tables; ranks, ties and the best are decided on these."""

MISSES = 5
"""Most misses shown of a model and task."""

LEGEND = {
    "best": "highest in its column",
    "close": "its interval overlaps that of the highest",
    "partial": "over fewer tasks than the column has, or of a run that was not finished",
}
"""What marks on values mean."""

_LONGEST_LABEL = 120
_TICKS = 6
_NAMED = 6

_METRICS = {
    "accuracy": "accuracy",
    "bleu": "BLEU",
    "bleu1": "BLEU-1",
    "chrf": "chrF",
    "exact": "exact",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
    "set_f1": "set F1",
}


TOTALS = ("Tasks", "Questions", "Blank", "Missing", "Unparsed")
RUN_FACTS = ("Examples in the prompt", "Finished", "medsins")
"""Columns of the table of runs; `Run.totals` has its cells."""


def metric_label(name: str) -> str:
    """Return how people write the name of a metric."""
    return _METRICS.get(name, name.replace("_", " "))


def language_label(code: str) -> str:
    """Return the English name of a language; a code that is not known stays as it is."""
    return LANGUAGES.get(code, code)


@dataclass(frozen=True)
class Run:
    """A run of a model, as the report shows it.

    Attributes:
        label: Name of the model; with the end of the file's path where two are called alike.
        path: Its file.
        results: What is in the file.
        categories: Means by category, for all categories of the report; None: nothing is there.
        average: The mean of these.
        rank: Place among complete runs; None for others.
    """

    label: str
    path: Path
    results: Results
    categories: Mapping[str, Mean | None]
    average: Mean
    rank: int | None = None

    @property
    def complete(self) -> bool:
        """Whether it has every task of the report and was finished."""
        return self.results.complete and not self.average.partial

    def totals(self) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the numbers that `TOTALS` names, over all tasks, and the words of `RUN_FACTS`."""
        results, tasks = self.results, self.results.tasks.values()
        names = ("n", "n_empty", "n_missing", "n_unparsed")
        sums = (sum(getattr(task, name) for task in tasks) for name in names)
        finished = "yes" if results.complete else "no"
        return (len(tasks), *sums), (str(results.num_fewshot), finished, results.medsins)


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes:
        value: From 0 to 100.
        low: Lower end of its 95 % interval, if there is one.
        high: Upper end.
        partial: It is a mean over less than it should be.
        best: It is the highest in its column.
        close: It is not, but its interval overlaps that of the highest.
    """

    value: float
    low: float | None
    high: float | None
    partial: bool = False
    best: bool = False
    close: bool = False

    @property
    def shown(self) -> str:
        """The value as tables show it."""
        return f"{self.value:.{DIGITS}f}"

    @property
    def interval(self) -> str:
        """The interval as tables show it; "" if there is none."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:.{DIGITS}f}–{self.high:.{DIGITS}f}"


@dataclass(frozen=True)
class Column:
    """A column of a table of runs.

    Attributes:
        head: What is in it.
        notes: What to know of it, in a few words each.
        cells: Its values, in the order of the runs; None: absent.
        task: Name of the task, if it is one of a task.
        category: Name of the category, if it is one of a category.
    """

    head: str
    notes: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    task: str = ""
    category: str = ""


@dataclass(frozen=True)
class Detail:
    """All values of a task.

    Attributes:
        runs: The runs that have the task, with their results of it.
        own: Names of the metrics, the one that stands for the task first.
        published: Names of the published metrics.
        reasons: Why the published code would stop, each once.
    """

    runs: tuple[tuple[Run, TaskResult], ...]
    own: tuple[str, ...]
    published: tuple[str, ...]
    reasons: tuple[str, ...]


class Leaderboard:
    """What a report holds.

    Args:
        files: Results by file, of one benchmark and mode.

    Attributes:
        runs: Complete runs by rank, then the others by average.
        tasks: Tasks by category, in the order of the suite; those that no run has are absent.
    """

    def __init__(self, files: Mapping[Path, Results]) -> None:
        facts: dict[str, TaskResult] = {}
        for results in files.values():
            for name, result in results.tasks.items():
                facts.setdefault(name, result)
        self._facts = facts
        ordered = sorted(facts, key=lambda name: (_number(facts[name].benchmark_id), name))
        self.tasks: dict[str, tuple[str, ...]] = {
            category: tuple(name for name in ordered if facts[name].category == category)
            for category in CATEGORIES
            if any(result.category == category for result in facts.values())
        }
        self.runs = _ranked(
            [self._run(label, path, files[path]) for path, label in _labels(files).items()]
        )

    def _run(self, label: str, path: Path, results: Results) -> Run:
        means = {name: category_mean(results, tasks) for name, tasks in self.tasks.items()}
        average = overall_mean(means.values())
        assert average is not None  # results have a task at least
        return Run(label, path, results, means, average)

    @property
    def title(self) -> str:
        """What the report is, in a few words."""
        if len(self.runs) == 1:
            return f"results of {self.runs[0].label}"
        return f"leaderboard of {counted(len(self.runs), 'run')}"

    @property
    def first(self) -> Results:
        """Results of one of the runs, for what is the same in all."""
        return self.runs[0].results

    @property
    def absent(self) -> tuple[str, ...]:
        """Categories that no run has."""
        return tuple(category for category in CATEGORIES if category not in self.tasks)

    def fact(self, task: str) -> TaskResult:
        """Return the result of some run, for what is the same in all: category, metric, size."""
        return self._facts[task]

    def may_be_shown(self, task: str) -> bool:
        """Whether texts of a task may be shown in the report: if every file that has it says so."""
        found = (run.results.tasks.get(task) for run in self.runs)
        return all(result.may_be_shown for result in found if result)

    @cached_property
    def leaderboard(self) -> tuple[Column, ...]:
        """The average, then the categories."""
        categories = [
            self._column(
                category,
                (self._metrics(tasks), counted(len(tasks), "task")),
                [run.categories[category] for run in self.runs],
                category=category,
            )
            for category, tasks in self.tasks.items()
        ]
        average = self._column(
            "Average",
            (f"mean of {_of_all(len(self.tasks), len(CATEGORIES))} categories",),
            [replace(run.average, partial=not run.complete) for run in self.runs],
        )
        return (average, *categories)

    def category(self, name: str) -> tuple[Column, ...]:
        """Return the mean of a category, then its tasks."""
        tasks = self.tasks[name]
        columns = [
            self._column(
                task,
                self._about(task),
                [_value(run.results.tasks.get(task)) for run in self.runs],
                task=task,
            )
            for task in tasks
        ]
        if len(tasks) == 1:
            return tuple(columns)
        mean = self._column(
            "Mean",
            (counted(len(tasks), "task"),),
            [run.categories[name] for run in self.runs],
        )
        return (mean, *columns)

    def languages(self, name: str) -> tuple[Column, ...]:
        """Return means of a category by language; nothing if there is only one language."""
        groups: dict[str, list[str]] = {}
        for task in self.tasks[name]:
            groups.setdefault(self.fact(task).language, []).append(task)
        if len(groups) == 1:
            return ()
        return tuple(
            self._column(
                language_label(code),
                (self._metrics(tasks), counted(len(tasks), "task")),
                [category_mean(run.results, tasks) for run in self.runs],
            )
            for code, tasks in groups.items()
        )

    def detail(self, task: str) -> Detail:
        """Return all values of a task."""
        runs = tuple(
            (run, run.results.tasks[task]) for run in self.runs if task in run.results.tasks
        )
        found = [result for _, result in runs]
        first = self.fact(task).metric
        own = {name for one in found for name in one.metrics} - {first}
        published = {name for one in found for name in one.paper}
        said = (value for one in found for value in one.paper.values())
        reasons = dict.fromkeys(value for value in said if isinstance(value, str))
        return Detail(runs, (first, *sorted(own)), tuple(sorted(published)), tuple(reasons))

    def misses(self, run: Run, task: str) -> list[Miss]:
        """Return the worst misses of a run in a task, the worst first."""
        found = run.results.tasks[task].misses if task in run.results.tasks else []
        return sorted(found, key=lambda miss: (miss.score, miss.id))[:MISSES]

    def _about(self, task: str) -> tuple[str, ...]:
        fact = self.fact(task)
        weight = () if fact.weight == 1 else (f"weight {fact.weight:g}",)
        known = (fact.benchmark_id, language_label(fact.language), metric_label(fact.metric))
        return (*known, *weight)

    def _metrics(self, tasks: Iterable[str]) -> str:
        names = dict.fromkeys(metric_label(self.fact(task).metric) for task in tasks)
        return ", ".join(names)

    def _column(
        self,
        head: str,
        notes: tuple[str, ...],
        means: Sequence[Mean | None],
        *,
        task: str = "",
        category: str = "",
    ) -> Column:
        cells = _marked(
            [
                None if mean is None else Cell(mean.value, mean.low, mean.high, mean.partial)
                for mean in means
            ]
        )
        return Column(head, notes, tuple(cells), task, category)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know, in sentences."""
        return tuple(self._remarks())

    def _remarks(self) -> Iterable[str]:
        if self.first.mode == "paper":
            yield (
                "The values are those that the published code computes, with its faults; there "
                "are no intervals."
            )
        if self.absent:
            yield f"In no file, and in no average: {', '.join(self.absent)}."
        for run in self.runs:
            lacking = [
                task
                for tasks in self.tasks.values()
                for task in tasks
                if task not in run.results.tasks
            ]
            if lacking:
                yield (
                    f"{run.label} lacks {_of_all(len(lacking), len(self._facts))} tasks: its "
                    "average is over the others, and it has no rank."
                )
            elif not run.results.complete:
                yield (
                    f"The run of {run.label} was not finished, or not on the whole benchmark: it "
                    "has no rank."
                )
        yield from self._unlike()
        neighbours = list(pairwise(run for run in self.runs if run.complete))
        pairs = [
            f"{one.label} and {other.label}"
            for one, other in neighbours
            if _overlap(one.average, other.average)
        ]
        if len(pairs) > _NAMED:
            yield (
                f"Of {len(neighbours)} pairs of neighbours in rank, {len(pairs)} have intervals "
                "that overlap, so that their order may be chance."
            )
        elif pairs:
            yield (
                "Neighbours whose intervals overlap, so that their order may be chance: "
                f"{'; '.join(pairs)}."
            )

    def _unlike(self) -> Iterable[str]:
        asked: dict[str, Callable[[Results], str]] = {
            "examples in the prompt": lambda results: results.num_fewshot,
            "versions of medsins": lambda results: results.medsins,
            "subsets": lambda results: results.subset,
        }
        for what, of in asked.items():
            if len({of(run.results) for run in self.runs}) > 1:
                yield f"The runs differ in {what}; the table of runs has the details."
        families = sorted({name for run in self.runs for name in run.results.signatures})
        unlike = [
            name
            for name in families
            if len({run.results.signatures.get(name) for run in self.runs} - {None}) > 1
        ]
        if unlike:
            yield f"The signatures of the runs differ for: {', '.join(unlike)}."


def leaderboard(paths: Iterable[Path]) -> Leaderboard:
    """Read results and put them in order.

    Args:
        paths: Files of results.

    Raises:
        InvalidFileError: There is no file, one is not valid or is given twice, or they cannot
            be compared in one report.
    """
    files: dict[Path, Results] = {}
    given: set[Path] = set()
    for path in paths:
        if path.resolve() in given:
            raise InvalidFileError(f"{path} is given twice. Give each file of results once.")
        given.add(path.resolve())
        files[path] = read_results(path)
    if not files:
        raise InvalidFileError("there are no results to report. Give files of results.")
    compatible(files)
    return Leaderboard(files)


def scale(low: float, high: float) -> list[float]:
    """Return round places on an axis, evenly spaced, that hold two values between them.

    Args:
        low: The lower value, from 0 to 100.
        high: The higher value.
    """
    step = next(
        step
        for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
        if math.ceil(high / step) - math.floor(low / step) < _TICKS
    )
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        first, last = (first - 1, last) if high >= 100 else (first, last + 1)
    return [round(place * step, 1) for place in range(first, last + 1)]


def method(mode: str) -> tuple[str, ...]:
    """Return how means, ranks and intervals come about, in paragraphs.

    Args:
        mode: How the tasks were scored, "corrected" or "paper".
    """
    means = (
        "A category is the weighted mean of its tasks; a task weighs 1 unless its column says "
        "otherwise, however many questions it has. The average is the plain mean of the "
        "categories. What a run lacks is left out of its means, which are marked, never counted "
        "as 0; a question that was not answered is counted as 0."
    )
    ranks = (
        "Ranks go by the average as it is shown, so that equal figures share a rank. Runs that "
        "lack tasks or were not finished stand after the others, without a rank, also in each "
        "sorted column."
    )
    intervals = (
        "Intervals of tasks are 95 % bootstrap intervals over their questions. Those of means "
        "take the tasks as independent: the distances from value to ends, times the weights, "
        "are added as squares. Two models that answered the same questions can differ for sure "
        "even where their intervals overlap; a paired test of their answers tells."
    )
    return (means, ranks, intervals) if mode == "corrected" else (means, ranks)


def _number(benchmark_id: str) -> int:
    digits = re.search(r"[0-9]+", benchmark_id)
    return int(digits[0]) if digits else 0


def _of_all(part: int, total: int) -> str:
    return f"all {total}" if part == total else f"{part} of {total}"


def _labels(files: Mapping[Path, Results]) -> dict[Path, str]:
    """Return the names of models; where two are alike, with as much of the path as tells them."""
    names = {path: _cut(results.model) for path, results in files.items()}
    labels = {}
    for path, name in names.items():
        twins = [other for other, known in names.items() if known == name and other != path]
        tail = 1
        while twins and any(other.parts[-tail:] == path.parts[-tail:] for other in twins):
            tail += 1
        labels[path] = f"{name} ({'/'.join(path.parts[-tail:])})" if twins else name
    return labels


def _cut(name: str) -> str:
    name = " ".join(name.split()) or "(no name)"
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def _ranked(runs: Sequence[Run]) -> tuple[Run, ...]:
    ordered = sorted(runs, key=lambda run: (not run.complete, -run.average.value, run.label))
    values = [round(run.average.value, DIGITS) for run in ordered if run.complete]
    return tuple(
        replace(run, rank=values.index(round(run.average.value, DIGITS)) + 1)
        if run.complete
        else run
        for run in ordered
    )


def _value(result: TaskResult | None) -> Mean | None:
    if result is None:
        return None
    return Mean(result.value, result.low, result.high, partial=False)


def _marked(cells: Sequence[Cell | None]) -> list[Cell | None]:
    """Mark the best of a column, and what cannot be told from it; one alone is not a best."""
    able = [cell for cell in cells if cell and not cell.partial]
    if len(able) < 2:
        return list(cells)
    top = max(round(cell.value, DIGITS) for cell in able)
    tops = [cell for cell in able if round(cell.value, DIGITS) == top]
    marked: list[Cell | None] = []
    for cell in cells:
        if cell is None or cell.partial:
            marked.append(cell)
        elif cell in tops:
            marked.append(replace(cell, best=True))
        else:
            marked.append(replace(cell, close=any(_overlap(cell, one) for one in tops)))
    return marked


def _overlap(one: Cell | Mean, other: Cell | Mean) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high
