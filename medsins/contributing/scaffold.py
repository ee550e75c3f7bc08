"""`medsins new`: the three files that a contributor fills in."""

from __future__ import annotations

import re
from pathlib import Path

from medsins.errors import OutputError
from medsins.registry import Found, find

_RECIPE = '''"""{title}: what the corpus is, in one line.

Raw layout: which files there are, their columns or keys, and where that is documented.
"""

from typing import Any

from medsins import (
    Access,
    Category,
    Domain,
    Examples,
    LlmApi,
    Recipe,
    Redistribution,
    Task,
    raw,
)


class {cls}(Recipe):
    title = "{title}"
    homepage = "https://example.org/"
    license = "unknown"
    citation = "Authors, 2026, where it was published"
    access = Access.OPEN
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = "Download records.jsonl from the homepage."
    files = raw.jsonl("records.jsonl")

    answer = Task(
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition="You are given a medical question. Answer it in one short sentence.",
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if not record["answer"].strip():
            yield self.skip("no answer")
            return
        yield self.answer(
            input=record["question"],
            output=record["answer"],
            key=str(record["id"]),
            group=record["question"],
        )
'''

_SAMPLE = """\
{"id": 1, "question": "Which organ makes insulin?", "answer": "The pancreas makes insulin."}
{"id": 2, "question": "How many chambers has the human heart?", "answer": "It has four."}
{"id": 3, "question": "Which vitamin does sunlight help to make?", "answer": "Vitamin D."}
{"id": 4, "question": "What does an otoscope look into?", "answer": ""}
"""

_SEEDS = """\
# 15 wordings of each task's definition: natural, different from one another, each complete.
answer:
  - text: You are given a medical question. Answer it in one short sentence.
    author: your name
    date: 2026-01-01
    style: imperative
"""


def named(name: str) -> Found | None:
    """Return the recipe that has a name already, if there is one.

    Raises:
        OutputError: The name cannot be one of a recipe.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise OutputError(
            f"{name!r} cannot name a recipe: use lower-case letters, digits and single "
            "underscores, beginning with a letter."
        )
    return find().get(name)


def new_recipe(name: str, folder: Path) -> list[Path]:
    """Write the skeleton of a recipe that works as it is, with its sample.

    Args:
        name: Name of the recipe: lower-case letters, digits and underscores.
        folder: The checkout, or the folder of a package of recipes.

    Returns:
        The recipe, its sample and its seed prompts.

    Raises:
        OutputError: The name cannot be used, or a file exists already.
    """
    taken = named(name)
    if taken is not None:
        raise OutputError(f"there is a recipe {name} already: {taken.path}.")
    title = name.replace("_", " ").title()
    contents = {
        folder / "recipes" / f"{name}.py": _RECIPE.format(title=title, cls=title.replace(" ", "")),
        folder / "examples" / "raw" / name / "records.jsonl": _SAMPLE,
        folder / "seed_prompts" / f"{name}.yaml": _SEEDS,
    }
    for path in contents:
        if path.exists():
            raise OutputError(f"{path} exists already; move it away or choose another name.")
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(contents)
