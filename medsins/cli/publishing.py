"""Commands that publish a build and get one: push, pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from medsins.cli.tables import size, table

if TYPE_CHECKING:
    from medsins.hub.pushing import PushResult


@click.command()
@click.argument("path", type=click.Path())
@click.argument("repo_id")
@click.option(
    "--private/--public",
    default=True,
    show_default=True,
    help="Who sees the repository; one that is there already has to be as said.",
)
@click.option("--revision", help="Branch to push to. Default: main.")
@click.option("--create-pr", is_flag=True, help="Open a pull request instead.")
@click.option(
    "--dry-run", is_flag=True, help="Show which tasks would be pushed and why; send nothing."
)
@click.option(
    "--only-redistributable",
    is_flag=True,
    help="Leave out what may not be passed on, instead of refusing to push.",
)
@click.option(
    "--endpoint-covered-by",
    metavar="NAME",
    default="",
    help="Agreement under which this Hub may hold restricted data.",
)
def push(path: str, repo_id: str, **options: Any) -> None:
    """Push a build to a dataset repository of a Hugging Face Hub.

    Sends what is not there yet. The Hub is $HF_ENDPOINT, else https://huggingface.co; the token is
    $HF_TOKEN, else that of `hf auth login`.
    """
    from medsins.errors import AccessError
    from medsins.hub.pushing import push as push_

    if options["create_pr"] and options["revision"] is not None:
        raise click.UsageError("a new pull request starts from main: leave --revision out.")
    result = push_(path, repo_id, **options)
    if result.dry_run:
        _verdicts(result)
        if result.refusal:
            raise AccessError(result.refusal)
    _left_out(result)
    count, taken = len(result.uploaded), size(result.bytes)
    if result.dry_run:
        click.echo(f"\n{count} shards ({taken}) would go to {result.url}; nothing was sent")
        return
    click.echo(
        f"{result.url} at {result.commit[:12]} of {result.revision}: {count} files ({taken}) "
        f"sent, {len(result.unchanged)} were there, {len(result.deleted)} removed"
    )


def _verdicts(result: PushResult) -> None:
    rows = [
        (one.task, one.source, "allowed" if one.allowed else "refused", one.reason)
        for one in result.verdicts
    ]
    click.echo(f"to {result.endpoint}:\n")
    table(("task", "source", "", "why"), rows)


def _left_out(result: PushResult) -> None:
    reasons = {one.source: one.reason for one in result.verdicts if not one.allowed}
    for source, why in reasons.items():
        count = sum(one.source == source for one in result.verdicts)
        click.echo(f"left out: {source} ({count} tasks): {why}")


@click.command()
@click.argument("repo_id")
@click.option("--out", required=True, help="Folder of the build; must not be there yet.")
@click.option("--revision", help="Branch, tag or commit. Default: main.")
def pull(repo_id: str, out: str, revision: str | None) -> None:
    """Download a build from a dataset repository and verify it.

    The Hub is $HF_ENDPOINT, else https://huggingface.co.
    """
    from medsins.hub.pulling import pull as pull_

    found = pull_(repo_id, out, revision=revision)
    click.echo(
        f"{found.path}: {found.rows:,} instances in {found.shards} shards "
        f"({size(found.bytes)}), all as the manifest says"
    )


COMMANDS = (push, pull)
