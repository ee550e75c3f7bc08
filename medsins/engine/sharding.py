"""Sharding: which instances go into which shard.

It needs receipts only, so that the process that hands out the jobs does not import Arrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medsins.builds.manifest import shard_path
from medsins.engine.receipts import Receipt, chunk_path

SHARD_BYTES = 512 << 20
"""Text bytes in a shard; compressed, it is well under the 500 MB that the Hub's viewer reads."""

ROW_GROUP_BYTES = 14 << 20
"""Text bytes in a row group: large enough for content-defined chunking to find unchanged data, and
no larger, since a row group is held in memory while it is written."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of one batch of one chunk: `batch` counts batches, `first` rows of all of them.

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
        """Number of rows that are not dropped."""
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
        """Its size in full row groups, which makes shards of all tasks comparable."""
        return (self.stop - self.start) / self.rows_per_group


def shard_jobs(
    folder: Path, receipts: Sequence[Receipt], dropped: dict[int, dict[int, list[int]]]
) -> list[ShardJob]:
    """Divide the instances of a recipe into shards."""
    pieces: dict[tuple[str, str], list[Piece]] = {}
    sizes: Counter[tuple[str, str]] = Counter()
    for chunk, found in enumerate(receipts):
        first = 0
        path = chunk_path(folder, found.fingerprint)
        for batch, group in enumerate(found.groups):
            repeats = tuple(sorted(dropped.get(chunk, {}).get(batch, ())))
            key = (group.task, group.split)
            pieces.setdefault(key, []).append(
                Piece(str(path), batch, group.inputs, first, group.rows, repeats)
            )
            sizes[key] += group.bytes * (group.rows - len(repeats)) // group.rows
            first += group.rows
    jobs = []
    for (task, split), listed in pieces.items():
        rows = sum(piece.kept for piece in listed)
        if not rows:
            continue
        count = max(1, -(-sizes[task, split] // SHARD_BYTES))
        per_shard = -(-rows // count)
        # Again: rounding up the rows of a shard can leave nothing for the last one.
        count = -(-rows // per_shard)
        fits = max(1, int(ROW_GROUP_BYTES / max(1, sizes[task, split] / rows)))
        # A power of two: a few rows more or less then leave the boundaries of groups where they
        # were, and a push sends only what changed.
        per_group = 1 << (fits.bit_length() - 1)
        for index in range(count):
            name = shard_path(task, split, index, count)
            start, stop = index * per_shard, min(rows, (index + 1) * per_shard)
            mine = tuple(_overlapping(listed, start, stop))
            skipped = mine[0][0] if mine else 0
            needed = tuple(piece for _, piece in mine)
            # Counted from the first of its own pieces: a job knows no others.
            start, stop = start - skipped, stop - skipped
            jobs.append(ShardJob(task, split, name, needed, start, stop, per_group))
    return jobs


def _overlapping(pieces: Iterable[Piece], start: int, stop: int) -> Iterator[tuple[int, Piece]]:
    """Yield (rows before it, piece) of the pieces that hold rows `start` to `stop`."""
    place = 0
    for piece in pieces:
        if place + piece.kept > start and place < stop and piece.kept:
            yield place, piece
        place += piece.kept
