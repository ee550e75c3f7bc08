"""Which recipes exist, and which tasks a selector matches.

Recipes are found by listing files; the file name is the recipe's name. Three places are looked
at: the package `medsins.recipes`, packages registered under the entry point group
`medsins.recipes`, and the folder that the environment variable `MEDSINS_RECIPES` names. A module
is imported only when its tasks are needed, and one that cannot be imported does not break others.
"""

from __future__ import annotations

import difflib
import fnmatch
import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from medsins.errors import BrokenRecipeError, UnknownNameError
from medsins.recipe import Recipe, Task

Select = str | Iterable[str]
"""A selector or several; see `resolve`."""


@dataclass(frozen=True)
class Found:
    """A recipe module that was found, imported or not."""

    name: str
    path: Path
    module: str


@dataclass(frozen=True)
class Selection:
    """The tasks that selectors match.

    Attributes:
        tasks: The tasks, in order of recipe and declaration.
        named: Names of the recipes that were asked for by name, not as part of a group.
        broken: Why recipes of a group cannot be imported, by name.
    """

    tasks: tuple[Task, ...]
    named: frozenset[str]
    broken: dict[str, BrokenRecipeError]

    @property
    def recipes(self) -> dict[type[Recipe], list[Task]]:
        """The tasks by recipe, in order."""
        grouped: dict[type[Recipe], list[Task]] = {}
        for task in self.tasks:
            assert task.recipe is not None
            grouped.setdefault(task.recipe, []).append(task)
        return grouped


@cache
def _installed_folders() -> dict[str, list[Path]]:
    """Return the folders of packages that are installed, by package.

    Cached, since it takes milliseconds and every job of a build needs it: what is installed while a
    process runs is found by the next one.
    """
    folders = {}
    for point in entry_points(group="medsins.recipes"):
        spec = importlib.util.find_spec(point.value)
        if spec is not None:
            folders[point.value] = [Path(p) for p in spec.submodule_search_locations or ()]
    return folders


def _package_folders() -> dict[str, list[Path]]:
    """Return the folders that hold recipe modules, by the package they belong to."""
    import medsins

    folders = {"medsins.recipes": [Path(base) / "recipes" for base in medsins.__path__]}
    folders.update(_installed_folders())
    private = os.environ.get("MEDSINS_RECIPES")
    if private:
        folders[""] = [Path(private).expanduser()]
    return folders


def find() -> dict[str, Found]:
    """Return every recipe module by name, in alphabetical order.

    Raises:
        BrokenRecipeError: Two modules have the same name.
    """
    found: dict[str, Found] = {}
    for package, folders in _package_folders().items():
        for folder in folders:
            for path in sorted(folder.glob("[!_]*.py")):
                name = path.stem
                if name in found and found[name].path != path:
                    raise BrokenRecipeError(
                        f"two recipes are called {name}: {found[name].path} and {path}. "
                        "Rename one of them."
                    )
                found[name] = Found(name, path, f"{package}.{name}" if package else "")
    return dict(sorted(found.items()))


_PRIVATE = "medsins._private_recipes"
"""Prefix of the modules of `MEDSINS_RECIPES`; no package of this name is needed."""

_loaded: dict[Path, type[Recipe]] = {}


def recipe(name: str) -> type[Recipe]:
    """Import a recipe.

    Raises:
        UnknownNameError: There is none of this name.
        BrokenRecipeError: Its module cannot be imported, or has not exactly one recipe.
    """
    found = find()
    if name not in found:
        raise UnknownNameError(_unknown(name, found))
    return _load(found[name])


def _load(found: Found) -> type[Recipe]:
    if found.path not in _loaded:
        try:
            module = _import(found)
        except Exception as error:
            raise BrokenRecipeError(
                f"recipe {found.name} ({found.path}) cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Recipe)
            and value.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise BrokenRecipeError(
                f"recipe {found.name} ({found.path}) must define exactly one subclass of Recipe; "
                f"it defines {len(classes)}."
            )
        classes[0].path = found.path.absolute()
        _loaded[found.path] = classes[0]
    return _loaded[found.path]


def _import(found: Found) -> ModuleType:
    if found.module:
        return importlib.import_module(found.module)
    # Under its bare name it could shadow a module of the standard library.
    name = f"{_PRIVATE}.{found.name}"
    spec = importlib.util.spec_from_file_location(name, found.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Pickling and tracebacks look modules up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def resolve(select: Select = "all") -> Selection:
    """Return the tasks that selectors match.

    A selector is the name of a task, task family or recipe (a name is a prefix at `_`), a glob,
    `category:…`, `domain:…`, `language:…`, `access:…`, a published id such as `task83`, or
    `all`. `-selector` removes from what is selected before it; several may be joined by commas.

    Raises:
        UnknownNameError: A selector matches nothing.
        BrokenRecipeError: A recipe asked for by name cannot be imported.
    """
    terms = [select] if isinstance(select, str) else list(select)
    terms = [term for text in terms for term in text.replace(",", " ").split()]
    if not terms:
        raise UnknownNameError("nothing is selected. `medsins list` shows what there is.")
    if all(term.startswith("-") for term in terms):
        terms = ["all", *terms]
    chosen: dict[str, Task] = {}
    named: set[str] = set()
    broken: dict[str, BrokenRecipeError] = {}
    for term in terms:
        if term.startswith("-"):
            for task in _meaning(term[1:], broken)[0]:
                chosen.pop(task.name, None)
            continue
        meant, by_name = _meaning(term, broken)
        chosen.update({task.name: task for task in meant})
        if by_name:
            named.update(task.source for task in meant)
    order = {name: i for i, name in enumerate(find())}
    ordered = sorted(chosen.values(), key=lambda task: order[task.source])
    return Selection(tuple(ordered), frozenset(named), broken)


def _meaning(term: str, broken: dict[str, BrokenRecipeError]) -> tuple[list[Task], bool]:
    """Return the tasks of one selector, and whether it selects them by name."""
    found = find()
    owner = _owner(term, found)
    if owner is not None:
        tasks = _load(found[owner]).tasks
        meant = [task for task in tasks.values() if _is_prefix(term, task.name)]
        if meant:
            return meant, True
    tasks_of_all = _all_tasks(found, broken)
    if term == "all":
        return tasks_of_all, False
    kind, _, wanted = term.partition(":")
    if wanted:
        meant = _by_fact(kind, wanted, tasks_of_all)
    elif any(c in term for c in "*?["):
        meant = [task for task in tasks_of_all if fnmatch.fnmatchcase(task.name, term)]
    else:
        meant = [task for task in tasks_of_all if term in (task.legacy_id, task.benchmark_id)]
        if meant:
            return meant, True
    if not meant:
        raise UnknownNameError(_unknown(term, found, tasks_of_all))
    return meant, False


def _owner(term: str, found: dict[str, Found]) -> str | None:
    """Return the recipe whose name is the longest prefix of a name."""
    owners = [name for name in found if _is_prefix(name, term)]
    return max(owners, key=len, default=None)


def _is_prefix(prefix: str, name: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}_")


def _all_tasks(found: dict[str, Found], broken: dict[str, BrokenRecipeError]) -> list[Task]:
    tasks: list[Task] = []
    for one in found.values():
        try:
            tasks.extend(_load(one).tasks.values())
        except BrokenRecipeError as error:
            broken[one.name] = error
    return tasks


def _by_fact(kind: str, wanted: str, tasks: Sequence[Task]) -> list[Task]:
    plain = _plain(wanted)
    meant = []
    for task in tasks:
        assert task.recipe is not None
        facts: dict[str, Sequence[str]] = {
            "category": [task.category],
            "domain": [task.domain],
            "language": [task.input_language, task.output_language],
            "access": [task.recipe.access],
        }
        if kind not in facts:
            kinds = ", ".join(f"{name}:" for name in facts)
            raise UnknownNameError(
                f"{kind}: is not a selector. Selectors are {kinds} names and globs."
            )
        if plain in [_plain(value) for value in facts[kind]]:
            meant.append(task)
    return meant


def _plain(label: str) -> str:
    return label.lower().replace(" ", "_").replace("-", "_")


def _unknown(term: str, found: dict[str, Found], tasks: Sequence[Task] = ()) -> str:
    names = {*found, *(task.name for task in tasks)}
    for task in tasks:
        assert task.recipe is not None
        names |= {
            f"category:{_plain(task.category)}",
            f"domain:{_plain(task.domain)}",
            f"access:{task.recipe.access}",
        }
    close = difflib.get_close_matches(term, sorted(names), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"no task, recipe or selector is called {term!r}.{hint} `medsins list` shows all."


def tasks(select: Select = "all") -> list[Task]:
    """Return the tasks that selectors match; see `resolve`."""
    return list(resolve(select).tasks)


def task(name: str) -> Task:
    """Return one task by its full name or published id.

    Raises:
        UnknownNameError: There is no such task, or the name matches several.
    """
    meant = resolve(name).tasks
    for one in meant:
        if one.name == name:
            return one
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(one.name for one in meant[:5])
    raise UnknownNameError(f"{name!r} matches {len(meant)} tasks ({listed}, …); name one of them.")


def sources() -> list[type[Recipe]]:
    """Return every recipe class that can be imported: its attributes are the source's facts."""
    loaded = []
    for found in find().values():
        try:
            loaded.append(_load(found))
        except BrokenRecipeError:
            continue
    return loaded


def samples_root() -> Path:
    """Return the folder of the synthetic raw samples, laid out like a raw root."""
    import medsins

    for base in medsins.__path__:
        for place in (Path(base) / "samples", Path(base) / "examples" / "raw"):
            if place.is_dir():
                return place
    raise BrokenRecipeError("the synthetic samples are not installed; install medsins again.")


def raw_root(raw: str | os.PathLike[str] | None) -> Path:
    """Return the raw root: the argument, else `$MEDSINS_RAW`, else the user's cache folder."""
    chosen = raw if raw is not None else os.environ.get("MEDSINS_RAW")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "medsins" / "raw"
