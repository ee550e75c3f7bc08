"""Every recipe keeps the contract; this module knows no corpus."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import medsins
from medsins.contributing.check import check
from medsins.recipe import method_for
from medsins.registry import find, samples_root
from paths import ROOT, SHARED

RAW = SHARED / "raw"
"""Real raw files, where a developer has them; they are not part of the project."""


@pytest.mark.parametrize("name", list(find()))
def test_the_recipe_keeps_the_contract(name: str) -> None:
    assert check(name) == []


def choosy() -> list[type[medsins.Recipe]]:
    """Return the recipes that get ready for the wanted tasks, and may leave out the rest."""
    recipes = dict.fromkeys(task.recipe for task in medsins.tasks() if task.recipe is not None)
    found = [recipe for recipe in recipes if recipe.prepare is not medsins.Recipe.prepare]
    assert found
    return found


def examples(recipe: medsins.Recipe, name: str, task: medsins.Task) -> list[object]:
    files = recipe.file_sets()[name]
    recipe.prepare(name, [task])
    records = recipe.read(files.locate(recipe.folder(files, samples_root())).files)
    return [list(method_for(recipe, name)(record)) for record in records]


def test_a_recipe_can_be_used_for_one_task_after_another() -> None:
    for recipe in choosy():
        used = recipe(samples_root())
        for name in recipe.file_sets():
            for task in recipe.tasks.values():
                assert examples(used, name, task) == examples(recipe(samples_root()), name, task)


def test_a_task_is_the_same_without_the_others_of_its_recipe(tmp_path: Path) -> None:
    for recipe in choosy():
        whole = medsins.build(recipe.name, sample=True, out=tmp_path / recipe.name, progress=False)
        for task in whole.tasks:
            alone = medsins.build(task, sample=True, out=tmp_path / task, progress=False)
            for split in whole.counts[task]:
                name = f"data/{task}/{split}-00000-of-00001.parquet"
                assert (alone.path / name).read_bytes() == (whole.path / name).read_bytes()


@pytest.mark.parametrize("name", list(find()))
def test_the_recipe_reads_its_owners_files(name: str, tmp_path: Path) -> None:
    if not RAW.is_dir():
        pytest.skip("there are no real raw files beside this checkout")
    try:
        result = medsins.build(name, raw=RAW, out=tmp_path / "out", progress=False)
    except medsins.errors.MissingFilesError as error:
        pytest.skip(str(error))
    facts = result.manifest.recipes[name]
    assert facts.written > 0
    assert facts.rejected == {}
    medsins.verify(tmp_path / "out", progress=False)


def test_the_page_of_counts_is_current() -> None:
    if not RAW.is_dir():
        pytest.skip("there are no real raw files beside this checkout")
    docs = ROOT / "docs"
    script = (
        "import make_counts, pathlib, sys\n"
        "sys.stdout.write(make_counts.page(pathlib.Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(RAW)],
        cwd=docs,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout == (docs / "counts.md").read_text(encoding="utf-8"), (
        "run: python docs/make_counts.py RAW_ROOT"
    )
