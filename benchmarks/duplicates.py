"""Exact duplicates among the ids of part files, found by the engine and by a Python set.

    python benchmarks/duplicates.py make FOLDER --count 13500000
    python benchmarks/duplicates.py engine FOLDER
    python benchmarks/duplicates.py set FOLDER

The last two print JSON: how many duplicates there are, and by how many MiB the peak memory of the
process rose while it looked for them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

PART, BATCH = 80_000, 2_500
"""Instances in a part, and in a batch of it: about what 32 MiB of raw text give."""

ID_BYTES = 16


def make(folder: Path, count: int, seed: int = 0) -> None:
    """Write the id files of parts; in each, one id in a hundred stands in the part before too."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    before = b""
    for number, start in enumerate(range(0, count, PART)):
        rows = min(PART, count - start)
        repeated = before[: rows // 100 * ID_BYTES]
        ids = repeated + rng.randbytes(rows * ID_BYTES - len(repeated))
        (folder / f"{number:06d}.ids").write_bytes(ids)
        before = ids[len(repeated) :]


def by_engine(folder: Path) -> tuple[int, float]:
    """Return how many duplicates the engine finds, and the rise of peak memory in MiB."""
    from medsins.engine.duplicates import duplicates
    from medsins.engine.receipts import Counts, Group, Receipt

    receipts = []
    for path in sorted(folder.glob("*.ids")):
        rows = path.stat().st_size // ID_BYTES
        groups = tuple(
            # Tests stand before training in the order of the engine, so some ranks are reversed.
            Group(
                task="task",
                split="test" if number % 10 == 0 else "train",
                rows=min(BATCH, rows - start),
                bytes=1,
                inputs=number,
            )
            for number, start in enumerate(range(0, rows, BATCH))
        )
        receipts.append(Receipt(path.stem, 0, groups, Counts()))
    before = _peak()
    found = duplicates(folder, receipts)
    rise = _peak() - before
    return sum(len(rows) for batches in found.values() for rows in batches.values()), rise


def by_set(folder: Path) -> tuple[int, float]:
    """Return how many duplicates a set of all ids finds, and the rise of peak memory in MiB."""
    before = _peak()
    seen: set[bytes] = set()
    found = 0
    for one in _ids(folder):
        if one in seen:
            found += 1
        else:
            seen.add(one)
    return found, _peak() - before


def _ids(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.ids")):
        data = path.read_bytes()
        for start in range(0, len(data), ID_BYTES):
            yield data[start : start + ID_BYTES]


def _peak() -> float:
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Make id files, or look for duplicates in them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "engine", "set"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=13_500_000)
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.count)
        return
    found, rise = (by_engine if given.what == "engine" else by_set)(given.folder)
    print(json.dumps({"found": found, "rise": rise}))


if __name__ == "__main__":
    main()
