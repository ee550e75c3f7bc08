"""What MedS-Bench is: its tasks, their categories, few-shot examples and published sizes.

Facts from the paper (arXiv:2408.12547, tables and supplement) and from the published files; where
those disagree or say nothing, the note says so. The paper counts 52 tasks; the published files have
53, since task127 came with a later release.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medsins.errors import UnknownNameError
from medsins.recipe import Task
from medsins.registry import resolve

CATEGORIES = (
    "MCQA",
    "Text Summarization",
    "Information Extraction",
    "Explanation",
    "Named Entity Recognition",
    "Diagnosis",
    "Treatment Planning",
    "Clinical Outcome Prediction",
    "Text Classification",
    "Fact Verification",
    "Natural Language Inference",
)
"""The 11 categories of MedS-Bench, in the order of the paper's tables."""


@dataclass(frozen=True)
class Published:
    """What is published of a benchmark task.

    Attributes:
        category: One of `CATEGORIES`.
        rows: Rows of its test file; None if that is not known.
        evaluated: Rows that the paper scores; None if that is not known.
        note: What is known of how the test rows were chosen, where ours may differ.
    """

    category: str
    rows: int | None
    evaluated: int | None
    note: str = ""

    @property
    def num_fewshot(self) -> int:
        """Examples in a prompt: none for multiple choice, else three."""
        return 0 if self.category == "MCQA" else 3


_HOLD_OUT = (
    "the published test rows are a random tenth that is not known; ours is the tenth that a hash "
    "of the group decides"
)
_DUPLICATES = "exact repeats in the official test file are dropped"
_OUTCOME = "published: 1,500 rows drawn from a random tenth; ours: the tenth that a hash decides"
_RADIOLOGY = "published: about 110 rows for each group of reports; " + _HOLD_OUT


def _summaries() -> dict[str, Published]:
    found = {
        f"task{number}": Published("Text Summarization", None, 110, _RADIOLOGY)
        for number in (78, *range(83, 95))
    }
    found["task114"] = Published("Text Summarization", 100, 100, _HOLD_OUT)
    found["task110"] = Published("Text Summarization", None, 100, _HOLD_OUT)
    found["task112"] = Published("Text Summarization", None, 100, _HOLD_OUT)
    return found


PUBLISHED: dict[str, Published] = {
    "task57": Published("MCQA", 1273, 1273),
    "task58": Published("MCQA", 3426, 3426),
    "task59": Published("MCQA", 199, 199),
    "task60": Published("MCQA", 622, 622),
    "task61": Published("MCQA", 256, 256),
    "task122": Published("MCQA", 4183, 4183, "the labelled development file is what is tested on"),
    "task123": Published("MCQA", 1000, 1000, "all labelled items, not the official test half"),
    "task129": Published("MCQA", 2742, 2742),
    **_summaries(),
    "task1": Published("Information Extraction", 43, 43, _HOLD_OUT),
    "task2": Published("Information Extraction", 43, 43, _HOLD_OUT),
    "task3": Published("Information Extraction", 43, 43, _HOLD_OUT),
    "task29": Published("Information Extraction", 23, 23),
    "task74": Published("Information Extraction", 16704, 1500, _HOLD_OUT),
    "task18": Published("Explanation", 1235, 1235),
    "task46": Published("Explanation", 1115, 1115, _HOLD_OUT),
    "task50": Published("Explanation", 1000, 1000, "sources disagree: 1,000 or 1,115 rows"),
    "task51": Published("Explanation", 200, 200),
    "task52": Published("Explanation", 195, 195),
    "task53": Published("Explanation", 189, 189),
    "task54": Published("Explanation", 190, 190),
    "task55": Published("Explanation", 173, 173),
    "task56": Published("Explanation", 189, 189),
    "task125": Published("Named Entity Recognition", 26361, 1500, _DUPLICATES),
    "task126": Published("Named Entity Recognition", 4797, 1500, _DUPLICATES),
    "task127": Published("Named Entity Recognition", 4797, 1500, _DUPLICATES),
    "task128": Published("Named Entity Recognition", 1630, 1500, _DUPLICATES),
    "task130": Published("Diagnosis", 134529, 1500, _DUPLICATES),
    "task131": Published("Treatment Planning", 3535, 1500, _HOLD_OUT),
    "task117": Published("Clinical Outcome Prediction", 1500, 1500, _OUTCOME),
    "task118": Published("Clinical Outcome Prediction", 1500, 1500, _OUTCOME),
    "task119": Published("Clinical Outcome Prediction", 1500, 1500, _OUTCOME),
    "task106": Published("Text Classification", 158, 158, _HOLD_OUT),
    "task12": Published("Fact Verification", 650, 650, "sources disagree: 650 or 1,188 rows"),
    "task16": Published("Fact Verification", 1188, 1188, "sources disagree: 1,188 or 650 rows"),
    "task100": Published("Fact Verification", 304, 304, _HOLD_OUT),
    "task41": Published("Natural Language Inference", 1422, 1422),
    "task42": Published("Natural Language Inference", 1422, 1422),
}
"""What is published of each task, by the number of its test file."""


@dataclass(frozen=True)
class BenchTask:
    """A task of the benchmark.

    Attributes:
        task: The task.
        published: What is published of it.
    """

    task: Task
    published: Published

    @property
    def name(self) -> str:
        """Full name of the task."""
        return self.task.name


def bench_tasks(select: str | Iterable[str] = "all") -> list[BenchTask]:
    """Return the selected tasks of the benchmark, by category and number.

    Args:
        select: A selection in the grammar of the whole library; tasks that are not in the
            benchmark are passed over.

    Raises:
        UnknownNameError: Nothing of the selection is in the benchmark.
    """
    found = [
        BenchTask(task, PUBLISHED[task.benchmark_id])
        for task in resolve(select).tasks
        if task.benchmark_id
    ]
    if not found:
        raise UnknownNameError(
            "nothing of this selection is in MedS-Bench; `medsins bench list` shows what is."
        )
    order = {category: place for place, category in enumerate(CATEGORIES)}
    return sorted(
        found, key=lambda one: (order[one.published.category], int(one.task.benchmark_id[4:]))
    )
