"""Retries: one way to wait before something is tried again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tenacity import RetryCallState, retry_if_exception, stop_before_delay

if TYPE_CHECKING:
    from email.message import Message

_LONGEST_ASKED = 600.0
"""Most seconds that a server is waited for because it asked for it."""


@dataclass(eq=False)
class AttemptError(Exception):
    """An attempt that failed.

    Attributes:
        reason: What happened, in a few words; never text of records.
        retryable: Whether another attempt may succeed.
        wait: Seconds that the other side asks to wait; None if it does not say.
        attempts: Most attempts that it is worth; None if it is worth all.
    """

    reason: str
    retryable: bool = True
    wait: float | None = None
    attempts: int | None = None

    def __str__(self) -> str:
        return self.reason


def policy(
    log: logging.Logger,
    doing: str,
    *,
    attempts: int,
    first: float,
    longest: float = 30.0,
    patience: float | None = None,
) -> dict[str, Any]:
    """Return when to try again, as arguments of `tenacity.Retrying` and `AsyncRetrying`.

    An `AttemptError` that is retryable is; the last one is raised. Waits are those that the other
    side asks for, else they grow exponentially, with full jitter: many clients that failed
    together shall not come back together. The jitter is not seeded: it decides when something is
    asked, never what comes of it.

    Args:
        log: Takes a warning before each wait.
        doing: What is done, for the log.
        attempts: Most attempts.
        first: Most seconds before the second attempt; each further one doubles it.
        longest: Most seconds before any attempt, unless the other side asks for more.
        patience: Most seconds in all, waiting included; None for no limit.
    """

    def wait(state: RetryCallState) -> float:
        asked = _error(state).wait
        if asked is not None:
            return min(asked, _LONGEST_ASKED)
        return random.uniform(0, min(longest, first * 2.0 ** (state.attempt_number - 1)))

    def enough(state: RetryCallState) -> bool:
        late = patience is not None and stop_before_delay(patience)(state)
        return late or state.attempt_number >= (_error(state).attempts or attempts)

    def warn(state: RetryCallState) -> None:
        log.warning(
            "%s: attempt %d of %d failed (%s); next in %.1f s",
            doing,
            state.attempt_number,
            _error(state).attempts or attempts,
            _error(state).reason,
            state.upcoming_sleep,
        )

    return {
        "retry": retry_if_exception(lambda e: isinstance(e, AttemptError) and e.retryable),
        "stop": enough,
        "wait": wait,
        "before_sleep": warn,
        "reraise": True,
    }


def _error(state: RetryCallState) -> AttemptError:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, AttemptError)
    return error


def retry_after(headers: Mapping[str, str] | Message) -> float | None:
    """Return the seconds that an answer asks to wait: `retry-after-ms`, or `Retry-After`.

    `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3).

    Args:
        headers: The answer's headers, in lower case or whatever the case.
    """
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError, TypeError):
        pass
    said = headers.get("retry-after")
    if said is None:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
