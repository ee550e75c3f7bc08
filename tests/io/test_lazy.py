"""Packages show their public names and nothing else, and import them when they are used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from medsins.io.lazy import lazy_exports

PACKAGES = ("medsins.bench", "medsins.bench.harnesses", "medsins.formats", "medsins.hub")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_shows_what_it_exports(name: str) -> None:
    package = importlib.import_module(name)
    assert dir(package) == sorted(package.__all__)
    for public in package.__all__:
        assert getattr(package, public) is not None
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'import_module'"):
        package.import_module  # noqa: B018


def test_nothing_is_imported_before_it_is_used() -> None:
    script = f"import sys\nimport {', '.join(PACKAGES)}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "pyarrow", "pydantic", "huggingface_hub", "filelock", "tqdm", "logging"}
    assert not heavy & set(done.stdout.split())


def test_a_name_that_is_its_own_home_is_the_module() -> None:
    get, listed = lazy_exports("medsins.io", {"files": "files", "dump": "files"})
    assert get("files").__name__ == "medsins.io.files"
    assert get("dump") is get("files").dump
    assert listed() == ["dump", "files"]
