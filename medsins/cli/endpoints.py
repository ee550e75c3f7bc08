"""Options of every command that asks a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def endpoint_options(*, model_required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that say which model is asked, how fast, and for how much.

    The command gets `pace`, a `medsins.llm.online.Pace`, in place of the options on speed.

    Args:
        model_required: Whether --model has to be given.
    """
    options = (
        click.option("--model", required=model_required, help="Name of the model."),
        click.option("--base-url", help="OpenAI-compatible endpoint. Default: OpenAI."),
        click.option("--api-key-env", default="OPENAI_API_KEY", show_default=True),
        click.option("--budget-usd", type=click.FloatRange(0), help="Most dollars; needs --price."),
        click.option("--price", help="Dollars a million tokens, as INPUT/OUTPUT: 2.50/10."),
        click.option(
            "--max-requests", type=click.IntRange(0), help="Most requests, over all runs."
        ),
        click.option("--max-tokens", type=click.IntRange(0), help="Most tokens, over all runs."),
        click.option("--max-minutes", type=click.FloatRange(0), help="Most minutes of this run."),
        click.option("--concurrency", default=8, show_default=True, type=click.IntRange(1)),
        click.option("--rpm", type=click.IntRange(1), help="Most requests a minute."),
        click.option("--tpm", type=click.IntRange(1), help="Most tokens a minute."),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def paced(
            *args: Any, concurrency: int, rpm: int | None, tpm: int | None, **more: Any
        ) -> Any:
            from medsins.llm.online import Pace

            return command(*args, pace=Pace(concurrency, rpm, tpm), **more)

        for option in reversed(options):
            paced = option(paced)
        return paced

    return decorate
