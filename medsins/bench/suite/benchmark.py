"""`bench build`: test instances, and candidates for few-shot examples, in one folder.

benchmark.json       what is in it: tasks, sizes beside the published ones, facts of access, digests
items/<task>.jsonl   what is asked: id, input, references
fewshot/<task>.jsonl   candidates for examples, from the training split alone: id, input, output
build/               the build that they were taken from
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import xxhash

from medsins.bench.suite.tasks import BenchTask, bench_tasks
from medsins.builds.manifest import Manifest, SourceTerms
from medsins.engine.plan import locate
from medsins.engine.runner import build
from medsins.errors import (
    BuildConflictError,
    BuildVersionError,
    InvalidFileError,
    MissingFilesError,
)
from medsins.io.files import dump, write_atomically
from medsins.io.structured import MalformedError, from_json
from medsins.io.version import __version__
from medsins.registry import raw_root, resolve
from medsins.text import folded

VERSION = "2"
"""Version of the folder's layout and of the rules by which items and examples are chosen."""

CANDIDATES = 256
"""Most candidates for few-shot examples that are kept of a task."""

_FILE = "benchmark.json"
_MEND = (
    "Build it again: `medsins bench build` with another folder as --out, or remove this one first."
)


@dataclass(frozen=True)
class Item:
    """One question of the benchmark.

    Attributes:
        id: Id of its instance.
        task: Name of its task.
        input: What the model reads.
        references: Acceptable answers.
    """

    id: str
    task: str
    input: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class FewshotExample:
    """A candidate for an example in prompts.

    Attributes:
        id: Id of its training instance.
        input: What the model reads.
        output: What it should answer.
    """

    id: str
    input: str
    output: str


@dataclass(frozen=True)
class TaskFacts:
    """What a benchmark knows of a task.

    Attributes:
        benchmark_id: Number of its published test file.
        category: One of the 11 categories of the benchmark.
        definition: The instruction that a model gets.
        metric: Name of its published metric.
        num_fewshot: Few-shot examples that it is published with.
        input_language: ISO 639-1 code.
        output_language: ISO 639-1 code.
        rows: Questions.
        rows_available: Test instances that they were chosen from.
        rows_published: Questions that are published, or scored in the paper; None if not known.
        candidates: Candidates for few-shot examples.
        note: Why the numbers differ, where they do.
        items: SHA-256 of the file of questions.
        fewshot: SHA-256 of the file of candidates.
    """

    benchmark_id: str
    category: str
    definition: str
    metric: str
    num_fewshot: int
    input_language: str
    output_language: str
    rows: int
    rows_available: int
    rows_published: int | None
    candidates: int
    note: str
    items: str
    fewshot: str


@dataclass(frozen=True)
class SourceFacts:
    """What a benchmark knows of a source: its terms and its tasks."""

    access: str
    redistribution: str
    llm_api: str
    tasks: list[str]


@dataclass(frozen=True)
class BenchmarkOptions:
    """What shaped a benchmark: samples or raw files, the seed, and which test rows."""

    sample: bool
    seed: int
    subset: Literal["full", "paper"]


@dataclass(frozen=True)
class BenchmarkFacts:
    """The contents of `benchmark.json`.

    Attributes:
        version: Version of the folder's layout.
        medsins: Version of the library that made it.
        options: What shaped it.
        recipes: Terms of each source, by name.
        tasks: What is known of each task, by name.
        left_out: Why tasks that were asked for are not in it.
    """

    version: str
    medsins: str
    options: BenchmarkOptions
    recipes: dict[str, SourceFacts]
    tasks: dict[str, TaskFacts]
    left_out: dict[str, str]

    def only(self, tasks: Collection[str]) -> BenchmarkFacts:
        """Return what is known of some tasks and their sources."""
        recipes = {
            name: replace(source, tasks=[task for task in source.tasks if task in tasks])
            for name, source in self.recipes.items()
            if not set(tasks).isdisjoint(source.tasks)
        }
        return replace(self, recipes=recipes, tasks={name: self.tasks[name] for name in tasks})

    def write(self, folder: Path) -> None:
        """Write it into a benchmark folder."""
        write_atomically(folder / _FILE, dump(asdict(self)))


class Benchmark:
    """A benchmark folder.

    Args:
        path: The folder.

    Raises:
        MissingFilesError: There is no benchmark in it.
        InvalidFileError: It is of another version, or damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        try:
            loaded = json.loads((self.path / _FILE).read_bytes())
        except FileNotFoundError as error:
            raise MissingFilesError(
                f"{self.path} holds no benchmark. Make one with `medsins bench build`."
            ) from error
        except (ValueError, RecursionError) as error:
            raise InvalidFileError(f"{self.path / _FILE} is not valid JSON. {_MEND}") from error
        version = loaded.get("version") if isinstance(loaded, dict) else None
        if version != VERSION:
            raise InvalidFileError(
                f"{self.path} is a benchmark of version {version}; this medsins reads {VERSION}. "
                f"{_MEND}"
            )
        try:
            self.facts = from_json(BenchmarkFacts, loaded)
        except MalformedError as error:
            raise InvalidFileError(
                f"{self.path / _FILE} is not one that medsins writes: {error}. {_MEND}"
            ) from error

    @property
    def tasks(self) -> dict[str, TaskFacts]:
        """What is known of each task, by name."""
        return self.facts.tasks

    @property
    def sample(self) -> bool:
        """Whether it was made from the synthetic samples."""
        return self.facts.options.sample

    @property
    def terms(self) -> list[SourceTerms]:
        """What may be done with each source."""
        return [
            SourceTerms(name, tuple(source.tasks), source.redistribution, source.llm_api)
            for name, source in self.facts.recipes.items()
        ]

    def source(self, task: str) -> str:
        """Return the name of the recipe of a task."""
        return next(name for name, source in self.facts.recipes.items() if task in source.tasks)

    @cached_property
    def digest(self) -> str:
        """Return what names this benchmark: a SHA-256 over the digests of all its items."""
        joined = "\n".join(f"{name} {facts.items}" for name, facts in sorted(self.tasks.items()))
        return hashlib.sha256(joined.encode()).hexdigest()

    def items(self, task: str) -> list[Item]:
        """Return the questions of a task, in their order.

        Raises:
            InvalidFileError: The file was changed since it was built.
        """
        rows = self._rows("items", task)
        return [Item(row["id"], task, row["input"], tuple(row["references"])) for row in rows]

    def fewshot_examples(self, task: str) -> list[FewshotExample]:
        """Return the candidates for few-shot examples of a task.

        Raises:
            InvalidFileError: The file was changed since it was built.
        """
        return [
            FewshotExample(row["id"], row["input"], row["output"])
            for row in self._rows("fewshot", task)
        ]

    def _rows(self, kind: str, task: str) -> list[dict[str, Any]]:
        path = self.path / kind / f"{task}.jsonl"
        content = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(content).hexdigest() != getattr(self.tasks[task], kind):
            raise InvalidFileError(
                f"{path} is not what was built. Run `medsins bench build` again."
            )
        return [json.loads(line) for line in content.decode().split("\n") if line]


def collect(
    select: str | Iterable[str] = "all",
    *,
    raw: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] = "medsins-bench",
    subset: Literal["full", "paper"] = "full",
    sample: bool = False,
    seed: int = 0,
    workers: int | None = None,
    progress: bool | None = None,
) -> Benchmark:
    """Build the benchmark: test instances, and few-shot candidates from the training split.

    A candidate whose input is also a test input of its task is never taken.

    Args:
        select: Which tasks; those that are not in the benchmark are passed over, and so are those
            whose raw files are not there.
        raw: Folder of the raw files.
        out: Folder of the benchmark.
        subset: "full", or "paper": as many rows of each task as the paper scores, chosen by a hash
            of seed and id.
        sample: Build from the synthetic samples.
        seed: Of the splits, of the subset and of the candidates.
        workers: Processes.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        UnknownNameError: Nothing of the selection is in the benchmark.
        MissingFilesError: No raw files are there.
        InvalidFileError: The folder holds a benchmark of another version.
    """
    tasks, left_out = _with_raw_files(bench_tasks(select), select, raw, sample)
    path = Path(out).expanduser()
    try:
        result = build(
            [one.name for one in tasks],
            raw=raw,
            out=path / "build",
            sample=sample,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    except BuildConflictError as error:
        if not isinstance(error.__cause__, BuildVersionError):
            raise
        raise InvalidFileError(
            f"{path} holds a benchmark that another version of medsins made. {_MEND}"
        ) from error
    manifest = result.manifest
    for kind in ("items", "fewshot"):
        (path / kind).mkdir(exist_ok=True)
    facts = {
        one.name: _write_task(path, manifest, one, subset, seed)
        for one in tasks
        if manifest.tasks.get(one.name, {}).get("test")
    }
    absent = {one.name: "no test rows in its raw files" for one in tasks if one.name not in facts}
    if not facts:
        raise MissingFilesError(
            "no task of the selection has test rows in its raw files: "
            f"{', '.join(sorted(absent))}. `medsins show TASK` says which files are missing."
        )
    BenchmarkFacts(
        version=VERSION,
        medsins=__version__,
        options=BenchmarkOptions(sample, seed, subset),
        recipes={
            name: SourceFacts(
                known.access,
                known.redistribution,
                known.llm_api,
                [task for task in known.tasks if task in facts],
            )
            for name, known in manifest.recipes.items()
            if not facts.keys().isdisjoint(known.tasks)
        },
        tasks=facts,
        left_out=left_out | absent,
    ).write(path)
    return Benchmark(path)


def _with_raw_files(
    tasks: list[BenchTask],
    select: str | Iterable[str],
    raw: str | os.PathLike[str] | None,
    sample: bool,
) -> tuple[list[BenchTask], dict[str, str]]:
    """Return the tasks whose raw files are there, and why the others are left out, by name.

    Raises:
        MissingFilesError: Raw files are missing of a source that was asked for by name, or of all.
    """
    if sample:
        return tasks, {}
    named = resolve(select).named
    there: dict[str, bool] = {}
    first: MissingFilesError | None = None
    for one in tasks:
        recipe = one.task.recipe
        assert recipe is not None
        if recipe.name in there:
            continue
        try:
            locate(recipe, raw_root(raw))
            there[recipe.name] = True
        except MissingFilesError as error:
            if recipe.name in named:
                raise
            first = first or error
            there[recipe.name] = False
    found = [one for one in tasks if there[one.task.source]]
    if not found and first is not None:
        raise first
    return found, {one.name: "no raw files" for one in tasks if not there[one.task.source]}


def _write_task(
    path: Path, manifest: Manifest, one: BenchTask, subset: str, seed: int
) -> TaskFacts:
    build_path = path / "build"
    items = [
        {"id": row["id"], "input": row["input"], "references": row["references"]}
        for row in _instances(build_path, manifest, one.name, "test")
    ]
    available = len(items)
    evaluated = one.published.evaluated
    if subset == "paper" and evaluated is not None and evaluated < available:
        chosen = set(heapq.nsmallest(evaluated, (_rank(seed, row["id"]) for row in items)))
        items = [row for row in items if _rank(seed, row["id"]) in chosen]
    tested = {_folded(row["input"]) for row in items}
    examples = heapq.nsmallest(
        CANDIDATES,
        (
            {"id": row["id"], "input": row["input"], "output": row["output"]}
            for row in _instances(build_path, manifest, one.name, "train")
            if _folded(row["input"]) not in tested
        ),
        key=lambda row: _rank(seed, row["id"]),
    )
    published = one.published.evaluated if subset == "paper" else one.published.rows
    return TaskFacts(
        benchmark_id=one.task.benchmark_id,
        category=one.published.category,
        definition=one.task.definition,
        metric=one.task.metric,
        num_fewshot=one.published.num_fewshot,
        input_language=one.task.input_language,
        output_language=one.task.output_language,
        rows=len(items),
        rows_available=available,
        rows_published=published,
        candidates=len(examples),
        note=_note(len(items), published, one),
        items=_write_rows(path / "items" / f"{one.name}.jsonl", items),
        fewshot=_write_rows(path / "fewshot" / f"{one.name}.jsonl", examples),
    )


def _note(rows: int, published: int | None, one: BenchTask) -> str:
    if rows == published:
        return one.published.note
    if published is None:
        return f"how many rows were published is not known; {one.published.note}".rstrip("; ")
    reason = one.published.note or "the raw files are not those the published rows came from"
    return f"{rows:,} rows, published {published:,}: {reason}"


def _instances(path: Path, manifest: Manifest, task: str, split: str) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet

    columns = ["id", "input", "output", "references"]
    for shard in manifest.shards_of(task, split):
        with parquet.ParquetFile(path / shard.path) as opened:
            for batch in opened.iter_batches(4096, columns=columns):
                yield from batch.to_pylist()


def _rank(seed: int, key: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{seed}/{key}".encode())


def _folded(text: str) -> int:
    return xxhash.xxh3_64_intdigest(folded(text).encode())


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> str:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(path, text)
    return hashlib.sha256(text.encode()).hexdigest()
