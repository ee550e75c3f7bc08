"""The README.md of a build: its dataset card."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict

from medsins.cards import statements
from medsins.cards.contents import BuiltSource, BuiltTask, Contents, grouped
from medsins.cards.front import COLUMNS, front_matter, title
from medsins.cards.pages import example
from medsins.cards.pictures import PICTURE
from medsins.cards.sources import about_sources
from medsins.cards.terms import LICENSE_FILE
from medsins.errors import MedsinsError
from medsins.markup.markdown import bullets, details, plain, share, table
from medsins.taxonomy import LANGUAGES, SPLITS
from medsins.text import counted

_OWN = "medsins.recipes."
"""Where the library's own recipes lie; samples are shipped for these only."""

_SHOWN = 600
"""How many characters of an example's texts are shown."""


def readme(contents: Contents) -> str:
    """Return the README.md of a build: front matter for programs, and text for people."""
    parts = [
        f"# {title(contents)}",
        *_opening(contents),
        "## Use",
        *_use(contents),
        "## What is in it",
        *_composition(contents),
        "## Sources",
        *about_sources(contents),
        "## How it was made",
        *_making(contents),
        "## Columns",
        table(("column", "what is in it"), [(f"`{name}`", said) for name, said in COLUMNS.items()]),
        *_example(contents),
        *_deviations(contents),
        "## Known limits",
        bullets([*statements.biases(contents), *statements.limits(contents)]),
        "## What it is for, and what not",
        bullets(statements.USES),
        "Not for:",
        bullets(statements.MISUSES),
        "## Ethics and law",
        *_ethics(contents),
        "## Citation",
        *_citation(contents),
        "## Tasks",
        *_tasks(contents),
    ]
    return f"---\n{front_matter(contents)}---\n\n" + "\n\n".join(parts) + "\n"


def _opening(contents: Contents) -> list[str]:
    manifest, options = contents.manifest, contents.options
    shown = ", ".join(
        f"`{name}={value}`"
        for name, value in sorted(asdict(options).items())
        if value is not None and name != "sample"
    )
    made = (
        f"Built by medsins {manifest.engine_version} with {shown}. The same raw files and "
        "options give the same bytes. `manifest.json` lists every shard and every raw file with "
        "its SHA-256, and says what was read, skipped, rejected and written."
    )
    summary = statements.summary(contents).replace(
        "arXiv:2408.12547", "[arXiv:2408.12547](https://arxiv.org/abs/2408.12547)"
    )
    if contents.sample:
        return [f"> **⚠ SYNTHETIC SAMPLES.** {statements.SYNTHETIC}", summary, made]
    return [summary, made]


def _use(contents: Contents) -> list[str]:
    task = contents.tasks[0].name if contents.tasks else "default"
    return [
        (
            "```python\n"
            "from datasets import load_dataset\n"
            "\n"
            'build = "path/of/this/folder"  # or its repository on the Hub\n'
            f'one = load_dataset(build, "{task}")\n'
            "all_tasks = load_dataset(build)\n"
            "```"
        ),
        (
            f"Each task is a configuration of its own; there are {len(contents.tasks)}. For "
            "programs that read Croissant, `croissant.json` describes the files."
        ),
    ]


def _composition(contents: Contents) -> list[str]:
    parts = [f"![Instances by task category and text domain]({PICTURE})"]
    kinds: list[tuple[str, Callable[[BuiltTask], str]]] = [
        ("text domain", lambda task: task.domain),
        ("task category", lambda task: task.category),
    ]
    if len(contents.languages) > 1:
        kinds.append(("language", _languages))
    for name, key in kinds:
        rows = []
        for value, tasks in grouped(contents.tasks, key).items():
            total = sum(task.rows for task in tasks)
            rows.append(
                (
                    value,
                    f"{total:,}",
                    share(total, contents.rows),
                    f"{len(tasks):,}",
                    f"{len({task.source for task in tasks}):,}",
                )
            )
        parts.append(table((name, "instances", "share", "tasks", "sources"), rows, range(1, 5)))
    return parts


def _languages(task: BuiltTask) -> str:
    return " to ".join(LANGUAGES.get(code, code) for code in task.languages) or "not known"


def _making(contents: Contents) -> list[str]:
    counts = table(
        ("", *SPLITS),
        [("instances", *(f"{contents.splits.get(one, 0):,}" for one in SPLITS))],
        range(1, 4),
    )
    kinds: dict[str, list[str]] = {}
    for source in contents.sources:
        kinds.setdefault(_split_kind(source), []).append(plain(source.title))
    listed = [f"{kind}: {'; '.join(titles)}." for kind, titles in sorted(kinds.items())]
    return [
        bullets(statements.processing(contents)),
        "### Splits",
        counts,
        bullets([*statements.splits(contents), *listed]),
        "### Instructions",
        bullets(statements.instructions(contents)),
    ]


def _split_kind(source: BuiltSource) -> str:
    if source.recipe is None:
        return "Not known how"
    stated = [split for files in source.recipe.file_sets().values() for split in files.patterns]
    if all(stated):
        return "Split by the files"
    rule = source.recipe.split
    parts = zip(SPLITS, (rule.train, rule.validation, rule.test), strict=True)
    shares = ", ".join(f"{split} {part:.0%}" for split, part in parts if part)
    where = "Split by some of the files, the rest" if any(stated) else "Split"
    return f"{where} by records or drawn ({shares})"


def _example(contents: Contents) -> list[str]:
    """Return one instance of a synthetic sample, so that a card has no text of a source."""
    for built in sorted(contents.tasks, key=lambda task: (-task.rows, task.name)):
        task = built.task
        if task is None or not task.recipe or not task.recipe.__module__.startswith(_OWN):
            continue
        try:
            found = example(task)
        except MedsinsError:
            continue
        if found is not None:
            shown = {"task": task.name, "definition": task.definition, **found}
            shown = {name: _cut(text) for name, text in shown.items()}
            text = json.dumps(shown, indent=2, ensure_ascii=False)
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
            return [
                (
                    "An instance, some of its columns. It is one of the synthetic sample of the "
                    "source, and no real data:"
                ),
                f"{fence}json\n{text}\n{fence}",
            ]
    return []


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _deviations(contents: Contents) -> list[str]:
    said = [
        f"### {plain(source.title)}\n\n{bullets(map(plain, source.recipe.deviations))}"
        for source in contents.sources
        if source.recipe and source.recipe.deviations
    ]
    if not said:
        return []
    return [
        "## Where it differs from the published MedS-Ins",
        (
            "Where the published scripts are wrong, recipes are right; where something is not "
            "published, recipes had to decide."
        ),
        details(f"Differences, of {counted(len(said), 'source')}", "\n\n".join(said)),
    ]


def _ethics(contents: Contents) -> list[str]:
    said = [statements.NO_DEVICE, *statements.duties(contents), *statements.people(contents)]
    about = (
        "This build is synthetic. What follows holds for builds from the real sources."
        if contents.sample
        else "No legal advice; the terms of the sources are what counts."
    )
    return [about, bullets(map(_linked, said))]


def _citation(contents: Contents) -> list[str]:
    return [
        (
            "Cite the paper whose dataset this rebuilds, medsins, and every corpus that you use. "
            "The entries of corpora are derived from the citations in the table above; their title "
            "is the corpus's name, not that of the publication."
        ),
        details("BibTeX", f"```bibtex\n{statements.bibtex(contents)}\n```"),
    ]


def _tasks(contents: Contents) -> list[str]:
    rows = []
    for built in contents.tasks:
        published = ""
        if built.task:
            ids = (
                built.task.legacy_id,
                built.task.benchmark_id and f"{built.task.benchmark_id} (B)",
            )
            published = ", ".join(dict.fromkeys(one for one in ids if one))
        rows.append(
            (
                f"`{built.name}`",
                published,
                built.category,
                built.domain,
                " to ".join(built.languages),
                *(f"{built.splits.get(split, 0):,}" for split in SPLITS),
            )
        )
    head = ("task", "published as", "category", "text domain", "language", *SPLITS)
    definitions = [
        f"`{one.name}`: {plain(one.task.definition)}" for one in contents.tasks if one.task
    ]
    return [
        "*Published as* is the task's number in MedS-Ins, or in MedS-Bench, which is marked (B).",
        table(head, rows, range(5, 8)),
        details("Definitions", bullets(definitions)),
    ]


def _linked(text: str) -> str:
    return text.replace(f"`{LICENSE_FILE}`", f"[{LICENSE_FILE}]({LICENSE_FILE})")
