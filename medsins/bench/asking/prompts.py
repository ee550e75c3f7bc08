"""What a model is asked: definition, few-shot examples, question.

Few-shot examples are drawn for each item from its task's candidates, by the seed and the item's id,
so they do not depend on which other items are asked. If a prompt is too long, examples go, the last
one first; the question is never cut.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medsins.bench.suite.benchmark import FewshotExample, Item
from medsins.errors import CheckError

BYTES_A_TOKEN = 3
"""So many bytes of UTF-8 are taken for a token where no tokenizer is at hand: Chinese and Japanese
characters have three, and English words more."""


@dataclass(frozen=True)
class Asked:
    """A prompt.

    Attributes:
        system: The system message.
        user: The user message.
        fewshot: Ids of the instances shown.
    """

    system: str
    user: str
    fewshot: tuple[str, ...]


def estimated_tokens(text: str) -> int:
    """Return how many tokens a text may have, by its length."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def prompt(
    item: Item,
    definition: str,
    candidates: Sequence[FewshotExample],
    num_fewshot: int,
    *,
    seed: int = 0,
    longest: int = 8192,
    count: Callable[[str], int] = estimated_tokens,
) -> Asked:
    """Return the prompt for an item.

    Args:
        item: The question.
        definition: The task's definition.
        candidates: Training instances to draw few-shot examples from.
        num_fewshot: How many to draw; fewer where there are fewer or where they do not fit.
        seed: Of the drawing.
        longest: Most tokens of a prompt with examples.
        count: Counts the tokens of a text.

    Raises:
        CheckError: A candidate is the item itself, or has its input.
    """
    drawn = random.Random(f"{seed}/{item.id}").sample(candidates, min(num_fewshot, len(candidates)))
    for shot in drawn:
        if shot.id == item.id or shot.input == item.input:
            raise CheckError(
                f"{item.task}: a candidate for few-shot examples is the test item {item.id} "
                "itself. Build the benchmark again."
            )
    user = f"Input:\n{item.input}\nOutput:\n" if num_fewshot else item.input
    while True:
        system = _system(definition, drawn)
        if not drawn or count(system) + count(user) <= longest:
            return Asked(system, user, tuple(shot.id for shot in drawn))
        drawn.pop()


def _system(definition: str, drawn: Sequence[FewshotExample]) -> str:
    if not drawn:
        return definition
    cases = "\n\n".join(f"Input:\n{shot.input}\n\nOutput:\n{shot.output}" for shot in drawn)
    return (
        f"{definition}\n\nThe cases below show what comes in and what has to come out.\n\n{cases}"
    )
