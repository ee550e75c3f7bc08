"""The manifest of a build: what it holds and how it was made.

It is written last, sorted and without timestamps, so that equal builds have equal manifests. These
are plain dataclasses, so that a build that is up to date is found so without importing pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Protocol

from medsins.errors import BuildVersionError, CorruptBuildError
from medsins.io.files import dump
from medsins.io.structured import MalformedError, from_json

SCHEMA_VERSION = "2"
"""Version of the manifest and of the shards' columns; a build of another version is refused."""

_SHARD = re.compile(
    r"data/(?P<task>\w[\w.-]*)/(?P<split>train|validation|test)-\d{5}-of-\d{5}\.parquet", re.ASCII
)
_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True)
class _Keyword:
    """A keyword of JSON Schema that a type has beside its own."""

    name: str
    value: object

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        return {**handler(core), self.name: self.value}


Count = Annotated[int, _Keyword("minimum", 0)]
Sha256 = Annotated[str, _Keyword("pattern", "^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Options:
    """What shapes the result of a build beside the recipes and the raw files.

    Attributes:
        instructions: Which instructions go with the instances; see `medsins.instructions.wordings`.
        limit: Most records to read of each split of each file set; None for all.
        sample: Whether the synthetic samples are built.
        seed: Seed of the hash that splits groups.
        split: The only split to build; None for all.
    """

    __pydantic_config__ = _CLOSED

    instructions: str = "definition"
    limit: int | None = None
    sample: bool = False
    seed: int = 0
    split: str | None = None


@dataclass(frozen=True)
class RawFileFacts:
    """A raw file that a recipe read.

    Attributes:
        path: Its path below the raw root.
        bytes: Its size.
        sha256: Its SHA-256, as lower-case hex.
    """

    __pydantic_config__ = _CLOSED

    path: str
    bytes: Count
    sha256: Sha256


@dataclass(frozen=True)
class RecipeFacts:
    """What a recipe read and gave.

    records = records_with_instances + all skipped + all rejected;
    instances = written + duplicates.

    Attributes:
        fingerprint: Digest of the recipe's source, the raw bytes, the engine, the options and the
            tasks.
        access: How a user gets its raw files.
        redistribution: What of it may be passed on.
        llm_api: Whether its text may be sent to models that others run.
        files: The raw files that were read.
        records: Records read.
        records_with_instances: Records that gave instances.
        skipped: Records that gave no instance, by reason.
        partly_skipped: Skips yielded by records that did give instances, by reason.
        rejected: Records set aside as unusable, by reason; `rejects/` has them one by one.
        instances: Instances that the records gave.
        duplicates: Instances dropped as repeats.
        written: Instances in the shards.
        tasks: Instances written, by task and split.
    """

    __pydantic_config__ = _CLOSED

    fingerprint: str
    access: str
    redistribution: str
    llm_api: str
    files: list[RawFileFacts]
    records: Count
    records_with_instances: Count
    skipped: dict[str, Count]
    partly_skipped: dict[str, Count]
    rejected: dict[str, Count]
    instances: Count
    duplicates: Count
    written: Count
    tasks: dict[str, dict[str, Count]]


@dataclass(frozen=True)
class Shard:
    """One Parquet file of a build.

    Attributes:
        path: Its path in the build folder.
        rows: Its instances.
        bytes: Its size.
        sha256: Its SHA-256, as lower-case hex.
    """

    __pydantic_config__ = _CLOSED

    path: str
    rows: Count
    bytes: Count
    sha256: Sha256

    @cached_property
    def _named(self) -> re.Match[str]:
        found = _SHARD.fullmatch(self.path)
        if found is None:
            raise CorruptBuildError(
                f"{self.path[:200]!r} is not the path of a shard, which is "
                "data/<task>/<split>-00000-of-00001.parquet. Build again."
            )
        return found

    @property
    def task(self) -> str:
        """Name of its task."""
        return self._named["task"]

    @property
    def split(self) -> str:
        """Name of its split."""
        return self._named["split"]


def shard_path(task: str, split: str, index: int, count: int) -> str:
    """Return the path of a shard in a build folder: the `index`-th of `count`, from 0."""
    return f"data/{task}/{split}-{index:05d}-of-{count:05d}.parquet"


def is_shard(path: str) -> bool:
    """Return whether a path has the form of a shard's."""
    return _SHARD.fullmatch(path) is not None


@dataclass(frozen=True)
class SourceTerms:
    """What may be done with the instances of a source.

    Attributes:
        source: Name of its recipe.
        tasks: Its tasks.
        redistribution: What of it may be passed on.
        llm_api: Whether its text may be sent to models that others run.
    """

    source: str
    tasks: tuple[str, ...]
    redistribution: str
    llm_api: str


class HoldsSources(Protocol):
    """Something with instances of sources: a build, or a benchmark made from one."""

    @property
    def sample(self) -> bool:
        """Whether it was made from the synthetic samples."""

    @property
    def terms(self) -> list[SourceTerms]:
        """What may be done with each source."""


@dataclass(frozen=True)
class Manifest:
    """What a build folder holds and how it was made.

    Attributes:
        schema_version: Version of the manifest and of the shards' columns.
        engine_version: Version of the library that built it.
        options: What shaped it beside the recipes and the raw files.
        recipes: What each recipe read and gave, by name.
        shards: Its shards, by path.
    """

    __pydantic_config__ = _CLOSED

    schema_version: str
    engine_version: str
    options: Options
    recipes: dict[str, RecipeFacts]
    shards: list[Shard]

    @classmethod
    def from_json(cls, value: Any, where: str) -> Manifest:
        """Return a manifest as `json.loads` gives it.

        Args:
            value: What was read.
            where: The folder or repository, for messages.

        Raises:
            BuildVersionError: It is of another version.
            CorruptBuildError: It is not a valid manifest.
        """
        version = value.get("schema_version") if isinstance(value, dict) else None
        if isinstance(version, str) and version != SCHEMA_VERSION:
            raise BuildVersionError(
                f"{where} holds a build of schema version {version[:20]}, and this medsins knows "
                f"{SCHEMA_VERSION}. Use the version of medsins that made it, or build again with "
                "--overwrite."
            )
        try:
            return from_json(cls, value)
        except MalformedError as error:
            raise CorruptBuildError(
                f"the manifest.json of {where} is not one that medsins writes: {error}. Build "
                "again with --overwrite."
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as values of JSON."""
        return asdict(self)

    def text(self) -> str:
        """Return the text of `manifest.json`."""
        return dump(self.to_json())

    @property
    def sample(self) -> bool:
        """Whether it was built from the synthetic samples."""
        return self.options.sample

    @property
    def terms(self) -> list[SourceTerms]:
        """What may be done with each source."""
        return [
            SourceTerms(name, tuple(facts.tasks), facts.redistribution, facts.llm_api)
            for name, facts in self.recipes.items()
        ]

    @property
    def tasks(self) -> dict[str, dict[str, int]]:
        """Instances written, by task and split."""
        return {
            task: splits for facts in self.recipes.values() for task, splits in facts.tasks.items()
        }

    @property
    def owners(self) -> dict[str, str]:
        """Name of the recipe of each task."""
        return {task: name for name, facts in self.recipes.items() for task in facts.tasks}

    def shards_of(self, task: str, split: str) -> list[Shard]:
        """Return the shards of a task and split, in their order."""
        return sorted(
            (shard for shard in self.shards if shard.task == task and shard.split == split),
            key=lambda shard: shard.path,
        )

    def only(self, recipes: Collection[str]) -> Manifest:
        """Return the manifest without other recipes and their shards."""
        kept = {name: facts for name, facts in self.recipes.items() if name in recipes}
        tasks = {task for facts in kept.values() for task in facts.tasks}
        shards = [shard for shard in self.shards if shard.task in tasks]
        return replace(self, recipes=kept, shards=shards)
