"""What goes wrong, when, and how it looks: errors as OpenAI words them, and damaged answers.

A fault is drawn from the seed, the request's own identity and how often that identity was tried,
never from the order of arrival: at any concurrency the same request meets the same faults.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import random
import time
from collections import Counter, deque
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from llm_server_wire import CHAT, CUT, Answer, json_answer

RETRYABLE = (
    "429-retry-after", "429-retry-after-ms", "429-http-date", "429-bare",
    "500", "502", "503", "504", "529",
    "reset-before-headers", "reset-mid-headers", "reset-mid-body", "close-before-headers",
    "malformed-json", "truncated-json", "html", "empty-choices", "null-content", "wrong-charset",
)  # fmt: skip
"""The mix of a script that names no kinds: all are worth another try, and none takes long."""

HARMLESS = (None, "slow", "idle-close", "missing-usage", "wrong-usage")
"""Faults of an answer that is good for use nevertheless."""

_CHOICES = (
    "empty-choices", "null-content", "length", "content-filter", "missing-usage", "wrong-usage",
    "huge-body",
)  # fmt: skip
_BYTES = ("malformed-json", "truncated-json", "html", "wrong-charset", "error-body", "bad-chunk")
_DELIVERED = ("slow", "idle-close")

_ERRORS: dict[str, tuple[int, str, str | None, str | None, str]] = {
    "400": (
        400,
        "invalid_request_error",
        "messages",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. Please reduce the length.",
    ),
    "401": (
        401,
        "invalid_request_error",
        None,
        "invalid_api_key",
        "Incorrect API key provided: {key}. Find yours at https://platform.openai.com/account.",
    ),
    "no-key": (
        401,
        "invalid_request_error",
        None,
        None,
        "You didn't provide an API key. It goes into the Authorization header, as a Bearer token.",
    ),
    "403": (
        403,
        "invalid_request_error",
        None,
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    "404": (
        404,
        "invalid_request_error",
        None,
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "408": (408, "server_error", None, None, "Timed out generating response. Please try again."),
    "409": (409, "invalid_request_error", None, None, "The resource was updated meanwhile."),
    "422": (422, "invalid_request_error", None, None, "The request could not be processed."),
    "quota": (
        429,
        "insufficient_quota",
        None,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "429": (
        429,
        "requests",
        None,
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-test on requests per min (RPM).",
    ),
    "500": (500, "server_error", None, None, "The server had an error. Sorry about that!"),
    "529": (529, "overloaded_error", None, None, "Overloaded"),
}
"""Errors of the API: status, type, parameter, code and message."""

_PROXY = {
    "502": (502, "text/html", b"<html><head><title>502 Bad Gateway</title></head></html>\r\n"),
    "503": (503, "text/plain", b"upstream connect error or disconnect/reset before headers"),
    "504": (504, "text/html", b"<html><head><title>504 Gateway Time-out</title></head></html>\r\n"),
}
"""What stands in front of the model answers these, and not in JSON."""

_ERROR_KINDS = frozenset((
    *_ERRORS, *_PROXY, "429-retry-after", "429-retry-after-ms", "429-http-date", "429-both",
    "429-bare", "should-retry", "should-not-retry",
))  # fmt: skip

_SIGN_IN = b"<!DOCTYPE html>\n<html><body><h1>Sign in to the network</h1></body></html>\n"


def error(kind: str, *, model: str = "", key: str = "", wait: float = 0.05) -> tuple[Answer, float]:
    """Return the answer of an error kind, and how many seconds it tells the client to wait."""
    if kind in _PROXY:
        status, content_type, page = _PROXY[kind]
        return Answer(status, page, content_type=content_type), 0.0
    name = {"should-not-retry": "500", "should-retry": "400"}.get(kind, kind)
    name = "429" if name.startswith("429") else name
    status, type_, param, code, message = _ERRORS[name]
    message = message.format(model=model, key=_veiled(key))
    headers: dict[str, str] = {}
    demanded = wait if name == "429" else 0.0
    match kind:
        case "429-retry-after":
            headers["retry-after"] = f"{wait:g}"
        case "429-retry-after-ms":
            headers["retry-after-ms"] = f"{wait * 1000:g}"
        case "429-both":
            # What OpenAI sends: the finer of the two counts.
            headers = {"retry-after-ms": f"{wait * 1000:g}", "retry-after": "1"}
        case "429-http-date":
            now = time.time()
            moment = math.ceil(now + wait)
            headers["retry-after"] = formatdate(moment, usegmt=True)
            demanded = moment - now
        case "should-not-retry":
            headers["x-should-retry"] = "false"
        case "should-retry":
            headers["x-should-retry"] = "true"
        case _:
            demanded = 0.0
    return json_answer(status, error_body(message, type_, param, code), headers), demanded


def error_body(
    message: str, type_: str = "invalid_request_error", param: str | None = None,
    code: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return OpenAI's error object."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def _veiled(key: str) -> str:
    return key if len(key) < 8 else f"{key[:5]}{'*' * (len(key) - 9)}{key[-4:]}"


def is_error(kind: str | None) -> bool:
    """Return whether a kind is an HTTP error of its own, not a damaged answer."""
    return kind in _ERROR_KINDS


def known(kind: str) -> bool:
    """Return whether there is such a kind of fault; a line of a batch can also be missing."""
    return kind in (*_ERROR_KINDS, *_CHOICES, *_BYTES, *_DELIVERED, *CUT, "missing")


def damage_completion(completion: dict[str, Any], kind: str | None, huge_bytes: int) -> None:
    """Change a completion in place as its fault wants."""
    choices = completion["choices"]
    if kind == "empty-choices":
        completion["choices"] = []
    elif kind == "missing-usage":
        del completion["usage"]
    elif kind == "wrong-usage":
        completion["usage"] = {"prompt_tokens": 0, "completion_tokens": -1, "total_tokens": 10**9}
    elif kind == "huge-body":
        completion["padding"] = "x" * huge_bytes
    for choice in choices:
        message = choice["message"]
        if kind == "null-content":
            message["content"] = None
        elif kind == "content-filter":
            message["content"] = None
            choice["finish_reason"] = "content_filter"
        elif kind == "length":
            message["content"] = message["content"][: len(message["content"]) // 2]
            choice["finish_reason"] = "length"


def damage_answer(answer: Answer, kind: str | None) -> Answer:
    """Return an answer whose bytes are damaged as its fault wants."""
    if kind == "html":
        return Answer(200, _SIGN_IN, answer.headers, "text/html; charset=utf-8")
    if kind == "error-body":
        broken = json.dumps(error_body("Provider returned error", "server_error")).encode()
        answer.body = broken
        if answer.events is not None:
            answer.events[1:] = [b"data: " + broken + b"\n\n"]
    elif kind in ("malformed-json", "bad-chunk"):
        answer.body = answer.body.replace(b'"choices": [', b"'choices': [", 1)
        if answer.events is not None:
            answer.events[1:2] = [b'data: {"choices": [{"delta": {oops\n\n']
    elif kind == "truncated-json":
        answer.body = answer.body[: len(answer.body) * 2 // 3]
        if answer.events is not None:
            middle = len(answer.events) // 2
            half = answer.events[middle][: len(answer.events[middle]) // 2]
            answer.events[middle:] = [half]
    elif kind == "wrong-charset":
        # 0xE9 is é in Latin-1 and no character at all in UTF-8.
        answer.body = answer.body.replace(b'"object"', b'"caf\xe9": 1, "object"', 1)
        answer.content_type = "application/json; charset=utf-8"
        if answer.events is not None:
            answer.content_type = "text/event-stream; charset=utf-8"
            answer.events[1:2] = [b'data: {"caf\xe9": 1}\n\n']
    return answer


def identity_of(method: str, path: str, body: bytes) -> str:
    """Return the identity of a request: hash of method, path and body, whatever its key order."""
    with contextlib.suppress(ValueError):
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()[:32]


class Faults:
    """Draws the fault of a request."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        faults = script.get("faults", {})
        self._seed = script.get("seed", 0)
        self._rate = float(faults.get("rate", 0.0))
        self._kinds = tuple(faults.get("kinds", RETRYABLE))
        self._most = int(faults.get("max_consecutive", 3))
        self._at = [(*_span(where), kind) for where, kind in script.get("at", {}).items()]
        lines = script.get("batch", {})
        self._line_rate = float(lines.get("line_errors", 0.0))
        self._line_kinds = tuple(lines.get("line_kinds", ("429-bare", "500")))
        for kind in (*self._kinds, *self._line_kinds, *(kind for *_, kind in self._at)):
            if not known(kind):
                raise ValueError(f"there is no fault {kind!r}")
        self.wait = float(faults.get("wait", 0.05))
        self.huge_bytes = int(faults.get("huge_bytes", 8 << 20))
        self.slow = float(faults.get("slow", 0.3))
        self._attempts: Counter[str] = Counter()
        self._running: Counter[str] = Counter()

    def at(self, number: int) -> str | None:
        """Return the fault that the script has for the n-th request."""
        return next((kind for first, last, kind in self._at if first <= number <= last), None)

    def draw(self, identity: str, path: str) -> tuple[int, str | None]:
        """Return which attempt at this request it is, and its fault."""
        rate = self._rate if path == CHAT else 0.0
        return self._draw(identity, rate, self._kinds)

    def draw_line(self, identity: str) -> tuple[int, str | None]:
        """Return which attempt at a line of a batch it is, and its fault."""
        return self._draw(identity, self._line_rate, self._line_kinds)

    def _draw(self, identity: str, rate: float, kinds: tuple[str, ...]) -> tuple[int, str | None]:
        self._attempts[identity] += 1
        attempt = self._attempts[identity]
        rng = random.Random(f"{self._seed}/{identity}/{attempt}")
        if kinds and self._running[identity] < self._most and rng.random() < rate:
            self._running[identity] += 1
            return attempt, rng.choice(kinds)
        self._running[identity] = 0
        return attempt, None

    def recall(self, identity: str, attempt: int, fault: str | None) -> None:
        """Take up an attempt that an earlier process answered."""
        self._attempts[identity] = max(attempt, self._attempts[identity])
        self._running[identity] = self._running[identity] + 1 if fault else 0


def _span(where: str) -> tuple[int, float]:
    """Return the first and last request of "7", "7-9" or "7+"."""
    if where.endswith("+"):
        return int(where[:-1]), math.inf
    first, _, last = where.partition("-")
    return int(first), int(last or first)


class Limits:
    """Requests and tokens per window for each key, counted when they are asked for."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        limits = script.get("limits", {})
        self._most = {"requests": limits.get("rpm"), "tokens": limits.get("tpm")}
        self._window = float(limits.get("window", 60.0))
        self._spent: dict[tuple[str, str], deque[tuple[float, int]]] = {}

    def admit(self, key: str, tokens: int, now: float) -> tuple[dict[str, str], str, float]:
        """Count a request if it may pass.

        Returns:
            The `x-ratelimit-*` headers; what is exceeded, or ""; and how long to wait then.
        """
        wanted = {"requests": 1, "tokens": tokens}
        used: dict[str, int] = {}
        exceeded, wait = "", 0.0
        for what, most in self._most.items():
            if most is None:
                continue
            spent = self._spent.setdefault((key, what), deque())
            while spent and spent[0][0] <= now - self._window:
                spent.popleft()
            used[what] = sum(amount for _, amount in spent)
            if used[what] + wanted[what] > most:
                exceeded = exceeded or what
                wait = max(wait, self._free(spent, used[what] + wanted[what] - most, now))
        headers = {}
        for what, before in used.items():
            if not exceeded:
                self._spent[key, what].append((now, wanted[what]))
            left = self._most[what] - before - (0 if exceeded else wanted[what])
            first = self._spent[key, what]
            reset = first[0][0] + self._window - now if first else 0.0
            headers[f"x-ratelimit-limit-{what}"] = str(self._most[what])
            headers[f"x-ratelimit-remaining-{what}"] = str(max(0, left))
            headers[f"x-ratelimit-reset-{what}"] = f"{reset:.3f}s"
        return headers, exceeded, wait

    def _free(self, spent: deque[tuple[float, int]], needed: int, now: float) -> float:
        """Return in how many seconds so much of what is spent is free again."""
        for moment, amount in spent:
            needed -= amount
            if needed <= 0:
                return max(0.0, moment + self._window - now)
        return self._window

    def refusal(self, what: str, model: str, wait: float) -> Answer:
        """Return the 429 of an exceeded limit."""
        short = {"requests": "RPM", "tokens": "TPM"}[what]
        message = (
            f"Rate limit reached for {model} in organization org-test on {what} per min ({short}): "
            f"Limit {self._most[what]}. Please try again in {wait:.3f}s."
        )
        body = error_body(message, what, None, "rate_limit_exceeded")
        headers = {"retry-after-ms": f"{math.ceil(wait * 1000)}", "retry-after": f"{wait:.3f}"}
        return json_answer(429, body, headers)
