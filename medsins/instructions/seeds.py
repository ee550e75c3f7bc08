"""Seed prompts: at least 15 wordings of each task's definition.

They are in `seed_prompts/<recipe>.yaml`, beside the folder of the recipes: a list of entries with
`text`, `author`, `date` and `style` under the attribute of a task or family, or under
`<attribute>_<key>` for one member. `{placeholders}` in a text are filled from the task's
`template_vars`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from medsins.errors import CheckError

_PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)\}(?!\})")


@dataclass(frozen=True)
class Seed:
    """One seed prompt, filled in for its task.

    Attributes:
        text: The wording.
        author: Who wrote it.
        date: When.
        style: What sets it apart: "imperative", "question", "role", "terse" and so on.
    """

    text: str
    author: str
    date: date
    style: str


def read_seeds(
    path: Path, attribute: str, template_vars: Mapping[str, str], task: str
) -> list[Seed]:
    """Return the seed prompts of a task, filled in; none if there is no file of them.

    Args:
        path: The file of the recipe's seed prompts.
        attribute: The task's name without its recipe's.
        template_vars: Value of each placeholder.
        task: The task's name, for messages.

    Raises:
        CheckError: The file has another layout, or a placeholder has no value.
    """
    found = []
    for number, entry in enumerate(_entries(path, attribute), 1):
        try:
            text = _PLACEHOLDER.sub(
                lambda match: template_vars[match[1]], str(entry["text"]).strip()
            )
            seed = Seed(text, str(entry["author"]), entry["date"], str(entry["style"]))
        except (KeyError, TypeError) as error:
            raise CheckError(
                f"{path}, {task}, prompt {number}: {error} is missing. Each prompt has text, "
                "author, date and style, and its placeholders are in the task's template_vars."
            ) from error
        found.append(seed)
    return found


def _entries(path: Path, name: str) -> list[dict[str, Any]]:
    """Return the entries under the longest key that a task's name begins with."""
    document = _document(path)
    keys = [key for key in document if name == key or name.startswith(f"{key}_")]
    return document[max(keys, key=len)] if keys else []


@lru_cache(maxsize=256)
def _document(path: Path) -> dict[str, list[dict[str, Any]]]:
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise CheckError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(loaded, dict) or not all(isinstance(v, list) for v in loaded.values()):
        raise CheckError(f"{path} is not laid out as lists of prompts under names of tasks.")
    return loaded
