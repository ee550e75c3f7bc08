"""Asking in parallel: requests over HTTP, retried, paced, within the budget."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenacity import AsyncRetrying

from medsins.errors import EndpointError
from medsins.io.logs import logger
from medsins.llm.budget import used_up
from medsins.llm.endpoint import Endpoint
from medsins.llm.failures import (
    ATTEMPTS,
    FIRST_WAIT,
    RequestError,
    of_error,
    retries,
    stop,
)
from medsins.llm.ledger import Ledger
from medsins.llm.requests import Request, Response, Source
from medsins.llm.responses import now, read_response

if TYPE_CHECKING:
    from openai import AsyncOpenAI

LARGEST_ANSWER = 8 << 20
"""Bytes of an answer beyond which nobody reads on: no completion is that long."""

_LOG = logger("llm")
_HOPELESS = 5
"""This many requests in a row without an answer, after all attempts, end the run."""


@dataclass(frozen=True)
class Pace:
    """How fast to ask.

    Attributes:
        concurrency: Most requests under way at once; fewer while the endpoint limits their rate.
        rpm: Most requests a minute; None for no limit.
        tpm: Most tokens a minute, counted as reserved; None for no limit.
        connect: Seconds until a connection has to stand.
        read: Seconds until the next bytes of an answer have to come.
        total: Seconds until an answer has to be whole.
        first_wait: Most seconds before the second attempt; each further one doubles it.
    """

    concurrency: int = 8
    rpm: int | None = None
    tpm: int | None = None
    connect: float = 10.0
    read: float = 120.0
    total: float = 300.0
    first_wait: float = FIRST_WAIT


def ask(
    source: Source,
    endpoint: Endpoint,
    ledger: Ledger,
    pace: Pace,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Ask all that a source has to ask; what the ledger has an answer to is not asked again.

    The first Ctrl-C stops asking and waits for what is under way, the second one does not.

    Args:
        source: What to ask, and who takes the answers.
        endpoint: Where to ask.
        ledger: The record of it all.
        pace: How fast.
        tell: Takes sentences that a user should read during the run.

    Raises:
        BudgetError: A cap is reached; all that was under way is answered and kept.
        EndpointError: The endpoint cannot be used, or keeps failing.
        KeyboardInterrupt: The user pressed Ctrl-C; what was under way is kept.
    """
    run = _Run(source, endpoint, ledger, pace, tell)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run.all())
        return
    # Called from a notebook, whose own loop is running in this thread.
    failed: list[BaseException] = []

    def aside() -> None:
        try:
            asyncio.run(run.all())
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=aside)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


class _Run:
    """One run over one source; all of it happens in one event loop."""

    def __init__(
        self,
        source: Source,
        endpoint: Endpoint,
        ledger: Ledger,
        pace: Pace,
        tell: Callable[[str], None],
    ) -> None:
        self.source, self.endpoint, self.ledger, self.pace = source, endpoint, ledger, pace
        self.tell = tell
        self.width = float(pace.concurrency)
        self.clean = 0
        self.cool_until = 0.0
        self.without_schema = False
        self.exhausted = False
        self.interrupted = False
        self.unanswered = 0
        self.under_way = 0
        self.warned = False
        self.settled = asyncio.Event()
        self.buckets = [
            _Bucket(limit / 60, limit) for limit in (pace.rpm, pace.tpm) if limit is not None
        ]

    async def all(self) -> None:
        running: set[asyncio.Task[tuple[Request, Response | None, str]]] = set()
        async with _client(self.endpoint, self.pace) as client:
            with self._drain_on_interrupt(running):
                try:
                    while True:
                        self._start(running, client)
                        if not running:
                            break
                        done, pending = await asyncio.wait(
                            running, return_when=asyncio.FIRST_COMPLETED
                        )
                        running.difference_update(done)
                        del pending
                        for task in done:
                            self._finish(*task.result())
                finally:
                    for task in running:
                        task.cancel()
                    await asyncio.gather(*running, return_exceptions=True)
        if self.interrupted:
            raise KeyboardInterrupt
        if self.exhausted:
            raise used_up()

    def _start(self, running: set[asyncio.Task[Any]], client: AsyncOpenAI) -> None:
        while not (self.exhausted or self.interrupted) and len(running) < max(1, int(self.width)):
            request = self.source.next_request()
            if request is None:
                return
            known = self.ledger.answered(request)
            if known is not None:
                self.source.on_response(request, known)
            else:
                running.add(asyncio.create_task(self._one(request, client)))

    def _finish(self, request: Request, response: Response | None, reason: str) -> None:
        if response is not None:
            self.unanswered = 0
            self.source.on_response(request, response)
        elif reason:
            self.unanswered += 1
            self.source.give_up(request, reason)
            if self.unanswered >= _HOPELESS:
                raise EndpointError(
                    f"{self.endpoint.base_url} failed on {self.unanswered} questions in a row, "
                    f"{ATTEMPTS} times each; the last time: {reason}. What was answered is "
                    "kept; run the same command again when the endpoint is well."
                )
        if not self.warned and self.ledger.budget.share_used() >= 0.8:
            self.warned = True
            self.tell("80 % of the budget is used.")

    async def _one(
        self, request: Request, client: AsyncOpenAI
    ) -> tuple[Request, Response | None, str]:
        """Ask one request until it is answered; neither response nor reason means out of budget."""
        retrying = AsyncRetrying(**retries(request.label, self.pace.first_wait))
        try:
            async for attempt in retrying:
                with attempt:
                    response = await self._attempt(
                        request, client, attempt.retry_state.attempt_number
                    )
            return request, response, ""
        except RequestError as failure:
            if failure.fatal:
                raise stop(failure) from failure
            if failure.response is not None:
                return request, failure.response, ""
            return request, None, failure.reason
        except _OutOfBudgetError:
            self.exhausted = True
            return request, None, ""

    async def _attempt(self, request: Request, client: AsyncOpenAI, number: int) -> Response | None:
        await self._wait_for_turn(request)
        if self.interrupted and number > 1:
            raise RequestError("interrupted")
        await self._reserve(request, number)
        self.under_way += 1
        try:
            response = await self._post(request, client)
        except RequestError as failure:
            if failure.response is not None:
                self.ledger.answer(request, _dated(failure.response))
            else:
                self.ledger.fail(request, failure.reason, billed=failure.billed)
            self._learn(failure)
            raise
        finally:
            self.under_way -= 1
            self.settled.set()
        self.ledger.answer(request, response)
        self._widen()
        return response

    async def _reserve(self, request: Request, number: int) -> None:
        while not self.ledger.begin(request, attempt=number):
            # Requests under way are counted at their most; what they give back may be enough.
            if self.under_way == 0:
                raise _OutOfBudgetError
            self.settled.clear()
            await self.settled.wait()

    async def _wait_for_turn(self, request: Request) -> None:
        while (rest := self.cool_until - time.monotonic()) > 0:
            await asyncio.sleep(rest)
        for bucket, amount in zip(self.buckets, self._amounts(request), strict=True):
            await asyncio.sleep(bucket.take(amount))

    def _amounts(self, request: Request) -> list[int]:
        requests = [1] if self.pace.rpm is not None else []
        tokens = [sum(request.most_tokens())] if self.pace.tpm is not None else []
        return requests + tokens

    def _learn(self, failure: RequestError) -> None:
        if failure.without_schema:
            self.without_schema = True
        if not failure.rate_limited:
            return
        now = time.monotonic()
        if now >= self.cool_until:
            self.width = max(1.0, self.width / 2)
            _LOG.warning("the endpoint asks for less: %d requests at once from now on", self.width)
        self.clean = 0
        self.cool_until = max(self.cool_until, now + (failure.wait or 0.0))

    def _widen(self) -> None:
        self.clean += 1
        if self.clean >= self.width:
            self.clean = 0
            self.width = min(self.pace.concurrency, self.width + 1)

    async def _post(self, request: Request, client: AsyncOpenAI) -> Response:
        import openai

        body = request.body(self.endpoint.model)
        if self.without_schema:
            body.pop("response_format", None)
        received = bytearray()
        try:
            async with asyncio.timeout(self.pace.total):
                async with client.chat.completions.with_streaming_response.create(
                    **body, extra_headers={"Idempotency-Key": request.key(self.endpoint.model)}
                ) as response:
                    async for piece in response.iter_bytes():
                        received += piece
                        if len(received) > LARGEST_ANSWER:
                            raise RequestError("an answer without end", retryable=True, billed=True)
        except openai.APIStatusError as error:
            raise of_error(error, self.endpoint) from error
        except (openai.APITimeoutError, TimeoutError) as error:
            raise RequestError("timeout", retryable=True, billed=True) from error
        except openai.APIConnectionError as error:
            raise RequestError("connection lost", retryable=True, billed=True) from error
        except _broken_streams() as error:
            raise RequestError("connection lost", retryable=True, billed=True) from error
        return read_response(bytes(received))

    @contextlib.contextmanager
    def _drain_on_interrupt(self, running: set[asyncio.Task[Any]]) -> Iterator[None]:
        def pressed() -> None:
            if self.interrupted:
                for task in running:
                    task.cancel()
            else:
                self.interrupted = True
                self.tell(
                    f"waiting for {len(running)} answers that are under way; press Ctrl-C again to "
                    "leave without them."
                )

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, pressed)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)


class _OutOfBudgetError(Exception):
    """A request was not sent because it could pass a cap."""


class _Bucket:
    """A token bucket: what a minute allows, refilled all the time.

    Args:
        rate: Tokens refilled a second.
        size: Most tokens in it.
    """

    def __init__(self, rate: float, size: float) -> None:
        self.rate, self.size, self.left = rate, size, size
        self.seen = time.monotonic()

    def take(self, amount: float) -> float:
        """Use this many tokens, and return the seconds to wait until they are there."""
        now = time.monotonic()
        self.left = min(self.size, self.left + (now - self.seen) * self.rate) - amount
        self.seen = now
        return max(0.0, -self.left / self.rate)


def _client(endpoint: Endpoint, pace: Pace) -> AsyncOpenAI:
    import openai

    return openai.AsyncOpenAI(
        api_key=endpoint.key,
        base_url=endpoint.base_url,
        organization="",
        project="",
        max_retries=0,
        default_headers=dict(endpoint.headers),
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            timeout=openai.Timeout(pace.total, connect=pace.connect, read=pace.read),
        ),
    )


def _broken_streams() -> tuple[type[BaseException], ...]:
    """Return what the HTTP library raises while an answer is read, which openai lets through."""
    import openai

    library = openai.DefaultAsyncHttpxClient.__mro__[1].__module__.split(".")[0]
    from importlib import import_module

    http = import_module(library)
    return (http.HTTPError, http.StreamError)


def _dated(response: Response) -> Response:
    return Response(response.text, finish=response.finish, date=now())
