"""Options of every command that asks a model."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def endpoint_options(*, model_required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that say which model is asked, how fast, and for how much.

    The command gets `pace`, a `medsins.llm.online.Pace`, in place of the options on speed, and
    `headers`.

    Args:
        model_required: Whether --model has to be given.
    """
    options = (
        click.option("--model", required=model_required, help="Name of the model."),
        click.option("--base-url", help="OpenAI-compatible endpoint. Default: OpenAI."),
        click.option("--api-key-env", default="OPENAI_API_KEY", show_default=True),
        click.option(
            "--header-env",
            multiple=True,
            metavar="NAME=VARIABLE",
            help="Send a further header, with the value of an environment variable.",
        ),
        click.option(
            "--budget-usd", type=click.FloatRange(0), help="Most dollars to spend; needs --price."
        ),
        click.option("--price", help="Dollars per million tokens, as INPUT/OUTPUT: 2.50/10."),
        click.option(
            "--max-requests",
            type=click.IntRange(0),
            help="Most requests, over all runs into this folder.",
        ),
        click.option(
            "--max-tokens",
            type=click.IntRange(0),
            help="Most tokens, over all runs into this folder.",
        ),
        click.option("--max-minutes", type=click.FloatRange(0), help="Most minutes of this run."),
        click.option("--concurrency", default=8, show_default=True, type=click.IntRange(1)),
        click.option("--rpm", type=click.IntRange(1), help="Most requests per minute."),
        click.option("--tpm", type=click.IntRange(1), help="Most tokens per minute."),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def paced(
            *args: Any,
            concurrency: int,
            rpm: int | None,
            tpm: int | None,
            header_env: tuple[str, ...],
            **more: Any,
        ) -> Any:
            from medsins.llm.online import Pace

            headers = dict(map(_header, header_env))
            return command(*args, pace=Pace(concurrency, rpm, tpm), headers=headers, **more)

        for option in reversed(options):
            paced = option(paced)
        return paced

    return decorate


def _header(given: str) -> tuple[str, str]:
    """Return name and value of a header; values come from the environment, since many are keys."""
    name, _, variable = given.partition("=")
    if not name or variable not in os.environ:
        raise click.UsageError(
            f"--header-env {given}: write NAME=VARIABLE, and set that environment variable."
        )
    return name, os.environ[variable]
