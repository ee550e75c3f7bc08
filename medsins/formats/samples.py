"""From an instance to a sample: which wording goes with it, which cases, laid out how.

The definition goes into the system message, the input into the user's, the output into the
assistant's: so the published evaluation code does it, and so a model that was trained on samples
is asked later.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from medsins.errors import UnknownNameError
from medsins.formats.rows import Build, Keys, instance_keys, mixed, seed_key
from medsins.instructions.wordings import Wording, instruction_id

Picks: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

CANDIDATES = 251
"""How many training instances of a task its cases are drawn from: a prime, so that every stride
through them reaches all."""

LEARN = "Please learn from the few-shot cases to see what content you have to output."


class Sample(NamedTuple):
    """An instance with an instruction, laid out for training."""

    id: str
    task: str
    instruction_id: str
    system: str
    user: str
    assistant: str
    references: Sequence[str] = ()


class Case(NamedTuple):
    """A training instance that another one is shown as an example."""

    id: str
    record: str
    input: str
    output: str


def render(
    template: str, instruction: str, input: str, cases: Sequence[Case] = ()
) -> tuple[str, str]:
    """Return the system and the user message of a sample.

    Without cases they are the instruction and the input. With cases, "published" is the layout of
    the published evaluation code (its EvalDataset.py), to the character: no space stands between
    the definition and the sentence after it, and the last case ends in three line breaks.
    "corrected" sets all parts apart by one empty line and lays out the question as it lays out the
    cases.

    Raises:
        UnknownNameError: There is no such template.
    """
    if template not in TEMPLATES:
        raise UnknownNameError(
            f"template={template!r} is not there; choose one of {', '.join(TEMPLATES)}."
        )
    if not cases:
        return instruction, input
    return TEMPLATES[template](instruction, input, cases)


def _published(instruction: str, input: str, cases: Sequence[Case]) -> tuple[str, str]:
    shown = "\n\n".join(f"Input:\n{one.input}\n\nOutput:\n{one.output}\n" for one in cases)
    return f"{shown}\n\n{instruction}{LEARN}", f"Input:\n{input}\nOutput:\n"


def _corrected(instruction: str, input: str, cases: Sequence[Case]) -> tuple[str, str]:
    shown = "\n\n".join(f"Input:\n{one.input}\n\nOutput:\n{one.output}" for one in cases)
    return f"{shown}\n\n{instruction}\n\n{LEARN}", f"Input:\n{input}\n\nOutput:"


TEMPLATES = {"corrected": _corrected, "published": _published}


class Instructions:
    """Gives the instances of a task their wordings, each wording as often as any other.

    Every run of as many instances as there are wordings goes round them once for each wording an
    instance gets, from a place that the seed decides. So over any stretch of a task the uses of
    two wordings differ by one at most where the stretch begins a run, and which wordings an
    instance gets depends on its place in the build, the seed and `per_instance` alone.

    Args:
        task: Name of the task.
        wordings: Its wordings; none if each instance keeps the definition it was built with.
        per_instance: How many of them go with each instance.
        seed: Seed of the export.
    """

    def __init__(
        self, task: str, wordings: Sequence[Wording], per_instance: int, seed: int
    ) -> None:
        self.wordings = list(wordings)
        self.per_instance = per_instance
        self._task = task
        self._own = not wordings
        self._places = {wording.text: place for place, wording in enumerate(wordings)}
        self._key = seed_key(seed, f"wordings of {task}")
        self._hashes = _hashes(self.wordings)

    def assign(self, first: int, definitions: pa.DictionaryArray) -> Picks:
        """Return which wordings go with consecutive instances: numbers, `per_instance` a row.

        Args:
            first: Place of the first of them among the task's instances of the split.
            definitions: The definitions they were built with.
        """
        if self._own:
            known = np.array(
                [self._place(text) for text in definitions.dictionary.to_pylist()], np.int64
            )
            own: Picks = known[definitions.indices.to_numpy()].reshape(-1, 1)
            return own
        count = len(self.wordings)
        places = np.arange(first, first + len(definitions))
        starts = mixed(np.asarray(places // count, np.uint64) ^ self._key) % np.uint64(count)
        begin = starts.astype(np.int64) + places % count * self.per_instance
        picks: Picks = (begin[:, None] + np.arange(self.per_instance)) % count
        return picks

    def sample_keys(self, instances: Keys, picks: Picks) -> Keys:
        """Return a hash of each sample: of the key of its instance and its wording."""
        return mixed(instances[:, None] ^ self._hashes[picks])

    def _place(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.wordings)
            self.wordings.append(Wording(instruction_id(self._task, text), text, "definition"))
            self._hashes = _hashes(self.wordings)
        return self._places[text]


def _hashes(wordings: Sequence[Wording]) -> Keys:
    return np.array([int(wording.id, 16) for wording in wordings], np.uint64)


class Cases:
    """Cases for the samples of a task, from its train split, whatever split is exported.

    Up to `CANDIDATES` training instances are kept, those with the smallest hash of seed and id,
    so that memory does not grow and their order in the build does not matter. An instance is
    never shown itself, nor a case that was made from the same raw record or has the same input.
    Rows do not tell the group they were split by (patient, document), so two instances of one
    group can meet within the train split; between splits that cannot happen.

    Args:
        build: The build.
        task: Name of the task.
        seed: Seed of the export.
    """

    def __init__(self, build: Build, task: str, seed: int) -> None:
        key = seed_key(seed, "cases")
        kept: list[tuple[int, Case]] = []
        limit = 2**64
        for batch in build.batches(task, "train", ["id", "record", "input", "output"]):
            keys = instance_keys(key, batch.column("id").to_pylist())
            below = (
                np.flatnonzero(keys < np.uint64(limit)) if limit < 2**64 else np.arange(len(keys))
            )
            rows = batch.take(pa.array(below)).to_pylist()
            kept += [
                (int(keys[place]), Case(**row)) for place, row in zip(below, rows, strict=True)
            ]
            kept = sorted(kept)[:CANDIDATES]
            if len(kept) == CANDIDATES:
                limit = kept[-1][0]
        self._candidates = [case for _, case in kept]
        count = len(kept)
        self._strides = [stride for stride in range(1, count + 1) if gcd(stride, count) == 1]

    def draw(self, key: int, id: str, record: str, input: str, count: int) -> list[Case]:
        """Return cases for an instance; fewer than asked for if there are not as many.

        Args:
            key: The instance's hash of seed and id: it decides which.
            id: The instance's id.
            record: The raw record it was made from.
            input: Its input.
            count: How many.
        """
        candidates = self._candidates
        if not candidates:
            return []
        place = key % len(candidates)
        stride = self._strides[key // len(candidates) % len(self._strides)]
        drawn: list[Case] = []
        for _ in candidates:
            case = candidates[place]
            if case.id != id and case.record != record and case.input != input:
                drawn.append(case)
                if len(drawn) == count:
                    break
            place = (place + stride) % len(candidates)
        return drawn
