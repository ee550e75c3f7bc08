"""The published scores of named entities: sets of strings that lost their last character."""

from __future__ import annotations

from typing import Any

from medsins.bench.scoring.published.crash import text_of

NONE = "there is no related enetity"
"""The only answer that means no entity; the published definitions misspell it, too."""

Counts = tuple[int, int, int]
"""True positives, false positives, false negatives."""


def entities(text: Any) -> frozenset[str]:
    """Read the entities of an answer or a reference.

    Every full stop goes, and then the last character of what is left, stop or not.

    Raises:
        PublishedAttributeError: It is not a string.
    """
    lowered = text_of(text, "replace").replace(".", "").strip().lower()
    return frozenset() if lowered == NONE else frozenset(lowered[:-1].split(", "))


def counts(answer: Any, reference: Any) -> Counts:
    """Count the entities of an answer that are right, wrong and absent."""
    wanted = entities(reference)
    said = entities(answer)
    right = len(wanted & said)
    return right, len(said) - right, len(wanted) - right


def f1(right: int, wrong: int, absent: int) -> float:
    """Return F1 as the published code computes it; 0 (an int) where it is not defined."""
    precision = right / (right + wrong) if right + wrong else 0
    recall = right / (right + absent) if right + absent else 0
    total = precision + recall
    return 2 * (precision * recall) / total if total else 0


def entity_f1(answer: Any, reference: Any) -> float:
    """Return the published F1 of one answer; what is not a string scores 0."""
    return f1(*counts(answer, reference)) if isinstance(answer, str) else 0
