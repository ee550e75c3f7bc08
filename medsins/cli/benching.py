"""`medsins bench`: build the benchmark, run a model on it, score it, show it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import click

from medsins.cli.building import RAW_HELP
from medsins.cli.endpoints import endpoint_options
from medsins.cli.tables import table

_BENCHMARK = "medsins-bench"


@click.group()
def bench() -> None:
    """MedS-Bench: build it, run a model on it, score it, and show the scores."""


@bench.command("list")
@click.argument("select", nargs=-1)
def list_command(select: tuple[str, ...]) -> None:
    """List the tasks of the benchmark."""
    from medsins.bench.suite.tasks import bench_tasks

    found = bench_tasks(list(select) or "all")
    rows = [
        (
            one.task.benchmark_id,
            one.name,
            one.published.category,
            str(one.published.num_fewshot),
            "" if one.published.rows is None else f"{one.published.rows:,}",
        )
        for one in found
    ]
    table(("number", "task", "category", "fewshot", "published rows"), rows, range(3, 5))
    click.echo(f"\n{len(rows)} tasks in {len({row[2] for row in rows})} categories")


@bench.command("build")
@click.argument("select", nargs=-1)
@click.option("--raw", help=RAW_HELP)
@click.option("--out", default=_BENCHMARK, show_default=True, help="Folder of the benchmark.")
@click.option(
    "--subset",
    type=click.Choice(["full", "paper"]),
    default="full",
    show_default=True,
    help="All test rows, or as many as the paper scores.",
)
@click.option("--sample", is_flag=True, help="Build from the synthetic samples.")
@click.option(
    "--seed", default=0, show_default=True, help="Seed of hold-outs, subset and few-shot examples."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Worker processes. Default: one for each core."
)
def build_command(select: tuple[str, ...], **options: Any) -> None:
    """Build the test sets, and candidates for few-shot examples from the training split."""
    from medsins.bench.suite.benchmark import collect

    made = collect(list(select) or "all", **options)
    rows = [
        (
            facts.benchmark_id,
            name,
            f"{facts.rows:,}",
            "" if facts.rows_published is None else f"{facts.rows_published:,}",
            facts.note,
        )
        for name, facts in made.tasks.items()
    ]
    table(("number", "task", "rows", "published", ""), rows, range(2, 4))
    click.echo(f"\n{len(rows)} tasks in {made.path}, benchmark {made.digest[:12]}")
    few = [name for name, one in made.tasks.items() if one.candidates < one.num_fewshot]
    if few:
        click.echo(f"fewer training instances than few-shot examples: {', '.join(few)}")
    reasons: dict[str, list[str]] = {}
    for name, why in made.facts.left_out.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        click.echo(f"left out, {why}: {', '.join(names)}")


@bench.command("run")
@click.option("--benchmark", default=_BENCHMARK, show_default=True, help="Folder of the benchmark.")
@click.option(
    "--tasks", "select", multiple=True, help="Tasks to take, as SELECT; may be given several times."
)
@click.option("--local", help="A transformers model to run on this machine, by name or folder.")
@click.option("--out", default="medsins-runs", show_default=True, help="Folder of the runs.")
@click.option(
    "--num-fewshot",
    type=click.IntRange(0),
    help="Few-shot examples in each prompt. Default: what each task is published with.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Seed by which few-shot examples are drawn."
)
@click.option("--max-answer-tokens", default=1024, show_default=True, type=click.IntRange(1))
@click.option("--max-prompt-tokens", default=8192, show_default=True, type=click.IntRange(1))
@click.option("--temperature", default=0.0, show_default=True, type=click.FloatRange(0))
@click.option(
    "--only-allowed",
    is_flag=True,
    help="Leave out tasks whose text may not be sent to the endpoint.",
)
@click.option(
    "--endpoint-covered-by", default="", help="Name of the agreement that covers the endpoint."
)
@endpoint_options(model_required=False)
def run_command(
    benchmark: str,
    select: tuple[str, ...],
    local: str | None,
    model: str | None,
    num_fewshot: int | None,
    seed: int,
    max_answer_tokens: int,
    max_prompt_tokens: int,
    temperature: float,
    max_minutes: float | None,
    **options: Any,
) -> None:
    """Ask a model every question of the benchmark; run again to go on after an interruption."""
    from medsins.bench.asking.runs import Asking, run

    if (model is None) == (local is None):
        raise click.UsageError("name either --model, at an endpoint, or --local.")
    named: Any = model
    if local is not None:
        from medsins.bench.asking.transformers_model import local_model

        named = local_model(local, max_answer_tokens)
    result = run(
        benchmark,
        model=named,
        select=list(select) or "all",
        asking=Asking(num_fewshot, seed, max_answer_tokens, max_prompt_tokens, temperature),
        max_minutes=max_minutes,
        **options,
    )
    for task, why in result.left_out.items():
        click.echo(f"left out: {task}: {why}")
    asked, answered = sum(result.asked.values()), sum(result.answered.values())
    click.echo(f"{answered:,} of {asked:,} questions answered, in {result.path}")
    if answered < asked:
        click.echo("Run the same command again to ask the others.")
        raise click.exceptions.Exit(1)


@bench.command("score")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--benchmark", default=_BENCHMARK, show_default=True, help="Folder of the benchmark.")
@click.option(
    "--tasks", "select", multiple=True, help="Tasks to take, as SELECT; may be given several times."
)
@click.option(
    "--partial", is_flag=True, help="Score the tasks that are there although others are missing."
)
@click.option(
    "--no-punkt", is_flag=True, help="Compute published scores without Punkt's sentence boundaries."
)
@click.option("--no-paper", is_flag=True, help="Compute corrected scores only.")
def score_command(
    files: tuple[Path, ...],
    benchmark: str,
    select: tuple[str, ...],
    partial: bool,
    no_punkt: bool,
    no_paper: bool,
) -> None:
    """Score runs or files of predictions, with the published scores beside the corrected ones."""
    from medsins.bench.scoring.grading import RESULTS, compared, score

    scored = []
    for file in files:
        out = file / RESULTS if file.is_dir() else file.with_name(f"{file.stem}.{RESULTS}")
        one = score(
            file,
            benchmark,
            select=list(select) or "all",
            paper=not no_paper,
            partial=partial,
            punkt=not no_punkt,
            out=out,
        )
        scored.append(one)
        rows = [
            (
                task,
                result.metric,
                f"{result.value:.2f}",
                f"{result.low:.2f} to {result.high:.2f}",
                _published(result.paper),
                f"{result.n:,}",
                f"{result.n_empty + result.n_missing:,}",
                f"{result.n_unparsed:,}",
            )
            for task, result in one.results.tasks.items()
        ]
        click.echo(one.results.model)
        head = ("task", "metric", "corrected", "95 %", "published", "rows", "blank", "unparsed")
        table(head, rows, range(2, 8))
        remarks = (_remarks(result.paper) for result in one.results.tasks.values())
        for problem in (*one.problems, *dict.fromkeys(chain.from_iterable(remarks))):
            click.echo(f"note: {problem}")
        click.echo(f"wrote {one.path}\n")
    if len(scored) > 1:
        differences = [
            (
                task,
                f"{first} − {second}",
                f"{100 * found.difference:+.2f}",
                f"{100 * found.interval[0]:+.2f} to {100 * found.interval[1]:+.2f}",
                f"{found.p_randomisation:.3f}",
            )
            for first, second, task, found in compared(scored)
        ]
        table(("task", "models", "difference", "95 %", "p"), differences, range(2, 5))


def _published(values: dict[str, float | str]) -> str:
    numbers = " / ".join(f"{one:.2f}" for one in values.values() if isinstance(one, float))
    return f"{numbers} *" if _remarks(values) else numbers


def _remarks(values: dict[str, float | str]) -> list[str]:
    return [f"* {name}: {one}" for name, one in values.items() if isinstance(one, str)]


@bench.command("report")
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", default="medsins-report", show_default=True, help="Folder of the report.")
def report_command(results: tuple[Path, ...], out: str) -> None:
    """Make a leaderboard page, Markdown and pictures from results files or runs."""
    from medsins.bench.report.writing import report
    from medsins.bench.scoring.grading import RESULTS

    found = [one / RESULTS if one.is_dir() else one for one in results]
    made = report(found, Path(out))
    click.echo(f"wrote {made.path}, {made.markdown} and {len(made.pictures)} pictures")
    if made.note:
        click.echo(made.note)


@bench.command("export")
@click.option("--benchmark", default=_BENCHMARK, show_default=True, help="Folder of the benchmark.")
@click.option("--to", type=click.Choice(["lm-eval", "inspect", "helm"]), required=True)
@click.option("--out", required=True, help="Folder to write into.")
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
@click.option(
    "--num-fewshot",
    type=click.IntRange(0),
    help="Few-shot examples in each prompt. Default: what each task is published with.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Seed by which few-shot examples are drawn."
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
def export_command(benchmark: str, to: str, out: str, **options: Any) -> None:
    """Write the benchmark for another harness."""
    from medsins.bench.harnesses import export_benchmark

    click.echo(f"wrote {export_benchmark(benchmark, to, out, **options)}")


@bench.command("check-submission")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--benchmark", default=_BENCHMARK, show_default=True, help="Folder of the benchmark.")
@click.option("--model", default="", help="Name of the model, if the file has none.")
@click.option("--out", help="Where to write the entry. Default: beside the file.")
@click.option("--partial", is_flag=True, help="Allow tasks to be absent, each as a whole.")
def check_submission_command(
    file: Path, benchmark: str, model: str, out: str | None, partial: bool
) -> None:
    """Check a leaderboard submission and write its entry."""
    from medsins.bench.submission import check_submission

    checked = check_submission(file, benchmark, model=model, out=out, partial=partial)
    for problem in checked.problems:
        click.echo(f"- {problem}")
    if checked.problems:
        raise click.exceptions.Exit(2)
    click.echo(f"wrote {checked.entry}")


COMMANDS = (bench,)
