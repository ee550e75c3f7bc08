"""What may leave this machine: the one place that decides, closed by default.

Push and export ask `publication`; whatever sends text of a source to a model asks `model_calls`.
Both read the three facts of a source from a build's manifest, so that a build made elsewhere is
held to them too; where the installed recipe is stricter than the manifest, the recipe counts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from medsins.builds.manifest import HoldsSources, SourceTerms
from medsins.errors import AccessError, MedsinsError
from medsins.registry import recipe as find_recipe
from medsins.taxonomy import LlmApi, Redistribution


@dataclass(frozen=True)
class Verdict:
    """Whether the instances of a task may leave this machine.

    Attributes:
        task: Name of the task.
        source: Name of its recipe.
        allowed: Whether they may.
        reason: The reason, for people.
    """

    task: str
    source: str
    allowed: bool
    reason: str


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this very machine, going by its host and the proxies set.

    Names other than `localhost` are not resolved: a name's address can change between the question
    and the connection. What a proxy passes on ends at the proxy's `localhost`, not at ours. And a
    URL that programs read in different ways has no certain host.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    if not here or parts.scheme not in ("http", "https") or set(url) & _AMBIGUOUS:
        return False
    proxies = getproxies()
    return not {parts.scheme, "all"} & proxies.keys() or bool(proxy_bypass(host))


def publication(held: HoldsSources, *, endpoint: str = "", covered_by: str = "") -> list[Verdict]:
    """Say of every task of a build whether its instances may be passed on.

    Args:
        held: What would go: the manifest of a build, or a benchmark.
        endpoint: URL of where they would go; "" if anyone might get them.
        covered_by: Name of the agreement that the user says covers the endpoint.

    Returns:
        One verdict for each task, in their order.
    """
    return _verdicts(held, "redistribution", _OPEN_TO_SHARE, endpoint, covered_by)


def model_calls(held: HoldsSources, *, base_url: str = "", covered_by: str = "") -> list[Verdict]:
    """Say of every task of a build whether its text may be sent to a model endpoint.

    Args:
        held: What would go: the manifest of a build, or a benchmark.
        base_url: URL of the endpoint.
        covered_by: Name of the agreement that the user says covers the endpoint.

    Returns:
        One verdict for each task, in their order.
    """
    return _verdicts(held, "llm_api", _OPEN_TO_MODELS, base_url, covered_by)


def admitted(
    verdicts: Iterable[Verdict], *, leave_out: bool, action: str, advice: str = ""
) -> list[str]:
    """Return the tasks that are allowed, or refuse them all.

    Args:
        verdicts: What was decided for each task.
        leave_out: Whether the user asked to leave out what may not go.
        action: What would happen to the tasks, for the message: "be pushed".
        advice: What the user can do about it, as whole sentences.

    Raises:
        AccessError: Something may not go and the user did not ask to leave it out; or nothing is
            left.
    """
    judged = list(verdicts)
    refused = [one for one in judged if not one.allowed]
    if refused and not leave_out:
        reasons = "; ".join(dict.fromkeys(f"{one.source}: {one.reason}" for one in refused))
        raise AccessError(
            f"{len(refused)} of {len(judged)} tasks may not {action} ({reasons}). Nothing was "
            f"done. {advice}".rstrip()
        )
    if judged and len(refused) == len(judged):
        raise AccessError(f"none of the {len(judged)} tasks may {action}; nothing is left to do.")
    return [one.task for one in judged if one.allowed]


ENDPOINT_ADVICE = (
    "{flag} leaves them out; --endpoint-covered-by names the agreement that covers the endpoint, "
    "if there is one."
)
LOCAL_ADVICE = (
    "--local-use declares that the export stays where their agreements hold; "
    "--only-redistributable leaves them out."
)
"""Advice for refusals: where text would go to an endpoint, and where it would become files."""

_AMBIGUOUS = set("\\@ \t\r\n")
"""Characters at which programs disagree where the host of a URL begins and ends."""

_OPEN_TO_SHARE = {Redistribution.YES, Redistribution.DERIVED_ONLY}
_OPEN_TO_MODELS = {LlmApi.ALLOWED}


def _verdicts(
    held: HoldsSources, fact: str, fine: set[Any], endpoint: str, covered_by: str
) -> list[Verdict]:
    found = []
    for terms in held.terms:
        allowed, reason = _judge(terms, fact, fine, endpoint, covered_by)
        if held.sample:
            allowed, reason = True, "synthetic sample"
        found += [Verdict(task, terms.source, allowed, reason) for task in terms.tasks]
    return found


def _judge(
    terms: SourceTerms, fact: str, fine: set[Any], endpoint: str, covered_by: str
) -> tuple[bool, str]:
    stated = [str(getattr(terms, fact)), *_installed(terms.source, fact)]
    closed = [value for value in stated if value not in fine]
    if not closed:
        return True, f"{fact} is {stated[0]}"
    said = f"{fact} is {closed[0] or 'not stated'}"
    if is_loopback(endpoint):
        return True, f"{said}, but {endpoint} is this machine"
    # A source that forbids models altogether forbids them behind an agreement too.
    if endpoint and covered_by.strip() and LlmApi.FORBIDDEN not in closed:
        return True, f"{said}, but {endpoint} is declared covered by {covered_by.strip()}"
    return False, said


def _installed(source: str, fact: str) -> list[str]:
    try:
        return [str(getattr(find_recipe(source), fact))]
    except MedsinsError:
        return []
