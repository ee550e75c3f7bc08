"""What a model's response goes through: from the body of a chat completion to text and facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from medsins.llm.failures import RequestError
from medsins.llm.requests import Response


def read_response(body: bytes) -> Response:
    """Read the body of a chat completion that has just come.

    Args:
        body: The bytes of the body.

    Raises:
        RequestError: It is not one; asking again may help.
    """
    try:
        answer = json.loads(body.decode())
        choice = answer["choices"][0]
        text, finish = choice["message"]["content"], choice["finish_reason"]
    except (ValueError, LookupError, TypeError) as error:
        # Proxies answer 200 with a page of their own, and models are cut off in mid-JSON: what
        # is not a completion was billed perhaps, and may come right at the next attempt.
        raise RequestError(
            "no chat completion in the answer", retryable=True, billed=True
        ) from error
    refusal = finish == "content_filter" or choice["message"].get("refusal")
    # A refusal has no text and is an answer all the same; no text without one is none.
    if (not isinstance(text, str) and not refusal) or not isinstance(finish, str):
        raise RequestError("no text in the answer", retryable=True, billed=True)
    used = answer.get("usage")
    used = used if isinstance(used, dict) else {}
    return Response(
        text=text if isinstance(text, str) else "",
        finish="refused" if choice["message"].get("refusal") else finish,
        model=str(answer.get("model") or ""),
        response_id=str(answer.get("id") or ""),
        fingerprint=str(answer.get("system_fingerprint") or ""),
        date=now(),
        input_tokens=_count(used.get("prompt_tokens")),
        output_tokens=_count(used.get("completion_tokens")),
    )


def now() -> str:
    """Return the time as responses have it: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _count(value: Any) -> int | None:
    # A prompt has tokens: an endpoint that says 0 does not count them.
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
