"""The published accuracies of one answer: 1 or 0, found by letters and substrings.

They are reproduced, faults included: a first letter decides a multiple choice, and a label counts
wherever its letters stand, inside another word or behind a "not".
"""

from __future__ import annotations

from typing import Any

from medsins.bench.scoring.published.crash import PublishedIndexError, text_of
from medsins.bench.scoring.published.text import bleu, rouge

HALLMARKS = (
    "sustaining proliferative signaling",
    "evading growth suppressors",
    "resisting cell death",
    "enabling replicative immortality",
    "inducing angiogenesis",
    "activating invasion and metastasis",
    "genomic instability and mutation",
    "tumor promoting inflammation",
    "cellular energetics",
    "avoiding immune destruction",
)
"""The labels of the one multi-label task (task106), as its script spells them."""

YES_OR_NO = "task123"
"""The one task whose answers the multiple-choice script reads as yes or no."""

_CHOICE = "the right answer is"
_DIAGNOSIS = "The diagnosis result is"
_TREATMENT = "The treatment planning is:"


def multiple_choice(answer: Any, reference: Any, task_id: str = "") -> int:
    """Compare the first letters; only A to D count, or y and n for task123.

    Raises:
        PublishedIndexError: Nothing is left of the answer, or of the reference, to look at.
    """
    said, wanted = (str(text).lower().replace(_CHOICE, "").strip() for text in (answer, reference))
    letters = "yn" if task_id == YES_OR_NO else "abcd"
    if _first(said) in letters and _first(wanted) in letters:
        return int(said[0] == wanted[0])
    return 0


def _first(text: str) -> str:
    if not text:
        raise PublishedIndexError("string index out of range")
    return text[0]


def inference(answer: Any, reference: Any) -> int:
    """Look for the label of natural language inference anywhere in the answer."""
    return int(str(reference).replace(".", "").strip().lower() in str(answer).lower().strip())


def diagnosis(answer: Any, reference: Any) -> int:
    """Look for the disease anywhere in the answer.

    Raises:
        PublishedAttributeError: One of them is not a string.
    """
    wanted = text_of(reference, "replace").replace(".", "").replace(_DIAGNOSIS, "").strip().lower()
    return int(wanted in text_of(answer, "lower").lower())


def treatment(answer: Any, reference: Any) -> int:
    """Look for the treatment anywhere in the answer.

    Raises:
        PublishedAttributeError: One of them is not a string.
    """
    said = text_of(answer, "lower").lower()
    wanted = text_of(reference, "replace").replace(".", "").replace(_TREATMENT, "").strip().lower()
    return int(wanted in said)


def outcome(answer: Any, reference: Any) -> int:
    """Look for "true" or "false" anywhere in the answer, and not for both."""
    said, wanted = str(answer).lower().strip(), str(reference).lower().strip()
    if wanted == "true":
        return int("true" in said and "false" not in said)
    return int(wanted == "false" and "false" in said and "true" not in said)


def extraction(answer: Any, reference: Any) -> int:
    """Look for the whole reference anywhere in the answer, without quotes and line ends."""
    said, wanted = (
        str(text).lower().strip().replace('"', "").replace("'", "").replace("\n", "")
        for text in (answer, reference)
    )
    return int(wanted in said)


def fact(answer: Any, reference: Any) -> int:
    """Look for the verdict anywhere in the first line of the answer.

    Raises:
        PublishedAttributeError: One of them is not a string.
    """
    wanted = text_of(reference, "replace").replace(".", "").strip().lower()
    return int(wanted in text_of(answer, "split").split("\n")[0].strip().lower())


def justification(
    answer: Any, reference: Any, *, split_sentences: bool = True
) -> tuple[float, float] | None:
    """Score the justification of a fact by BLEU and ROUGE, both texts in lower case.

    Returns:
        BLEU and ROUGE, or None for a blank answer, which counts as 0.

    Raises:
        PublishedCrash: One of them is not a string, or has nothing but full stops.
    """
    wanted = text_of(reference, "replace").replace(".", "").strip().lower()
    said = text_of(answer, "strip").strip().lower()
    if not said:
        return None
    return bleu(said, wanted, split_sentences=split_sentences), rouge(said, wanted)


def hallmarks(text: Any) -> frozenset[int]:
    """Return which labels of `HALLMARKS` stand anywhere in a text, by their numbers."""
    lowered = str(text).lower().strip()
    return frozenset(number for number, label in enumerate(HALLMARKS) if label in lowered)
