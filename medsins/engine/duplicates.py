"""Exact duplicates: instances with the id of an earlier instance.

There may be more ids than fit into memory. So only their first halves are searched for repeats, in
buckets of equal ranges: ids are read from disk once for each bucket, and memory does not grow with
their number. Whole ids are then compared only where their first halves are repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from medsins.engine.chunks import all_ids
from medsins.engine.receipts import Receipt
from medsins.taxonomy import SPLITS

Halves: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"

_BUCKET_ROWS = 1 << 19


def duplicates(folder: Path, receipts: Sequence[Receipt]) -> dict[int, dict[int, list[int]]]:
    """Find instances with the id of an earlier instance.

    The order is test, validation, train, then that of the chunks: of two equal instances in test
    and train, the one in train is dropped.

    Returns:
        Rows to drop, counted within their batch, by chunk and by batch.
    """
    repeated = _repeated_halves(folder, receipts)
    if not len(repeated):
        return {}
    high, low, rank = _ids_that_begin_with(repeated, folder, receipts)
    order = np.lexsort((rank, low, high))
    high, low, rank = high[order], low[order], rank[order]
    # Sorted by id and then by rank, every instance but the first of its id follows an equal one.
    repeats = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    # Without the split, which is in the top byte of a rank, its place in the build is left.
    places = np.sort(rank[1:][repeats] & np.uint64(2**56 - 1))
    edges, owners = _batch_edges(receipts)
    batches = np.searchsorted(edges, places, side="right") - 1
    dropped: dict[int, dict[int, list[int]]] = {}
    for place, index in zip(places.tolist(), batches.tolist(), strict=True):
        chunk, batch = owners[index]
        dropped.setdefault(chunk, {}).setdefault(batch, []).append(place - int(edges[index]))
    return dropped


def _repeated_halves(folder: Path, receipts: Sequence[Receipt]) -> Halves:
    """Return the first halves that more than one id has, in order."""
    total = sum(group.rows for receipt in receipts for group in receipt.groups)
    buckets = max(1, -(-total // _BUCKET_ROWS))
    # Hashes are spread evenly, so equal ranges of values hold about equally many of them. Rounded
    # up, since a rest would make one bucket more.
    width = np.uint64((2**64 - 1) // buckets + (buckets > 1))
    repeated = []
    for bucket in range(buckets):
        chunks = []
        for _, ids, _ in all_ids(folder, receipts):
            high = ids[:, 0].astype(np.uint64)
            chunks.append(high[high // width == bucket] if buckets > 1 else high)
        if chunks:
            halves = np.concatenate(chunks)
            del chunks
            halves.sort()
            same = halves[1:][halves[1:] == halves[:-1]]
            # `np.unique` does the same, but its first call imports masked arrays.
            repeated.append(same[np.append(True, same[1:] != same[:-1])] if len(same) else same)
    return np.concatenate(repeated) if repeated else np.empty(0, np.uint64)


def _ids_that_begin_with(
    halves: Halves, folder: Path, receipts: Sequence[Receipt]
) -> tuple[Halves, Halves, Halves]:
    """Return both halves and the rank of every id whose first half is among those given."""
    highs, lows, ranks = [], [], []
    for found, ids, place in all_ids(folder, receipts):
        high = ids[:, 0].astype(np.uint64)
        # As `np.isin`, which would sort the halves again for every chunk.
        nearest = np.minimum(np.searchsorted(halves, high), len(halves) - 1)
        wanted = np.flatnonzero(halves[nearest] == high)
        highs.append(high[wanted])
        lows.append(ids[wanted, 1].astype(np.uint64))
        ranks.append(_ranks(found, place)[wanted])
    return np.concatenate(highs), np.concatenate(lows), np.concatenate(ranks)


def _ranks(found: Receipt, offset: int) -> Halves:
    """Return the order of a chunk's instances as a number: split, then place in the build."""
    order = {split: len(SPLITS) - 1 - i for i, split in enumerate(SPLITS)}
    splits = np.repeat(
        np.array([order[group.split] for group in found.groups], np.uint64),
        [group.rows for group in found.groups],
    )
    places = np.arange(offset, offset + len(splits), dtype=np.uint64)
    return (splits << np.uint64(56)) | places


def _batch_edges(receipts: Sequence[Receipt]) -> tuple[Any, list[tuple[int, int]]]:
    """Return where every batch starts in the build, and its (chunk, batch) numbers."""
    starts, owners, place = [], [], 0
    for chunk, found in enumerate(receipts):
        for batch, group in enumerate(found.groups):
            starts.append(place)
            owners.append((chunk, batch))
            place += group.rows
    return np.array(starts, np.uint64), owners
