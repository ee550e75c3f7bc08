"""The published scores of whole prediction files: sums, means, skips and crashes, script by script.

A `Run` reads rows as a published script reads its file, scores them in the script's order and stops
where it stops; or, told to keep going, scores such a row 0 and remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from medsins.bench.scoring.published import labels
from medsins.bench.scoring.published.cells import column
from medsins.bench.scoring.published.crash import PublishedCrash, PublishedKeyError, text_of
from medsins.bench.scoring.published.entities import counts, f1
from medsins.bench.scoring.published.text import bleu, rouge
from medsins.errors import InvalidFileError

Pair = tuple[float, float]
"""BLEU and ROUGE, in percent."""

T = TypeVar("T")

RATIONALE = {
    "task51": "zh",
    "task52": "en",
    "task53": "fra",
    "task54": "jp",
    "task55": "ru",
    "task56": "spa",
}
"""The rationale tasks and the codes of their languages in the published script."""

EXPLANATION = ("task18", "task46", "task50")
SUMMARISATION = ("task78", "task114", "task112", "task110")
SUMMARISATION_POOLED = {
    "CT": ("task83", "task84", "task85", "task86", "task87", "task88"),
    "MRI": ("task89", "task90", "task91", "task92", "task93", "task94"),
}
NER = ("task125", "task126", "task127", "task128")
HALLMARKS = ("task106",)


class Row(NamedTuple):
    """One row of a prediction file, as pandas gives it to the published scripts.

    Attributes:
        number: Which row of the file it is, from 0.
        task_id: Its task in MedS-Bench.
        answer: What the model said: a string, or a number where pandas makes one of it.
        reference: What it should have said.
    """

    number: int
    task_id: str
    answer: Any
    reference: Any


def fields(number: int, row: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Return task, answer and reference of a row, under our names or the published ones.

    Raises:
        InvalidFileError: The row lacks one of them.
    """
    try:
        said = row["prediction"] if "prediction" in row else row["output"]
        wanted = row["reference"] if "reference" in row else row["GT"]
        return str(row["task_id"]), said, wanted
    except KeyError as error:
        raise InvalidFileError(
            f"Row {number} of the predictions has no column {error}; it needs task_id, output (or "
            "prediction) and GT (or reference)."
        ) from error


def read_rows(rows: Iterable[Mapping[str, Any]], *, scalars: bool = True) -> list[Row]:
    """Read rows as the published scripts read a CSV file of them.

    Args:
        rows: Mappings with `task_id`, the answer under `prediction` or `output`, and the right one
            under `reference` or `GT`. Nothing else of them is kept.
        scalars: How the script takes its cells; see `column`.

    Raises:
        InvalidFileError: A row lacks one of the three.
    """
    found = [fields(number, row) for number, row in enumerate(rows)]
    return as_read(found, scalars=scalars)


def as_read(rows: Sequence[tuple[str, Any, Any]], *, scalars: bool = True) -> list[Row]:
    """Turn tasks, answers and references into what pandas makes of their columns; see `column`."""
    answers = column([said for _, said, _ in rows], scalars=scalars)
    references = column([wanted for _, _, wanted in rows], scalars=scalars)
    return [
        Row(number, task, said, wanted)
        for number, ((task, _, _), said, wanted) in enumerate(
            zip(rows, answers, references, strict=True)
        )
    ]


class Run:
    """One run of the published scripts over the rows of a file.

    Args:
        rows: The rows.
        split_sentences: Whether Punkt finds sentences first, as in the published scripts.
        keep_going: Score a row on which the published code crashes 0, and go on.

    Attributes:
        crashes: Where the published code stops; the first is where it really does.
        skipped: How many rows it passes over without counting them.
    """

    def __init__(
        self, rows: Sequence[Row], *, split_sentences: bool = True, keep_going: bool = False
    ) -> None:
        self.rows = rows
        self.crashes: list[PublishedCrash] = []
        self.skipped = 0
        self._split_sentences = split_sentences
        self._keep_going = keep_going
        self._by_task: dict[str, list[Row]] = {}
        for row in rows:
            self._by_task.setdefault(row.task_id, []).append(row)

    def of(self, *tasks: str) -> list[Row]:
        """Return the rows of tasks: task by task, as the published scripts go through them."""
        return [row for task in tasks for row in self._by_task.get(task, ())]

    def _each(self, rows: Iterable[Row], score: Callable[[Row], T | None], zero: T) -> Iterator[T]:
        for row in rows:
            try:
                value = score(row)
            except PublishedCrash as crash:
                crash.row, crash.task_id = row.number, row.task_id
                if not self._keep_going:
                    raise
                self.crashes.append(crash)
                value = zero
            if value is None:
                self.skipped += 1
            else:
                yield value

    def accuracy(self, rows: Iterable[Row], score: Callable[[Any, Any], int]) -> float:
        """Return the share of right answers in percent; 0 (an int) without rows."""
        right = count = 0
        for value in self._each(rows, lambda row: score(row.answer, row.reference), 0):
            right += value
            count += 1
        return 100 * right / count if count else 0

    def mean(
        self, rows: Iterable[Row], score: Callable[[Row], Pair | None], absent: Pair = (0, 0)
    ) -> Pair:
        """Return the means of BLEU and ROUGE in percent, or `absent` without rows."""
        bleu_sum: float = 0
        rouge_sum: float = 0
        count = 0
        nothing: Pair = (0, 0)
        for bleu_value, rouge_value in self._each(rows, score, nothing):
            bleu_sum += bleu_value
            rouge_sum += rouge_value
            count += 1
        return (100 * bleu_sum / count, 100 * rouge_sum / count) if count else absent

    def _both(self, answer: Any, reference: Any, language: str = "en") -> Pair:
        split = self._split_sentences
        return (
            bleu(answer, reference, language, split_sentences=split),
            rouge(answer, reference, language),
        )

    def _plain(self, row: Row) -> Pair:
        return self._both(row.answer, row.reference)

    def multiple_choice(self, task: str) -> float:
        """Return the accuracy of a multiple-choice task; a blank reads as the word "nan"."""
        return self.accuracy(
            self.of(task), lambda said, wanted: labels.multiple_choice(said, wanted, task)
        )

    def facts(self, task: str) -> float:
        """Return the accuracy of verdicts on facts."""
        return self.accuracy(self.of(task), labels.fact)

    def justifications(self, task: str) -> Pair:
        """Return BLEU and ROUGE of justifications; blanks of white space count as 0."""

        def score(row: Row) -> Pair:
            split = self._split_sentences
            pair = labels.justification(row.answer, row.reference, split_sentences=split)
            return pair or (0, 0)

        return self.mean(self.of(task), score)

    def rationales(self, tasks: Sequence[str] = tuple(RATIONALE)) -> dict[str, Pair]:
        """Return BLEU and ROUGE of rationales by task; absent tasks are (0, 0)."""

        def score(row: Row) -> Pair | None:
            answer = text_of(row.answer, "strip").strip()
            reference = text_of(row.reference, "strip").strip()
            if not answer or not reference:
                return None
            return self._both(answer, reference, RATIONALE.get(row.task_id, "en"))

        return {task: self.mean(self.of(task), score) for task in tasks}

    def explanations(self, tasks: Sequence[str] = EXPLANATION) -> dict[str, Pair]:
        """Return BLEU and ROUGE of explanations by task; blanks are passed over."""

        def score(row: Row) -> Pair | None:
            if isinstance(row.answer, str) and isinstance(row.reference, str):
                return self._plain(row)
            return None

        return {task: self.mean(self.of(task), score) for task in tasks}

    def entailed(self, tasks: Sequence[str] = ("task42",)) -> dict[str, Pair]:
        """Return BLEU and ROUGE of entailed sentences by task."""
        return {task: self.mean(self.of(task), self._plain) for task in tasks}

    def summaries(self) -> dict[str, Pair]:
        """Return BLEU and ROUGE of summaries; the rows of all CT and of all MRI tasks together."""
        groups = {task: (task,) for task in SUMMARISATION} | SUMMARISATION_POOLED
        return {
            name: self.mean(self.of(*tasks), self._plain, (-1, -1))
            for name, tasks in groups.items()
        }

    def entities(self, task: str) -> float:
        """Return micro F1 of a task's entities in percent; answers that are blank do not count."""

        def score(row: Row) -> tuple[int, int, int] | None:
            if isinstance(row.answer, str):
                return counts(row.answer, row.reference)
            return None

        right = wrong = absent = 0
        for row_right, row_wrong, row_absent in self._each(self.of(task), score, (0, 0, 0)):
            right += row_right
            wrong += row_wrong
            absent += row_absent
        return 100 * f1(right, wrong, absent)

    def hallmarks(self, tasks: Sequence[str] = HALLMARKS) -> dict[str, float]:
        """Return macro precision, recall and F1 over the labels, in percent; the last task counts.

        Raises:
            PublishedKeyError: The file has none of the tasks.
        """
        import numpy

        rows: list[Row] = []
        for task in tasks:
            rows = self.of(task) or rows
        if not rows:
            crash = PublishedKeyError("'precision'", f"No row of {', '.join(tasks)}.")
            if not self._keep_going:
                raise crash
            self.crashes.append(crash)
            return {}
        right, said, wanted = (numpy.zeros(len(labels.HALLMARKS)) for _ in range(3))
        for row in rows:
            answered, asked = labels.hallmarks(row.answer), labels.hallmarks(row.reference)
            right[list(answered & asked)] += 1
            said[list(answered)] += 1
            wanted[list(asked)] += 1

        def macro(part: Any, whole: Any) -> float:
            # A label that nobody gave and nobody asked for counts as 0.
            shares = numpy.divide(part, whole, out=numpy.zeros_like(part), where=whole > 0)
            return float(100 * numpy.mean(shares))

        return {
            "precision": macro(right, said),
            "recall": macro(right, wanted),
            "f1_score": macro(2 * right, said + wanted),
        }
