"""Seed prompts: at least 15 wordings of each task's definition, and what they are held to.

They lie in `seed_prompts/<recipe>.yaml`, beside the folder of the recipes: a list of entries with
`text`, `author`, `date` and `style` under the attribute of a task or family, or under
`<attribute>_<key>` for one member. `{placeholders}` in a text are filled from the task's `fill`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medsins.errors import CheckError
from medsins.faults import REASONS, Subject, faults
from medsins.similarity import NEAR, masked, normalised, rouge_l, words

if TYPE_CHECKING:
    from medsins.recipe import Recipe, Task

FEWEST = 15
"""How many seed prompts a task has at least, as in the paper."""

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


def seed_file(recipe: type[Recipe]) -> Path:
    """Return where the seed prompts of a recipe lie."""
    return recipe.path.parent.parent / "seed_prompts" / f"{recipe.name}.yaml"


def seeds(task: Task) -> list[Seed]:
    """Return the seed prompts of a task, filled in; none if its recipe has no file of them.

    Raises:
        CheckError: The file is not laid out as it should be, or a placeholder cannot be filled.
    """
    recipe = task.recipe
    assert recipe is not None
    path = seed_file(recipe)
    entries = _entries(path, task.name.removeprefix(f"{recipe.name}_"))
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            text = _PLACEHOLDER.sub(lambda match: task.fill[match[1]], str(entry["text"]).strip())
            seed = Seed(text, str(entry["author"]), entry["date"], str(entry["style"]))
        except (KeyError, TypeError) as error:
            raise CheckError(
                f"{path}, {task.name}, prompt {number}: {error} is missing. Each prompt has text, "
                "author, date and style, and its placeholders stand in the task's fill."
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


def problems(task: Task) -> Iterator[str]:
    """Yield what is wrong with a task's seed prompts, in plain sentences.

    They are held to what machine-made wordings are held to (`medsins.faults`), and to differ from
    one another.
    """
    found = seeds(task)
    if len(found) < FEWEST:
        yield f"{task.name}: there are {len(found)} seed prompts, fewer than {FEWEST}"
    subject = Subject.of(task)
    texts = [task.definition, *(seed.text for seed in found)]
    bare = [words(masked(text, subject.protected)) for text in texts]
    exact: dict[str, int] = {}
    for number, seed in enumerate(found, 1):
        where = f"{task.name}, prompt {number}"
        for fault in faults(seed.text, subject):
            between = " " if fault.reason.startswith("constraint:") else ": "
            yield f"{where}: {REASONS[fault.reason]}{between}{fault.detail}"
        key = normalised(seed.text)
        if key in exact or key == normalised(task.definition):
            yield f"{where}: repeats {f'prompt {exact[key]}' if key in exact else 'the definition'}"
        exact.setdefault(key, number)
    for (i, one), (j, other) in combinations(enumerate(bare), 2):
        alike = rouge_l(one, other)
        if alike >= NEAR and texts[i] != texts[j]:
            which = f"prompts {i} and {j}" if i else f"prompt {j} and the definition"
            yield f"{task.name}, {which}: nearly the same (ROUGE-L {alike:.2f})"
