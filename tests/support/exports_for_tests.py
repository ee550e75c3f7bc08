"""A build of two made-up sources, one of which may not be passed on, and readers of exports."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyarrow import parquet

import medsins
from medsins.formats import ExportResult, export
from recipes_for_tests import visits, write_recipe, write_visits

SEEDS = 15

SECRET = "zzsecretzz"
"""Stands in every input of the source that may not be passed on."""


def write_sources(home: Path) -> None:
    """Write the recipes clinic, which is open, and ward, which is not, with raw files and seeds."""
    write_recipe(home / "recipes")
    write_recipe(home / "recipes", "ward", access="CREDENTIALED", redistribution="NO")
    write_visits(home / "raw", visits(300))
    closed = visits(60, seed=1)
    for record in closed:
        record["question"] = record["question"] and f"{record['question']} {SECRET}"
    write_visits(home / "raw", closed, "ward")
    (home / "seed_prompts").mkdir()
    for name in ("clinic", "ward"):
        entries = "".join(
            f"{task}:\n"
            + "".join(
                f"  - {{text: '{task}, wording {number}', author: N, date: 2026-01-01, style: s}}\n"
                for number in range(SEEDS)
            )
            for task in ("answer", "verdict")
        )
        (home / "seed_prompts" / f"{name}.yaml").write_text(entries)


def build(home: Path, out: str = "build", select: str = "clinic ward", **options: Any) -> Path:
    medsins.build(select, raw=home / "raw", out=home / out, progress=False, workers=1, **options)
    return home / out


def written(home: Path) -> Iterator[Path]:
    """Yield a folder with the sources and a build of both, while their recipes are found."""
    write_sources(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSINS_RECIPES", str(home / "recipes"))
        build(home)
        yield home


def run(home: Path, out: Path, format: str = "alpaca", **options: Any) -> ExportResult:
    """Export what may go of the build, unless the options say otherwise."""
    options = {"select": "clinic", "progress": False, **options}
    return export(home / "build", format, out, **options)


def instances(folder: Path, split: str = "train", task: str = "*") -> list[dict[str, Any]]:
    """Every row of a split of a build."""
    return [
        row
        for path in sorted(folder.glob(f"data/{task}/{split}-*.parquet"))
        for row in parquet.read_table(path).to_pylist()
    ]


class Found(NamedTuple):
    """What an export says of one sample, whatever its format."""

    id: str
    task: str
    instruction_id: str
    system: str
    user: str
    assistant: str


def data_files(folder: Path) -> list[Path]:
    return sorted((folder / "data").iterdir())


def raw_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of an export as they lie there, in their order."""
    for path in data_files(folder):
        if path.suffix == ".jsonl":
            yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())
        elif path.suffix == ".parquet":
            yield from parquet.read_table(path).to_pylist()
        elif path.suffix == ".tar":
            with tarfile.open(path) as archive:
                for member in archive:
                    stream = archive.extractfile(member)
                    assert stream is not None
                    yield json.loads(stream.read())
        else:
            raise AssertionError(path)


def samples(folder: Path) -> list[Found]:
    """The samples of an export in their order, read back from any format but task files."""
    traces: Iterator[dict[str, str]] = iter(())
    if (folder / "trace.jsonl").exists():
        traces = map(json.loads, (folder / "trace.jsonl").read_text().splitlines())
    found = []
    for row in raw_rows(folder):
        trace = row if "id" in row else next(traces)
        marks = (trace["id"], trace["task"], trace["instruction_id"])
        if "conversations" in row:
            human, gpt = row["conversations"]
            assert (human["from"], gpt["from"]) == ("human", "gpt")
            texts = (row["system"], human["value"], gpt["value"])
        elif "instruction" in row:
            texts = (row["instruction"], row["input"], row["output"])
        else:
            turns = row["messages"] if "messages" in row else [*row["prompt"], *row["completion"]]
            assert [turn["role"] for turn in turns] == ["system", "user", "assistant"]
            texts = tuple(turn["content"] for turn in turns)
        found.append(Found(*marks, *texts))
    assert next(traces, None) is None
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of an export, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
