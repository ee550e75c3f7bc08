"""What every export holds, whatever the harness: a benchmark folder of the tasks that are allowed.

So `medsins bench score` takes an export for a benchmark too, and what a harness reads is what was
built, byte for byte:

benchmark.json       the facts of these tasks; their digest names this selection of them
items/<task>.jsonl   id, input, references
fewshot/<task>.jsonl   id, input, output
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medsins.bench.asking.prompts import Asked, prompt
from medsins.bench.suite.benchmark import Benchmark, Item, TaskFacts
from medsins.bench.suite.families import Family, Profile, profile
from medsins.errors import UnknownNameError
from medsins.registry import recipe as find_recipe
from medsins.registry import task as find_task

PRIMARY = "score"
"""In every harness, the metric that stands for a task, whichever it is."""

METRICS: dict[Family, tuple[str, ...]] = {
    Family.TEXT: ("rouge1", "rouge2", "rougeL", "rougeLsum", "bleu", "bleu1", "chrf"),
    Family.CHOICE: ("accuracy", "set_f1"),
    Family.LABEL: ("accuracy", "macro_f1"),
    Family.LABELS: (
        *("macro_f1", "macro_precision", "macro_recall", "macro_f1_zero0", "macro_f1_zero1"),
        *("micro_f1", "subset_accuracy"),
    ),
    Family.ENTITIES: ("micro_f1", "micro_precision", "micro_recall", "row_f1"),
    Family.PHRASES: ("set_f1", "exact", "token_f1"),
    Family.DOSE: ("exact", "token_f1"),
    Family.DEMOGRAPHICS: ("accuracy", "gender", "age", "valid_form"),
}
"""Metrics of each family, the one that stands for a task first; all are better the higher."""

MAX_ANSWER_TOKENS = 1024
"""Most tokens of an answer, as in `medsins bench run`."""


@dataclass(frozen=True)
class Options:
    """How a harness is to ask.

    Attributes:
        num_fewshot: Few-shot examples in a prompt; None for what each task asks for.
        seed: Of the drawing of few-shot examples.
    """

    num_fewshot: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class ExportedTask:
    """A task of an export.

    Attributes:
        bench: The benchmark that it is taken from.
        profile: How it is scored.
        source: Name of its recipe.
        facts: What the benchmark knows of it.
        candidates: How many training instances few-shot examples are drawn from.
    """

    bench: Benchmark
    profile: Profile
    source: str
    facts: TaskFacts
    candidates: int

    @property
    def name(self) -> str:
        """Full name of the task."""
        return self.profile.task

    @property
    def definition(self) -> str:
        """The instruction that a model gets."""
        return self.facts.definition

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of its metrics, the one that stands for it first."""
        return METRICS[self.profile.family]

    def num_fewshot(self, options: Options) -> int:
        """Return how many examples its prompts show; no more than there are candidates."""
        asked = self.facts.num_fewshot if options.num_fewshot is None else options.num_fewshot
        return min(asked, self.candidates)

    def prompts(self, options: Options) -> Iterator[tuple[Item, Asked]]:
        """Yield its questions with their prompts, as `medsins bench run` puts them."""
        candidates = sorted(self.bench.fewshot_examples(self.name), key=lambda shot: shot.id)
        asked = self.facts.num_fewshot if options.num_fewshot is None else options.num_fewshot
        for item in self.bench.items(self.name):
            yield item, prompt(item, self.definition, candidates, asked, seed=options.seed)

    def record(self) -> dict[str, Any]:
        """Return what the export's own record says of it."""
        return {
            "task_id": self.profile.benchmark_id,
            "category": self.profile.category,
            "language": self.profile.language,
            "metric_family": self.profile.family.value,
            "metrics": list(self.metrics),
            "rows": self.facts.rows,
            "num_fewshot": self.facts.num_fewshot,
            "source": self.source,
            "license": find_recipe(self.source).license,
            "items_sha256": self.facts.items,
        }


def exported_task(bench: Benchmark, name: str) -> ExportedTask:
    """Return a task of a benchmark with all that an export needs of it.

    Args:
        bench: The benchmark.
        name: Full name of the task.

    Raises:
        UnknownNameError: This medsins knows no such task of MedS-Bench.
        InvalidFileError: A file of the benchmark was changed since it was built.
    """
    return ExportedTask(
        bench,
        profile(find_task(name)),
        bench.source(name),
        bench.tasks[name],
        len(bench.fewshot_examples(name)),
    )


def named(bench: Benchmark, task: str) -> str:
    """Return the full name of a task.

    Args:
        bench: The benchmark.
        task: Its full name, or the number of its published test file, such as "task57"; "" for the
            only one of a benchmark.

    Raises:
        UnknownNameError: The benchmark has no such task, or several.
    """
    found = [name for name, facts in bench.tasks.items() if task in ("", name, facts.benchmark_id)]
    if len(found) != 1:
        wanted = f"no task {task!r}" if task else f"{len(found)} tasks; name one of them"
        raise UnknownNameError(
            f"{bench.path} has {wanted}. It has {', '.join(sorted(bench.tasks)[:6])} …"
        )
    return found[0]


def copy_benchmark(bench: Benchmark, tasks: Collection[str], folder: Path) -> None:
    """Write the benchmark folder of some of its tasks.

    Args:
        bench: The benchmark.
        tasks: Full names of the tasks.
        folder: Where to; it exists.

    Raises:
        InvalidFileError: A file of the benchmark was changed since it was built.
    """
    for kind, read in (("items", bench.items), ("fewshot", bench.fewshot_examples)):
        (folder / kind).mkdir()
        for task in tasks:
            read(task)  # refuses a file that is not what was built
            shutil.copyfile(bench.path / kind / f"{task}.jsonl", folder / kind / f"{task}.jsonl")
    bench.facts.only(tasks).write(folder)
