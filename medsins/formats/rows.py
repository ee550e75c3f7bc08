"""Reading the instances of a build for export: which tasks, which shards, in bounded batches."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import xxhash
from pyarrow import parquet

from medsins.builds.folder import MANIFEST, BuildFolder
from medsins.builds.manifest import Shard
from medsins.errors import CorruptBuildError, MedsinsError, UnknownNameError
from medsins.raw.files import sha256
from medsins.recipe import Task
from medsins.registry import Select, recipe, resolve

Keys: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"

BATCH_BYTES = 4 << 20
"""Text in a batch, about; it bounds what reading takes, whatever the length of the inputs."""

_MOST_ROWS = 4096


class Build:
    """A finished build, as an export reads it.

    Args:
        path: The build folder.

    Raises:
        IncompleteBuildError: The folder holds no finished build.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        folder = BuildFolder(path)
        self.path = folder.path
        self.manifest = folder.finished()
        self._checked: set[str] = set()

    @cached_property
    def tasks(self) -> dict[str, str]:
        """The recipe of each task, in the manifest's order."""
        return {
            task: source for source, facts in self.manifest.recipes.items() for task in facts.tasks
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest: it names the build that an export was made from."""
        return sha256(self.path / MANIFEST)

    def count(self, task: str, split: str) -> int:
        """Return how many instances of a task there are in a split."""
        return self.manifest.tasks[task].get(split, 0)

    def select(self, select: Select) -> list[str]:
        """Return the tasks of this build that selectors mean, in the manifest's order.

        A task whose recipe is not installed is found by its name, a prefix of it at `_`, a glob
        or `all`.

        Raises:
            UnknownNameError: A selector means nothing, or nothing that is in this build.
        """
        terms = [select] if isinstance(select, str) else list(select)
        terms = [term for text in terms for term in text.replace(",", " ").split()]
        if terms and all(term.startswith("-") for term in terms):
            terms = ["all", *terms]
        chosen: set[str] = set()
        for term in terms:
            if term.startswith("-"):
                chosen -= self._meaning(term[1:])
            else:
                chosen |= self._meaning(term)
        found = [task for task in self.tasks if task in chosen]
        if not found:
            listed = ", ".join(list(self.tasks)[:6])
            more = f" and {len(self.tasks) - 6} more" if len(self.tasks) > 6 else ""
            raise UnknownNameError(
                f"{self.path} has none of the tasks asked for ({' '.join(terms) or 'none'}); it "
                f"has {listed}{more}."
            )
        return found

    def _meaning(self, term: str) -> set[str]:
        if term == "all":
            return set(self.tasks)
        foreign = {
            task
            for task, source in self.tasks.items()
            if (task == term or task.startswith(f"{term}_") or fnmatch.fnmatchcase(task, term))
            and installed(task, source) is None
        }
        try:
            return foreign | {task.name for task in resolve(term).tasks}
        except MedsinsError:
            if foreign:
                return foreign
            raise

    def batches(self, task: str, split: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield a task's instances of one split in order; definitions come as dictionaries.

        Raises:
            CorruptBuildError: A shard is not what the manifest says.
        """
        for shard in self.manifest.shards_of(task, split):
            file = self._open(shard)
            rows = max(1, file.metadata.num_rows)
            size = sum(
                file.metadata.row_group(group).total_byte_size
                for group in range(file.metadata.num_row_groups)
            )
            step = min(_MOST_ROWS, max(1, BATCH_BYTES * rows // max(1, size)))
            try:
                yield from file.iter_batches(step, columns=list(columns), use_threads=False)
            except (pa.ArrowInvalid, OSError) as error:
                raise CorruptBuildError(
                    f"{self.path / shard.path} cannot be read to its end ({error}). Build it "
                    "again, or get the folder again."
                ) from error

    def definitions(self, task: str, split: str) -> list[str]:
        """Return the definitions that a task's instances of one split go with."""
        found: dict[str, None] = {}
        for batch in self.batches(task, split, ["definition"]):
            found.update(dict.fromkeys(batch.column(0).dictionary.to_pylist()))
        return list(found)

    def text_bytes(self, task: str, split: str) -> int:
        """Return the size of a task's inputs and outputs in one split, about."""
        size = 0
        for shard in self.manifest.shards_of(task, split):
            metadata = self._open(shard).metadata
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                columns = (group.column(index) for index in range(group.num_columns))
                size += sum(
                    column.total_uncompressed_size
                    for column in columns
                    if column.path_in_schema in ("input", "output")
                )
        return size

    def _open(self, shard: Shard) -> parquet.ParquetFile:
        path = self.path / shard.path
        try:
            if shard.path not in self._checked and sha256(path) != shard.sha256:
                raise CorruptBuildError(
                    f"{path} has another SHA-256 than the manifest says. Build it again, or get "
                    "the folder again; `medsins verify` says what else is wrong."
                )
            self._checked.add(shard.path)
            return parquet.ParquetFile(path, read_dictionary=["definition"], pre_buffer=False)
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, CorruptBuildError):
                raise
            raise CorruptBuildError(
                f"{path} cannot be read ({error}). Build it again, or get the folder again."
            ) from error


def installed(task: str, source: str) -> Task | None:
    """Return a task of an installed recipe, or None if its recipe is not installed here."""
    try:
        return recipe(source).tasks.get(task)
    except MedsinsError:
        return None


def mixed(values: Keys) -> Keys:
    """Return hashes of 64-bit numbers: the finaliser of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def seed_key(seed: int, purpose: str) -> np.uint64:
    """Return a 64-bit number that stands for a seed, another for each purpose."""
    return np.uint64(xxhash.xxh3_64_intdigest(f"{seed}\0{purpose}".encode()))


def instance_keys(seed: np.uint64, ids: Sequence[str]) -> Keys:
    """Return a hash of the seed and the id of each instance.

    Raises:
        CorruptBuildError: An id is not 32 hexadecimal digits.
    """
    try:
        halves = np.frombuffer(bytes.fromhex("".join(ids)), ">u8").reshape(len(ids), 2)
    except ValueError as error:
        raise CorruptBuildError(
            "ids of instances are not 32 hexadecimal digits; `medsins verify` says which."
        ) from error
    native: Keys = halves.astype(np.uint64)
    return mixed(mixed(native[:, 0] ^ seed) ^ native[:, 1])
