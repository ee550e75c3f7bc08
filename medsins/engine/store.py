"""Parts and shards: how instances lie on disk while a build runs, and when it is done.

A part file is an Arrow IPC file whose batches each hold instances of one task and split; beside
it stand its ids, its rejects, and last its receipt, without which it does not count. Shards are
written from the parts in order, so they do not depend on which process mapped which part when.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from sys import intern
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import xxhash
from pyarrow import parquet

from medsins import schema
from medsins.engine.memory import trim
from medsins.errors import CorruptBuildError
from medsins.raw.files import sha256
from medsins.recipe import Task
from medsins.taxonomy import SPLITS

if TYPE_CHECKING:
    from medsins.engine.plan import Part
    from medsins.engine.worker import Counts

SHARD_BYTES = 512 << 20
"""Text bytes in a shard; zstd brings it well under the 500 MB that the Hub's viewer likes."""

ROW_GROUP_BYTES = 14 << 20
"""Text bytes in a row group: large, so that content-defined chunking finds what did not change,
and no larger, because one is held in memory while it is written."""

PART_SCHEMA = pa.schema(
    [
        ("input", pa.string()),
        ("output", pa.string()),
        ("references", pa.list_(pa.field("element", pa.string()))),
        ("record", pa.string()),
    ]
)

Ids: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"
"""Ids as rows of two halves."""

Halves: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"

_ID_BYTES = 16
_ID_HALF = np.dtype(">u8")
_BUCKET_ROWS = 1 << 19


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


def _strings(encoded: Sequence[bytes]) -> pa.StringArray:
    """Return an Arrow array of strings, given in UTF-8.

    `pa.array` does the same, but its first call imports pandas, and 40 MiB with it.
    """
    offsets = _offsets(map(len, encoded), len(encoded))
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))
    )


def _offsets(lengths: Iterable[int], count: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return where each of `count` values starts, and where the last one ends."""
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.fromiter(lengths, np.int32, count), out=offsets[1:])
    return offsets


def _integers(values: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Int32Array:
    """Return an Arrow array of 32-bit integers; see `_strings` for why."""
    return pa.Int32Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(values)])


def _lists(values: Sequence[list[str] | None]) -> pa.ListArray:
    """Return an Arrow array of lists of strings; an absent one is an empty one."""
    offsets = _offsets((len(value or ()) for value in values), len(values))
    flat = _strings([one.encode() for value in values if value for one in value])
    return pa.ListArray.from_arrays(
        _integers(offsets), flat, type=PART_SCHEMA.field("references").type
    )


def _ids_path(path: str | Path) -> Path:
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
                array = _strings([text.encode() for text in inputs])
                same = inputs, len(self._groups), array.nbytes
                written.append(same)
            else:
                array = _strings([b""] * len(inputs))
            _, number, size = same
            arrays = [
                array,
                _strings([text.encode() for text in columns["output"]]),
                _lists(columns["references"]),
                _strings([record.encode() for record in columns["record"]]),
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
    return found if whole and ids == rows * _ID_BYTES else None


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


def duplicates(folder: Path, receipts: Sequence[Receipt]) -> dict[int, dict[int, list[int]]]:
    """Find instances whose id another instance has that stands before it.

    The order is test, validation, train, and then that of the parts: of two equal instances in
    test and train, the one in train goes. The first halves of ids are looked through in buckets,
    so memory does not grow with their number; whole ids are only looked at where those repeat.

    Returns:
        Rows to drop, counted within their batch, by part and by batch.
    """
    repeated = _repeated_halves(folder, receipts)
    if not len(repeated):
        return {}
    highs, lows, ranks = [], [], []
    for found, ids, place in _all_ids(folder, receipts):
        high = ids[:, 0].astype(np.uint64)
        nearest = np.minimum(np.searchsorted(repeated, high), len(repeated) - 1)
        again = np.flatnonzero(repeated[nearest] == high)
        highs.append(high[again])
        lows.append(ids[again, 1].astype(np.uint64))
        ranks.append(_ranks(found, place)[again])
    high, low, rank = np.concatenate(highs), np.concatenate(lows), np.concatenate(ranks)
    order = np.lexsort((rank, low, high))
    high, low, rank = high[order], low[order], rank[order]
    again = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    places = np.sort(rank[1:][again] & np.uint64(2**56 - 1))
    edges, owners = _batch_edges(receipts)
    batches = np.searchsorted(edges, places, side="right") - 1
    dropped: dict[int, dict[int, list[int]]] = {}
    for place, index in zip(places.tolist(), batches.tolist(), strict=True):
        part, batch = owners[index]
        dropped.setdefault(part, {}).setdefault(batch, []).append(place - int(edges[index]))
    return dropped


def _repeated_halves(folder: Path, receipts: Sequence[Receipt]) -> Halves:
    """Return the first halves that several ids have, in order."""
    total = sum(group.rows for receipt in receipts for group in receipt.groups)
    buckets = max(1, -(-total // _BUCKET_ROWS))
    width = np.uint64((2**64 - 1) // buckets + (buckets > 1))
    repeated = []
    for bucket in range(buckets):
        parts = []
        for _, ids, _ in _all_ids(folder, receipts):
            high = ids[:, 0].astype(np.uint64)
            parts.append(high[high // width == bucket] if buckets > 1 else high)
        if parts:
            halves = np.concatenate(parts)
            del parts
            halves.sort()
            same = halves[1:][halves[1:] == halves[:-1]]
            # `np.unique` does the same, but its first call imports masked arrays.
            repeated.append(same[np.append(True, same[1:] != same[:-1])] if len(same) else same)
    return np.concatenate(repeated) if repeated else np.empty(0, np.uint64)


def _all_ids(folder: Path, receipts: Sequence[Receipt]) -> Iterator[tuple[Receipt, Ids, int]]:
    """Yield the receipt and the ids of each part that has any, and how many come before them."""
    place = 0
    for found in receipts:
        if rows := sum(group.rows for group in found.groups):
            path = _ids_path(part_path(folder, found.fingerprint))
            yield found, np.fromfile(path, _ID_HALF).reshape(-1, 2), place
            place += rows


def _ranks(found: Receipt, offset: int) -> Halves:
    """Return the order of a part's instances: split first, then place in the build."""
    order = {split: len(SPLITS) - 1 - i for i, split in enumerate(SPLITS)}
    splits = np.repeat(
        np.array([order[group.split] for group in found.groups], np.uint64),
        [group.rows for group in found.groups],
    )
    places = np.arange(offset, offset + len(splits), dtype=np.uint64)
    return (splits << np.uint64(56)) | places


def _batch_edges(receipts: Sequence[Receipt]) -> tuple[Any, list[tuple[int, int]]]:
    """Return the first place of every batch, and which (part, batch) it is."""
    starts, owners, place = [], [], 0
    for part, found in enumerate(receipts):
        for batch, group in enumerate(found.groups):
            starts.append(place)
            owners.append((part, batch))
            place += group.rows
    return np.array(starts, np.uint64), owners


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
        compression_level=3,
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
        with _reading(path), pa.OSFile(path) as source, _ids_path(path).open("rb") as ids_file:
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
    stream.seek(piece.first * _ID_BYTES)
    return np.frombuffer(stream.read(piece.rows * _ID_BYTES), _ID_HALF).reshape(-1, 2)


def _hexadecimal(ids: Ids) -> pa.StringArray:
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * np.int32(2 * _ID_BYTES)
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(offsets), pa.py_buffer(ids.tobytes().hex().encode())
    )


def _instances(
    gathered: Sequence[tuple[pa.RecordBatch, Ids]], constants: dict[str, list[str]]
) -> pa.Table:
    """Return rows of parts as rows of a shard."""
    batches = [batch for batch, _ in gathered]
    # Left to itself, this would return them in the machine's own byte order.
    ids = np.concatenate([ids for _, ids in gathered], dtype=_ID_HALF)
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
            _integers(codes), _strings([value.encode() for value in values])
        )
    return pa.table([columns[name] for name in schema.ARROW.names], schema=schema.ARROW)


def _references(output: pa.StringArray, references: pa.ListArray) -> pa.ListArray:
    """Return the references, with [output] where there are no others."""
    # `flatten` would tell as well, but imports as much as `take` does; see `_without`.
    if not len(references.values):
        offsets = _integers(np.arange(len(output) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, output, type=references.type)
    pairs = zip(output.to_pylist(), references.to_pylist(), strict=True)
    return _lists([listed or [one] for one, listed in pairs])
