"""Declarative construction of medical instruction-tuning datasets.

    import medsins

    medsins.build("mimic_iv_note_summary", raw="~/raw")   # raw corpora in, Parquet shards out
    medsins.load("medsins-data", split="train")           # datasets.Dataset

Public names are resolved on first use, so that `import medsins` stays fast.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING

from medsins.io.version import __version__

_ROOT = _Path(__file__).resolve().parent.parent
if (_ROOT / "recipes").is_dir() and (_ROOT / "pyproject.toml").is_file():
    # In a checkout the recipes lie beside the package; installed, they lie inside it.
    __path__.append(str(_ROOT))

_HOMES = {
    "Access": "medsins.taxonomy",
    "Category": "medsins.taxonomy",
    "Domain": "medsins.taxonomy",
    "Examples": "medsins.recipe",
    "Instance": "medsins.schema",
    "LlmApi": "medsins.taxonomy",
    "Recipe": "medsins.recipe",
    "Redistribution": "medsins.taxonomy",
    "SplitRule": "medsins.recipe",
    "Task": "medsins.recipe",
    "build": "medsins.engine.runner",
    "expand": "medsins.self_instruct.running",
    "export": "medsins.formats",
    "fetch": "medsins.contributing.raw_files",
    "load": "medsins.builds.loading",
    "pull": "medsins.hub",
    "push": "medsins.hub",
    "score": "medsins.bench.scoring.grading",
    "sources": "medsins.registry",
    "task": "medsins.registry",
    "tasks": "medsins.registry",
    "verify": "medsins.builds.verifying",
}

__all__ = [
    "Access",
    "Category",
    "Domain",
    "Examples",
    "Instance",
    "LlmApi",
    "Recipe",
    "Redistribution",
    "SplitRule",
    "Task",
    "__version__",
    "build",
    "errors",
    "expand",
    "export",
    "fetch",
    "load",
    "pull",
    "push",
    "raw",
    "score",
    "sources",
    "task",
    "tasks",
    "text",
    "verify",
]

if _TYPE_CHECKING:
    from medsins import errors, raw, text
    from medsins.bench.scoring.grading import score
    from medsins.builds.loading import load
    from medsins.builds.verifying import verify
    from medsins.contributing.raw_files import fetch
    from medsins.engine.runner import build
    from medsins.formats import export
    from medsins.hub import pull, push
    from medsins.recipe import Examples, Recipe, SplitRule, Task
    from medsins.registry import sources, task, tasks
    from medsins.schema import Instance
    from medsins.self_instruct.running import expand
    from medsins.taxonomy import Access, Category, Domain, LlmApi, Redistribution


def __getattr__(name: str) -> object:
    if name in ("errors", "raw", "text"):
        return _import_module(f"medsins.{name}")
    if name in _HOMES:
        return getattr(_import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'medsins' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
