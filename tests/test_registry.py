"""Finding recipes and resolving selectors."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import medsins
from medsins import errors
from medsins.contributing.check import skip_reasons
from medsins.registry import resolve
from recipes_for_tests import visits, write_recipe, write_visits


def names(select: str | list[str]) -> list[str]:
    return [task.name for task in medsins.tasks(select)]


def test_a_name_is_a_prefix_at_underscores() -> None:
    assert len(names("mimic_iv_note_summary")) == 17
    assert names("mimic_iv_note_summary_ct_chest") == ["mimic_iv_note_summary_ct_chest"]
    assert len(names("mimic_iv_note")) == 20
    with pytest.raises(errors.UnknownNameError):
        names("mimic_iv_no")


def test_a_recipe_whose_name_begins_with_another_is_not_meant() -> None:
    assert {task.source for task in medsins.tasks("bc5cdr")} == {"bc5cdr"}
    assert {task.source for task in medsins.tasks("bc5cdr_chem")} == {"bc5cdr_chem"}


@pytest.mark.parametrize(
    ("select", "holds"),
    [
        ("category:question_answering", lambda t: t.category == "Question Answering"),
        (
            "category:Question Answering".replace(" ", "-"),
            lambda t: t.category == "Question Answering",
        ),
        ("domain:clinical_texts", lambda t: t.domain == "Clinical Texts"),
        ("language:zh", lambda t: "zh" in (t.input_language, t.output_language)),
        # Some tasks only answer in it.
        ("language:de", lambda t: "de" in (t.input_language, t.output_language)),
        ("access:credentialed", lambda t: t.recipe.access == "credentialed"),
        ("*_ct_*", lambda t: "_ct_" in t.name),
    ],
)
def test_facts_and_globs_select_all_tasks_they_hold_for(
    select: str, holds: Callable[[medsins.Task], bool]
) -> None:
    assert names(select) == [task.name for task in medsins.tasks() if holds(task)]
    assert names(select)


def test_published_ids_select_one_task() -> None:
    assert names("task83") == ["mimic_iv_note_summary_ct_chest"]
    assert names("task122") == ["medmcqa_mcq"]
    assert names("task127") == ["bc5cdr_disease_ner"]
    assert medsins.task("task127").benchmark_only
    assert not medsins.task("task122").benchmark_only


def test_selectors_add_up_and_a_minus_takes_away() -> None:
    assert (
        set(names(["medqa", "meqsum"])) == set(names("medqa,meqsum")) == set(names("medqa meqsum"))
    )
    assert "medqa_mcqa_en" not in names(["language:en", "-medqa"])
    assert set(names("-access:open")) == {
        t.name for t in medsins.tasks() if t.recipe and t.recipe.access != "open"
    }


def test_a_wrong_name_says_what_is_close_and_what_lists_all() -> None:
    with pytest.raises(errors.UnknownNameError) as caught:
        medsins.tasks("medqua")
    assert "medqa" in str(caught.value) or "medquad" in str(caught.value)
    assert "medsins list" in str(caught.value)
    assert isinstance(caught.value, KeyError)
    with pytest.raises(errors.UnknownNameError, match="category:"):
        medsins.tasks("categorie:diagnosis")
    with pytest.raises(errors.UnknownNameError, match="nothing is selected"):
        medsins.tasks([])
    with pytest.raises(errors.UnknownNameError, match="17 tasks"):
        medsins.task("mimic_iv_note_summary")


def test_published_ids_and_names_are_unique() -> None:
    tasks = medsins.tasks()
    for field in ("name", "legacy_id", "benchmark_id"):
        values = [getattr(task, field) for task in tasks if getattr(task, field)]
        assert len(values) == len(set(values)), field


def test_private_recipes_are_found_and_clashes_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path))
    write_recipe(tmp_path, "own_clinic")
    assert names("own_clinic") == ["own_clinic_answer", "own_clinic_verdict"]
    write_recipe(tmp_path, "medqa")
    with pytest.raises(errors.BrokenRecipeError, match="two recipes are called medqa"):
        names("all")


def test_broken_recipes_are_told_apart_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path))
    (tmp_path / "empty_recipe.py").write_text("")
    (tmp_path / "raising_recipe.py").write_text("raise RuntimeError('boom')")
    (tmp_path / "bare_recipe.py").write_text(
        "from medsins import Recipe\nclass Bare(Recipe):\n    title = 'Bare'\n"
    )
    selection = resolve("all")
    assert set(selection.broken) == {"empty_recipe", "raising_recipe", "bare_recipe"}
    assert "boom" in str(selection.broken["raising_recipe"])
    assert "declare homepage" in str(selection.broken["bare_recipe"])
    assert "exactly one subclass" in str(selection.broken["empty_recipe"])
    assert "medqa_mcqa_en" in [task.name for task in selection.tasks]


def test_an_installed_package_may_bring_recipes(tmp_path: Path) -> None:
    write_recipe(tmp_path / "hospital_recipes", "st_elsewhere")
    (tmp_path / "hospital_recipes" / "__init__.py").touch()
    info = tmp_path / "hospital-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hospital\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[medsins.recipes]\nhospital = hospital_recipes\n")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import medsins; print(*[t.name for t in medsins.tasks('st_elsewhere')])",
        ],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["st_elsewhere_answer", "st_elsewhere_verdict"]


def test_importing_the_library_imports_nothing_heavy() -> None:
    script = (
        "import sys, medsins, medsins.cli\n"
        "medsins.tasks('all')\n"
        "heavy = {'pyarrow', 'datasets', 'pydantic', 'openai', 'polars', 'numpy'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_recipe_that_maps_nothing_is_broken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path, "mapless_clinic")
    path.write_text(path.read_text().replace("def instances(", "def examples("))
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path))
    with pytest.raises(errors.BrokenRecipeError, match=r"does not define instances\(\)"):
        medsins.tasks("mapless_clinic")


def test_two_private_recipes_of_one_name_keep_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    # Also a name that a module of the standard library has.
    for name in ("clinic", "statistics"):
        for folder in ("one", "two"):
            path = write_recipe(tmp_path / folder / "recipes", name)
            monkeypatch.setenv("MEDSINS_RECIPES", str(path.parent))
            recipe = medsins.task(f"{name}_answer").recipe
            assert recipe is not None
            assert recipe.path == path
            seeds = tmp_path / folder / "seed_prompts" / f"{name}.yaml"
            assert recipe.seed_file() == seeds


SHADOWS = ("statistics", "json", "mailbox")
"""Modules of the standard library: imported by the library, always there, imported by nobody."""


@pytest.mark.parametrize("name", SHADOWS)
def test_a_private_recipe_takes_the_place_of_no_other_module(name: str, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", name)
    script = (
        "import importlib, sys, medsins\n"
        f"print(*(task.name for task in medsins.tasks() if task.source == {name!r}))\n"
        f"print(importlib.import_module({name!r}).__file__)\n"
        "import statistics; print(statistics.median([1, 2, 3]))\n"
        f"print(medsins.task('{name}_answer').recipe.name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MEDSINS_RECIPES": str(tmp_path / "recipes")},
        capture_output=True,
        text=True,
        check=True,
    )
    found, file, median, called = done.stdout.splitlines()
    assert found == f"{name}_answer {name}_verdict"
    assert not Path(file).is_relative_to(tmp_path)
    assert median == "2"
    assert called == name


@pytest.mark.parametrize("name", SHADOWS)
def test_a_private_recipe_is_found_under_the_name_of_its_module(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path / "recipes", name)
    monkeypatch.setenv("MEDSINS_RECIPES", str(path.parent))
    before = sys.modules.get(name)
    recipe = medsins.task(f"{name}_answer").recipe
    assert recipe is not None
    assert sys.modules.get(name) is before
    assert recipe.__module__ == f"medsins._private_recipes.{name}"
    assert recipe.name == name
    assert pickle.loads(pickle.dumps(recipe)) is recipe
    assert inspect.getsource(recipe) in path.read_text()
    assert medsins.task(f"{name}_answer").recipe is recipe


def test_a_private_recipe_called_like_a_module_builds_in_worker_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_recipe(tmp_path / "recipes", "statistics")
    write_visits(tmp_path / "raw", visits(50), "statistics")
    outs = [tmp_path / f"out{workers}" for workers in (1, 2)]
    for workers, out in enumerate(outs, 1):
        medsins.build("statistics", raw=tmp_path / "raw", out=out, workers=workers, progress=False)
    one, other = (medsins.load(out, "train", tasks=None)["input"] for out in outs)
    assert list(one) == list(other)
    assert len(one)


def test_a_private_recipe_that_fails_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path))
    path = tmp_path / "statistics.py"
    path.write_text("raise RuntimeError('boom')")
    with pytest.raises(errors.BrokenRecipeError, match=r"recipe statistics .*boom") as caught:
        medsins.tasks("statistics")
    assert str(path) in str(caught.value)
    write_recipe(tmp_path, "statistics")
    assert names("statistics") == ["statistics_answer", "statistics_verdict"]


def test_what_a_recipe_skips_is_read_from_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, reason in (("one", "no question"), ("two", "no quorum")):
        path = write_recipe(tmp_path / folder)
        path.write_text(path.read_text().replace("no question", reason))
    for folder, reason in (("one", "no question"), ("two", "no quorum"), ("one", "no question")):
        monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / folder))
        recipe = medsins.task("clinic_answer").recipe
        assert recipe is not None
        assert skip_reasons(recipe) == [reason, "no verdict"]
