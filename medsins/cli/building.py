"""Commands round a build: list, show, fetch, build, verify, check, new, import."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medsins.cli.tables import size, table
from medsins.errors import BrokenRecipeError

if TYPE_CHECKING:
    from medsins.engine.runner import BuildResult
    from medsins.recipe import Recipe

RAW_HELP = (
    "Folder of the raw files, with a subfolder for each source. "
    "Default: $MEDSINS_RAW, else a cache."
)


@click.command("list")
@click.argument("select", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print all facts as JSON.")
@click.option(
    "--by",
    type=click.Choice(["task", "source", "category", "domain"]),
    default="task",
    show_default=True,
    help="What each line of the list is.",
)
def list_command(select: tuple[str, ...], as_json: bool, by: str) -> None:
    """List tasks."""
    from medsins.cards import facts_of
    from medsins.registry import resolve

    selection = resolve(_joined(select))
    if as_json:
        click.echo(json.dumps([facts_of(t) for t in selection.tasks], indent=2, ensure_ascii=False))
    elif by == "task":
        rows = [
            (
                task.name,
                task.legacy_id or (f"({task.benchmark_id})" if task.benchmark_id else ""),
                str(task.category),
                str(task.recipe.access) if task.recipe else "",
            )
            for task in selection.tasks
        ]
        table(("task", "published", "category", "access"), rows)
        only = sum(task.benchmark_only for task in selection.tasks)
        note = f", {only} of them in MedS-Bench only: (id)" if only else ""
        click.echo(f"\n{len(rows)} tasks from {len(selection.recipes)} sources{note}")
    elif by == "source":
        _sources(selection.recipes)
    else:
        counts = Counter(str(getattr(task, by)) for task in selection.tasks)
        table((by, "tasks"), [(name, str(n)) for name, n in sorted(counts.items())])
    for error in selection.broken.values():
        click.echo(f"BROKEN {error}", err=True)


def _sources(recipes: dict[type[Recipe], list[Any]]) -> None:
    rows = [
        (
            recipe.name,
            recipe.figure_label or recipe.title,
            str(len(tasks)),
            recipe.license,
            str(recipe.access),
            recipe.homepage,
        )
        for recipe, tasks in recipes.items()
    ]
    table(("recipe", "label", "tasks", "license", "access", "home"), rows)


@click.command()
@click.argument("task")
@click.option("--raw", help=RAW_HELP)
def show(task: str, raw: str | None) -> None:
    """Show what a task is, how to get its raw files, and an example."""
    from medsins.cards import task_page
    from medsins.registry import raw_root, tasks

    for number, one in enumerate(tasks(task)):
        if number:
            click.echo("\n" + "-" * 80 + "\n")
        click.echo(task_page(one, raw_root(raw)))


@click.command()
@click.argument("select", nargs=-1, required=True)
@click.option("--raw", help=RAW_HELP)
def fetch(select: tuple[str, ...], raw: str | None) -> None:
    """Download open raw files, and say how to get the others."""
    from medsins.contributing.raw_files import fetch as fetch_

    for one in fetch_(list(select), raw):
        what = f"{len(one.fetched)} fetched, {len(one.present)} there already"
        click.echo(f"{one.recipe}: {what}, {len(one.missing)} missing")
        if one.instructions:
            click.echo(one.instructions)


@click.command()
@click.argument("select", nargs=-1, required=True)
@click.option("--raw", help=RAW_HELP)
@click.option("--out", default="medsins-data", show_default=True, help="Folder of the build.")
@click.option("--sample", is_flag=True, help="Build from the synthetic samples.")
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), help="Build this split only."
)
@click.option(
    "--limit", type=click.IntRange(1), help="Read at most this many records of each split."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Worker processes. Default: one for each core."
)
@click.option("--engine", type=click.Choice(["local"]), default="local", show_default=True)
@click.option(
    "--instructions",
    type=click.Choice(["definition", "seeds", "expanded"]),
    default="definition",
    show_default=True,
    help="Which instructions go with the instances.",
)
@click.option("--instructions-from", help="Folder of expanded instructions.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Seed of the splits of sources without official ones.",
)
@click.option("--overwrite", is_flag=True, help="Replace a build made with other options.")
@click.option(
    "--max-rejects",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Largest share of a source's records that may be rejected.",
)
@click.option("--quiet", is_flag=True, help="Print neither progress bar nor summary.")
def build(select: tuple[str, ...], quiet: bool, **options: Any) -> None:
    """Build tasks from raw files into Parquet shards."""
    from medsins.engine.memory import be_lean
    from medsins.engine.runner import build as build_

    be_lean()
    result = build_(list(select), progress=False if quiet else None, **options)
    if not quiet:
        _summary(result)
    if any(isinstance(error, BrokenRecipeError) for error in result.left_out.values()):
        raise click.exceptions.Exit(1)


def _summary(result: BuildResult) -> None:
    rows = []
    names = ("records", "instances", "skipped", "rejected", "duplicates", "written")
    total: Counter[str] = Counter()
    sizes = _bytes_by_task(result)
    for name, facts in result.recipes.items():
        counts = {
            **{
                key: getattr(facts, key)
                for key in ("records", "instances", "duplicates", "written")
            },
            "skipped": sum(facts.skipped.values()),
            "rejected": sum(facts.rejected.values()),
        }
        taken = sum(sizes[task] for task in facts.tasks)
        total.update(counts)
        total["bytes"] += taken
        state = "built" if name in result.built else "up to date"
        rows.append((name, *(f"{counts[key]:,}" for key in names), size(taken), state))
    last = ("total", *(f"{total[key]:,}" for key in names), size(total["bytes"]), "")
    table(("source", *names, "size", ""), [*rows, last], numbers=range(1, 8))
    made = sum(result.recipes[name].instances for name in result.built)
    speed = f", {made / max(result.seconds, 1e-9):,.0f} instances/s" if made else ""
    click.echo(f"\n{len(result.tasks)} tasks in {result.path}, {result.seconds:.1f} s{speed}")
    for name, error in result.left_out.items():
        click.echo(f"left out: {name}: {error}")
    for name, patterns in result.absent.items():
        more = f" and {len(patterns) - 3} more" if len(patterns) > 3 else ""
        click.echo(f"not there: {name}: {', '.join(patterns[:3])}{more}")


def _bytes_by_task(result: BuildResult) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for shard in result.manifest.shards:
        sizes[shard.task] += shard.bytes
    return sizes


@click.command()
@click.argument("path", type=click.Path())
def verify(path: str) -> None:
    """Check that a build is whole and every row is an instance."""
    from medsins.builds.verifying import verify as verify_

    found = verify_(path)
    click.echo(
        f"{found.path}: {found.rows:,} instances in {found.shards} shards "
        f"({size(found.bytes)}), all as the manifest says"
    )


@click.command()
@click.argument("recipes", nargs=-1)
@click.option("--update", is_flag=True, help="Write the golden file of what the sample builds.")
@click.option("--golden", type=click.Path(path_type=Path), help="Folder of golden files.")
@click.option(
    "--leaks",
    type=click.Path(path_type=Path),
    help="Check a build instead: are test inputs of the benchmark among its training inputs?",
)
def check(recipes: tuple[str, ...], update: bool, golden: Path | None, leaks: Path | None) -> None:
    """Check recipes against the contract that every recipe is held to; default: all."""
    if leaks is not None:
        _leaks(leaks)
        return
    from medsins.contributing.check import check as check_
    from medsins.registry import find

    wrong = 0
    for name in recipes or find():
        problems = check_(name, golden=golden, update=update)
        wrong += len(problems)
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        click.echo(f"{name}: {count if problems else 'ok'}")
        for problem in problems:
            click.echo(f"  - {problem}")
    if wrong:
        raise click.exceptions.Exit(2)


def _leaks(path: Path) -> None:
    from medsins.quality.contamination import WORDS, find_contamination

    report = find_contamination(path)
    rows = [
        (
            task,
            f"{count:,}",
            f"{report.exact.get(task, 0):,}",
            f"{report.overlapping.get(task, 0):,}",
        )
        for task, count in sorted(report.tests.items())
    ]
    head = ("benchmark task", "test inputs", "equal in train", f"{WORDS} words in train")
    table(head, rows, numbers=range(1, 4))
    for leak in report.examples:
        click.echo(f"{leak.test} ({leak.test_task}) equals {leak.train} ({leak.train_task})")
    if report.exact:
        raise click.exceptions.Exit(2)


@click.command()
@click.argument("recipe")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Checkout to write into. Default: the current folder.",
)
def new(recipe: str, folder: Path) -> None:
    """Write the skeleton of a recipe, its sample and its seed prompts."""
    from medsins.contributing.scaffold import new_recipe

    for path in new_recipe(recipe, folder):
        click.echo(f"wrote {path}")
    click.echo(f"Fill them in, then run: medsins check {recipe} --update")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the recipe. Default: made from the file's name.")
@click.option(
    "--folder",
    default="medsins-contributed",
    show_default=True,
    help="Folder for the recipe and the raw file.",
)
@click.option("--out", default="medsins-data", show_default=True, help="Folder of the build.")
def import_command(file: Path, name: str | None, folder: str, out: str) -> None:
    """Check a contributor's task file (.json, .xlsx), write a recipe for it, and build it."""
    from medsins.contributing.task_files import import_task_file

    made = import_task_file(file, name, folder=folder, out=out)
    _summary(made.result)
    click.echo(f"wrote {made.recipe}")
    click.echo(
        "Read it, and state its license and terms there. To use it by name: "
        f"export MEDSINS_RECIPES={made.recipe.parent} and --raw {made.raw}"
    )


def _joined(select: tuple[str, ...]) -> list[str]:
    return list(select) or ["all"]


COMMANDS = (list_command, show, fetch, build, verify, check, new, import_command)
