"""What is known of a task, as facts for programs and as a page for people."""

from __future__ import annotations

import textwrap
from itertools import chain
from pathlib import Path
from typing import Any

from medsins.recipe import Task, method_for
from medsins.registry import samples_root


def facts_of(task: Task) -> dict[str, Any]:
    """Return what is known of a task and its source, as plain values for JSON."""
    recipe = task.recipe
    assert recipe is not None
    return {
        "name": task.name,
        "legacy_id": task.legacy_id,
        "benchmark_id": task.benchmark_id,
        "benchmark_only": task.benchmark_only,
        "category": str(task.category),
        "domain": str(task.domain),
        "published_domain": str(task.published_domain or task.domain),
        "input_language": task.input_language,
        "output_language": task.output_language,
        "definition": task.definition,
        "labels": list(task.labels),
        "metric": task.metric,
        "published_count": task.published_count,
        "source": task.source,
        "title": recipe.title,
        "homepage": recipe.homepage,
        "license": recipe.license,
        "citation": recipe.citation,
        "access": str(recipe.access),
        "redistribution": str(recipe.redistribution),
        "llm_api": str(recipe.llm_api),
        "deviations": list(recipe.deviations),
    }


def task_page(task: Task, root: Path) -> str:
    """Return what `medsins show` prints of a task: facts, definition, files, an example.

    Args:
        task: The task.
        root: The raw root, to say which files are there.
    """
    recipe = task.recipe
    assert recipe is not None
    facts = [
        ("published", published(task)),
        ("category", str(task.category)),
        ("domain", domain(task)),
        ("languages", languages(task)),
        ("source", f"{recipe.title}, {recipe.homepage}"),
        ("citation", recipe.citation),
        ("license", f"{recipe.license}; may be passed on: {recipe.redistribution}"),
        ("access", f"{recipe.access}; remote models: {recipe.llm_api}"),
    ]
    lines = [task.name, "", *(f"{name:<10} {value}" for name, value in facts)]
    lines += ["", "Definition", *_wrapped(task.definition), "", "Raw files"]
    for files in recipe.file_sets().values():
        folder = recipe.folder(files, root)
        located = files.locate(folder) if folder.is_dir() else None
        for split, patterns in files.patterns.items():
            for pattern in patterns:
                there = located is not None and (split, pattern) not in located.absent
                state = "there" if there else "missing"
                lines.append(f"  {state:<8} {folder / pattern}{f'  ({split})' if split else ''}")
    if recipe.manual_download_instructions:
        lines += _wrapped(recipe.manual_download_instructions)
    if recipe.deviations:
        lines += ["", "Where it differs from the published MedS-Ins"]
        lines += [line for text in recipe.deviations for line in _wrapped(f"- {text}")]
    shown = example(task)
    if shown is not None:
        lines += ["", "Example (synthetic sample)", "  Input:", *_wrapped(shown["input"], 4)]
        lines += ["  Output:", *_wrapped(shown["output"], 4)]
    return "\n".join(lines)


def published(task: Task) -> str:
    """Return what a task is in MedS-Ins and in MedS-Bench, in words."""
    said = task.legacy_id or "not in MedS-Ins"
    if task.published_count:
        said += f", {task.published_count:,} instances"
    if task.benchmark_id:
        said += f"; MedS-Bench: {task.benchmark_id} ({task.metric})"
    return said


def languages(task: Task) -> str:
    """Return the language of a task's input, and that of its output where it is another."""
    if task.input_language == task.output_language:
        return task.input_language
    return f"{task.input_language} to {task.output_language}"


def domain(task: Task) -> str:
    """Return the text domain of a task, and the published one where that differs."""
    if task.published_domain and task.published_domain != task.domain:
        return f"{task.domain} (published as {task.published_domain})"
    return str(task.domain)


def _wrapped(text: str, indent: int = 2) -> list[str]:
    margin = " " * indent
    return [
        line
        for paragraph in text.splitlines() or [""]
        for line in textwrap.wrap(paragraph, 96, initial_indent=margin, subsequent_indent=margin)
        or [""]
    ]


def example(task: Task) -> dict[str, str] | None:
    """Return the first instance that the sample gives of a task, without building it."""
    assert task.recipe is not None
    root = samples_root()
    recipe = task.recipe(root)
    for name, files in recipe.file_sets().items():
        found = files.locate(recipe.folder(files, root)).files
        recipe.prepare(name, [task])
        method = method_for(recipe, name)
        splits = dict.fromkeys(file.split for file in found)
        records = chain.from_iterable(
            recipe.records([file for file in found if file.split == split], split)
            for split in splits
        )
        for record in records:
            for example in method(record):
                if isinstance(example, tuple) and example[0] is task:
                    return {"input": example[1], "output": example[2]}
    return None
