"""From a selection to a finished build: plan, map, store and publish."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from medsins.builds.commit import commit, recover
from medsins.builds.folder import MANIFEST, BuildFolder
from medsins.builds.manifest import SCHEMA_VERSION, Manifest, Options, RecipeFacts, Shard
from medsins.engine.local import Local
from medsins.engine.plan import FileCache, Inputs, RecipePlan, locate, plan, same_files, scan
from medsins.errors import (
    BuildConflictError,
    BuildVersionError,
    CorruptBuildError,
    MedsinsError,
    MissingFilesError,
    UnknownNameError,
)
from medsins.instructions.wordings import KINDS
from medsins.io.files import writing
from medsins.io.logs import logger
from medsins.io.version import __version__
from medsins.recipe import Recipe, Task
from medsins.registry import Select, raw_root, resolve, samples_root
from medsins.taxonomy import SPLITS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from medsins.engine.staging import Staged

_JOB_MODULES = (
    "medsins.engine.mapping",
    "medsins.engine.duplicates",
    "medsins.engine.shards",
    "medsins.cards",
)
"""Modules that jobs need and that are slow to import."""

MAX_REJECTS = 0.01
"""Largest share of rejected records that a recipe may have."""

_LOG = logger("engine")
_SMALL_BYTES = 48 << 20


@dataclass(frozen=True)
class BuildResult:
    """A finished build.

    Attributes:
        path: The build folder.
        tasks: The tasks that were asked for and have instances.
        counts: Instances by task and split, of these tasks.
        manifest: The contents of `manifest.json`.
        absent: Patterns that match no raw file, by recipe.
        left_out: Recipes of a group that were not built, and the error of each.
        built: Recipes that were not up to date already.
        seconds: Wall time.
    """

    path: Path
    tasks: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    manifest: Manifest
    absent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: dict[str, MedsinsError] = field(default_factory=dict)
    built: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def recipes(self) -> dict[str, RecipeFacts]:
        """The manifest's facts of the recipes that were asked for."""
        names = {
            name
            for name, facts in self.manifest.recipes.items()
            if not set(self.tasks).isdisjoint(facts.tasks) or name in self.built
        }
        return {name: self.manifest.recipes[name] for name in sorted(names)}

    @property
    def rejects(self) -> list[dict[str, str]]:
        """The rejected records of these recipes: recipe, file, row, field and reason of each."""
        found: list[dict[str, str]] = []
        for name in self.recipes:
            path = self.path / "rejects" / f"{name}.jsonl"
            if path.exists():
                found.extend(orjson.loads(line) for line in path.read_bytes().splitlines())
        return found

    def load(self, split: str | None = None) -> Dataset | DatasetDict:
        """Load the instances of these tasks; see `medsins.load`."""
        from medsins.builds.loading import load

        return load(self.path, split, tasks=self.tasks)


def build(
    select: Select,
    *,
    raw: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] = "medsins-data",
    split: str | None = None,
    limit: int | None = None,
    sample: bool = False,
    workers: int | None = None,
    engine: Literal["local"] = "local",
    instructions: Literal["definition", "seeds", "expanded"] = "definition",
    instructions_from: str | os.PathLike[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    max_rejects: float = MAX_REJECTS,
    progress: bool | None = None,
) -> BuildResult:
    """Build tasks from raw corpora into verified Parquet shards.

    Other recipes in the folder stay, and those that are up to date are not built again. If the
    process is killed, the same call resumes the build.

    Args:
        select: Which tasks; see `medsins.tasks`.
        raw: Folder of the raw files, one subfolder a source; default: `$MEDSINS_RAW`, else
            `medsins/raw` in the user's cache folder.
        out: Folder of the build.
        split: Build this split only.
        limit: Read at most this many records of each split of each file set.
        sample: Build from the synthetic samples that ship with the library.
        workers: Number of processes; default: one for each core, or one for small inputs.
        engine: What runs the jobs: "local".
        instructions: The instruction of each instance: "definition", the task's own; "seeds", one
            of its seed prompts; or "expanded", one of its expansions. The instance's id decides
            which one.
        instructions_from: Folder of expanded instructions; default: `medsins-instructions`.
        seed: Seed of the split of sources without an official one.
        overwrite: Replace a build made with other options.
        max_rejects: Largest share of a recipe's records that may be rejected.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        UnknownNameError: The selection matches nothing.
        BrokenRecipeError: A recipe asked for by name cannot be imported.
        MissingFilesError: Raw files are missing.
        CorruptFileError: A raw file cannot be read to its end.
        CheckError: instructions is "seeds", and a task has no seed prompts.
        InvalidFileError: A file of expanded instructions cannot be used.
        RejectedRecordsError: A recipe has more rejected records than allowed.
        BuildConflictError: The folder holds another build, or is in use.
        OutputError: The folder cannot be written.
        ValueError: An argument has an invalid value.
    """
    began = time.monotonic()
    options = _options(instructions, limit, sample, seed, split, engine)
    selection = resolve(select)
    root = (samples_root() if sample else raw_root(raw)).absolute()
    folder = BuildFolder(out)
    if folder.path.exists() and not folder.path.is_dir():
        # For its error message, which is clearer than that of the lock.
        folder.manifest()
    with folder.locked(), writing(folder.path):
        recover(folder)
        manifest, replaced = _start(folder, options, overwrite)
        wanted = _with_built_tasks(selection.recipes, manifest)
        run = _Run(
            folder=folder,
            root=root,
            options=options,
            workers=workers,
            # A sample shows what is odd about a source; its records are too few for shares.
            max_rejects=1.0 if sample else max_rejects,
            progress=progress,
            expansions=Path(instructions_from) if instructions_from is not None else None,
            manifest=manifest,
            replaced=replaced,
            left_out=dict(selection.broken),
        )
        try:
            run.stage(wanted, selection.named)
            manifest = run.publish()
        finally:
            run.close()
    asked = {task.name for task in selection.tasks}
    counts = {task: splits for task, splits in manifest.tasks.items() if task in asked and splits}
    result = BuildResult(
        folder.path,
        tuple(counts),
        counts,
        manifest,
        run.absent,
        run.left_out,
        tuple(run.staged),
        time.monotonic() - began,
    )
    if run.failures:
        others = f" The other {len(result.recipes)} recipes are built." if counts else ""
        error = run.failures[0]
        error.args = (f"{error}{others}", *error.args[1:])
        raise error
    return result


def _options(
    instructions: str, limit: int | None, sample: bool, seed: int, split: str | None, engine: str
) -> Options:
    if instructions not in KINDS:
        raise ValueError(
            f"instructions={instructions!r} is unknown; choose one of "
            f"{', '.join(map(repr, KINDS))}."
        )
    if engine != "local":
        raise ValueError(f"engine={engine!r} is unknown; the only engine is 'local'.")
    if split is not None and split not in SPLITS:
        raise ValueError(f"split={split!r} is not one of {', '.join(SPLITS)}.")
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit} builds nothing; give a number of records above 0.")
    return Options(instructions, limit, sample, seed, split)


def _start(folder: BuildFolder, options: Options, overwrite: bool) -> tuple[Manifest, list[str]]:
    """Return the manifest to add to, and the files of a build that is replaced as a whole.

    These files are kept until the new build is published.
    """
    fresh = Manifest(SCHEMA_VERSION, __version__, options, {}, [])
    try:
        manifest = folder.manifest()
    except CorruptBuildError as error:
        if overwrite:
            return fresh, folder.published()
        if isinstance(error, BuildVersionError):
            raise BuildConflictError(str(error)) from error
        raise
    if manifest is None:
        data = folder.path / "data"
        if data.exists() and any(data.iterdir()):
            raise BuildConflictError(
                f"{data} holds files, but there is no {MANIFEST} that lists them. Choose "
                "another output folder, or remove it."
            )
        return fresh, []
    if manifest.options == options:
        return manifest, []
    if overwrite:
        return fresh, folder.published()
    raise BuildConflictError(
        f"{folder.path} holds a build made with {asdict(manifest.options)}, not "
        f"{asdict(options)}. Choose another output folder, or replace it with --overwrite."
    )


def _with_built_tasks(
    recipes: dict[type[Recipe], list[Task]], manifest: Manifest
) -> dict[type[Recipe], list[Task]]:
    """Add the tasks of a recipe that were built before, so that asking for one keeps the others."""
    whole = {}
    for recipe, tasks in recipes.items():
        facts = manifest.recipes.get(recipe.name)
        before = set(facts.tasks) if facts else set()
        names = {task.name for task in tasks} | before
        whole[recipe] = [task for name, task in recipe.tasks.items() if name in names]
    return whole


@dataclass(kw_only=True)
class _Run:
    """One call of `build`, while it holds the folder's lock."""

    folder: BuildFolder
    root: Path
    options: Options
    workers: int | None
    max_rejects: float
    progress: bool | None
    expansions: Path | None
    manifest: Manifest
    replaced: list[str]
    left_out: dict[str, MedsinsError]
    absent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: list[MedsinsError] = field(default_factory=list)
    staged: dict[str, Staged] = field(default_factory=dict)
    local: Local | None = None

    @cached_property
    def _cache(self) -> FileCache:
        return FileCache(self.folder.state / "files.json")

    def stage(self, recipes: dict[type[Recipe], list[Task]], named: Iterable[str]) -> None:
        """Stage every recipe that is not up to date."""
        inputs: dict[type[Recipe], Inputs] = {}
        first: MissingFilesError | None = None
        for recipe in recipes:
            try:
                inputs[recipe] = locate(recipe, self.root)
                inputs[recipe].to_scan()
            except MissingFilesError as error:
                if recipe.name in named:
                    raise
                inputs.pop(recipe, None)
                first = first or error
                self.left_out[recipe.name] = error
                _LOG.info("left out %s: its raw files are missing", recipe.name)
        if not inputs:
            raise first or UnknownNameError("nothing is selected that can be built.")
        self._scan(inputs.values())
        plans = []
        for recipe, found in inputs.items():
            one = plan(
                found, recipes[recipe], self.options, self.root, self._cache, self.expansions
            )
            if one.absent:
                self.absent[recipe.name] = tuple(pattern for _, _, pattern in one.absent)
            facts = self.manifest.recipes.get(recipe.name)
            current = facts is not None and facts.fingerprint == one.fingerprint
            if facts is not None and current and self._has_shards(facts):
                _LOG.info("skipped %s: it is up to date", recipe.name)
            else:
                plans.append(one)
                counts = len(one.files), len(one.chunks)
                _LOG.info("planned %s: %d files, %d chunks", recipe.name, *counts)
        self._cache.save()
        if plans:
            self._stage_all(plans, inputs)

    def _has_shards(self, facts: RecipeFacts) -> bool:
        """Return whether all shards of a recipe exist and have their size."""
        for shard in self._shards_of(facts):
            try:
                if os.stat(self.folder.path / shard.path).st_size != shard.bytes:  # noqa: PTH116
                    return False
            except FileNotFoundError:
                return False
        return True

    def _shards_of(self, facts: RecipeFacts) -> list[Shard]:
        return [shard for shard in self.manifest.shards if shard.task in facts.tasks]

    def _scan(self, inputs: Iterable[Inputs]) -> None:
        """Read every raw file that is not in the cache, once."""
        todo: dict[Path, Any] = {}
        for found in inputs:
            for path, reader in found.to_scan():
                if path not in todo and self._cache.known(path) is None:
                    todo[path] = reader
        _LOG.info("raw files to read for the first time: %d", len(todo))
        large = [item for item in todo.items() if item[0].stat().st_size >= _SMALL_BYTES]
        for path, reader in todo.items():
            if path.stat().st_size < _SMALL_BYTES:
                self._cache.add(path, scan(path, reader))
        if large:
            executor = self._executor(sum(path.stat().st_size for path, _ in large))
            executor.start()
            if len(large) == 1:
                path, reader = large[0]
                self._cache.add(path, scan(path, reader, executor.start))
            else:
                for number, facts in executor.run(scan, large):
                    self._cache.add(large[number][0], facts)

    def _executor(self, size: int) -> Local:
        if self.local is None:
            workers = self.workers
            if workers is None:
                workers = 1 if size < _SMALL_BYTES else os.cpu_count() or 1
            self.local = Local(max(1, workers), _JOB_MODULES)
        return self.local

    def close(self) -> None:
        """End the worker processes."""
        if self.local is not None:
            self.local.stop()

    def _stage_all(self, plans: Sequence[RecipePlan], inputs: dict[type[Recipe], Inputs]) -> None:
        size = sum(facts.size for one in plans for facts in one.files.values())
        executor = self._executor(size)
        if size >= _SMALL_BYTES:
            executor.start()
        # An unchanged build does not need this module.
        from medsins.engine.staging import Stage

        stage = Stage(self.folder, self.root, executor, self.max_rejects, self.progress)
        with stage.bar(plans):
            for one in plans:
                try:
                    staged = stage.recipe(one)
                    same_files(inputs[one.recipe], self._cache)
                    self.staged[one.recipe.name] = staged
                except MedsinsError as error:
                    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                        raise
                    _LOG.warning("%s failed: %s", one.recipe.name, type(error).__name__)
                    self.failures.append(error)

    def publish(self) -> Manifest:
        """Move the staged files into the build and write its manifest; return it."""
        if not self.staged:
            if not self.manifest.recipes and self.failures:
                raise self.failures[0]
            return self.manifest
        recipes = dict(self.manifest.recipes)
        old = {
            shard.path
            for name in self.staged.keys() & recipes
            for shard in self._shards_of(recipes[name])
        }
        kept = [shard for shard in self.manifest.shards if shard.path not in old]
        moves: dict[str, str] = {}
        deletes: list[str] = []
        shards = list(kept)
        for name, staged in self.staged.items():
            recipes[name] = staged.facts
            shards.extend(staged.shards)
            base = self.folder.staged / name
            for shard in staged.shards:
                moves[_relative(base / shard.path, self.folder.path)] = shard.path
            rejects = f"rejects/{name}.jsonl"
            if staged.rejects:
                moves[_relative(base / "rejects.jsonl", self.folder.path)] = rejects
            else:
                deletes.append(rejects)
        new = {*moves.values(), *(shard.path for shard in kept)}
        deletes.extend(path for path in (*old, *self.replaced) if path not in new)
        manifest = replace(
            self.manifest,
            engine_version=__version__,
            recipes=dict(sorted(recipes.items())),
            shards=sorted(shards, key=lambda shard: shard.path),
        )
        staged_at = {final: path for path, final in moves.items()}
        paths = {
            shard.path: self.folder.path / staged_at.get(shard.path, shard.path) for shard in shards
        }
        texts = self._executor(0).call(render_metadata, manifest, paths)
        texts[MANIFEST] = manifest.text()
        commit(self.folder, moves, deletes, texts)
        return manifest


def render_metadata(manifest: Manifest, shards: dict[str, Path]) -> dict[str, str]:
    """Return the dataset card and other texts of a build, by path; a job for worker processes.

    Args:
        manifest: Its manifest.
        shards: Where its shards are now, by their paths in the manifest.
    """
    # Examples are read from samples, and sizes from shards, with Arrow.
    from medsins.cards import build_texts, memory_sizes

    return build_texts(manifest, memory_sizes(shards))


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix()
