"""Where requests go: an OpenAI-compatible endpoint, its model and its key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from medsins.errors import EndpointError
from medsins.policy.decisions import is_loopback

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint.

    Attributes:
        model: Name of the model, as the endpoint knows it.
        base_url: URL up to and with the version: "http://localhost:8000/v1".
        key_variable: Environment variable that the key was read from.
        key: The key; never printed, journalled or put into messages.
        headers: Further headers.
    """

    model: str
    base_url: str
    key_variable: str
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def at(
        cls,
        model: str,
        base_url: str | None = None,
        key_variable: str = "OPENAI_API_KEY",
        headers: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Return the endpoint a user names, with the key from the environment.

        Only what is named here is ever talked to: no variable redirects it.

        Args:
            model: Name of the model.
            base_url: URL of the endpoint; default: OpenAI.
            key_variable: Environment variable with the key. An endpoint on this machine needs
                none.
            headers: Further headers, such as `api-key` for some hosts.

        Raises:
            EndpointError: The address is not a URL, or there is no key.
        """
        url = (base_url or OPENAI).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(
                f"{url!r} is not the address of an endpoint. It looks like http://localhost:8000/v1."
            )
        if parts.username or parts.password:
            raise EndpointError(
                "the address of the endpoint has a user or password in it. Put the key into "
                f"${key_variable}."
            )
        if not model.strip():
            raise EndpointError("no model is named. Say which with --model.")
        key = os.environ.get(key_variable, "").strip()
        if not key and not is_loopback(url):
            raise EndpointError(
                f"${key_variable} is not set, and {parts.hostname} wants a key. Set it, or name "
                "another variable with --api-key-env."
            )
        return cls(model, url, key_variable, key or "none", dict(headers or {}))
