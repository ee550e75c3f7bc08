"""What went wrong with a request, and what that means: try again, give up, or end the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medsins.errors import EndpointError
from medsins.io.logs import logger
from medsins.io.retries import AttemptError, policy, retry_after
from medsins.llm.endpoint import Endpoint
from medsins.llm.requests import Response

if TYPE_CHECKING:
    import openai

ATTEMPTS = 6
"""Most attempts at one request in one run."""

PATIENCE = 600.0
"""Most seconds that one request may take in one run, waiting included."""

FIRST_WAIT = 0.5
"""Most seconds before the second attempt at a request; each further one doubles it."""

_LOG = logger("llm")
_LONGEST_WAIT = 60.0
_AGAIN = frozenset({408, 409, 425, 429})
_ENDS_THE_RUN = frozenset({401, 403, 404})


@dataclass(eq=False)
class RequestError(AttemptError):
    """A request without a usable answer.

    Attributes:
        reason: What happened, in a few words: "429", "timeout", "no JSON".
        retryable: Whether another attempt may succeed.
        wait: Seconds that the endpoint asks to wait; None if it does not say.
        billed: Whether the endpoint may have billed it.
        rate_limited: Whether the endpoint has too many requests.
        fatal: What to tell the user, where no other request can succeed either.
        response: The final answer, where the endpoint turned down this one question for good.
        without_schema: Whether to ask again without the schema, which the endpoint does not know.
    """

    retryable: bool = False
    billed: bool = False
    rate_limited: bool = False
    fatal: str = ""
    response: Response | None = None
    without_schema: bool = False


def retries(doing: str, first: float = FIRST_WAIT) -> dict[str, Any]:
    """Return when to ask again, as arguments of tenacity; see `medsins.io.retries`.

    Args:
        doing: What is asked, for the log.
        first: Most seconds before the second attempt.
    """
    return policy(
        _LOG, doing, attempts=ATTEMPTS, first=first, longest=_LONGEST_WAIT, patience=PATIENCE
    )


def of_status(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any], endpoint: Endpoint
) -> RequestError:
    """Say what an answer with an HTTP status that is not a success means.

    Args:
        status: The status.
        headers: The answer's headers.
        error: The `error` object of its body, as OpenAI words it; empty if there is none.
        endpoint: Where it came from.
    """
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    if status == 429 and "insufficient_quota" in (code, error.get("type")):
        return RequestError(
            "no quota",
            fatal=f"{endpoint.base_url} says that the account has no quota left. What was answered "
            "is kept; run the same command again when there is some.",
        )
    if status in _ENDS_THE_RUN:
        reasons = {
            401: f"does not accept the key in ${endpoint.key_variable}",
            403: f"forbids what the key in ${endpoint.key_variable} asks for",
            404: f"has no model {endpoint.model!r}, or is not an OpenAI-compatible address",
        }
        return RequestError(
            str(status), fatal=f"{endpoint.base_url} {reasons[status]} (HTTP {status})."
        )
    wanted = headers.get("x-should-retry", "").lower()
    again = status in _AGAIN or status >= 500
    if wanted in ("true", "false"):
        again = wanted == "true"
    if again:
        return RequestError(
            str(status),
            retryable=True,
            wait=retry_after(headers),
            rate_limited=status in (429, 503, 529),
        )
    if status == 400 and any(word in message for word in ("response_format", "json_schema")):
        return RequestError("no schema", retryable=True, wait=0.0, without_schema=True)
    if status < 400:
        return RequestError(
            str(status),
            fatal=f"{endpoint.base_url} sends requests elsewhere (HTTP {status}). Only the address "
            "that was named is talked to; name the right one with --base-url.",
        )
    return RequestError(str(status), response=Response("", finish="refused"))


def of_error(error: openai.APIStatusError, endpoint: Endpoint) -> RequestError:
    """Say what an error of the client means, which an answer with a status led to."""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    said = error.body if isinstance(error.body, dict) else {}
    return of_status(error.status_code, headers, said, endpoint)


def stop(failure: RequestError) -> EndpointError:
    """Return the error that ends a run."""
    return EndpointError(failure.fatal)
