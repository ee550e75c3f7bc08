"""What a build holds: the counts of its manifest, joined with what its recipes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from medsins.builds.manifest import Manifest, Options, RecipeFacts, Shard
from medsins.errors import MedsinsError
from medsins.recipe import Recipe, Task
from medsins.registry import recipe as find_recipe
from medsins.taxonomy import LICENSES, SPLITS, Access, Domain, License, LlmApi, Redistribution

GONE = "not known"
"""Said of what only a recipe knows, where the recipe of an earlier build is gone since."""


_RULES: dict[str, type[StrEnum]] = {
    "access": Access,
    "redistribution": Redistribution,
    "llm_api": LlmApi,
}
"""What a source says of its use; members are in order of strictness."""


@dataclass(frozen=True)
class BuiltTask:
    """A task that has instances in a build.

    Attributes:
        name: Its name.
        source: Name of its recipe.
        splits: Its instances by split.
        task: What the recipe says of it; None if the recipe is gone or has it no more.
    """

    name: str
    source: str
    splits: Mapping[str, int]
    task: Task | None

    @property
    def rows(self) -> int:
        """How many instances it has."""
        return sum(self.splits.values())

    @property
    def category(self) -> str:
        """Its task category."""
        return str(self.task.category) if self.task else GONE

    @property
    def domain(self) -> str:
        """Its text domain."""
        return str(self.task.domain) if self.task else GONE

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of its languages, input first; both if they differ; none if not known."""
        if self.task is None:
            return ()
        return tuple(dict.fromkeys((self.task.input_language, self.task.output_language)))


@dataclass(frozen=True)
class BuiltSource:
    """A source of a build.

    Attributes:
        name: Name of its recipe.
        facts: What the manifest says of it.
        tasks: Its tasks that have instances.
        recipe: What the recipe says; None if it is gone.
    """

    name: str
    facts: RecipeFacts
    tasks: tuple[BuiltTask, ...]
    recipe: type[Recipe] | None

    @property
    def title(self) -> str:
        """The source's name, as its owners write it."""
        return self.recipe.title if self.recipe else self.name

    @property
    def homepage(self) -> str:
        """Where it lives; "" if not known."""
        return self.recipe.homepage if self.recipe else ""

    @property
    def license(self) -> str:
        """Name of its license."""
        return self.recipe.license if self.recipe else GONE

    def rule(self, fact: str) -> str:
        """Return its access, redistribution or llm_api.

        A manifest may be older than the recipe: of the two, the stricter counts.
        """
        stated = [str(getattr(self.facts, fact))]
        if self.recipe:
            stated.append(str(getattr(self.recipe, fact)))
        order = [str(value) for value in _RULES[fact]]
        return max(stated, key=lambda one: order.index(one) if one in order else len(order))

    @property
    def needs_agreement(self) -> bool:
        """Whether its users have to register or to enter into an agreement of their own."""
        license = LICENSES.get(self.license)
        return self.rule("access") != Access.OPEN or bool(license and license.agreement)

    @property
    def stays(self) -> bool:
        """Whether nothing of it may be passed on."""
        return self.rule("redistribution") not in (Redistribution.YES, Redistribution.DERIVED_ONLY)

    @property
    def stays_local(self) -> bool:
        """Whether its text may not be sent to models that others run."""
        return self.rule("llm_api") != LlmApi.ALLOWED

    @property
    def rows(self) -> int:
        """How many instances it has."""
        return sum(task.rows for task in self.tasks)


@dataclass(frozen=True)
class Contents:
    """What a build holds.

    Attributes:
        manifest: Its manifest.
        sources: Its sources, by name.
        sizes: Bytes of its shards in memory, by path; those that are not known are left out.
    """

    manifest: Manifest
    sources: tuple[BuiltSource, ...]
    sizes: Mapping[str, int]

    @property
    def options(self) -> Options:
        """The options that it was built with."""
        return self.manifest.options

    @property
    def sample(self) -> bool:
        """Whether it was built from the synthetic samples."""
        return self.options.sample

    @cached_property
    def tasks(self) -> tuple[BuiltTask, ...]:
        """Its tasks, source by source."""
        return tuple(task for source in self.sources for task in source.tasks)

    @cached_property
    def rows(self) -> int:
        """How many instances it has."""
        return sum(task.rows for task in self.tasks)

    @cached_property
    def splits(self) -> dict[str, int]:
        """Its instances by split, in the usual order."""
        counts: Counter[str] = Counter()
        for task in self.tasks:
            counts.update(task.splits)
        return {split: counts[split] for split in SPLITS if counts[split]}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Codes of all languages, sorted."""
        return tuple(sorted({code for task in self.tasks for code in task.languages}))

    @cached_property
    def licenses(self) -> tuple[str, ...]:
        """Names of all licenses, sorted."""
        return tuple(sorted({source.license for source in self.sources}))

    @cached_property
    def shards(self) -> dict[tuple[str, str], list[Shard]]:
        """The manifest's shards by task and split."""
        found: dict[tuple[str, str], list[Shard]] = {}
        for shard in self.manifest.shards:
            found.setdefault((shard.task, shard.split), []).append(shard)
        return found


def contents_of(manifest: Manifest, sizes: Mapping[str, int]) -> Contents:
    """Join a manifest with the recipes that are installed."""
    sources = []
    for name, facts in sorted(manifest.recipes.items()):
        recipe = _recipe(name)
        tasks = tuple(
            BuiltTask(
                task,
                name,
                {split: splits[split] for split in SPLITS if splits.get(split)},
                recipe.tasks.get(task) if recipe else None,
            )
            for task, splits in facts.tasks.items()
            if any(splits.values())
        )
        sources.append(BuiltSource(name, facts, tasks, recipe))
    return Contents(manifest, tuple(sources), sizes)


def _recipe(name: str) -> type[Recipe] | None:
    try:
        return find_recipe(name)
    except MedsinsError:
        # A card must not fail because a recipe of an earlier build has gone since.
        return None


def grouped(
    tasks: Iterable[BuiltTask], key: Callable[[BuiltTask], str]
) -> dict[str, list[BuiltTask]]:
    """Return tasks by a property, the group with most instances first."""
    groups: dict[str, list[BuiltTask]] = {}
    for task in tasks:
        groups.setdefault(key(task), []).append(task)
    return dict(sorted(groups.items(), key=lambda item: (-sum(t.rows for t in item[1]), item[0])))


def domains_in(tasks: Iterable[BuiltTask]) -> list[str]:
    """Return the text domains of tasks, in the order of the taxonomy."""
    present = {task.domain for task in tasks}
    return [name for name in (*map(str, Domain), GONE) if name in present]


def license_facts(name: str) -> License:
    """Return what is known of a license; of one that is not listed, where to look."""
    if name in LICENSES:
        return LICENSES[name]
    if name == GONE:
        return License(
            "License not known",
            "The recipe that knew it is not installed. The column `license` of the rows has its "
            "name; treat the rows as not to be passed on until you have read its terms.",
        )
    return License(
        name,
        "Not described here. Read its terms on the homepages of the sources before you use them.",
    )
