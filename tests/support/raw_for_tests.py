"""Reading raw files as a build does: a file set, a folder, and batches from its reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from medsins.engine import plan
from medsins.raw import FileSet, RawFile
from medsins.raw.files import Span


@dataclass
class Reading:
    """All that came out of some files: records with the numbers of their rows, and the others."""

    records: list[Any] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def read(files: FileSet, folder: Path) -> Reading:
    return read_slices(files, [(file, None) for file in files.locate(folder).files])


def read_slices(files: FileSet, slices: Sequence[tuple[RawFile, Span | None]]) -> Reading:
    reading = Reading()
    for file, span in slices:
        with file.reading():
            for batch in files.reader.read(file, span):
                assert batch.file == file.name
                assert len(batch.records) == len(batch.rows)
                reading.records += batch.records
                reading.rows += [f"{batch.origin}{row}" for row in batch.rows]
                reading.bad += [(f"{batch.origin}{row}", str(error)) for row, error in batch.bad]
                reading.details += [error.detail for _, error in batch.bad]
    return reading


def read_in_chunks(files: FileSet, folder: Path, chunk: int, block: int) -> tuple[Reading, int]:
    """Read the one file cut as a build cuts large files; also return the number of its chunks."""
    (file,) = files.locate(folder).files
    with constants(plan, CHUNK_BYTES=chunk, _SCAN_BLOCK=block):
        facts = plan.scan(file.path, files.reader)
    edges = (0, *facts.cuts, facts.size)
    spans = list(pairwise(edges)) if facts.cuts else [None]
    return read_slices(files, [(file, span) for span in spans]), len(spans)


@contextmanager
def constants(module: object, **values: int) -> Iterator[None]:
    """Give constants of a module other values, as hypothesis wants it: inside each example."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield
