"""The documentation is generated from the classes, and says what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import medsins
from paths import ROOT

DOCS = ROOT / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_has_every_task_with_definition_and_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = script("make_gallery")
    monkeypatch.setattr(gallery, "TARGET", tmp_path / "tasks")
    gallery.main()
    index = (tmp_path / "tasks" / "index.md").read_text(encoding="utf-8")
    for recipe in medsins.sources():
        page = (tmp_path / "tasks" / f"{recipe.name}.md").read_text(encoding="utf-8")
        assert recipe.homepage in page
        for task in recipe.tasks.values():
            assert f"`{task.name}`" in index
            assert task.definition in page
        assert page.count("Input (synthetic)") == len(recipe.tasks)


def test_links_between_pages_lead_somewhere() -> None:
    import re

    root = DOCS.parent
    for page in (*root.glob("*.md"), *DOCS.glob("*.md"), *(root / "benchmarks").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not link.startswith(("http://", "https://")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
