"""Checks of the seed prompts of a task."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from medsins.instructions.filters import REASONS, run_filters
from medsins.instructions.similarity import NEAR, masked, normalised, rouge_l, words
from medsins.instructions.spec import InstructionSpec

FEWEST = 15
"""Fewest seed prompts of a task, as in the paper."""


def seed_problems(spec: InstructionSpec) -> Iterator[str]:
    """Yield the problems of a task's seed prompts as sentences.

    They have to pass the `filters` of machine-made wordings, and to differ from one another.
    """
    found = spec.seeds
    if len(found) < FEWEST:
        yield f"{spec.name}: there are {len(found)} seed prompts, fewer than {FEWEST}"
    texts = [spec.definition, *(seed.text for seed in found)]
    bare = [words(masked(text, spec.protected)) for text in texts]
    exact: dict[str, int] = {}
    for number, seed in enumerate(found, 1):
        where = f"{spec.name}, prompt {number}"
        for hit in run_filters(seed.text, spec):
            between = " " if hit.reason.startswith("constraint:") else ": "
            yield f"{where}: {REASONS[hit.reason]}{between}{hit.detail}"
        key = normalised(seed.text)
        if key in exact or key == normalised(spec.definition):
            yield f"{where}: repeats {f'prompt {exact[key]}' if key in exact else 'the definition'}"
        exact.setdefault(key, number)
    for (i, one), (j, other) in combinations(enumerate(bare), 2):
        alike = rouge_l(one, other)
        if alike >= NEAR and texts[i] != texts[j]:
            which = f"prompts {i} and {j}" if i else f"prompt {j} and the definition"
            yield f"{spec.name}, {which}: nearly the same (ROUGE-L {alike:.2f})"
