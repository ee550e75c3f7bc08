"""Contamination: test inputs of the benchmark that stand, whole or in pieces, in training inputs.

Texts are compared after white space and case are folded. Two measures: the whole input is equal,
or a run of 13 words is (the window of Brown et al. 2020, arXiv:2005.14165, appendix C).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import xxhash
from pyarrow import parquet

from medsins.builds.folder import BuildFolder
from medsins.io.progress import progress_bar
from medsins.registry import tasks as all_tasks
from medsins.text import folded

WORDS = 13
"""Length of the runs of words that are compared."""

_ROWS = 4096
_BASE = np.uint64(0x9E3779B97F4A7C15)
_EXAMPLES = 20

Hashes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"


@dataclass(frozen=True)
class Overlap:
    """A test input that equals a training input.

    Attributes:
        test: Id of the test instance.
        test_task: Its task.
        train: Id of the training instance.
        train_task: Its task.
    """

    test: str
    test_task: str
    train: str
    train_task: str


@dataclass(frozen=True)
class ContaminationReport:
    """What `find_contamination` found.

    Attributes:
        tests: Test instances looked at, by task.
        exact: Test instances whose input equals a training input, by task.
        overlapping: Test instances that share a run of words with a training input, by task.
        examples: Some of the exact ones.
    """

    tests: dict[str, int]
    exact: dict[str, int] = field(default_factory=dict)
    overlapping: dict[str, int] = field(default_factory=dict)
    examples: tuple[Overlap, ...] = ()


def find_contamination(
    path: str | os.PathLike[str], *, progress: bool | None = None
) -> ContaminationReport:
    """Look for the benchmark's test inputs among the training inputs of all tasks of a build.

    Args:
        path: The build folder.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        IncompleteBuildError: There is no finished build.
    """
    folder = BuildFolder(path)
    manifest = folder.finished()
    tested = {task.name for task in all_tasks() if task.benchmark_id}
    shards: dict[str, list[Path]] = {"test": [], "train": []}
    for shard in manifest.shards:
        if shard.split == "train" or (shard.split == "test" and shard.task in tested):
            shards[shard.split].append(folder.path / shard.path)
    tests = _Tests(_rows(shards["test"]))
    with progress_bar(
        len(shards["train"]), unit="shard", desc="contamination", progress=progress
    ) as bar:
        for one in shards["train"]:
            for task, ids, inputs in _rows([one]):
                tests.compare(task, ids, inputs)
            bar.update()
    return tests.report()


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield (task, ids, inputs) of batches of rows."""
    for path in paths:
        task = path.parent.name
        for batch in parquet.ParquetFile(path).iter_batches(_ROWS, columns=["id", "input"]):
            yield task, batch.column("id").to_pylist(), batch.column("input").to_pylist()


class _Tests:
    """The test inputs, hashed, and what was found of them."""

    def __init__(self, rows: Iterator[tuple[str, list[str], list[str]]]) -> None:
        self._ids: list[str] = []
        self._tasks: list[str] = []
        self._whole: dict[int, list[int]] = {}
        self._exact: set[int] = set()
        self._examples: list[Overlap] = []
        runs: list[Hashes] = []
        owners: list[Hashes] = []
        for task, ids, inputs in rows:
            hashed, owner, whole = _hashed(inputs)
            for offset, digest in enumerate(whole):
                self._whole.setdefault(digest, []).append(len(self._ids) + offset)
            runs.append(hashed)
            owners.append(owner + np.uint64(len(self._ids)))
            self._ids.extend(ids)
            self._tasks.extend([task] * len(ids))
        every = np.concatenate(runs) if runs else np.empty(0, np.uint64)
        order = np.argsort(every, kind="stable")
        self._runs = every[order]
        self._owners = (np.concatenate(owners) if owners else np.empty(0, np.uint64))[order]
        self._seen = np.zeros(len(self._runs), bool)

    def compare(self, task: str, ids: Sequence[str], inputs: Sequence[str]) -> None:
        """Look for the tests among some training inputs."""
        hashed, _, whole = _hashed(inputs)
        for train, digest in zip(ids, whole, strict=True):
            for test in self._whole.get(digest, ()):
                if test not in self._exact and len(self._examples) < _EXAMPLES:
                    leak = Overlap(self._ids[test], self._tasks[test], train, task)
                    self._examples.append(leak)
                self._exact.add(test)
        if len(self._runs) and len(hashed):
            unique = np.unique(hashed)
            first = np.searchsorted(self._runs, unique, side="left")
            last = np.searchsorted(self._runs, unique, side="right")
            for start, stop in zip(first[last > first], last[last > first], strict=True):
                self._seen[start:stop] = True

    def report(self) -> ContaminationReport:
        """Return the counts by task."""
        overlapping = set(self._owners[self._seen].tolist())
        return ContaminationReport(
            dict(Counter(self._tasks)),
            dict(Counter(self._tasks[test] for test in self._exact)),
            dict(Counter(self._tasks[test] for test in overlapping)),
            tuple(self._examples),
        )


def _hashed(inputs: Sequence[str]) -> tuple[Hashes, Hashes, list[int]]:
    """Hash texts after folding.

    Returns:
        Hashes of all runs of words; for each run the number of its text; a hash of each text.
    """
    digest = xxhash.xxh3_64_intdigest
    known: dict[str, int] = {}
    words: list[int] = []
    lengths: list[int] = []
    whole: list[int] = []
    for text in inputs:
        one = folded(text)
        whole.append(digest(one.encode()))
        parts = one.split()
        lengths.append(len(parts))
        for word in parts:
            if word not in known:
                known[word] = digest(word.encode())
            words.append(known[word])
    numbers = np.array(words, np.uint64)
    count = max(0, len(numbers) - WORDS + 1)
    runs = np.zeros(count, np.uint64)
    for offset in range(WORDS):
        runs = runs * _BASE + numbers[offset : offset + count]
    owner = np.repeat(np.arange(len(inputs), dtype=np.uint64), lengths)
    # A run counts only if it ends in the text in which it begins.
    inside = owner[:count] == owner[WORDS - 1 : WORDS - 1 + count]
    return runs[inside], owner[:count][inside], whole
