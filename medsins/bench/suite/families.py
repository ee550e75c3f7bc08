"""Which family of metrics each task of the benchmark belongs to, and what that family must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medsins.bench.suite.tasks import PUBLISHED
from medsins.errors import UnknownNameError
from medsins.recipe import Task
from medsins.taxonomy import Category


class Family(StrEnum):
    """A group of tasks that are scored alike."""

    TEXT = "text"
    CHOICE = "choice"
    LABEL = "label"
    LABELS = "labels"
    ENTITIES = "entities"
    PHRASES = "phrases"
    DOSE = "dose"
    DEMOGRAPHICS = "demographics"


@dataclass(frozen=True)
class Profile:
    """What scoring has to know of a task.

    Attributes:
        task: Full name.
        benchmark_id: Number of its test file.
        category: One of the 11 categories of the benchmark.
        family: How it is scored.
        language: ISO 639-1 code of the answers.
        labels: The closed set of labels, as references write them; else empty. For multiple choice,
            the words that are asked for where options have no letters.
        aliases: Other spellings of a label.
    """

    task: str
    benchmark_id: str
    category: str
    family: Family
    language: str
    labels: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


_EXTRACTION = {"task29": Family.DOSE, "task74": Family.DEMOGRAPHICS}

_SEVERAL_LABELS = {
    "task106": (
        "Sustaining proliferative signaling",
        "Evading growth suppressors",
        "Resisting cell death",
        "Enabling replicative immortality",
        "Inducing angiogenesis",
        "Activating invasion and metastasis",
        "Genomic instability and mutation",
        "Tumor promoting inflammation",
        "Cellular energetics",
        "Avoiding immune destruction",
    )
}
"""Labels of tasks whose answers name several; `Task.labels` is for those that name one."""

_ALIASES = {
    "task106": {
        "Sustaining proliferative signalling": "Sustaining proliferative signaling",
        "Genome instability and mutation": "Genomic instability and mutation",
        "Tumour promoting inflammation": "Tumor promoting inflammation",
    },
    # Larygospasm is the owners' spelling; "inguinal, hernia" is that of the published definition.
    "task130": {
        "Laryngospasm": "Larygospasm",
        "Inguinal, hernia": "Inguinal hernia",
        "Anaemia": "Anemia",
        "Localised edema": "Localized edema",
        "Localised oedema": "Localized edema",
        "Localized oedema": "Localized edema",
        "Acute pulmonary oedema": "Acute pulmonary edema",
        "Gastroesophageal reflux disease": "GERD",
        "Gastro-oesophageal reflux disease": "GERD",
        "Systemic lupus erythematosus": "SLE",
        "Upper respiratory tract infection": "URTI",
        "Paroxysmal supraventricular tachycardia": "PSVT",
    },
}


def profile(task: Task) -> Profile:
    """Return what scoring has to know of a task.

    Raises:
        UnknownNameError: The task is not in the benchmark.
    """
    number = task.benchmark_id
    if number not in PUBLISHED or not task.metric:
        raise UnknownNameError(
            f"{task.name} is not in MedS-Bench; `medsins bench list` shows what is."
        )
    family = _family(task)
    labels = _SEVERAL_LABELS.get(number, task.labels)
    if family is Family.CHOICE and ":" in "".join(labels):
        labels = ()  # "A: yes" is an option, which the input shows too
    return Profile(
        task=task.name,
        benchmark_id=number,
        category=PUBLISHED[number].category,
        family=family,
        language=task.output_language,
        labels=labels,
        aliases=_ALIASES.get(number, {}),
    )


def _family(task: Task) -> Family:
    if task.metric == "bleu_rouge":
        return Family.TEXT
    if task.metric == "f1":
        return Family.ENTITIES
    if task.metric == "macro_f1":
        return Family.LABELS
    if task.metric != "accuracy":
        raise UnknownNameError(f"{task.name}: no family of metrics is called {task.metric!r}.")
    if task.category is Category.QUESTION_ANSWERING:
        return Family.CHOICE
    if task.category is Category.INFORMATION_EXTRACTION:
        return _EXTRACTION.get(task.benchmark_id, Family.PHRASES)
    return Family.LABEL
