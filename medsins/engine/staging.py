"""Staging a recipe: map its chunks and write its shards beside the build, without publishing them.

Arrow and pydantic are slow to import, so only the jobs that need them import them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medsins.builds.folder import BuildFolder
from medsins.builds.manifest import RawFileFacts, RecipeFacts, Shard
from medsins.engine.local import Local
from medsins.engine.memory import trim
from medsins.engine.plan import Chunk, RecipePlan
from medsins.engine.receipts import Counts, Receipt, chunk_path, receipt
from medsins.engine.sharding import ShardJob, shard_jobs
from medsins.errors import RejectedRecordsError
from medsins.io.files import write_atomically, written_atomically
from medsins.io.logs import logger
from medsins.io.progress import progress_bar
from medsins.io.structured import from_json
from medsins.registry import task as find_task

_LOG = logger("engine")


@dataclass(frozen=True)
class Staged:
    """A recipe whose shards are written, but not yet published.

    Attributes:
        fingerprint: Digest of all that shaped it.
        facts: Its entry in the manifest.
        shards: Its shards.
        rejects: Number of rejected records.
    """

    fingerprint: str
    facts: RecipeFacts
    shards: list[Shard]
    rejects: int


class Stage:
    """Where recipes of one build are staged.

    Args:
        folder: The build folder.
        raw_root: The raw root.
        executor: What runs the jobs.
        max_rejects: Largest share of rejected records a recipe may have.
        progress: Whether to show a progress bar; None: on a terminal only.
    """

    def __init__(
        self,
        folder: BuildFolder,
        raw_root: Path,
        executor: Local,
        max_rejects: float,
        progress: bool | None,
    ) -> None:
        self._folder, self._root, self._executor = folder, raw_root, executor
        self._max_rejects = max_rejects
        self._progress = progress
        self._bar: Any = None
        self._records = 0

    @contextmanager
    def bar(self, plans: Sequence[RecipePlan]) -> Iterator[None]:
        """Show progress over the raw bytes of all plans."""
        total = sum(_weight(chunk) for one in plans for chunk in one.chunks)
        with progress_bar(total, unit="B", progress=self._progress) as self._bar:
            yield

    def recipe(self, plan: RecipePlan) -> Staged:
        """Stage one recipe, or return what an interrupted build staged of it.

        Raises:
            RejectedRecordsError: More records were rejected than the limit allows.
        """
        name = plan.recipe.name
        self._bar.set_description(name)
        home = self._folder.staged / name
        done = _staged(home, plan.fingerprint)
        if done is not None:
            _LOG.info("resumed %s: all of it was finished", name)
            self._bar.update(sum(_weight(chunk) for chunk in plan.chunks))
            return done
        chunks = self._folder.chunks / name
        receipts = self._map(plan, chunks)
        counts = _summed(receipts)
        self._check_rejects(plan, counts)
        dropped = self._executor.call(stage_duplicates, chunks, receipts)
        duplicates = sum(len(rows) for batches in dropped.values() for rows in batches.values())
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        jobs = shard_jobs(chunks, receipts, dropped)
        shards = self._write(jobs, plan.instructions, home)
        _gather_rejects(chunks, receipts, home / "rejects.jsonl")
        facts, rejected = _facts(plan, counts, duplicates, jobs, shards), counts.rejected.total()
        entry = Staged(plan.fingerprint, facts, shards, rejected)
        write_atomically(home / "receipt.json", json.dumps(asdict(entry)))
        shutil.rmtree(chunks, ignore_errors=True)
        _LOG.info("wrote %s: %d shards, %d rejected records", name, len(shards), rejected)
        return entry

    def _map(self, plan: RecipePlan, folder: Path) -> list[Receipt]:
        found = [receipt(folder, chunk.fingerprint) for chunk in plan.chunks]
        todo = [number for number, one in enumerate(found) if one is None]
        if len(todo) < len(found):
            finished = len(found) - len(todo)
            _LOG.info(
                "resumed %s: %d of %d chunks were finished", plan.recipe.name, finished, len(found)
            )
        for number, one in enumerate(found):
            if one is not None:
                self._advance(plan, number, one.counts.records)
        jobs = [(plan.chunks[number], self._root, folder) for number in todo]
        for number, counts in self._executor.run(stage_chunk, jobs, self._tick):
            _LOG.debug(
                "%s: chunk %d has %d records", plan.recipe.name, todo[number], counts.records
            )
            self._advance(plan, todo[number], counts.records)
        receipts = []
        for chunk in plan.chunks:
            one = receipt(folder, chunk.fingerprint)
            assert one is not None
            receipts.append(one)
        return receipts

    def _tick(self) -> None:
        self._bar.refresh()

    def _advance(self, plan: RecipePlan, number: int, records: int) -> None:
        self._records += records
        self._bar.set_postfix_str(f"{self._records:,} records", refresh=False)
        self._bar.update(_weight(plan.chunks[number]))

    def _check_rejects(self, plan: RecipePlan, counts: Counts) -> None:
        rejected = sum(counts.rejected.values())
        if rejected <= self._max_rejects * counts.records:
            return
        reasons = "; ".join(f"{reason} ({n:,})" for reason, n in counts.rejected.most_common(3))
        raise RejectedRecordsError(
            f"{plan.recipe.name}: {rejected:,} of {counts.records:,} records cannot be used, more "
            f"than {self._max_rejects:.1%}: {reasons}. Check that the raw files are those of the "
            "source; --max-rejects changes the limit. "
            f"The records are listed in {self._folder.chunks / plan.recipe.name}/*.rejects."
        )

    def _write(
        self, jobs: Sequence[ShardJob], instructions: dict[str, tuple[str, ...]], home: Path
    ) -> list[Shard]:
        # The largest first: if it began last, all other workers would wait for it.
        order = sorted(range(len(jobs)), key=lambda number: -jobs[number].row_groups)
        arguments = [(jobs[number], instructions[jobs[number].task], home) for number in order]
        shards = dict(self._executor.run(stage_shard, arguments, self._tick))
        written = {order[place]: shard for place, shard in shards.items()}
        return [written[number] for number in range(len(jobs))]


def stage_chunk(chunk: Chunk, raw_root: Path, folder: Path) -> Counts:
    """Map one chunk into a folder; a job for worker processes."""
    from medsins.engine.mapping import map_chunk

    return map_chunk(chunk, raw_root, folder)


def stage_duplicates(folder: Path, receipts: Sequence[Receipt]) -> dict[int, dict[int, list[int]]]:
    """Find the duplicates among chunks in a folder; a job for worker processes."""
    from medsins.engine.duplicates import duplicates

    trim()
    return duplicates(folder, receipts)


def stage_shard(job: ShardJob, instructions: Sequence[str], home: Path) -> Shard:
    """Write one shard below a folder; a job for worker processes."""
    from medsins.engine.shards import write_shard

    trim()
    return write_shard(job, find_task(job.task), instructions, home)


def _weight(chunk: Chunk) -> int:
    """Return the raw bytes of a chunk; an archive counts once, however many members are read."""
    spans = sum(one.span[1] - one.span[0] for one in chunk.slices if one.span is not None)
    whole = {one.file.path for one in chunk.slices if one.span is None}
    return spans + sum(path.stat().st_size for path in whole)


def _staged(home: Path, fingerprint: str) -> Staged | None:
    """Return what is staged of a recipe if it is complete and has this fingerprint."""
    try:
        entry = from_json(Staged, json.loads((home / "receipt.json").read_bytes()))
        sizes = [(home / shard.path).stat().st_size for shard in entry.shards]
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    same = entry.fingerprint == fingerprint
    whole = sizes == [shard.bytes for shard in entry.shards]
    return entry if same and whole else None


def _summed(receipts: Sequence[Receipt]) -> Counts:
    total = Counts()
    for one in receipts:
        for name in Counts.__slots__:
            setattr(total, name, getattr(total, name) + getattr(one.counts, name))
    return total


def _facts(
    plan: RecipePlan,
    counts: Counts,
    dropped: int,
    jobs: Sequence[ShardJob],
    shards: Sequence[Shard],
) -> RecipeFacts:
    tasks: dict[str, dict[str, int]] = {task.name: {} for task in plan.tasks}
    for job, shard in zip(jobs, shards, strict=True):
        splits = tasks[job.task]
        splits[job.split] = splits.get(job.split, 0) + shard.rows
    written = sum(shard.rows for shard in shards)
    recipe = plan.recipe
    return RecipeFacts(
        fingerprint=plan.fingerprint,
        access=str(recipe.access),
        redistribution=str(recipe.redistribution),
        llm_api=str(recipe.llm_api),
        files=[
            RawFileFacts(path, facts.size, facts.sha256)
            for path, facts in sorted(plan.files.items())
        ],
        records=counts.records,
        records_with_instances=counts.with_instances,
        skipped=dict(sorted(counts.skipped.items())),
        partly_skipped=dict(sorted(counts.partly_skipped.items())),
        rejected=dict(sorted(counts.rejected.items())),
        instances=counts.instances,
        duplicates=dropped,
        written=written,
        tasks=tasks,
    )


def _gather_rejects(chunks: Path, receipts: Sequence[Receipt], target: Path) -> None:
    with written_atomically(target) as stream:
        for one in receipts:
            path = chunk_path(chunks, one.fingerprint).with_suffix(".rejects")
            stream.write(path.read_bytes())
