"""Declarative construction of medical instruction-tuning datasets.

    import medsins

    medsins.build("mimic_iv_note_summary", raw="~/raw")   # raw corpora in, Parquet shards out
    medsins.load("medsins-data", split="train")           # datasets.Dataset

Public names are resolved on first use, so that `import medsins` stays fast.
"""

from __future__ import annotations

from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING

from medsins.io.lazy import lazy_exports as _lazy_exports

_ROOT = _Path(__file__).resolve().parent.parent
if (_ROOT / "recipes").is_dir() and (_ROOT / "pyproject.toml").is_file():
    # In a checkout the recipes lie beside the package; installed, they lie inside it.
    __path__.append(str(_ROOT))

_HOMES = {
    "Access": "taxonomy",
    "Category": "taxonomy",
    "Domain": "taxonomy",
    "Examples": "recipe",
    "Instance": "schema",
    "LlmApi": "taxonomy",
    "Recipe": "recipe",
    "Redistribution": "taxonomy",
    "SplitRule": "recipe",
    "Task": "recipe",
    "__version__": "io.version",
    "build": "engine.runner",
    "errors": "errors",
    "expand": "self_instruct.running",
    "export": "formats",
    "fetch": "contributing.raw_files",
    "load": "builds.loading",
    "pull": "hub",
    "push": "hub",
    "raw": "raw",
    "score": "bench.scoring.grading",
    "sources": "registry",
    "task": "registry",
    "tasks": "registry",
    "text": "text",
    "verify": "builds.verifying",
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
    from medsins.io.version import __version__
    from medsins.recipe import Examples, Recipe, SplitRule, Task
    from medsins.registry import sources, task, tasks
    from medsins.schema import Instance
    from medsins.self_instruct.running import expand
    from medsins.taxonomy import Access, Category, Domain, LlmApi, Redistribution


__getattr__, __dir__ = _lazy_exports(__name__, _HOMES)
