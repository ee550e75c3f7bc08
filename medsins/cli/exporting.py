"""Commands from a build to a trainer: export, mix plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from medsins.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from medsins.formats.planning import ExportPlan


def _per_instance(
    context: click.Context, parameter: click.Parameter, value: str
) -> int | Literal["all"]:
    if value == "all":
        return "all"
    number: int = click.IntRange(1)(value, parameter, context)
    return number


def _which(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which samples there are."""
    options = (
        click.option(
            "--split",
            type=click.Choice(["train", "validation", "test"]),
            default="train",
            show_default=True,
        ),
        click.option(
            "--select", default="all", show_default=True, help="Tasks to take, as SELECT."
        ),
        click.option(
            "--per-instance",
            metavar="INTEGER|all",
            callback=_per_instance,
            default="1",
            show_default=True,
            help="Instructions that each instance goes with, each in a sample of its own.",
        ),
        click.option(
            "--instructions",
            type=click.Choice(["definition", "seeds", "expanded"]),
            default="definition",
            show_default=True,
            help="Which instructions.",
        ),
        click.option(
            "--instructions-from",
            type=click.Path(),
            help="Folder of expanded instructions. Default: medsins-instructions.",
        ),
        click.option("--max-per-task", type=click.IntRange(1), help="Most samples of each task."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("path", type=click.Path())
@click.option(
    "--format",
    required=True,
    help="prompt_completion (TRL), messages (OpenAI, TRL), alpaca, sharegpt (LLaMA-Factory), "
    "axolotl, swift, webdataset or medsins_json (the published task files).",
)
@click.option("--out", type=click.Path(), help="Folder to write.")
@_which
@click.option(
    "--num-fewshot",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Few-shot examples, from the task's train split, in each sample.",
)
@click.option(
    "--template",
    type=click.Choice(["corrected", "published"]),
    default="corrected",
    show_default=True,
    help="Layout of few-shot examples.",
)
@click.option("--mixture", type=click.Path(), help="YAML file with the share of each task.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Seed of order, wordings, few-shot examples and caps.",
)
@click.option(
    "--container", help="jsonl or parquet, where the format goes in both. Default: jsonl."
)
@click.option(
    "--only-redistributable",
    is_flag=True,
    help="Leave out tasks whose instances may not be passed on.",
)
@click.option(
    "--local-use",
    is_flag=True,
    help="Declare that the export stays where the agreements of its sources hold.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be exported and what may be; write nothing."
)
@click.option("--quiet", is_flag=True, help="Print neither progress bar nor summary.")
def export(
    path: str,
    format: str,
    out: str | None,
    overwrite: bool,
    dry_run: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Write the samples of a build in a format for training."""
    from medsins.engine.memory import be_lean

    be_lean()
    if dry_run:
        from medsins.formats import Options, plan

        planned = plan(path, format, Options(**options))
        _gate(planned)
        return
    if out is None:
        raise click.UsageError("say where to with --out, or look first with --dry-run.")
    from medsins.formats import export as export_

    result = export_(
        path, format, out, overwrite=overwrite, progress=False if quiet else None, **options
    )
    if quiet:
        return
    rows = [(task, f"{count:,}") for task, count in result.counts.items()]
    table(("task", "samples"), [*rows, ("total", f"{result.samples:,}")], numbers=range(1, 2))
    click.echo(f"\n{result.samples:,} samples in {result.path}")
    for note in result.notes:
        click.echo(f"note: {note}")


def _gate(planned: ExportPlan) -> None:
    """Print, task by task, what is allowed."""
    judged = {one.task: one for one in planned.verdicts}
    rows = [
        (
            one.task,
            f"{one.instances:,}",
            f"{one.samples:,}",
            "yes" if one.allowed else "no",
            one.reason if one.task in judged else "",
            "; ".join(one.notes),
        )
        for one in planned.tasks
    ]
    head = ("task", "instances", "samples", "may be passed on", "why", "")
    table(head, rows, numbers=range(1, 3))
    click.echo(f"\n{planned.samples:,} samples; nothing was written")
    if planned.closed and not planned.options.local_use:
        click.echo(
            f"An export is refused: {len(planned.closed)} of these tasks may not be passed on. "
            "--only-redistributable leaves them out; --local-use declares that the export stays "
            "where the agreements of their sources hold."
        )


@click.group()
def mix() -> None:
    """Mixtures: which share of an export each task has."""


@mix.command("plan")
@click.argument("path", type=click.Path())
@click.argument("mixture", type=click.Path())
@_which
def mix_plan(path: str, mixture: str, **options: Any) -> None:
    """Show how many samples of each task of the build at PATH a mixture comes to."""
    from medsins.engine.memory import be_lean

    be_lean()
    from medsins.formats import Options, plan

    planned = plan(path, options=Options(mixture=mixture, **options))
    total = max(1, planned.samples)
    rows = [
        (
            one.task,
            f"{one.available:,}",
            f"{one.weight:g}",
            f"{one.samples:,}",
            f"{one.samples / total:.2%}",
            "; ".join(one.notes),
        )
        for one in planned.tasks
        if one.weight is not None
    ]
    last = ("total", "", "", f"{planned.samples:,}", "", "")
    head = ("task", "available", "weight", "samples", "share", "")
    table(head, [*rows, last], numbers=range(1, 5))


COMMANDS = (export, mix)
