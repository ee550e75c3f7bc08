"""Asking through OpenAI Batch files: a day's patience for half the price.

A round: all that the source has to ask now is written into files, uploaded, and run as jobs; when
they end, output and error files are read. What a job asks is on disk before it is created, and it
carries a mark as metadata, so a process that is killed at any point finds its jobs again
and sends nothing twice. Lines without an answer are asked again in the next round.

Format: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tenacity import Retrying

from medsins.errors import EndpointError
from medsins.io.logs import logger
from medsins.llm.budget import used_up
from medsins.llm.endpoint import Endpoint
from medsins.llm.failures import (
    ATTEMPTS,
    RequestError,
    of_error,
    of_status,
    read_response,
    retries,
    stop,
)
from medsins.llm.ledger import Ledger
from medsins.llm.requests import Request, Source

if TYPE_CHECKING:
    from openai import OpenAI

LINES, BYTES = 50_000, 200 << 20
"""Most lines and bytes of a Batch file that OpenAI takes."""

_LOG = logger("llm")
_ROUNDS_WITHOUT_ANSWER = 3
_ENDED = frozenset({"completed", "expired", "cancelled", "failed"})
_PATH: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_MARK = "medsins"


@dataclass(frozen=True)
class Batching:
    """How to use Batch files.

    Attributes:
        lines: Most lines of a file.
        bytes: Most bytes of a file.
        poll: Seconds between two looks at a job.
    """

    lines: int = LINES
    bytes: int = BYTES
    poll: float = 60.0


def ask_in_batches(
    source: Source,
    endpoint: Endpoint,
    ledger: Ledger,
    batching: Batching,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Ask all that a source has to ask through Batch files.

    Args:
        source: What to ask, and who takes the answers.
        endpoint: Where to ask.
        ledger: The record of it all.
        batching: Sizes and times.
        tell: Takes sentences that a user should read during the run.

    Raises:
        BudgetError: A cap is reached; what was answered is kept.
        EndpointError: The endpoint cannot be used, or answers nothing in several rounds.
    """
    run = _Run(endpoint, ledger, batching, tell)
    requests: list[Request] = []
    tried: Counter[str] = Counter()
    silent = 0
    while requests := [*requests, *_drawn(source, ledger)]:
        answered, exhausted = run.round(requests)
        missing = []
        for request in requests:
            response = ledger.answered(request)
            if response is not None:
                source.on_response(request, response)
                continue
            key = request.key(ledger.model)
            # What an expired batch did not get to is not the fault of the line.
            tried[key] += key in run.failed
            if tried[key] < ATTEMPTS:
                missing.append(request)
            else:
                source.give_up(request, run.failed[key])
        requests = missing
        if exhausted:
            raise used_up()
        silent = 0 if answered else silent + 1
        if silent >= _ROUNDS_WITHOUT_ANSWER:
            raise EndpointError(
                f"{endpoint.base_url} answered nothing in {silent} rounds of batches. What was "
                "answered before is kept."
            )


def _drawn(source: Source, ledger: Ledger) -> list[Request]:
    """Draw until the source has nothing more for now; pass on what is answered already."""
    requests = []
    while (request := source.next_request()) is not None:
        known = ledger.answered(request)
        if known is not None:
            source.on_response(request, known)
        else:
            requests.append(request)
    return requests


class _Run:
    def __init__(
        self,
        endpoint: Endpoint,
        ledger: Ledger,
        batching: Batching,
        tell: Callable[[str], None],
    ) -> None:
        import openai

        self.endpoint, self.ledger, self.batching, self.tell = endpoint, ledger, batching, tell
        self.failed: dict[str, str] = {}
        self.client: OpenAI = openai.OpenAI(
            api_key=endpoint.key,
            base_url=endpoint.base_url,
            organization="",
            project="",
            max_retries=0,
            default_headers=dict(endpoint.headers),
            http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=300.0),
        )

    def round(self, requests: list[Request]) -> tuple[int, bool]:
        """Ask these once; return how many were answered, and whether the budget is used."""
        by_key = {request.key(self.endpoint.model): request for request in requests}
        self.failed = {}
        exhausted = False
        jobs = self._jobs_under_way(by_key)
        asked = {key for _, keys in jobs.values() for key in keys}
        for chunk in self._files([request for key, request in by_key.items() if key not in asked]):
            begun = self.ledger.begin_all(chunk, transport="batch")
            if begun:
                job, mark, keys = self._submit(begun)
                jobs[job] = (mark, keys)
            if len(begun) < len(chunk):
                exhausted = True
                break
        answered = 0
        for job, (mark, keys) in jobs.items():
            answered += self._collect(
                job, mark, {key: by_key[key] for key in keys if key in by_key}
            )
        return answered, exhausted

    def _jobs_under_way(self, by_key: dict[str, Request]) -> dict[str, tuple[str, list[str]]]:
        """Return jobs of an earlier process that were not read to their end, with their keys."""
        planned: dict[str, list[str]] = {}
        jobs: dict[str, str] = {}
        for event in self.ledger.journal.events():
            if event.get("event") == "batch planned":
                planned[event["mark"]] = event["keys"]
            elif event.get("event") == "batch":
                jobs[event["mark"]] = event["job"]
            elif event.get("event") == "batch read":
                planned.pop(event["mark"], None)
        found = {}
        for mark, keys in planned.items():
            job = jobs.get(mark) or self._created(mark)
            if job is None:
                self._forget(mark, keys, by_key)
            elif not by_key.keys().isdisjoint(keys):
                found[job] = (mark, keys)
                _LOG.info("resumed batch %s: %d requests", job, len(keys))
        return found

    def _created(self, mark: str) -> str | None:
        """Look for a job that was created just before its process was killed."""
        for batch in self._again(lambda: list(self.client.batches.list(limit=100))):
            if (batch.metadata or {}).get(_MARK) == mark:
                self.ledger.journal.append({"event": "batch", "mark": mark, "job": batch.id})
                return str(batch.id)
        return None

    def _forget(self, mark: str, keys: list[str], by_key: dict[str, Request]) -> None:
        for key in keys:
            if key in by_key:
                self.ledger.fail(by_key[key], "batch was not created", billed=False)
        self.ledger.journal.append({"event": "batch read", "mark": mark, "status": "missing"})

    def _files(self, requests: list[Request]) -> Iterator[list[Request]]:
        chunk: list[Request] = []
        size = 0
        for request in requests:
            more = len(self._line(request))
            if chunk and (len(chunk) >= self.batching.lines or size + more > self.batching.bytes):
                yield chunk
                chunk, size = [], 0
            chunk.append(request)
            size += more
        if chunk:
            yield chunk

    def _line(self, request: Request) -> bytes:
        line = {
            "custom_id": request.key(self.endpoint.model),
            "method": "POST",
            "url": _PATH,
            "body": request.body(self.endpoint.model),
        }
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def _submit(self, begun: list[Request]) -> tuple[str, str, list[str]]:
        content = b"".join(self._line(request) for request in begun)
        keys = [request.key(self.endpoint.model) for request in begun]
        mark = uuid.uuid4().hex
        self.ledger.journal.append({"event": "batch planned", "mark": mark, "keys": keys})
        file = self._again(
            lambda: self.client.files.create(file=("requests.jsonl", content), purpose="batch")
        )
        job = self._again(
            lambda: self.client.batches.create(
                input_file_id=file.id,
                endpoint=_PATH,
                completion_window="24h",
                metadata={_MARK: mark},
            )
        )
        self.ledger.journal.append({"event": "batch", "mark": mark, "job": job.id})
        _LOG.info("submitted batch %s: %d requests", job.id, len(keys))
        self.tell(f"batch {job.id}: {len(keys)} requests")
        return str(job.id), mark, keys

    def _collect(self, job: str, mark: str, requests: dict[str, Request]) -> int:
        """Wait for a job, and put what its files say on disk."""
        while True:
            batch = self._again(lambda: self.client.batches.retrieve(job))
            if batch.status in _ENDED:
                break
            time.sleep(self.batching.poll)
        lines: dict[str, dict[str, Any]] = {}
        # Output and errors come in any order; an expired job has what it got done until then.
        for file in (batch.error_file_id, batch.output_file_id):
            if file:
                lines.update(_by_key(self._content(file)))
        answered = sum(self._settle(request, lines.get(key)) for key, request in requests.items())
        self.ledger.journal.append({"event": "batch read", "mark": mark, "status": batch.status})
        _LOG.info("batch %s %s: %d of %d answered", job, batch.status, answered, len(requests))
        if batch.status != "completed":
            self.tell(f"batch {job} {batch.status}: {answered} of {len(requests)} answered")
        return answered

    def _content(self, file: str) -> bytes:
        content: bytes = self._again(lambda: self.client.files.content(file).read())
        return content

    def _settle(self, request: Request, line: dict[str, Any] | None) -> bool:
        response = (line or {}).get("response") or {}
        status, body = response.get("status_code"), response.get("body")
        if line is None or status is None:
            self.ledger.fail(request, "no line in the batch", billed=False)
            return False
        try:
            if status != 200:
                said = body.get("error") if isinstance(body, dict) else None
                raise of_status(status, {}, said or {}, self.endpoint)
            response = read_response(json.dumps(body).encode())
        except RequestError as error:
            if error.response is None:
                self.ledger.fail(request, error.reason, billed=error.billed)
                self.failed[request.key(self.endpoint.model)] = error.reason
                if error.fatal:
                    raise stop(error) from error
                return False
            response = error.response
        self.ledger.answer(request, response)
        return True

    def _again(self, request: Callable[[], Any]) -> Any:
        """Send a request of the files and batches API, retried like all others."""
        import openai

        def once() -> Any:
            try:
                return request()
            except openai.APIStatusError as error:
                raise of_error(error, self.endpoint) from error
            except openai.APIConnectionError as error:
                raise RequestError("connection lost", retryable=True) from error

        try:
            return Retrying(**retries("files and batches"))(once)
        except RequestError as error:
            if error.fatal:
                raise stop(error) from error
            raise EndpointError(
                f"{self.endpoint.base_url} does not take batches ({error.reason}). What was "
                "answered is kept; run the same command again, or without --batch."
            ) from error


def _by_key(content: bytes) -> dict[str, dict[str, Any]]:
    found = {}
    for line in content.splitlines():
        try:
            row = json.loads(line)
            found[row["custom_id"]] = row
        except (ValueError, KeyError, TypeError):
            # A line that cannot be read is a line without an answer.
            continue
    return found
