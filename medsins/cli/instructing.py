"""Commands round instructions: expand, and under it run, constraints and report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from medsins.cli.endpoints import endpoint_options
from medsins.cli.tables import table

if TYPE_CHECKING:
    from medsins.instructions.constraints import Constraint
    from medsins.self_instruct.running import ExpandResult

RUN = "run"
"""The command that `medsins expand SELECT …` means."""


class FallingThrough(click.Group):
    """A group whose arguments go to its command `run` unless they begin with another's name.

    So `medsins expand mednli --target 150` runs, and `medsins expand constraints mednli` shows.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command in front of arguments that begin with none."""
        own = {*self.commands, *ctx.help_option_names}
        if RUN in self.commands and args and args[0] not in own:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=FallingThrough)
def expand() -> None:
    """Expand seed prompts into more instructions with a language model, and measure them.

    `medsins expand SELECT …` is short for `medsins expand run SELECT …`.
    """


@expand.command(RUN)
@click.argument("select", nargs=-1, required=True)
@click.option(
    "--target",
    default=150,
    show_default=True,
    type=click.IntRange(1),
    help="Instructions of each task.",
)
@endpoint_options(model_required=True)
@click.option("--out", default="medsins-instructions", show_default=True, help="Result folder.")
@click.option("--temperature", default=1.0, show_default=True, type=click.FloatRange(0))
@click.option("--seed", default=0, show_default=True, help="Seed of the prompts.")
@click.option("--off", multiple=True, help="Switch a filter off; may be given again.")
@click.option("--batch", is_flag=True, help="Use OpenAI Batch files: half the price, in a day.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what it may take.")
@click.option("--print-requests", is_flag=True, help="With --dry-run: print every byte.")
@click.option("--guard", help="A build; nothing of its instances may be in a request.")
@click.option("--allow-personal", is_flag=True, help="Allow what looks like dates and numbers.")
def run_command(
    select: tuple[str, ...],
    target: int,
    temperature: float,
    seed: int,
    off: tuple[str, ...],
    print_requests: bool,
    **options: Any,
) -> None:
    """Expand the seed prompts of tasks; run again to go on after an interruption.

    Only definitions, seed prompts, constraints and accepted rewrites are sent, and only to the
    endpoint that is named here. Exit code 3: a budget is used up.
    """
    from medsins.self_instruct.pool import FILTERS, FilterSettings
    from medsins.self_instruct.prompts import Asking
    from medsins.self_instruct.running import expand as expand_

    unknown = [name for name in off if name not in FILTERS]
    if unknown:
        raise click.UsageError(
            f"there is no filter {', '.join(unknown)}; there are {', '.join(FILTERS)}."
        )
    result = expand_(
        list(select),
        target,
        asking=Asking(temperature=temperature, seed=seed),
        filters=FilterSettings(off=frozenset(off)),
        **options,
    )
    if options["dry_run"]:
        _estimates(result, print_requests)
        return
    rows = [
        (
            one.task,
            f"{one.accepted:,}",
            f"{one.candidates:,}",
            one.state,
            ", ".join(f"{reason} {count}" for reason, count in one.rejected.items()) or one.reason,
        )
        for one in result.tasks.values()
    ]
    table(("task", "instructions", "candidates", "", "rejected"), rows, range(1, 3))
    spent = result.spent
    tokens = spent.input_tokens + spent.output_tokens
    money = f", {spent.usd:.2f} USD" if spent.usd else ""
    click.echo(f"\n{result.path}: {spent.requests:,} requests, {tokens:,} tokens{money} so far")
    if any(one.state == "unfinished" for one in result.tasks.values()):
        click.echo("Some tasks are unfinished: run the same command again.")
        raise click.exceptions.Exit(1)


def _estimates(result: ExpandResult, print_requests: bool) -> None:
    if print_requests:
        for one in result.estimates.values():
            for body in one.bodies:
                click.echo(json.dumps(body, ensure_ascii=False))
        return
    rows = [
        (
            one.task,
            f"{one.requests[0]:,} to {one.requests[1]:,}",
            f"{one.tokens[0]:,} to {one.tokens[1]:,}",
            f"{one.usd[0]:.2f} to {one.usd[1]:.2f}" if one.usd else "",
        )
        for one in result.estimates.values()
    ]
    table(("task", "requests", "tokens", "USD"), rows, range(1, 4))
    known = list(result.estimates.values())
    low, high = (sum(one.requests[end] for one in known) for end in (0, 1))
    click.echo(f"\n{len(known)} tasks: {low:,} to {high:,} requests; nothing was sent")


@expand.command()
@click.argument("select", nargs=-1, required=True)
def constraints(select: tuple[str, ...]) -> None:
    """Show what every instruction of a task has to keep, and what the task ignores."""
    from medsins.registry import tasks

    for number, task in enumerate(tasks(list(select))):
        if number:
            click.echo()
        click.echo(f"{task.name}: {task.definition}\n")
        found = task.spec.all_constraints
        if found:
            table(("kind", "match", "from", "", "value"), [_shown(one) for one in found])
        else:
            click.echo("nothing has to be kept word for word")


def _shown(one: Constraint) -> tuple[str, ...]:
    ignored = "ignored" if one.ignored else ""
    return one.kind, one.match, one.source, ignored, str(one).partition(": ")[2]


@expand.command("report")
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--tasks", "by_task", is_flag=True, help="Print a table for each task as well.")
@click.option(
    "--examples",
    default=0,
    type=click.IntRange(0),
    help="Print this many rejected instructions for each reason. Default: counts only.",
)
def report_command(source: str, as_json: bool, by_task: bool, examples: int) -> None:
    """Measure instructions: repeats, leaks, broken constraints, variety.

    SOURCE is a folder of expanded instructions or one of its files, the published
    RewriteDefinitions.json, "seeds" for all seed prompts, or a SELECT of tasks for theirs.
    """
    from medsins.self_instruct.report import report

    measured = report(source, examples=examples)
    if as_json:
        click.echo(json.dumps(measured.as_dict(), indent=2, ensure_ascii=False))
    else:
        click.echo(measured.text(by_task=by_task))


COMMANDS = (expand,)
