"""Parts: how instances lie on disk while a build runs.

A part file is an Arrow IPC file whose batches each hold instances of one task and split; beside
it stand its ids, its rejects, and last its receipt, without which it does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import intern
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import xxhash

from medsins.engine.arrays import STRINGS, lists, strings
from medsins.recipe import Task

if TYPE_CHECKING:
    from medsins.engine.plan import Part
    from medsins.engine.worker import Counts

PART_SCHEMA = pa.schema(
    [
        ("input", pa.string()),
        ("output", pa.string()),
        ("references", STRINGS),
        ("record", pa.string()),
    ]
)

Ids: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"
"""Ids as rows of two halves."""

ID_BYTES = 16
ID_HALF = np.dtype(">u8")


@dataclass(frozen=True, slots=True)
class Group:
    """One batch of a part file: so many instances of one task and split.

    Attributes:
        task: Name of the task.
        split: Name of the split.
        rows: How many instances.
        bytes: Size of all their columns in memory.
        inputs: Number of the batch that holds their inputs: its own, or that of a task before it.
    """

    task: str
    split: str
    rows: int
    bytes: int
    inputs: int


def _group(task: str, split: str, rows: int, bytes: int, inputs: int) -> Group:
    """Return a group as read from JSON, where every name is a new one: there are many groups."""
    return Group(intern(task), intern(split), rows, bytes, inputs)


@dataclass(frozen=True)
class Receipt:
    """What a finished part holds.

    Attributes:
        fingerprint: Of the part, as planned.
        bytes: Size of the part file.
        groups: Its batches, in order.
        counts: What became of its records, as in `worker.Counts`.
    """

    fingerprint: str
    bytes: int
    groups: tuple[Group, ...]
    counts: dict[str, Any]


def ids_path(path: str | Path) -> Path:
    """Return where the ids of a part file lie."""
    return Path(path).with_suffix(".ids")


def part_path(folder: Path, fingerprint: str) -> Path:
    """Return where the part file of a fingerprint lies."""
    return folder / f"{fingerprint}.arrow"


class PartWriter:
    """Writes one part; what is left of an interrupted one is never taken for it.

    Args:
        folder: Where part files go.
        part: The part, as planned.
    """

    def __init__(self, folder: Path, part: Part) -> None:
        self._final = part_path(folder, part.fingerprint)
        # An orphan of a killed build may still be writing; it must not meet its successor.
        self._path = folder / f"{os.getpid()}.{part.fingerprint}.arrow"
        self._fingerprint = part.fingerprint
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
        self._writer = pa.ipc.new_file(self._sink, PART_SCHEMA)
        return self

    def write(self, instances: Iterable[tuple[Task, str, dict[str, Any]]]) -> None:
        """Append instances: (task, split, columns) of each batch.

        Tasks of one source often ask different things of the same inputs: those are written once.
        """
        written: list[tuple[list[str], int, int]] = []
        for task, split, columns in instances:
            self._write_ids(task, columns)
            inputs = columns["input"]
            same = next((one for one in written if one[0] == inputs), None)
            if same is None:
                array = strings([text.encode() for text in inputs])
                same = inputs, len(self._groups), array.nbytes
                written.append(same)
            else:
                array = strings([b""] * len(inputs))
            _, number, size = same
            arrays = [
                array,
                strings([text.encode() for text in columns["output"]]),
                lists(columns["references"]),
                strings([record.encode() for record in columns["record"]]),
            ]
            self._writer.write_batch(pa.record_batch(arrays, schema=PART_SCHEMA))
            size += sum(one.nbytes for one in arrays[1:])
            self._groups.append(Group(task.name, split, len(inputs), size, number))

    def _write_ids(self, task: Task, columns: dict[str, Any]) -> None:
        assert self._ids is not None
        digest = xxhash.xxh3_128_digest
        # The formula of schema.instance_id.
        ids = [
            digest(f"{task.name}\0{len(text)}\0{text}{output}".encode())
            for text, output in zip(columns["input"], columns["output"], strict=True)
        ]
        self._ids.write(b"".join(ids))

    def reject(self, reject: dict[str, str]) -> None:
        """Append one rejected record."""
        assert self._rejects is not None
        self._rejects.write(json.dumps(reject, ensure_ascii=False, sort_keys=True) + "\n")

    def finish(self, counts: Counts) -> None:
        """Close the files and write the receipt, which makes the part count."""
        self._close()
        receipt = Receipt(
            self._fingerprint,
            self._path.stat().st_size,
            tuple(self._groups),
            {
                "records": counts.records,
                "with_instances": counts.with_instances,
                "instances": counts.instances,
                "skipped": dict(counts.skipped),
                "partly_skipped": dict(counts.partly_skipped),
                "rejected": dict(counts.rejected),
            },
        )
        temporary = self._path.with_suffix(".json")
        temporary.write_text(json.dumps(asdict(receipt)))
        for suffix in (".arrow", ".ids", ".rejects", ".json"):
            self._path.with_suffix(suffix).replace(self._final.with_suffix(suffix))

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for stream in (self._sink, self._ids, self._rejects):
            if stream is not None:
                stream.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._close()
            return
        for stream in (self._sink, self._ids, self._rejects):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                # A full disk fails again on the last flush; the first error is the one to see.
                pass


def receipt(folder: Path, fingerprint: str) -> Receipt | None:
    """Return the receipt of a part if it is finished and its files are whole."""
    path = part_path(folder, fingerprint)
    try:
        loaded = json.loads(path.with_suffix(".json").read_bytes())
        groups = tuple(_group(**group) for group in loaded.pop("groups"))
        found = Receipt(groups=groups, **loaded)
        ids = path.with_suffix(".ids").stat().st_size
        whole = path.stat().st_size == found.bytes
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    rows = sum(group.rows for group in groups)
    return found if whole and ids == rows * ID_BYTES else None


def all_ids(folder: Path, receipts: Sequence[Receipt]) -> Iterator[tuple[Receipt, Ids, int]]:
    """Yield the receipt and the ids of each part that has any, and how many come before them."""
    place = 0
    for found in receipts:
        if rows := sum(group.rows for group in found.groups):
            path = ids_path(part_path(folder, found.fingerprint))
            yield found, np.fromfile(path, ID_HALF).reshape(-1, 2), place
            place += rows
