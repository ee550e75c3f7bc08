"""The contract of recipes: `medsins check`, and a test for each recipe.

It builds the synthetic sample of a recipe, so it runs anywhere and needs no test code.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medsins.errors import CheckError, MedsinsError
from medsins.instructions.lint import seed_problems
from medsins.instructions.spec import unscorable
from medsins.recipe import Recipe, joins_files
from medsins.registry import recipe as find_recipe
from medsins.registry import samples_root, sources
from medsins.taxonomy import LANGUAGES, LICENSES, Access, Category, LlmApi, Redistribution

FEWEST_INSTANCES = 3
"""Fewest instances of each task that a sample has to give."""

_FULL_STOPS = (".", "。", "!", "?", "？", "！")
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_GOLDEN_FIELDS = ("id", "task", "split", "input", "output", "references", "record")


def check(name: str, *, golden: Path | None = None, update: bool = False) -> list[str]:
    """Check a recipe, its declarations and what its sample builds.

    Args:
        name: Name of the recipe.
        golden: Folder of golden files; default: `tests/golden` of the checkout, if this is one.
        update: Write the golden file instead of comparing with it.

    Returns:
        All problems as sentences; empty if there is none.

    Raises:
        UnknownNameError: There is no such recipe.
        BrokenRecipeError: It cannot be imported.
        CheckError: There is no folder to write the golden file to.
    """
    recipe = find_recipe(name)
    golden = golden or _golden_folder()
    if update and golden is None:
        raise CheckError(
            "this is not a checkout with tests/golden. Name a folder with --golden to write to."
        )
    problems = [*_facts(recipe), *_definitions(recipe), *_seeds(recipe)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            problems.extend(_sample(recipe, Path(folder)))
            rows = list(_golden_rows(recipe, Path(folder) / "build"))
        except MedsinsError as error:
            return [*problems, f"the sample does not build: {error}"]
    if golden is not None:
        path = golden / f"{name}.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        if update:
            golden.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        else:
            problems.extend(_compared(path, text))
    return problems


def _golden_folder() -> Path | None:
    folder = samples_root().parent.parent / "tests" / "golden"
    return folder if folder.is_dir() else None


def _facts(recipe: type[Recipe]) -> Iterator[str]:
    if not recipe.homepage.startswith(("http://", "https://")):
        yield f"homepage {recipe.homepage!r} is not a web address"
    if not re.search(r"\b(19|20)\d\d\b", recipe.citation):
        yield "citation has no year"
    if recipe.license not in LICENSES and not _SPDX.fullmatch(recipe.license):
        yield f"license {recipe.license!r} is neither an SPDX identifier nor listed in taxonomy"
    if recipe.access is not Access.OPEN:
        if not recipe.manual_download_instructions:
            yield "manual_download_instructions does not say what a user has to do and sign"
        if recipe.redistribution is not Redistribution.NO:
            yield f"access is {recipe.access}, but redistribution is {recipe.redistribution}"
        if recipe.llm_api is LlmApi.ALLOWED:
            yield f"access is {recipe.access}, but llm_api is allowed"
    elif not recipe.downloads and not recipe.manual_download_instructions:
        yield "neither downloads nor manual_download_instructions says how to get the files"
    for download in recipe.downloads:
        if not re.fullmatch(r"[0-9a-f]{64}", download.sha256):
            yield f"download {download.path} is not pinned by a SHA-256"
    if not (ast.get_docstring(_source(recipe)) or "").strip():
        yield "the module has no docstring that describes the raw layout"


def _definitions(recipe: type[Recipe]) -> Iterator[str]:
    others = {
        task.definition: task.name
        for source in sources()
        if source.name != recipe.name
        for task in source.tasks.values()
    }
    seen: dict[str, str] = {}
    for task in recipe.tasks.values():
        text = task.definition
        if not text.endswith(_FULL_STOPS):
            yield f"{task.name}: the definition does not end with a full stop"
        if text != text.strip() or "  " in text:
            yield f"{task.name}: the definition has spaces at its ends or in a row"
        if task.category is Category.TRANSLATION:
            for code in (task.input_language, task.output_language):
                if LANGUAGES[code] not in text:
                    yield f"{task.name}: the definition does not name {LANGUAGES[code]}"
        absent = [label for label in task.labels if label not in text]
        if absent:
            yield f"{task.name}: the definition does not state the labels {', '.join(absent)}"
        if text in seen or text in others:
            yield f"{task.name}: {seen.get(text) or others[text]} has the same definition"
        seen[text] = task.name
        yield from unscorable(task.spec)


def _seeds(recipe: type[Recipe]) -> Iterator[str]:
    # A recipe may be written before its seed prompts.
    if recipe.seed_file().is_file():
        for task in recipe.tasks.values():
            yield from seed_problems(task.spec)


def _sample(recipe: type[Recipe], folder: Path) -> Iterator[str]:
    from medsins.builds.verifying import verify
    from medsins.engine.mapping import NOTHING
    from medsins.engine.runner import build

    result = build(recipe.name, sample=True, out=folder / "build", workers=1, progress=False)
    verify(result.path, progress=False)
    facts = result.manifest.recipes[recipe.name]
    for reason, count in facts.rejected.items():
        yield f"the sample has {count} records that are rejected: {reason}"
    for task in recipe.tasks.values():
        count = sum(facts.tasks[task.name].values())
        if count < FEWEST_INSTANCES:
            yield f"{task.name}: the sample gives {count} instances, fewer than {FEWEST_INSTANCES}"
    for pattern in result.absent.get(recipe.name, ()):
        if not _has_alternative(recipe, pattern):
            yield f"the sample has no file {pattern}"
    seen = {*facts.skipped, *facts.partly_skipped}
    for reason in skip_reasons(recipe):
        if reason not in seen:
            yield f"the sample has no record that is skipped because: {reason}"
    if facts.skipped.get(NOTHING):
        yield "some records of the sample give neither an instance nor a reason"
    yield from _split_groups(recipe, result.path)


def _has_alternative(recipe: type[Recipe], pattern: str) -> bool:
    """Return whether another pattern of the same set and split is matched by the sample.

    Sources that come in several layouts list a pattern for each of them.
    """
    for files in recipe.file_sets().values():
        located = files.locate(recipe.folder(files, samples_root()))
        for split, absent in located.absent:
            if absent == pattern and any(file.split == split for file in located.files):
                return True
    return False


def skip_reasons(recipe: type[Recipe]) -> list[str]:
    """Return the constant reasons of the `self.skip(...)` calls in a recipe's module."""
    return [
        str(node.args[0].value)
        for node in ast.walk(_source(recipe))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "skip"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def _source(recipe: type[Recipe]) -> ast.Module:
    # By its path: two private folders may hold modules of one name.
    return ast.parse(recipe.path.read_bytes())


def _split_groups(recipe: type[Recipe], build: Path) -> Iterator[str]:
    """Yield tasks with one input in several splits that no official split requires."""
    official = all(split for files in recipe.file_sets().values() for split in files.patterns)
    if official or joins_files(recipe):
        return
    for task in recipe.tasks:
        splits: dict[str, set[str]] = {}
        for row in _rows(build, task):
            splits.setdefault(row["input"], set()).add(row["split"])
        if any(len(found) > 1 for found in splits.values()):
            yield f"{task}: an input is in several splits; its group does not keep it in one"


def _rows(build: Path, task: str) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet

    for path in sorted((build / "data" / task).glob("*.parquet")):
        yield from parquet.read_table(path).to_pylist()


def _golden_rows(recipe: type[Recipe], build: Path) -> Iterator[dict[str, Any]]:
    for task in recipe.tasks:
        for row in _rows(build, task):
            yield {name: row[name] for name in _GOLDEN_FIELDS}


def _compared(path: Path, text: str) -> Iterator[str]:
    again = "look at the change and run `medsins check` with --update to accept it"
    if not path.exists():
        yield f"{path} is missing; {again}"
        return
    was, now = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    if was == now:
        return
    gone, new = Counter(was) - Counter(now), Counter(now) - Counter(was)
    if not gone and not new:
        yield f"{path.name}: the same instances in another order; {again}"
        return
    yield f"{path.name}: {gone.total()} instances are gone and {new.total()} are new; {again}"
    for row in list(gone)[:3]:
        yield f"- {row[:300]}"
    for row in list(new)[:3]:
        yield f"+ {row[:300]}"
