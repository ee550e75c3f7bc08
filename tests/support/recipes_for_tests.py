"""A made-up source that tests build, break and interrupt; written into a folder of its own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TypedDict, Unpack

from medsins import Category, Domain, Task

RECIPE = '''"""Clinic: made-up questions; JSON Lines with id, patient, question, answer."""

from typing import Any

from medsins import Access, Category, Domain, Examples, Recipe, Redistribution, Task, raw


class Clinic(Recipe):
    title = "Clinic"
    homepage = "https://example.org/"
    license = "CC0-1.0"
    citation = "Nobody, 2026"
    access = Access.{access}
    redistribution = Redistribution.{redistribution}
    manual_download_instructions = "Sign the form at https://example.org/, put visits.jsonl here."
    files = raw.jsonl("visits.jsonl")

    answer = Task(
        category=Category.QUESTION_ANSWERING,
        domain=Domain.CLINICAL_TEXTS,
        definition="Answer the question.",
    )
    verdict = Task(
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.CLINICAL_TEXTS,
        labels=("yes", "no"),
        definition="Is there a visit? Answer 'yes' or 'no'.",
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if not record["question"]:
            yield self.skip("no question")
            return
        who = {{"key": record["id"], "group": record["patient"]}}
        yield self.answer(
            input=record["question"],
            output=record["answer"],
            references=record.get("others", ()),
            **who,
        )
        if record.get("verdict"):
            yield self.verdict(input=record["question"], output=record["verdict"], **who)
        else:
            yield self.skip("no verdict")
'''


class TaskFacts(TypedDict, total=False):
    """What a task may say beside its definition."""

    category: Category
    languages: str | tuple[str, str]
    labels: tuple[str, ...]
    template: str
    metric: str
    must_include: tuple[str, ...]
    ignored_constraints: tuple[str, ...]


def task(definition: str, **facts: Unpack[TaskFacts]) -> Task:
    """Return a task of its own, outside any recipe: English question answering, if not told."""
    facts = {"category": Category.QUESTION_ANSWERING, "languages": "en", **facts}
    return Task(domain=Domain.CLINICAL_TEXTS, definition=definition, **facts)


def write_recipe(folder: Path, name: str = "clinic", **facts: str) -> Path:
    """Write the recipe; `access` and `redistribution` may be other members than OPEN and YES."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(RECIPE.format(**{"access": "OPEN", "redistribution": "YES", **facts}))
    return path


def visits(count: int, seed: int = 0) -> list[dict[str, object]]:
    """Return made-up records: some without a question, some without a verdict, none broken."""
    rng = random.Random(seed)
    words = [
        "why",
        "does",
        "the",
        "left",
        "toe",
        "of",
        "this",
        "sleepy",
        "plumber",
        "itch",
        "at",
        "noon",
        "on",
        "Mondays",
    ]
    return [
        {
            "id": f"v{number}",
            "patient": f"p{number // 3}",
            "question": ""
            if number % 17 == 5
            else f"{' '.join(rng.choices(words, k=9))} {number}?",
            "answer": " ".join(rng.choices(words, k=20)),
            "verdict": rng.choice(("yes", "no", "")),
        }
        for number in range(count)
    ]


def write_visits(raw: Path, records: list[dict[str, object]], name: str = "clinic") -> Path:
    """Write the raw file of the recipe."""
    path = raw / name / "visits.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
