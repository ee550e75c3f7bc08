"""Shards: the Parquet files of a build.

They are written from the chunks in the order of the plan, whichever process mapped them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from medsins import schema
from medsins.builds.manifest import Shard
from medsins.engine.arrays import integers, lists, strings
from medsins.engine.chunks import ID_HALF, Ids
from medsins.engine.memory import trim
from medsins.engine.receipts import ID_BYTES, ids_path
from medsins.engine.sharding import Piece, ShardJob
from medsins.errors import CorruptBuildError
from medsins.io.files import put
from medsins.raw.files import sha256
from medsins.recipe import Task

ZSTD_LEVEL = 2
"""Between the defaults of Arrow (1) and zstd (3), whose files are a little smaller, but slower."""


def write_shard(job: ShardJob, task: Task, wordings: Sequence[str], folder: Path) -> Shard:
    """Write one shard and return its entry in the manifest.

    Args:
        job: Which rows.
        task: The task they belong to.
        wordings: The instructions of the task; each instance's id decides which one it has.
        folder: The folder that the shard's path is relative to.
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
            # Tables are most of the memory of this process: free one before the next.
            del table
            trim()
    put(temporary, path)
    return Shard(job.name, rows, path.stat().st_size, sha256(path))


def _constants(task: Task, split: str, wordings: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of the columns that are stored as dictionaries."""
    return {
        "task": [task.name],
        "source": [task.source],
        "definition": list(wordings),
        "text_domain": [str(task.domain)],
        "task_category": [str(task.category)],
        "split": [split],
        "input_language": [task.input_language],
        "output_language": [task.output_language],
        "license": [task.license],
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
    """Yield the rows of a shard, as in the chunk files, with their ids."""
    place = 0
    for path, pieces in groupby(job.pieces, key=attrgetter("path")):
        with _reading(path), pa.OSFile(path) as source, ids_path(path).open("rb") as ids_file:
            chunk = pa.ipc.open_file(source)
            for piece in pieces:
                batch, ids = chunk.get_batch(piece.batch), _ids(ids_file, piece)
                if piece.inputs != piece.batch:
                    inputs = chunk.get_batch(piece.inputs).column("input")
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
            f"{path} cannot be read back ({error}). Run the same command again; this chunk is "
            "mapped again."
        ) from error


def _without(batch: pa.RecordBatch, dropped: Sequence[int]) -> pa.RecordBatch:
    """Return a batch without some of its rows, given in order; at least one row is left.

    `take` does the same, but its first call imports more of Arrow, for a twentieth of a second.
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
    """Return rows of chunks as rows of a shard."""
    batches = [batch for batch, _ in gathered]
    # Big-endian, so that their bytes in order are the digits of the id; `concatenate` alone would
    # return the byte order of the machine.
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
    # Not `flatten`, whose first call imports as much as that of `take`; see `_without`.
    if not len(references.values):
        offsets = integers(np.arange(len(output) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, output, type=references.type)
    pairs = zip(output.to_pylist(), references.to_pylist(), strict=True)
    return lists([listed or [one] for one, listed in pairs])
