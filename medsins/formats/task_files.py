"""The head of a task file as published: one JSON object for each task, with these names.

The names are those of the published README and of its guideline for contributors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medsins.formats.rows import Build, installed
from medsins.instructions.languages import language
from medsins.io.version import __version__
from medsins.taxonomy import LANGUAGES

_SPLIT_TYPES = {"train": "Train", "test": "Test"}
_COLUMNS = ["task_category", "text_domain", "input_language", "output_language"]


def head(build: Build, task: str, split: str, definitions: Sequence[str]) -> dict[str, Any]:
    """Return all members of a task file but its instances.

    Args:
        build: The build.
        task: Name of the task.
        split: The split that is exported.
        definitions: The task's instructions.
    """
    facts = next(build.batches(task, split, _COLUMNS)).slice(0, 1).to_pylist()[0]
    known = installed(task, build.tasks[task])
    recipe = known.recipe if known else None
    spoken = dict.fromkeys(_language(code) for code in map(language, definitions) if code)
    found: dict[str, Any] = {
        "Contributors": [f"medsins {__version__}"],
        "Source": [recipe.title if recipe else build.tasks[task]],
        "URL": [recipe.homepage if recipe else "unknown"],
        "Categories": [facts["task_category"]],
        "Reasoning": [],
        "Definition": list(definitions),
        "Input_language": [_language(facts["input_language"])],
        "Output_language": [_language(facts["output_language"])],
        "Instruction_language": list(spoken) or [_language(facts["input_language"])],
        "Domains": [facts["text_domain"]],
        "Positive Examples": [],
        "Negative Examples": [],
    }
    if split in _SPLIT_TYPES:
        found["Split Type"] = _SPLIT_TYPES[split]
    return found


def _language(code: str) -> str:
    return LANGUAGES.get(code, code)
