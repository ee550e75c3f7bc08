"""Shuffling more rows than fit into memory, the same way every time.

Every row has a key, a hash; the order of keys is the order of rows. Rows go into files by the
first bits of their keys, and each file is sorted in memory when it is read back.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

BUCKET_BYTES = 16 << 20
"""Bytes of rows in a bucket, about: it is held in memory while it is sorted."""

_BUFFER_BYTES = 16 << 20
_NUMBER_BYTES = 8


class Shuffle:
    """Takes rows in any order and gives them back in that of their keys.

    Rows with equal keys keep the order in which they came.

    Args:
        folder: Where its files go; it must exist.
        expected: Bytes that all rows take, about: it decides how many files there are.
    """

    def __init__(self, folder: Path, expected: int) -> None:
        self._folder = folder
        self._count = max(1, -(-expected // BUCKET_BYTES))
        # Rows are copied: a row as it comes from the encoder takes several times its own length.
        self._held: dict[int, tuple[array[int], array[int], bytearray]] = {}
        self._bytes = 0

    def add(self, key: int, row: bytes) -> None:
        """Take a row.

        Args:
            key: A number of 64 bits.
            row: What comes back.
        """
        bucket = key * self._count >> 64
        if bucket not in self._held:
            self._held[bucket] = (array("Q"), array("Q"), bytearray())
        keys, lengths, rows = self._held[bucket]
        keys.append(key)
        lengths.append(len(row))
        rows += row
        self._bytes += len(row)
        if self._bytes > _BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        for bucket, (keys, lengths, rows) in self._held.items():
            with self._path(bucket).open("ab") as stream:
                stream.write(len(keys).to_bytes(_NUMBER_BYTES, sys.byteorder))
                stream.write(keys)
                stream.write(lengths)
                stream.write(rows)
        self._held = {}
        self._bytes = 0

    def _path(self, bucket: int) -> Path:
        return self._folder / f"{bucket:06d}"

    def rows(self) -> Iterator[bytes]:
        """Yield all rows in the order of their keys; what was read is removed."""
        self._flush()
        for bucket in range(self._count):
            path = self._path(bucket)
            if path.exists():
                yield from _sorted(path.read_bytes())
                path.unlink()


def _sorted(content: bytes) -> Iterator[bytes]:
    keys, starts, ends = [], [], []
    place = 0
    while place < len(content):
        count = int.from_bytes(content[place : place + _NUMBER_BYTES], sys.byteorder)
        numbers = np.frombuffer(content, np.uint64, 2 * count, place + _NUMBER_BYTES)
        place += _NUMBER_BYTES * (1 + 2 * count)
        end = place + np.cumsum(numbers[count:].astype(np.int64))
        keys.append(numbers[:count])
        starts.append(np.concatenate([[place], end[:-1]]))
        ends.append(end)
        place = int(end[-1])
    order = np.argsort(np.concatenate(keys), kind="stable")
    first, last = np.concatenate(starts)[order], np.concatenate(ends)[order]
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        yield content[start:end]
