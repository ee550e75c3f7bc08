"""Chunks: instances on disk while a build runs.

A chunk file is an Arrow IPC file whose batches each hold instances of one task and split. Its ids
and rejects are files beside it, and so is its receipt, which is written last: a chunk without one
is not finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import xxhash

from medsins.engine.arrays import STRINGS, lists, strings
from medsins.engine.receipts import Counts, Group, Receipt, chunk_path, ids_path
from medsins.io.files import put
from medsins.recipe import Task

if TYPE_CHECKING:
    from medsins.engine.plan import Chunk

CHUNK_SCHEMA = pa.schema(
    [
        ("input", pa.string()),
        ("output", pa.string()),
        ("references", STRINGS),
        ("record", pa.string()),
    ]
)

Ids: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"
"""Ids as rows of two halves."""

ID_HALF = np.dtype(">u8")


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A column of inputs as it is written: its texts, those in UTF-8, its batch and its bytes."""

    texts: list[str]
    encoded: list[bytes]
    batch: int
    bytes: int


class _Heads(dict[int, bytes]):
    """What is hashed for an id before the input itself, by the length of the input."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self._task = task

    def __missing__(self, length: int) -> bytes:
        head = self[length] = f"{self._task}\0{length}\0".encode()
        return head


class ChunkWriter:
    """Writes one chunk; leftovers of an interrupted build are never used for it.

    Args:
        folder: Where chunk files go.
        chunk: The chunk, as planned.
    """

    def __init__(self, folder: Path, chunk: Chunk) -> None:
        self._final = chunk_path(folder, chunk.fingerprint)
        # A worker that outlived a killed build may still be writing the same chunk.
        self._path = folder / f"{os.getpid()}.{chunk.fingerprint}.arrow"
        self._fingerprint = chunk.fingerprint
        self._groups: list[Group] = []
        self._sink: IO[bytes] | None = None
        self._ids: IO[bytes] | None = None
        self._rejects: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = self._path.open("wb")
        self._ids = self._path.with_suffix(".ids").open("wb")
        self._rejects = self._path.with_suffix(".rejects").open("w", encoding="utf-8")
        self._writer = pa.ipc.new_file(self._sink, CHUNK_SCHEMA)
        return self

    def write(self, instances: Iterable[tuple[Task, str, dict[str, Any]]]) -> None:
        """Append instances: (task, split, columns) of each batch.

        Tasks of one source often share their inputs: those are written once.
        """
        written: list[_Inputs] = []
        for task, split, columns in instances:
            texts: list[str] = columns["input"]
            inputs = next((one for one in written if one.texts == texts), None)
            if inputs is None:
                encoded = [text.encode() for text in texts]
                array = strings(encoded)
                inputs = _Inputs(texts, encoded, len(self._groups), array.nbytes)
                written.append(inputs)
            else:
                array = strings([b""] * len(texts))
            outputs = [text.encode() for text in columns["output"]]
            self._write_ids(task, inputs, outputs)
            others = [
                strings(outputs),
                lists(columns["references"]),
                strings([record.encode() for record in columns["record"]]),
            ]
            self._writer.write_batch(pa.record_batch([array, *others], schema=CHUNK_SCHEMA))
            size = inputs.bytes + sum(one.nbytes for one in others)
            self._groups.append(Group(task.name, split, len(texts), size, inputs.batch))

    def _write_ids(self, task: Task, inputs: _Inputs, outputs: list[bytes]) -> None:
        assert self._ids is not None
        # As schema.instance_id, but on texts that are encoded already.
        heads = _Heads(task.name)
        starts = map(heads.__getitem__, map(len, inputs.texts))
        hashed = map(b"".join, zip(starts, inputs.encoded, outputs, strict=True))
        self._ids.write(b"".join(map(xxhash.xxh3_128_digest, hashed)))

    def reject(self, reject: dict[str, str]) -> None:
        """Append one rejected record."""
        assert self._rejects is not None
        self._rejects.write(json.dumps(reject, ensure_ascii=False, sort_keys=True) + "\n")

    def finish(self, counts: Counts) -> None:
        """Close the files and write the receipt, which makes the chunk a finished one."""
        self._close()
        receipt = Receipt(self._fingerprint, self._path.stat().st_size, tuple(self._groups), counts)
        # Without fsync: a build has thousands of chunks, and one that a power cut damaged is mapped
        # again.
        self._path.with_suffix(".json").write_text(json.dumps(receipt.to_json()))
        for suffix in (".arrow", ".ids", ".rejects", ".json"):
            put(self._path.with_suffix(suffix), self._final.with_suffix(suffix), durable=False)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for stream in (self._sink, self._ids, self._rejects):
            if stream is not None:
                stream.close()

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._close()
            return
        for stream in (self._sink, self._ids, self._rejects):
            # A full disk fails again on the last flush; the first error is the one to see.
            with suppress(OSError):
                if stream is not None:
                    stream.close()


def all_ids(folder: Path, receipts: Sequence[Receipt]) -> Iterator[tuple[Receipt, Ids, int]]:
    """Yield the receipt and the ids of each chunk that has any, and how many come before them."""
    place = 0
    for found in receipts:
        if rows := sum(group.rows for group in found.groups):
            path = ids_path(chunk_path(folder, found.fingerprint))
            yield found, np.fromfile(path, ID_HALF).reshape(-1, 2), place
            place += rows
