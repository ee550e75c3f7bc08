"""Attempts are repeated as often as promised, after waits that are as long as promised."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
import tenacity

from medsins.io.retries import AttemptError, policy, retry_after

LOG = logging.getLogger("medsins.tests")


class Server:
    """Fails as often as it is told, and records attempts and waits."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0
        self.waits: list[float] = []

    def ask(self) -> str:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def call(server: Server, attempts: int = 5, first: float = 1.0, **more: float) -> str:
    again = tenacity.Retrying(
        **policy(LOG, "ask", attempts=attempts, first=first, **more), sleep=server.waits.append
    )
    return again(server.ask)


def test_it_is_tried_until_it_works() -> None:
    server = Server(AttemptError("busy"), AttemptError("busy"))
    assert call(server) == "answer"
    assert server.attempts == 3
    assert len(server.waits) == 2


def test_the_last_failure_is_raised_when_all_attempts_are_used() -> None:
    server = Server(*(AttemptError(f"busy {number}") for number in range(1, 9)))
    with pytest.raises(AttemptError, match="busy 4"):
        call(server, attempts=4)
    assert server.attempts == 4


@pytest.mark.parametrize("error", [AttemptError("refused", retryable=False), KeyError("bug")])
def test_what_would_not_help_is_not_tried(error: Exception) -> None:
    server = Server(error)
    with pytest.raises(type(error)):
        call(server)
    assert server.attempts == 1


def test_a_failure_may_be_worth_fewer_attempts() -> None:
    server = Server(*(AttemptError("upload", attempts=2) for _ in range(9)))
    with pytest.raises(AttemptError):
        call(server)
    assert server.attempts == 2


def test_waits_grow_with_full_jitter_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr("random.uniform", uniform)
    server = Server(*(AttemptError("busy") for _ in range(6)))
    call(server, attempts=9, first=0.5, longest=6.0)
    assert drawn == [(0, 0.5), (0, 1.0), (0, 2.0), (0, 4.0), (0, 6.0), (0, 6.0)]
    assert server.waits == [0.5, 1.0, 2.0, 4.0, 6.0, 6.0]


def test_the_wait_that_is_asked_for_is_kept_within_reason() -> None:
    server = Server(*(AttemptError("busy", wait=wait) for wait in (0.0, 55.0, 86400.0)))
    call(server)
    assert server.waits == [0.0, 55.0, 600.0]


def test_patience_ends_before_a_wait_that_is_too_long() -> None:
    server = Server(AttemptError("busy", wait=100.0))
    with pytest.raises(AttemptError):
        call(server, patience=99.0)
    assert server.attempts == 1
    assert server.waits == []


def test_requests_that_are_awaited_keep_to_the_same() -> None:
    server = Server(AttemptError("busy", wait=0.0), AttemptError("busy", wait=0.0))

    async def ask() -> str:
        return server.ask()

    async def main() -> str:
        again = tenacity.AsyncRetrying(**policy(LOG, "ask", attempts=3, first=1.0))
        return await again(ask)

    assert asyncio.run(main()) == "answer"
    assert server.attempts == 3


def test_each_wait_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    call(Server(AttemptError("it answered 503", wait=2.0)))
    assert [one.getMessage() for one in caplog.records] == [
        "ask: attempt 1 of 5 failed (it answered 503); next in 2.0 s"
    ]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_headers_are_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_no_helper_of_the_library_waits_another_way(sources: Callable[[], dict[str, str]]) -> None:
    for name, text in sources().items():
        if name != "io/retries.py":
            assert "random.uniform" not in text, name
            assert "wait_" + "exponential" not in text, name
            assert "stop_after" + "_attempt" not in text, name
