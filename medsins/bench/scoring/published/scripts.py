"""Which published script scores which task, and the table that it prints.

`SCRIPTS` has what the published scripts hold in their defaults; `published_metric` says for one of
our tasks by which of them, and in which language, it is scored. `paper_table` runs all that have
rows, each on the rows of its own tasks, as the authors kept one file for each family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medsins.bench.scoring.published import labels, tokens
from medsins.bench.scoring.published.corpus import (
    EXPLANATION,
    HALLMARKS,
    NER,
    RATIONALE,
    SUMMARISATION,
    SUMMARISATION_POOLED,
    Run,
    as_read,
    fields,
)
from medsins.bench.scoring.published.crash import PublishedCrash, PublishedImportError
from medsins.bench.scoring.published.punkt import splitter

if TYPE_CHECKING:
    from medsins.recipe import Task

Value = float | tuple[float, float]
"""One percentage, or BLEU and ROUGE."""

_Numbered = tuple[int, tuple[str, Any, Any]]
"""A row's number in the file; its task, answer and reference."""


@dataclass(frozen=True)
class Script:
    """One table of a published script.

    Attributes:
        family: What its tasks have in common.
        file: The script.
        tasks: Their numbers in MedS-Bench, in its order.
        metric: Name of the published metric of one answer; `text` for BLEU and ROUGE.
        run: Its columns, from a run over the rows.
        averaged: The columns whose mean it prints as "Avg."; None: it prints none.
        row_by_row: Whether it reads its file with `csv_to_list`, which pandas 3 breaks.
        note: What to know beside its numbers.
    """

    family: str
    file: str
    tasks: tuple[str, ...]
    metric: str
    run: Callable[[Run], Mapping[str, Value]]
    averaged: tuple[str, ...] | None = None
    row_by_row: bool = False
    note: str = ""


def _by_task(tasks: tuple[str, ...], score: Callable[[Run, str], Value]) -> Any:
    return lambda run: {task: score(run, task) for task in tasks}


def _accuracy(metric: Callable[[Any, Any], int]) -> Callable[[Run, str], Value]:
    return lambda run, task: run.accuracy(run.of(task), metric)


_CHOICE = (
    *("task4", "task5", "task6", "task8", "task9", "task57", "task58", "task59", "task60"),
    *("task61", "task122", "task123", "task129"),
)
_EXTRACTION = ("task1", "task2", "task3", "task29", "task74")
_OUTCOME = ("task117", "task118", "task119")
_SUMMARIES = SUMMARISATION + SUMMARISATION_POOLED["CT"] + SUMMARISATION_POOLED["MRI"]
_PANDAS = "With pandas 3 the script stops here: KeyError: 0; these are its numbers with pandas 2."

SCRIPTS = (
    Script(
        "Multiple choice",
        "MCQA.py",
        _CHOICE,
        "mcqa_accuracy",
        _by_task(_CHOICE, Run.multiple_choice),
        note="The script imports a function that does not exist; these would be its numbers.",
    ),
    Script(
        "Text summarisation",
        "TextSummarization.py",
        _SUMMARIES,
        "text",
        Run.summaries,
        averaged=SUMMARISATION,
        note="CT and MRI are left out of the average; an absent task counts as -1.",
    ),
    Script(
        "Information extraction",
        "InformationExtraction.py",
        _EXTRACTION,
        "information_extraction_accuracy",
        _by_task(_EXTRACTION, _accuracy(labels.extraction)),
        averaged=_EXTRACTION,
    ),
    Script(
        "Concept explanation",
        "ConceptExplanation.py",
        EXPLANATION,
        "text",
        Run.explanations,
        averaged=EXPLANATION,
    ),
    Script(
        "Rationale",
        "Rationale.py",
        tuple(RATIONALE),
        "text",
        Run.rationales,
        averaged=tuple(RATIONALE),
    ),
    Script(
        "Named entity recognition",
        "NamedEntityRecognition.py",
        NER,
        "hard_ner_f1",
        _by_task(NER, Run.entities),
        averaged=NER,
        row_by_row=True,
        note=_PANDAS,
    ),
    Script(
        "Diagnosis",
        "Diagnosis.py",
        ("task130",),
        "diagnosis_accuracy",
        _by_task(("task130",), _accuracy(labels.diagnosis)),
        row_by_row=True,
        note=_PANDAS,
    ),
    Script(
        "Treatment planning",
        "TreatmentPlanning.py",
        ("task131",),
        "treatment_planning_accuracy",
        _by_task(("task131",), _accuracy(labels.treatment)),
        averaged=("task131",),
    ),
    Script(
        "Clinical outcome prediction",
        "ClinicalOutcomePrediction.py",
        _OUTCOME,
        "clinical_outcome_accuracy",
        _by_task(_OUTCOME, _accuracy(labels.outcome)),
        averaged=_OUTCOME,
    ),
    Script(
        "Text classification",
        "TextClassification.py",
        HALLMARKS,
        "text_classification_macro",
        Run.hallmarks,
    ),
    Script(
        "Fact verification",
        "FactVerification.py",
        ("task12", "task16", "task100"),
        "fact_verification_accuracy",
        lambda run: {
            "task12": run.facts("task12"),
            "task16": run.facts("task16"),
            "task100": run.justifications("task100"),
        },
        row_by_row=True,
        note=_PANDAS,
    ),
    Script(
        "Natural language inference",
        "NatureLanguageInference.py",
        ("task41",),
        "nli_accuracy",
        _by_task(("task41",), _accuracy(labels.inference)),
        averaged=("task41",),
    ),
    Script(
        "Natural language inference, generation",
        "NatureLanguageInference.py",
        ("task42",),
        "text",
        Run.entailed,
        averaged=("task42",),
    ),
)
"""What the published scripts score, in the order of the paper's tables."""


@dataclass(frozen=True)
class PublishedMetric:
    """How the published scripts score one task.

    Attributes:
        script: The script and table.
        metric: Name of the metric of one answer, for `paper_score`; `text` stands for BLEU and
            Rouge.
        language: The language code it is read with; "" where none is.
    """

    script: Script
    metric: str
    language: str


def published_metric(task: Task | str) -> PublishedMetric | None:
    """Return how the published scripts score a task.

    Args:
        task: A task, or its number in MedS-Bench ("task51").

    Returns:
        Script, metric and language; None where the published code scores no such task.
    """
    number = task if isinstance(task, str) else task.benchmark_id
    for script in SCRIPTS:
        if number in script.tasks:
            metric = "fact_verification_bleu_rouge" if number == "task100" else script.metric
            read = metric in ("text", "fact_verification_bleu_rouge")
            return PublishedMetric(script, metric, RATIONALE.get(number, "en") if read else "")
    return None


@dataclass(frozen=True)
class ScriptResult:
    """What one published script makes of a prediction file.

    Attributes:
        script: The script.
        values: Its columns, not rounded; with a crash, as if such rows scored 0.
        average: The mean it prints; None where it prints none.
        crash: Where it stops and prints nothing; None where it ends.
        n_rows: How many rows of the file are its own.
        n_crashes: On how many rows it would stop.
        n_skipped: How many rows it leaves out of the mean.
    """

    script: Script
    values: Mapping[str, Value]
    average: Value | None
    crash: PublishedCrash | None
    n_rows: int
    n_crashes: int
    n_skipped: int

    @property
    def printed(self) -> dict[str, str]:
        """The cells of its table, rounded as it rounds them; empty where it stops."""
        if self.crash:
            return {}
        cells = {name: _printed(value) for name, value in self.values.items()}
        return cells if self.average is None else {**cells, "Avg.": _printed(self.average)}


@dataclass(frozen=True)
class PaperTable:
    """What the published scripts make of a prediction file.

    Attributes:
        results: One for each script that has rows.
        unscored: How many rows are of tasks that no published script scores.
        warnings: Where the values are not the published ones, and why.
        signature: Rules, parameters and versions that the values depend on.
    """

    results: tuple[ScriptResult, ...]
    unscored: int
    warnings: tuple[str, ...]
    signature: str

    def text(self) -> str:
        """Return the table as the published scripts would print it, crashes in words."""
        lines: list[str] = []
        for result in self.results:
            lines.append(f"{result.script.family} ({result.script.file})")
            if result.crash:
                where = "" if result.crash.row is None else f" at row {result.crash.row}"
                where += f" ({result.crash.task_id})" if result.crash.task_id else ""
                lines.append(f"  the published script stops here{where}: {result.crash.peer_error}")
                name = "with such rows scored 0" if result.n_crashes else "otherwise"
                cells = {key: _printed(value) for key, value in result.values.items()}
                if cells:
                    lines.append(f"  {name}: " + _row(cells))
            else:
                lines.append("  " + _row(result.printed))
            if result.n_skipped:
                lines.append(f"  {result.n_skipped} of {result.n_rows} rows are left out")
            if result.script.note:
                lines.append(f"  {result.script.note}")
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines.append(self.signature)
        return "\n".join(lines)


def _row(cells: Mapping[str, str]) -> str:
    return "  ".join(f"{name} {value}" for name, value in cells.items())


def _printed(value: Value) -> str:
    return "/".join(f"{part:.2f}" for part in (value if isinstance(value, tuple) else (value,)))


def paper_table(rows: Iterable[Mapping[str, Any]], *, punkt: bool = True) -> PaperTable:
    """Score a prediction file as the published scripts would.

    Args:
        rows: Mappings with `task_id` (a number in MedS-Bench or a name of ours), `prediction` (or
            `output`) and `reference` (or `GT`). Only these are kept in memory.
        punkt: Whether sentences are found first, as published; False changes values, and is said.

    Returns:
        The table; `text()` prints it.

    Raises:
        InvalidFileError: A row lacks a column.
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    groups, unscored = _grouped(rows)
    texts = any(published.language for published in map(published_metric, groups) if published)
    results = []
    for script in SCRIPTS:
        own = [row for task in script.tasks for row in groups.get(task, ())]
        if own:
            results.append(_result(script, own, punkt))
    warnings: tuple[str, ...] = ()
    if texts and not punkt:
        warnings = ("Sentences were not found first (no Punkt): BLEU is not the published one.",)
    elif texts and not splitter().verified:
        warnings = ("The Punkt parameters here are not those the parity was measured with.",)
    used = tokens.signature(split_sentences=punkt) if texts else "labels"
    return PaperTable(tuple(results), unscored, warnings, f"medsins-paper|{used}")


def _result(script: Script, rows: list[_Numbered], punkt: bool) -> ScriptResult:
    own = as_read([row for _, row in rows], scalars=not script.row_by_row)
    run = Run(own, split_sentences=punkt, keep_going=True)
    values = script.run(run)
    average = None
    if script.averaged is not None:
        average = _mean([values[name] for name in script.averaged])
    for crash in run.crashes:
        if crash.row is not None:
            crash.row = rows[crash.row][0]
    first: PublishedCrash | None = run.crashes[0] if run.crashes else None
    if script.file == "MCQA.py":
        first = PublishedImportError("cannot import name 'write_results_to_csv' from 'utils'")
    return ScriptResult(script, values, average, first, len(own), len(run.crashes), run.skipped)


def _mean(values: list[Value]) -> Value:
    pairs = [value for value in values if isinstance(value, tuple)]
    if pairs:
        return (
            sum(first for first, _ in pairs) / len(pairs),
            sum(second for _, second in pairs) / len(pairs),
        )
    return sum(value for value in values if not isinstance(value, tuple)) / len(values)


def _grouped(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, list[_Numbered]], int]:
    """Sort rows by benchmark task, keeping their numbers; names of ours become task numbers."""
    scored = {task for script in SCRIPTS for task in script.tasks}
    names: dict[str, str] | None = None
    groups: dict[str, list[_Numbered]] = {}
    unscored = 0
    for number, row in enumerate(rows):
        task, said, wanted = fields(number, row)
        if task not in scored:
            if names is None:
                from medsins.registry import tasks

                names = {known.name: known.benchmark_id for known in tasks()}
            task = names.get(task, task)
        if task in scored:
            groups.setdefault(task, []).append((number, (task, said, wanted)))
        else:
            unscored += 1
    return groups, unscored
