"""What is asked of a model and what comes back, whatever carries it there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One chat completion to ask for.

    Attributes:
        system: The system message; "" for none.
        user: The user message.
        max_tokens: Most tokens of the answer.
        temperature: Of the sampling; None leaves it to the endpoint.
        seed: Of the sampling, for endpoints that heed it.
        schema: JSON Schema of the answer, for endpoints that can hold a model to it.
        label: What it is part of, for journals and messages; never text of an instance.
    """

    system: str
    user: str
    max_tokens: int
    temperature: float | None = None
    seed: int | None = None
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    label: str = ""

    def key(self, model: str) -> str:
        """Return the identity of the question: a SHA-256 over all that shapes the answer.

        It names the request in the journal and travels as `Idempotency-Key`, so a question that was
        answered is never asked again, whatever changed in the code around it.
        """
        return hashlib.sha256(json.dumps(self.body(model), sort_keys=True).encode()).hexdigest()

    def messages(self) -> list[dict[str, str]]:
        """Return the messages as the chat completions API takes them."""
        said = [{"role": "system", "content": self.system}] if self.system else []
        return [*said, {"role": "user", "content": self.user}]

    def body(self, model: str) -> dict[str, Any]:
        """Return the body of the request."""
        body: dict[str, Any] = {
            "model": model,
            "messages": self.messages(),
            "max_tokens": self.max_tokens,
        }
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if self.seed is not None:
            body["seed"] = self.seed
        if self.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(self.schema)},
            }
        return body

    def most_tokens(self) -> tuple[int, int]:
        """Return upper bounds of the tokens of prompt and answer.

        A tokenizer over bytes never makes more tokens than there are bytes; the constant covers
        what chat markup adds to each message.
        """
        text = len(self.system.encode()) + len(self.user.encode())
        extra = len(json.dumps(self.schema)) if self.schema is not None else 0
        return text + extra + 64, self.max_tokens


@dataclass(frozen=True)
class Response:
    """One answer of a model.

    Attributes:
        text: What it said; "" if nothing.
        finish: Why it stopped: "stop", "length", "content_filter", …; "refused" if the endpoint
            turned down this one question for good.
        model: The model that answered, as the endpoint names it.
        response_id: The endpoint's own id of the answer.
        fingerprint: The endpoint's `system_fingerprint`.
        date: When the answer came, UTC, ISO 8601.
        input_tokens: Tokens of the prompt; None if the endpoint does not say.
        output_tokens: Tokens of the answer; None if the endpoint does not say.
    """

    text: str
    finish: str = "stop"
    model: str = ""
    response_id: str = ""
    fingerprint: str = ""
    date: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None


class Source(Protocol):
    """Where a transport draws its requests from, and what it hands the answers to.

    A transport asks for `next_request` whenever it has room, and hands answers to `on_response`.
    `next_request` gives None when nothing is to be asked now; if answers are still to come, more
    may follow from them.
    """

    def next_request(self) -> Request | None:
        """Return the next request, or None if there is none now."""

    def on_response(self, request: Request, response: Response) -> None:
        """Accept the answer to a request."""

    def give_up(self, request: Request, reason: str) -> None:
        """Accept that a request got no answer this time; asking again later may succeed."""
