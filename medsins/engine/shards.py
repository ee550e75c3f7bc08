"""Shards: the Parquet files of a build.

They are written from the parts in order, so they do not depend on which process mapped which part
when.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from medsins import schema
from medsins.engine.arrays import integers, lists, strings
from medsins.engine.memory import trim
from medsins.engine.parts import ID_HALF, Ids
from medsins.engine.receipts import ID_BYTES, Receipt, ids_path, part_path
from medsins.errors import CorruptBuildError
from medsins.raw.files import sha256
from medsins.recipe import Task

SHARD_BYTES = 512 << 20
"""Text bytes in a shard; zstd brings it well under the 500 MB that the Hub's viewer likes."""

ROW_GROUP_BYTES = 14 << 20
"""Text bytes in a row group: large, so that content-defined chunking finds what did not change,
and no larger, because one is held in memory while it is written: with more, that would decide the
peak of a build."""

ZSTD_LEVEL = 2
"""Between Arrow's own 1 and zstd's 3, with which files are a little smaller and a build longer."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of one batch of one part: `batch` counts batches, `first` rows of all of them.

    `inputs` is the batch that holds the inputs, as in `Group`.
    """

    path: str
    batch: int
    inputs: int
    first: int
    rows: int
    dropped: tuple[int, ...] = ()

    @property
    def kept(self) -> int:
        """How many rows are left."""
        return self.rows - len(self.dropped)


@dataclass(frozen=True)
class ShardJob:
    """One shard to write: rows `start` to `stop` of the kept rows of the pieces, in order."""

    task: str
    split: str
    name: str
    pieces: tuple[Piece, ...]
    start: int
    stop: int
    rows_per_group: int

    @property
    def row_groups(self) -> float:
        """Its size in full row groups, which are about as large in every shard."""
        return (self.stop - self.start) / self.rows_per_group


def shard_jobs(
    folder: Path, receipts: Sequence[Receipt], dropped: dict[int, dict[int, list[int]]]
) -> list[ShardJob]:
    """Divide the instances of a recipe into shards."""
    pieces: dict[tuple[str, str], list[Piece]] = {}
    sizes: Counter[tuple[str, str]] = Counter()
    for part, found in enumerate(receipts):
        first = 0
        path = part_path(folder, found.fingerprint)
        for batch, group in enumerate(found.groups):
            gone = tuple(sorted(dropped.get(part, {}).get(batch, ())))
            key = (group.task, group.split)
            pieces.setdefault(key, []).append(
                Piece(str(path), batch, group.inputs, first, group.rows, gone)
            )
            sizes[key] += group.bytes * (group.rows - len(gone)) // group.rows
            first += group.rows
    jobs = []
    for (task, split), listed in pieces.items():
        rows = sum(piece.kept for piece in listed)
        if not rows:
            continue
        count = max(1, -(-sizes[task, split] // SHARD_BYTES))
        per_shard = -(-rows // count)
        count = -(-rows // per_shard)
        fits = max(1, int(ROW_GROUP_BYTES / max(1, sizes[task, split] / rows)))
        # A power of two: a few rows more or less then leave the boundaries of groups where they
        # were, and a push sends only what changed.
        per_group = 1 << (fits.bit_length() - 1)
        for index in range(count):
            name = f"data/{task}/{split}-{index:05d}-of-{count:05d}.parquet"
            start, stop = index * per_shard, min(rows, (index + 1) * per_shard)
            mine = tuple(_overlapping(listed, start, stop))
            skipped = mine[0][0] if mine else 0
            jobs.append(
                ShardJob(
                    task,
                    split,
                    name,
                    tuple(piece for _, piece in mine),
                    start - skipped,
                    stop - skipped,
                    per_group,
                )
            )
    return jobs


def _overlapping(pieces: Iterable[Piece], start: int, stop: int) -> Iterator[tuple[int, Piece]]:
    """Yield (rows before it, piece) of the pieces that hold rows `start` to `stop`."""
    place = 0
    for piece in pieces:
        if place + piece.kept > start and place < stop and piece.kept:
            yield place, piece
        place += piece.kept


def write_shard(job: ShardJob, task: Task, wordings: Sequence[str], folder: Path) -> dict[str, Any]:
    """Write one shard and return its entry in the manifest.

    Args:
        job: Which rows.
        task: The task they belong to.
        wordings: The instructions that go with them; each instance's id says which is its own.
        folder: Folder below which the shard's own path is laid.
    """
    path = folder / job.name
    path.parent.mkdir(parents=True, exist_ok=True)
    constants = _constants(task, job.split, wordings)
    rows = 0
    temporary = path.with_suffix(f".{os.getpid()}")
    with parquet.ParquetWriter(
        temporary,
        schema.ARROW,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=list(schema.CONSTANT),
        write_statistics=["id", *schema.CONSTANT],
        use_content_defined_chunking=True,
        write_page_index=True,
        # Without Arrow's own schema, readers see plain strings instead of dictionaries.
        store_schema=False,
    ) as writer:
        tables = _row_groups(job, constants)
        while (table := next(tables, None)) is not None:
            writer.write_table(table, row_group_size=table.num_rows)
            rows += table.num_rows
            # Only one table at a time: they are most of the memory of this process.
            del table
            trim()
    temporary.replace(path)
    return {
        "path": job.name,
        "rows": rows,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }


def _constants(task: Task, split: str, wordings: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of the columns that have few."""
    return {
        "task": [task.name],
        "source": [task.source],
        "definition": list(wordings),
        "text_domain": [str(task.domain)],
        "task_category": [str(task.category)],
        "split": [split],
        "input_language": [task.input_language],
        "output_language": [task.output_language],
        "licence": [task.licence],
    }


def _row_groups(job: ShardJob, constants: dict[str, list[str]]) -> Iterator[pa.Table]:
    gathered: list[tuple[pa.RecordBatch, Ids]] = []
    rows = 0
    for batch, ids in _batches(job):
        while rows + batch.num_rows >= job.rows_per_group:
            fits = job.rows_per_group - rows
            gathered.append((batch.slice(0, fits), ids[:fits]))
            table = _instances(gathered, constants)
            gathered, rows = [], 0
            yield table
            del table
            batch, ids = batch.slice(fits), ids[fits:]
        if batch.num_rows:
            gathered.append((batch, ids))
            rows += batch.num_rows
    if gathered:
        yield _instances(gathered, constants)


def _batches(job: ShardJob) -> Iterator[tuple[pa.RecordBatch, Ids]]:
    """Yield the rows of a shard as they stand in the part files, with their ids."""
    place = 0
    for path, pieces in groupby(job.pieces, key=attrgetter("path")):
        with _reading(path), pa.OSFile(path) as source, ids_path(path).open("rb") as ids_file:
            part = pa.ipc.open_file(source)
            for piece in pieces:
                batch, ids = part.get_batch(piece.batch), _ids(ids_file, piece)
                if piece.inputs != piece.batch:
                    inputs = part.get_batch(piece.inputs).column("input")
                    batch = batch.set_column(0, "input", inputs)
                if piece.dropped:
                    batch = _without(batch, piece.dropped)
                    ids = np.delete(ids, piece.dropped, axis=0)
                first, last = max(0, job.start - place), min(piece.kept, job.stop - place)
                place += piece.kept
                if first < last:
                    yield batch.slice(first, last - first), ids[first:last]


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptBuildError(
            f"{path} cannot be read back ({error}). Run the same command again; this part is made "
            "anew."
        ) from error


def _without(batch: pa.RecordBatch, dropped: Sequence[int]) -> pa.RecordBatch:
    """Return a batch without some of its rows, which are in order, but not without all.

    `take` does the same, but its first call imports a twentieth of a second of Arrow.
    """
    edges = pairwise([-1, *dropped, batch.num_rows])
    return pa.concat_batches([batch.slice(last + 1, row - last - 1) for last, row in edges])


def _ids(stream: IO[bytes], piece: Piece) -> Ids:
    """Return the ids of a piece: an array of (high, low) halves."""
    stream.seek(piece.first * ID_BYTES)
    return np.frombuffer(stream.read(piece.rows * ID_BYTES), ID_HALF).reshape(-1, 2)


def _hexadecimal(ids: Ids) -> pa.StringArray:
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * np.int32(2 * ID_BYTES)
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(offsets), pa.py_buffer(ids.tobytes().hex().encode())
    )


def _instances(
    gathered: Sequence[tuple[pa.RecordBatch, Ids]], constants: dict[str, list[str]]
) -> pa.Table:
    """Return rows of parts as rows of a shard."""
    batches = [batch for batch, _ in gathered]
    # Left to itself, this would return them in the machine's own byte order.
    ids = np.concatenate([ids for _, ids in gathered], dtype=ID_HALF)
    columns: dict[str, Any] = {
        name: pa.chunked_array([batch.column(name) for batch in batches])
        for name in ("input", "output", "record")
    }
    columns["id"] = _hexadecimal(ids)
    columns["references"] = pa.chunked_array(
        [_references(batch.column("output"), batch.column("references")) for batch in batches]
    )
    for name, values in constants.items():
        codes = (ids[:, 0] % np.uint64(len(values))).astype(np.int32)
        columns[name] = pa.DictionaryArray.from_arrays(
            integers(codes), strings([value.encode() for value in values])
        )
    return pa.table([columns[name] for name in schema.ARROW.names], schema=schema.ARROW)


def _references(output: pa.StringArray, references: pa.ListArray) -> pa.ListArray:
    """Return the references, with [output] where there are no others."""
    # `flatten` would tell as well, but imports as much as `take` does; see `_without`.
    if not len(references.values):
        offsets = integers(np.arange(len(output) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, output, type=references.type)
    pairs = zip(output.to_pylist(), references.to_pylist(), strict=True)
    return lists([listed or [one] for one, listed in pairs])
