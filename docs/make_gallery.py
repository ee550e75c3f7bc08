"""Write the gallery of tasks, one page a source, from the recipe classes and their samples.

    python docs/make_gallery.py

The pages go to docs/tasks/, which is not under version control: a new recipe changes no page by
hand. `docs/counts.md` has what real corpora give.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import medsins
from medsins.cards import domain, example, languages, published
from medsins.recipe import Recipe, Task

TARGET = Path(__file__).with_name("tasks")


def source_page(recipe: type[Recipe]) -> str:
    """Return the page of one source and its tasks."""
    lines = [
        f"# {recipe.title}",
        "",
        f"- recipe: `{recipe.name}`",
        f"- label in the published figure: {recipe.figure_label or 'none'}",
        f"- home: <{recipe.homepage}>",
        f"- citation: {recipe.citation}",
        f"- license: {recipe.license}",
        (
            f"- access: {recipe.access}; may be passed on: {recipe.redistribution}; "
            f"remote models: {recipe.llm_api}"
        ),
        "",
        "## Raw files",
        "",
        f"Below `<raw>/{recipe.name}/`, unless another folder is named:",
        "",
    ]
    for files in (*recipe.file_sets().values(), *recipe.lookups.values()):
        folder = f"`{files.folder}/`: " if files.folder else ""
        for split, patterns in files.patterns.items():
            shown = ", ".join(f"`{pattern}`" for pattern in patterns)
            lines.append(f"- {folder}{shown}{f' ({split})' if split else ''}")
    if recipe.downloads:
        lines += ["", f"`medsins fetch {recipe.name}` gets {len(recipe.downloads)} of them."]
    if recipe.manual_download_instructions:
        lines += ["", recipe.manual_download_instructions]
    if recipe.deviations:
        lines += ["", "## Where this differs from the published MedS-Ins", ""]
        lines += [f"- {deviation}" for deviation in recipe.deviations]
    for task in recipe.tasks.values():
        lines += ["", *_task(task)]
    return "\n".join([*lines, ""])


def _task(task: Task) -> list[str]:
    shown = example(task)
    lines = [
        f"## {task.name}",
        "",
        f"- published: {published(task)}",
        f"- category: {task.category}; domain: {domain(task)}; languages: {languages(task)}",
        "",
        f"> {task.definition}",
        "",
    ]
    if shown:
        lines += ["Input (synthetic)", "", *_fenced(shown["input"]), ""]
        lines += ["Output", "", *_fenced(shown["output"])]
    return lines


def _fenced(text: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}text", text, fence]


def index(recipes: list[type[Recipe]]) -> str:
    """Return the first page: all tasks by category."""
    by_category: dict[str, list[Task]] = defaultdict(list)
    for recipe in recipes:
        for task in recipe.tasks.values():
            by_category[task.category].append(task)
    count = sum(map(len, by_category.values()))
    lines = ["# Tasks", "", f"{count} tasks from {len(recipes)} sources.", ""]
    for category, tasks in sorted(by_category.items()):
        lines += [f"## {category}", "", "| task | published | source | access |"]
        lines.append("| --- | --- | --- | --- |")
        for task in tasks:
            assert task.recipe is not None
            link = f"[{task.recipe.title}]({task.source}.md)"
            number = task.legacy_id or f"({task.benchmark_id})"
            lines.append(f"| `{task.name}` | {number} | {link} | {task.recipe.access} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Write all pages."""
    TARGET.mkdir(exist_ok=True)
    recipes = medsins.sources()
    for recipe in recipes:
        (TARGET / f"{recipe.name}.md").write_text(source_page(recipe), encoding="utf-8")
    (TARGET / "index.md").write_text(index(recipes), encoding="utf-8")


if __name__ == "__main__":
    main()
