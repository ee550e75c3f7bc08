"""Receipts: what a finished chunk holds, and the paths of its files.

The process that hands out the jobs reads them without Arrow, which is slow to import.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from sys import intern
from typing import Any

ID_BYTES = 16
"""Bytes of the id of one instance."""


@dataclass(slots=True)
class Counts:
    """What became of the records of a chunk."""

    records: int = 0
    with_instances: int = 0
    instances: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    partly_skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Group:
    """One batch of a chunk file: instances of one task and split.

    Attributes:
        task: Name of the task.
        split: Name of the split.
        rows: Number of instances.
        bytes: Size of all their columns in memory.
        inputs: Number of the batch that holds their inputs: its own, or that of a task before it.
    """

    task: str
    split: str
    rows: int
    bytes: int
    inputs: int


def _group(task: str, split: str, rows: int, bytes: int, inputs: int) -> Group:
    """Return a group as read from JSON; equal names share one string, since groups are many."""
    return Group(intern(task), intern(split), rows, bytes, inputs)


def _counts(skipped: Any, partly_skipped: Any, rejected: Any, **numbers: int) -> Counts:
    """Return counts as read from JSON, which has no counters."""
    counters = (Counter[str](one) for one in (skipped, partly_skipped, rejected))
    return Counts(numbers["records"], numbers["with_instances"], numbers["instances"], *counters)


@dataclass(frozen=True)
class Receipt:
    """What a finished chunk holds.

    Attributes:
        fingerprint: Of the chunk, as planned.
        bytes: Size of the chunk file.
        groups: Its batches, in order.
        counts: What became of its records.
    """

    fingerprint: str
    bytes: int
    groups: tuple[Group, ...]
    counts: Counts

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as values of JSON."""
        # Not all of it by `asdict`, which in Python 3.11 cannot copy a Counter.
        counts = {name: getattr(self.counts, name) for name in Counts.__slots__}
        groups = [asdict(group) for group in self.groups]
        return {
            "fingerprint": self.fingerprint,
            "bytes": self.bytes,
            "groups": groups,
            "counts": counts,
        }


def ids_path(path: str | Path) -> Path:
    """Return the path of the ids of a chunk file."""
    return Path(path).with_suffix(".ids")


def chunk_path(folder: Path, fingerprint: str) -> Path:
    """Return the path of the chunk file of a fingerprint."""
    return folder / f"{fingerprint}.arrow"


def receipt(folder: Path, fingerprint: str) -> Receipt | None:
    """Return the receipt of a chunk if it is finished and its files are whole."""
    path = chunk_path(folder, fingerprint)
    try:
        loaded = json.loads(path.with_suffix(".json").read_bytes())
        groups = tuple(_group(**group) for group in loaded.pop("groups"))
        found = Receipt(groups=groups, counts=_counts(**loaded.pop("counts")), **loaded)
        ids = path.with_suffix(".ids").stat().st_size
        whole = path.stat().st_size == found.bytes
    except (FileNotFoundError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    rows = sum(group.rows for group in groups)
    return found if whole and ids == rows * ID_BYTES else None
