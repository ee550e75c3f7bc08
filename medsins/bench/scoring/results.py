"""Results of a model on a benchmark: `results.json`, one file for each run, and means over tasks.

Every value is from 0 to 100, and higher is better. A file names the benchmark by the digest of its
items, and each task by the SHA-256 of its own, so that what was scored on other questions is never
put into one table.

Means: a category is the weighted mean of its tasks, the average is the plain mean of the
categories, and both are over what is there; what is absent makes them partial. For values x_i with
weights w_i (sum 1) and intervals (l_i, h_i), the interval of the mean m is

    m - sqrt(sum (w_i (x_i - l_i))^2)   to   m + sqrt(sum (w_i (h_i - x_i))^2),

cut to 0 and 100: the normal approximation for independent tasks, from the half widths of their
intervals. Those below and above the value are kept apart, so that one task alone keeps its own.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    model_validator,
)

from medsins.bench.suite.tasks import CATEGORIES
from medsins.errors import InvalidFileError
from medsins.io.files import dump, write_atomically, writing

VERSION: Final = "2"
"""Version of the layout of `results.json`."""

_LISTED = 50
_DIGITS, _SHOWN = 64, 12
_CLOSE = 1e-6

_Thing = TypeVar("_Thing", "Results", "TaskResult")


def _encodable(text: str) -> str:
    """Return text that UTF-8 can hold: half surrogates, which models do write, are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _known(category: str) -> str:
    if category not in CATEGORIES:
        raise ValueError("is none of the 11 categories of MedS-Bench")
    return category


Text = Annotated[str, AfterValidator(_encodable)]
Name = Annotated[Text, Field(min_length=1)]
Percent = Annotated[FiniteFloat, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TaskName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Miss(_Strict):
    """An answer with a low score.

    Attributes:
        id: Id of the instance.
        score: What the answer scored by itself.
        input: The question; "" where texts may not be shown, and so are the next two.
        prediction: What the model said.
        reference: What was asked for.
    """

    id: Text
    score: Percent
    input: Text = ""
    prediction: Text = ""
    reference: Text = ""


class TaskResult(_Strict):
    """What a model scored on a task.

    Attributes:
        benchmark_id: Number of the task's published test file.
        category: One of `suite.CATEGORIES`.
        language: ISO 639-1 code of the answers.
        metric: Name of the metric that stands for the task.
        value: Its value.
        low: Lower end of its 95 % interval; None in paper mode, which has no intervals.
        high: Upper end.
        n: Questions.
        n_empty: Blank answers, without those of missing rows; they count as wrong.
        n_missing: Questions without an answer; they count as wrong.
        n_unparsed: Answers in which none could be found; they count as wrong.
        metrics: All values by metric.
        paper: Values of the published code by metric; a text says why it would stop.
        items: SHA-256 of the task's items.
        weight: Weight of the task in its category.
        may_be_shown: Whether texts of the task's source may be shown in a report.
        misses: Answers with low scores, in any order.
    """

    benchmark_id: Name
    category: Annotated[str, AfterValidator(_known)]
    language: Name
    metric: Name
    value: Percent
    low: Percent | None = None
    high: Percent | None = None
    n: Annotated[int, Field(ge=1)]
    n_empty: Count = 0
    n_missing: Count = 0
    n_unparsed: Count = 0
    metrics: dict[Name, FiniteFloat]
    paper: dict[Name, FiniteFloat | Text] = {}
    items: Digest
    weight: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    may_be_shown: bool
    misses: list[Miss] = []

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high are both there, or neither is")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low is above high")
        if self.n_empty + self.n_missing + self.n_unparsed > self.n:
            raise ValueError("n_empty, n_missing and n_unparsed are more than n")
        if abs(self.metrics.get(self.metric, self.value) - self.value) > _CLOSE:
            raise ValueError("value is not what metrics has for the metric")
        if not self.may_be_shown and any(
            miss.input or miss.prediction or miss.reference for miss in self.misses
        ):
            raise ValueError("misses have texts, but may_be_shown is false")
        return self


class Results(_Strict):
    """What a model scored on a benchmark.

    Attributes:
        version: Version of this layout.
        model: Name of the model, any text.
        benchmark: Digest of the benchmark folder.
        subset: "full", or "paper" for as many rows of each task as the paper scores.
        medsins: Version of medsins that scored.
        mode: "corrected", or "paper" for what the published code computes.
        num_fewshot: How many examples prompts had, in words.
        complete: Whether every task of the benchmark is scored and every question was asked.
        tasks: Results by full name of the task.
        signatures: What values depend on, by family of tasks.
    """

    version: Literal["2"] = VERSION
    model: Name
    benchmark: Name
    subset: Literal["full", "paper"]
    medsins: Text
    mode: Literal["corrected", "paper"]
    num_fewshot: Text
    complete: bool
    tasks: Annotated[dict[TaskName, TaskResult], Field(min_length=1)]
    signatures: dict[Name, Text] = {}


def read_results(path: str | os.PathLike[str]) -> Results:
    """Read the results of a run.

    Args:
        path: The file, or the entry of a submission, which holds results too.

    Raises:
        InvalidFileError: It cannot be read or is not what it should be; every problem is listed
            with its place.
    """
    file = Path(path).expanduser()
    repeated: list[str] = []
    try:
        loaded = json.loads(
            file.read_bytes().decode("utf-8-sig"),
            object_pairs_hook=lambda pairs: _object(pairs, repeated),
            parse_constant=_no_constant,
        )
    except OSError as error:
        raise InvalidFileError(
            f"{file} cannot be read ({error.strerror}). Results are written by `medsins bench "
            "score`."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidFileError(f"{file} is not UTF-8 from byte {error.start} on.") from error
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "it"
        raise InvalidFileError(
            f"{file}: {where} is not valid JSON. Score the predictions again."
        ) from error
    problems = [f"{name}: stands twice" for name in repeated]
    if isinstance(loaded, dict) and "results" in loaded and "tasks" not in loaded:
        loaded = loaded["results"]
    version = loaded.get("version") if isinstance(loaded, dict) else None
    if isinstance(version, str) and version != VERSION:
        raise InvalidFileError(
            f"{file} holds results of version {version[:20]}; this medsins reads {VERSION}. Score "
            "the predictions again."
        )
    try:
        results = Results.model_validate(loaded)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            place = ".".join(str(key) for key in one["loc"]) or "the whole"
            problems.append(f"{place}: {one['msg'].removeprefix('Value error, ')}")
    if problems:
        more = len(problems) - _LISTED
        listed = "".join(f"\n- {problem}" for problem in problems[:_LISTED])
        raise InvalidFileError(
            f"{file} holds no valid results:{listed}"
            + (f"\n- and {more:,} more" if more > 0 else "")
            + "\nScore the predictions again."
        )
    return results


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    """Return a JSON object; the keys that stand twice, of which one would be lost, are noted."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated += sorted({name for name in names if names.count(name) > 1})
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def write_results(path: str | os.PathLike[str], results: Results) -> None:
    """Write the results of a run; the file is there whole or not at all.

    Args:
        path: The file; its folder is created.
        results: What is written.

    Raises:
        OutputError: The file cannot be written.
    """
    file = Path(path).expanduser()
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, dump(results.model_dump()))


def compatible(files: Mapping[Path, Results]) -> None:
    """Hold results to being of one benchmark, scored in one way.

    Args:
        files: Results by file.

    Raises:
        InvalidFileError: They are of different modes or benchmarks, or a task has other questions,
            another metric, weight or category; says which files differ in what.
    """
    problems = [
        *_differing("mode", files, lambda results: results.mode),
        *_differing("benchmark", files, lambda results: results.benchmark),
    ]
    for name in sorted({name for results in files.values() for name in results.tasks}):
        having = {
            path: results.tasks[name] for path, results in files.items() if name in results.tasks
        }
        for what, of in _OF_A_TASK.items():
            problems += _differing(f"{what} of {name}", having, of)
    if problems:
        more = len(problems) - _LISTED
        listed = "".join(f"\n- {problem}" for problem in problems[:_LISTED])
        raise InvalidFileError(
            f"these results cannot be compared in one report:{listed}"
            + (f"\n- and {more:,} more differences" if more > 0 else "")
            + "\nScore all models on the same benchmark folder and in the same mode, or make a "
            "report of each group."
        )


_OF_A_TASK: dict[str, Callable[[TaskResult], str]] = {
    "items": lambda task: task.items,
    "metric": lambda task: task.metric,
    "weight": lambda task: f"{task.weight:g}",
    "category": lambda task: task.category,
}


def shortened(digest: str) -> str:
    """Return what people are shown of a SHA-256; other text is left as it is."""
    return digest[:_SHOWN] if len(digest) == _DIGITS else digest


def _differing(
    what: str, files: Mapping[Path, _Thing], of: Callable[[_Thing], str]
) -> Iterator[str]:
    """Yield what differs between files, with the files that have each value."""
    groups: dict[str, list[Path]] = {}
    for path, thing in files.items():
        groups.setdefault(of(thing), []).append(path)
    if len(groups) > 1:
        listed = "; ".join(
            f"{shortened(value)} in {', '.join(map(str, paths))}" for value, paths in groups.items()
        )
        yield f"{what}: {listed}"


@dataclass(frozen=True)
class Mean:
    """A mean over tasks or categories.

    Attributes:
        value: The mean of what is there.
        low: Lower end of its 95 % interval; None where something has none.
        high: Upper end.
        partial: Whether something that belongs to it is absent.
    """

    value: float
    low: float | None
    high: float | None
    partial: bool


def category_mean(results: Results, tasks: Sequence[str]) -> Mean | None:
    """Return the weighted mean over tasks; None if a run has none of them.

    Args:
        results: The run.
        tasks: All tasks that belong to the mean.
    """
    there = [results.tasks[task] for task in tasks if task in results.tasks]
    parts = [(task.weight, task.value, task.low, task.high) for task in there]
    return _mean(parts, partial=len(there) < len(tasks))


def overall_mean(categories: Iterable[Mean | None]) -> Mean | None:
    """Return the plain mean of categories; None if there is none.

    Args:
        categories: Their means; None for one that is absent.
    """
    means = list(categories)
    there = [mean for mean in means if mean is not None]
    partial = len(there) < len(means) or any(mean.partial for mean in there)
    return _mean([(1.0, mean.value, mean.low, mean.high) for mean in there], partial=partial)


def _mean(
    parts: Sequence[tuple[float, float, float | None, float | None]], *, partial: bool
) -> Mean | None:
    if not parts:
        return None
    total = math.fsum(weight for weight, *_ in parts)
    value = math.fsum(weight * one for weight, one, *_ in parts) / total
    below, above = [], []
    for weight, one, low, high in parts:
        if low is None or high is None:
            return Mean(value, None, None, partial)
        below.append(weight / total * (one - low))
        above.append(weight / total * (high - one))
    return Mean(
        value,
        max(0.0, value - math.hypot(*below)),
        min(100.0, value + math.hypot(*above)),
        partial,
    )
