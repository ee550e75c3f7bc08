"""`paper_score`: the published value of every metric, by the name of the published function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from medsins.bench.scoring.published import labels
from medsins.bench.scoring.published.cells import cell
from medsins.bench.scoring.published.corpus import Run, read_rows
from medsins.bench.scoring.published.crash import PublishedKeyError
from medsins.bench.scoring.published.entities import entities, entity_f1
from medsins.bench.scoring.published.text import bleu, rouge
from medsins.errors import UnknownNameError

_ONE: dict[str, Callable[[Any, Any], Any]] = {
    "nli_accuracy": labels.inference,
    "diagnosis_accuracy": labels.diagnosis,
    "treatment_planning_accuracy": labels.treatment,
    "clinical_outcome_accuracy": labels.outcome,
    "information_extraction_accuracy": labels.extraction,
    "hard_ner_f1": entity_f1,
    "parse_entities": lambda said, _: sorted(entities(said)),
}

METRICS = (
    *("BLEU", "Rouge", "mcqa_accuracy", *_ONE),
    *("fact_verification_accuracy", "fact_verification_bleu_rouge"),
)
"""Metrics of one answer."""

CORPUS_METRICS = (
    "explanation_avg",
    "hard_ner_micro_f1",
    "nli_gen_avg",
    "reasoning_avg",
    "summarization_avg",
    "text_classification_macro",
)
"""Metrics of a file of answers."""


def paper_score(
    metric: str,
    prediction: Any,
    reference: Any,
    *,
    task_id: str | Sequence[str] = "",
    language: str = "",
    punkt: bool = True,
) -> Any:
    """Return what the published MedS-Bench code gives for an answer, bit for bit.

    Args:
        metric: One of `METRICS`; or of `CORPUS_METRICS`, with sequences for the answers, for the
            right ones and for their tasks.
        prediction: The answer; None and NaN stand for a blank that pandas has read.
        reference: The right one.
        task_id: The task in MedS-Bench ("task123"); one metric looks at it.
        language: The language of a text, as the published code calls it: en (default), zh, jp,
            fra, spa or ru. It knows no other codes.
        punkt: Whether sentences are found first, as published; False changes values.

    Returns:
        The published value: 0 or 1, or a number from 0 to 1, for one answer; a pair of percentages
        for `fact_verification_bleu_rouge`, a sorted list for `parse_entities`; for files what
        `paper_corpus_score` returns.

    Raises:
        PublishedCrash: The published code raises; it is also the builtin exception that it raises.
        UnknownNameError: There is no such metric.
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    if metric == "BLEU":
        return bleu(prediction, reference, language or "en", split_sentences=punkt)
    if metric == "Rouge":
        return rouge(prediction, reference, language or "en")
    if metric == "mcqa_accuracy":
        return labels.multiple_choice(prediction, reference, str(task_id))
    if metric == "fact_verification_accuracy":
        # It has no function of its own in the published code, so a file of one row is scored.
        return 100 * labels.fact(cell(prediction), cell(reference)) / 1
    if metric == "fact_verification_bleu_rouge":
        pair = labels.justification(cell(prediction), cell(reference), split_sentences=punkt)
        return [100 * value / 1 for value in pair or (0, 0)]
    if metric in _ONE:
        return _ONE[metric](prediction, reference)
    if metric in CORPUS_METRICS:
        tasks = [task_id] * len(prediction) if isinstance(task_id, str) else task_id
        rows = (
            {"task_id": task, "prediction": said, "reference": wanted}
            for task, said, wanted in zip(tasks, prediction, reference, strict=True)
        )
        return paper_corpus_score(metric, rows, punkt=punkt)
    known = ", ".join((*METRICS, *CORPUS_METRICS))
    raise UnknownNameError(f"The published code has no metric {metric!r}; it has {known}.")


def paper_corpus_score(
    metric: str, rows: Iterable[Mapping[str, Any]], *, punkt: bool = True
) -> Any:
    """Return what the published MedS-Bench code gives for a file of answers, bit for bit.

    Args:
        metric: One of `CORPUS_METRICS`.
        rows: Mappings with `task_id`, `prediction` (or `output`) and `reference` (or `GT`).
        punkt: Whether sentences are found first, as published; False changes values.

    Returns:
        Percentages: [BLEU, ROUGE] by task; precision, recall and f1_score; or one F1 (by task,
        where the rows are of several).

    Raises:
        PublishedCrash: The published code raises; its attributes say at which row.
        UnknownNameError: There is no such metric.
        InvalidFileError: A row lacks a column.
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    if metric not in CORPUS_METRICS:
        known = ", ".join(CORPUS_METRICS)
        raise UnknownNameError(f"The published code has no metric {metric!r} of files; {known}.")
    by_place = metric != "hard_ner_micro_f1"
    run = Run(read_rows(rows, scalars=by_place), split_sentences=punkt)
    if metric == "text_classification_macro":
        return run.hallmarks()
    if metric == "hard_ner_micro_f1":
        tasks = list(dict.fromkeys(row.task_id for row in run.rows))
        if not tasks:
            raise PublishedKeyError("0", "There is no row.")
        values = {task: run.entities(task) for task in tasks}
        return values if len(values) > 1 else values[tasks[0]]
    means = {
        "explanation_avg": run.explanations,
        "nli_gen_avg": run.entailed,
        "reasoning_avg": run.rationales,
        "summarization_avg": run.summaries,
    }
    return {name: list(pair) for name, pair in means[metric]().items()}
