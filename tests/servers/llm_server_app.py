"""The test server behind its socket: which request gets which answer, and what the log says.

What was billed and tried is taken from the log, so a server that starts again knows it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_server_batches import Batches
from llm_server_brain import Brain, Reply, UnreadableDataError
from llm_server_faults import (
    HARMLESS,
    Faults,
    Limits,
    damage_answer,
    damage_completion,
    error,
    error_body,
    identity_of,
    is_error,
)
from llm_server_wire import CHAT, Answer, Pace, Request, deliver, json_answer, read_request

_KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "seed", "api_key", "models", "fingerprint", "idempotent", "unsupported", "latency",
        "faults", "at", "limits", "brain", "answers", "answer_map", "batch",
    ),
    "latency": ("fixed", "jitter", "first", "event"),
    "faults": ("rate", "kinds", "max_consecutive", "wait", "slow", "huge_bytes"),
    "limits": ("rpm", "tpm", "window"),
    "answers": ("mode", "text", "choices"),
    "batch": (
        "polls", "end", "ends", "partial", "line_errors", "line_kinds",
    ),
}  # fmt: skip
"""What a script can have, at the top and in its parts."""

_PIECE = re.compile(r".{1,60}", re.DOTALL)
_STRUCTURED = "response_format:"


def entries(path: Path) -> list[dict[str, Any]]:
    """Return the log of a server, one entry for each request in the order of arrival.

    Two lines stand for a request, one at its arrival and one when it was answered or given up;
    of a request under way there is only the first. A line cut by a kill is left out.
    """
    found: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return []
    for line in path.read_bytes().split(b"\n"):
        try:
            part = json.loads(line)
        except ValueError:
            continue
        found.setdefault(part["number"], {}).update(part)
    return [found[number] for number in sorted(found)]


@dataclass
class Plan:
    """What is to become of a request.

    Attributes:
        answer: The answer.
        fault: What is wrong with it, or with its delivery.
        wait: Seconds that the client is told to wait.
        pace: How slowly the answer comes.
        bill: The key that is billed if the answer arrives whole, or None.
        note: More for the log.
    """

    answer: Answer
    fault: str | None = None
    wait: float = 0.0
    pace: Pace = field(default_factory=Pace)
    bill: str | None = None
    note: dict[str, Any] = field(default_factory=dict)


class App:
    """The server behind the socket.

    Args:
        script: What it does; see the module.
        folder: Where relative paths in the script start.
        log: File that gets two lines for each request.
        state: Folder of files and batches. The log beside it says what was billed and tried.
    """

    def __init__(self, script: Mapping[str, Any], folder: Path, log: Path, state: Path) -> None:
        for part, known in _KEYS.items():
            if unknown := set(script.get(part, {}) if part else script) - set(known):
                raise ValueError(f"a script has no {part} {min(unknown)!r}")
        keys = script.get("api_key", "sk-test")
        self._keys = [keys] if isinstance(keys, str) else keys
        self._models: list[str] = script.get("models", ["gpt-test"])
        self._script = script
        self._seed = script.get("seed", 0)
        self._faults = Faults(script)
        self._limits = Limits(script)
        self._brain = Brain(script, folder)
        self._batches = Batches(script, state, self._faults.draw_line, self._answer_line)
        self._number = self._in_flight = 0
        self._usable: set[str] = set()
        self._not_before: dict[str, float] = {}
        for entry in entries(log):
            self._recall(entry)
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def _recall(self, entry: dict[str, Any]) -> None:
        """Take up what an earlier process did."""
        self._number = entry["number"]
        for tried in (entry, *entry.get("lines", ())):
            if tried.get("attempt"):
                self._faults.recall(tried["identity"], tried["attempt"], tried.get("fault"))
            if tried.get("usable"):
                self._usable.add(tried["key"])

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._log, json.dumps(line, ensure_ascii=False).encode() + b"\n")

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        try:
            while (request := await read_request(reader)) is not None:
                if not await self._exchange(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The client left, or the server stops: the log has what was under way.
            pass
        finally:
            writer.close()

    async def _exchange(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; return whether the connection can go on."""
        self._number += 1
        self._in_flight += 1
        now = time.monotonic()
        identity = identity_of(request.method, request.path, request.body)
        early = self._not_before.pop(identity, now) - now
        number = self._number
        self._write(
            {
                "number": number, "received": now, "method": request.method,
                "path": request.path, "identity": identity, "in_flight": self._in_flight,
                "authorization": "authorization" in request.headers,
                "idempotency_key": request.headers.get("idempotency-key"),
                "user_agent": request.headers.get("user-agent"), "early": max(0.0, early),
                "raw": request.body.decode("utf-8", "replace"),
            }
        )  # fmt: skip
        line: dict[str, Any] = {"number": number, "status": None, "billed": False, "usable": False}
        try:
            plan = self._plan(request, identity, number)
            answer = damage_answer(plan.answer, plan.fault)
            line |= {**plan.note, "fault": plan.fault, "wait": plan.wait, "key": plan.bill}
            whole, keep = await deliver(answer, plan.fault, plan.pace, reader, writer)
            if whole:
                line["status"] = answer.status
                line["billed"] = plan.bill is not None
                line["usable"] = line["billed"] and plan.fault in HARMLESS
            if line["usable"]:
                self._usable.add(str(plan.bill))
            if plan.wait:
                self._not_before[identity] = time.monotonic() + plan.wait
            return keep
        finally:
            self._in_flight -= 1
            self._write({**line, "answered": time.monotonic()})

    # --- what to answer --------------------------------------------------------------------------

    def _plan(self, request: Request, identity: str, number: int) -> Plan:
        fault = self._faults.at(number)
        if fault is None and (refused := self._refused(request)):
            return refused
        if is_error(fault):
            return self._error(str(fault), request)
        if request.path == CHAT and request.method == "POST":
            return self._chat(request, identity, number, fault)
        attempt = 0
        if fault is None:
            attempt, fault = self._faults.draw(identity, request.path)
            if is_error(fault):
                return self._error(str(fault), request, attempt)
        plan = Plan(self._unknown(request), fault, note={"attempt": attempt})
        if handled := self._batches.handle(request):
            plan.answer, lines = handled
            if lines:
                plan.note["lines"] = lines
                self._usable.update(line["key"] for line in lines if line["usable"])
        elif request.path.startswith("/v1/models") and request.method == "GET":
            plan.answer = self._models_answer(request.path)
        return plan

    def _refused(self, request: Request) -> Plan | None:
        """Return the refusal of a request without a valid key."""
        if self._keys is None:
            return None
        key = _key(request)
        if key in self._keys:
            return None
        return Plan(error("401" if key else "no-key", key=key)[0])

    def _error(self, kind: str, request: Request, attempt: int = 0) -> Plan:
        answer, wait = error(
            kind, model=self._models[0], key=_key(request), wait=self._faults.wait
        )  # fmt: skip
        return Plan(answer, kind, wait, note={"attempt": attempt})

    def _unknown(self, request: Request) -> Answer:
        message = f"Invalid URL ({request.method} {request.path})"
        return json_answer(404, error_body(message))

    def _models_answer(self, path: str) -> Answer:
        known = {
            name: {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "test"}
            for name in self._models
        }
        name = path.removeprefix("/v1/models").strip("/")
        if not name:
            return json_answer(200, {"object": "list", "data": [*known.values()]})
        if name not in known:
            return error("404", model=name)[0]
        return json_answer(200, known[name])

    def _chat(self, request: Request, identity: str, number: int, fault: str | None) -> Plan:
        try:
            body = json.loads(request.body)
        except ValueError:
            message = "We could not parse the JSON body of your request."
            return Plan(json_answer(400, error_body(message)))
        if invalid := self._invalid(body):
            return Plan(json_answer(*invalid))
        tokens = _prompt_tokens(body) + int(_most_tokens(body) or 0)
        headers, exceeded, wait = self._limits.admit(_key(request), tokens, time.monotonic())
        if exceeded:
            answer = self._limits.refusal(exceeded, body["model"], wait)
            answer.headers |= headers
            return Plan(answer, f"limit-{exceeded}", wait)
        attempt = 0
        if fault is None:
            attempt, fault = self._faults.draw(identity, CHAT)
        pace = self._pace(identity, attempt, fault)
        if is_error(fault):
            plan = self._error(str(fault), request, attempt)
            plan.answer.headers |= headers
            plan.pace = pace
            return plan
        key = request.headers.get("idempotency-key") or identity
        replayed = bool(self._script.get("idempotent")) and key in self._usable
        origin = key if self._script.get("idempotent") else str(number)
        try:
            completion, note = self._completion(body, fault, origin)
        except UnreadableDataError as problem:
            return Plan(json_answer(400, error_body(str(problem), param="messages")))
        if body.get("stream"):
            usage = bool((body.get("stream_options") or {}).get("include_usage"))
            events = [*_events(completion, usage)]
            answer = Answer(200, content_type="text/event-stream", events=events)
        else:
            answer = json_answer(200, completion)
        answer.headers |= {**headers, "x-request-id": f"req_{number}"}
        bill = key if completion["choices"] and not replayed else None
        return Plan(answer, fault, 0.0, pace, bill, {**note, "attempt": attempt})

    def _invalid(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Return status and body of the error of a request that no retry can mend."""
        for name in ("model", "messages"):
            if not body.get(name):
                message = f"Missing required parameter: '{name}'."
                code = "missing_required_parameter"
                return 400, error_body(message, param=name, code=code)
        if body["model"] not in self._models:
            answer = error("404", model=body["model"])[0]
            return answer.status, json.loads(answer.body)
        structured = (body.get("response_format") or {}).get("type")
        for name in self._script.get("unsupported", ()):
            if name == f"{_STRUCTURED}{structured}":
                message = (
                    f"Invalid parameter: 'response_format' of type '{structured}' is not "
                    "supported with this model."
                )
                return 400, error_body(message, param="response_format")
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return 400, error_body(message, param=name, code="unsupported_parameter")
        return None

    def _pace(self, identity: str, attempt: int, fault: str | None) -> Pace:
        latency = self._script.get("latency", {})
        chance = random.Random(f"{self._seed}/{identity}/{attempt}/pace").random()
        before = latency.get("fixed", 0.0) + chance * latency.get("jitter", 0.0)
        if fault == "slow":
            before += self._faults.slow
        return Pace(before, latency.get("first", 0.0), latency.get("event", 0.0))

    def _completion(
        self, body: dict[str, Any], fault: str | None, origin: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a completion and what the log says of it."""
        replies = [self._brain.reply(body, place) for place in range(int(body.get("n") or 1))]
        choices, written = [], 0
        for place, reply in enumerate(replies):
            content, finish = _cut(reply.content, _most_tokens(body))
            written += _tokens(content)
            message = {"role": "assistant", "content": content, "refusal": None}
            choices.append(
                {"index": place, "message": message, "logprobs": None, "finish_reason": finish}
            )
        prompt = _prompt_tokens(body)
        digest = hashlib.sha256(f"{self._seed}/{origin}".encode()).hexdigest()
        completion = {
            "id": f"chatcmpl-{digest[:24]}", "object": "chat.completion",
            "created": int(time.time()), "model": body["model"], "choices": choices,
            "usage": {
                "prompt_tokens": prompt, "completion_tokens": written,
                "total_tokens": prompt + written,
            },
            "system_fingerprint": self._script.get("fingerprint", "fp_test"),
        }  # fmt: skip
        damage_completion(completion, fault, self._faults.huge_bytes)
        finishes = [choice["finish_reason"] for choice in completion["choices"]]
        note = {"response_id": completion["id"], "finishes": finishes}
        return completion, note | _said(replies)

    def _answer_line(
        self, body: dict[str, Any], key: str, fault: str | None
    ) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Answer one line of a batch: status, body, and what the log says of it."""
        note: dict[str, Any] = {"key": key, "billed": False, "usable": False}
        if is_error(fault):
            answer, _ = error(str(fault), model=body.get("model", ""))
            if answer.content_type != "application/json":
                return answer.status, error_body(answer.body.decode(), "server_error"), note
            return answer.status, json.loads(answer.body), note
        if invalid := self._invalid(body):
            return *invalid, note
        try:
            completion, said = self._completion(body, fault, key)
        except UnreadableDataError as problem:
            return 400, error_body(str(problem), param="messages"), note
        note["billed"] = bool(completion["choices"]) and fault != "missing"
        note["usable"] = note["billed"] and fault in HARMLESS
        return 200, completion, {**note, **said}


def _key(request: Request) -> str:
    """Return the key of a request, as OpenAI or as Azure takes it."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    return bearer or request.headers.get("api-key", "")


def _tokens(text: str) -> int:
    """Return about how many tokens a text has: one for four bytes."""
    return (len(text.encode()) + 3) // 4


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    return sum(_tokens(json.dumps(m.get("content"))) for m in body["messages"]) + 3


def _most_tokens(body: Mapping[str, Any]) -> int | None:
    most: int | None = body.get("max_completion_tokens") or body.get("max_tokens")
    return most


def _cut(content: str, most: int | None) -> tuple[str, str]:
    """Cut a text at a number of tokens; return it and the reason why it ends."""
    if most is None or _tokens(content) <= most:
        return content, "stop"
    return content.encode()[: 4 * most].decode("utf-8", "ignore"), "length"


def _said(replies: list[Reply]) -> dict[str, Any]:
    return {
        "forms": [reply.form for reply in replies],
        "kinds": [kind for reply in replies for kind in reply.kinds],
        "texts": [text for reply in replies for text in reply.texts],
    }


def _events(completion: dict[str, Any], usage: bool) -> Iterator[bytes]:
    """Yield the server-sent events of a completion; those of several choices come in turns."""
    names = ("id", "created", "model", "system_fingerprint")
    head = {"object": "chat.completion.chunk", **{name: completion[name] for name in names}}

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        chunk = json.dumps({**head, "choices": choices, **more}, ensure_ascii=False)
        return f"data: {chunk}\n\n".encode()

    def part(index: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
        return event([{"index": index, "delta": delta, "finish_reason": finish}])

    waiting = []
    for choice in completion["choices"]:
        index, content = choice["index"], choice["message"]["content"] or ""
        yield part(index, {"role": "assistant", "content": ""})
        pieces = [part(index, {"content": piece}) for piece in _PIECE.findall(content)]
        waiting.append(iter([*pieces, part(index, {}, choice["finish_reason"])]))
    while waiting:
        for pieces_left in [*waiting]:
            following = next(pieces_left, None)
            if following is None:
                waiting.remove(pieces_left)
            else:
                yield following
    if usage and "usage" in completion:
        yield event([], usage=completion["usage"])
    yield b"data: [DONE]\n\n"
