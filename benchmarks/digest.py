"""Says what a run wrote, whatever its format: how many instances, and a digest of them.

    python benchmarks/digest.py PATH

PATH is a folder of a build, a folder of JSON files, or a Parquet file. The digest does not depend
on the order of instances, nor on how often one of them occurs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import xxhash
from pyarrow import parquet

Instance = tuple[str, str, str]
"""Task, input and output."""


def instances(path: Path) -> Iterator[Instance]:
    """Yield all instances below a path."""
    if path.is_file():
        yield from _parquet(path)
        return
    if (path / "data").is_dir():
        for file in sorted(path.glob("data/*/*.parquet")):
            yield from _parquet(file)
        return
    for file in sorted(path.glob("*.json")):
        for one in json.loads(file.read_bytes()):
            yield file.stem, one["input"], one["output"]


def _parquet(path: Path) -> Iterator[Instance]:
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(4096, columns=["task", "input", "output"]):
            columns = [batch.column(name).to_pylist() for name in ("task", "input", "output")]
            yield from zip(*columns, strict=True)


def digest(path: Path) -> dict[str, int | str]:
    """Return the number of instances, that of distinct ones, and the digest of the latter."""
    seen: set[bytes] = set()
    count = 0
    for task, asked, answer in instances(path):
        count += 1
        seen.add(xxhash.xxh3_128_digest(f"{task}\0{len(asked)}\0{asked}{answer}".encode()))
    # A sum does not depend on the order of its terms.
    total = sum(int.from_bytes(one, "big") for one in seen) % 2**128
    return {"instances": count, "distinct": len(seen), "digest": f"{total:032x}"}


if __name__ == "__main__":
    print(json.dumps(digest(Path(sys.argv[1]))))
