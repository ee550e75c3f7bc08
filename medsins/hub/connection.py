"""One Hub: where it is, who we are there, and calls that outlive its bad moments."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from tenacity import Retrying

from medsins.errors import HubError, MedsinsError, OutputError
from medsins.io.logs import logger
from medsins.io.retries import AttemptError, policy, retry_after
from medsins.io.version import __version__

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

DATASET = "dataset"
MAIN = "main"
PUBLIC_HUB = "https://huggingface.co"

_ATTEMPTS = 5
_ATTEMPTS_AT_UPLOADS = 2
"""Uploads are tried several times by the client itself, which takes minutes."""

_FIRST_WAIT_SECONDS = 1.0
_BUSY = {408, 429, 500, 502, 503, 504}
_LONGEST_QUOTE = 300
_LOG = logger("hub")

T = TypeVar("T")


class RepositoryMissingError(HubError):
    """There is no such repository, or this user may not see it."""


class RevisionMissingError(HubError):
    """The repository has no such branch, tag or commit."""


def endpoint_of(given: str | None) -> str:
    """Return the address of the Hub: the argument, else `$HF_ENDPOINT`, else the public one.

    Raises:
        HubError: It is not the address of a server.
    """
    url = (given or os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        plain = not parts.username and not parts.password
    except ValueError:
        good, plain = False, "@" not in url
    if not plain:
        raise HubError(
            "the address of the Hub has a user or password in it. Leave them out: the token goes "
            "into $HF_TOKEN."
        )
    if not good or parts.query or parts.fragment or re.search(r"[\s\\]", url):
        raise HubError(
            f"{url!r} is not the address of a Hub. It looks like {PUBLIC_HUB}; it is read from "
            "endpoint= or $HF_ENDPOINT."
        )
    return url


def check_name(repo_id: str) -> None:
    """Refuse what is not the name of a repository.

    Raises:
        HubError: It is none.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise HubError(f"{repo_id!r} is not the name of a repository: {error}") from error
    if repo_id.count("/") != 1 or not repo_id.isascii():
        raise HubError(
            f"{repo_id!r} is not the name of a repository: that is owner/name, in plain letters, "
            "digits, '-', '_' and '.'."
        )


class Hub:
    """A Hub, as seen by one user.

    Args:
        endpoint: Its address.
        token: The user's token; default: `$HF_TOKEN`, else what `hf auth login` stored.
        needs_token: Whether nothing can be done without one.

    Raises:
        HubError: A token is needed and there is none.
    """

    def __init__(self, endpoint: str, token: str | None, *, needs_token: bool) -> None:
        from huggingface_hub import HfApi, get_token

        self.endpoint = endpoint
        self._token = (token or get_token() or "").strip()
        if needs_token and not self._token:
            raise HubError(
                f"there is no token for {endpoint}. Run `hf auth login`, or set HF_TOKEN to a "
                "token that may write (its settings page makes one)."
            )
        self.api = HfApi(
            endpoint=endpoint,
            token=self._token or False,
            library_name="medsins",
            library_version=__version__,
        )

    def look(self, repo_id: str, revision: str) -> tuple[str, dict[str, RepoFile]]:
        """Return the commit that a revision is at, and the files of that commit by path."""
        from huggingface_hub.hf_api import RepoFile

        commit = self.api.repo_info(repo_id, repo_type=DATASET, revision=revision).sha
        if commit is None:
            raise ValueError("it does not say at which commit the repository is")
        tree = self.api.list_repo_tree(repo_id, recursive=True, revision=commit, repo_type=DATASET)
        return commit, {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}

    def call(self, doing: str, function: Callable[[], T]) -> T:
        """Call what talks to the Hub, again while the Hub is busy or the connection breaks.

        Args:
            doing: What is done, for messages: "read alice/data".
            function: Does it; must be such that doing it twice does no harm.

        Raises:
            HubError: The Hub refuses, or stays out of reach.
            OutputError: A disk of this machine refuses.
        """
        again = Retrying(**policy(_LOG, doing, attempts=_ATTEMPTS, first=_FIRST_WAIT_SECONDS))
        try:
            done: T = again(self._once, doing, function)
        except AttemptError as error:
            raise HubError(
                f"{self.endpoint} could not be used to {doing}: {error}; tried "
                f"{error.attempts} times. Run the same command again: what has arrived stays."
            ) from error.__cause__
        return done

    def _once(self, doing: str, function: Callable[[], T]) -> T:
        try:
            return function()
        except MedsinsError:
            raise
        except _client_errors() as error:
            self._translate(doing, error)

    def _translate(self, doing: str, error: Exception) -> NoReturn:
        """Raise what an error of the Hub's client means."""
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        cause = self._presentable(error)
        # The client wraps what goes wrong in uploads, and hf-xet raises errors of Python's own.
        uploading = isinstance(error, RuntimeError | ConnectionError | TimeoutError)
        attempts = _ATTEMPTS_AT_UPLOADS if uploading else _ATTEMPTS
        for one in _chain(error):
            if isinstance(one, HfHubHTTPError) and one.response is not None:
                self._translate_answer(doing, one, attempts, cause)
            if isinstance(one, OfflineModeIsEnabled):
                raise HubError(
                    f"HF_HUB_OFFLINE is set, so nothing can {doing}. Unset it."
                ) from cause
            # hf-xet raises errors without fields, on a full disk too; only their words tell.
            if os.strerror(errno.ENOSPC) in str(one):
                raise OutputError(
                    f"the disk is full, so nothing can {doing}. Make room and run the same command "
                    "again: what has arrived stays."
                ) from cause
            # Again hf-xet: the status and the address are in its words alone.
            if "404" in str(one) and "/xet-write-token/" in str(one):
                raise HubError(
                    f"{self.endpoint} has no Xet storage. Set HF_HUB_DISABLE_XET=1 to {doing} by "
                    "Git LFS."
                ) from cause
            if isinstance(one, _connection_errors()):
                said = self.quote(f"the connection failed ({one})")
                raise AttemptError(said, attempts=attempts) from cause
        if isinstance(error, OSError) and error.errno is not None:
            raise OutputError(
                f"this machine could not {doing} ({error.strerror}: {error.filename}). Mend that "
                "and run the same command again: what has arrived stays."
            ) from cause
        if isinstance(error, OSError | RuntimeError) and not isinstance(error, ValueError):
            said = self.quote(str(error) or type(error).__name__)
            raise AttemptError(said, attempts=attempts) from cause
        raise HubError(
            f"{self.endpoint} gave an answer that makes no sense when it was asked to {doing}: "
            f"{self.quote(str(error))}. Is it a Hub?"
        ) from cause

    def _translate_answer(
        self, doing: str, error: Any, attempts: int, cause: Exception | None
    ) -> NoReturn:
        """Raise what an answer with an error status means."""
        from huggingface_hub.errors import (
            GatedRepoError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        status = error.response.status_code
        said = self.quote(error.server_message or error.response.headers.get("X-Error-Message"))
        said = f"{status} {said}".strip()
        if status in _BUSY:
            wait = _asked_to_wait(error)
            raise AttemptError(f"it answered {said}", wait=wait, attempts=attempts) from cause
        if isinstance(error, GatedRepoError):
            text = (
                f"{self.endpoint} does not let this user {doing}: its owner wants the terms "
                f"accepted first, on the repository's page there ({said})."
            )
        elif isinstance(error, RevisionNotFoundError):
            raise RevisionMissingError(
                f"{self.endpoint} has no such revision to {doing} ({said})."
            ) from cause
        elif isinstance(error, RepositoryNotFoundError):
            who = "this token may not see it" if self._token else "it is private: `hf auth login`"
            raise RepositoryMissingError(
                f"{self.endpoint} has no such dataset to {doing}, or {who} ({said})."
            ) from cause
        elif status == 401:
            wrong = "does not accept the token" if self._token else "wants a token"
            text = (
                f"{self.endpoint} {wrong} ({said}). Run `hf auth login`, or set HF_TOKEN to a "
                "token that is valid."
            )
        elif status == 403:
            text = (
                f"{self.endpoint} does not let this token {doing} ({said}). It needs a token with "
                "write access there: `hf auth login`, or HF_TOKEN."
            )
        else:
            text = f"{self.endpoint} refused to {doing} ({said})."
        raise HubError(text) from cause

    def quote(self, text: str | None) -> str:
        """Return what a server said, fit for a message of ours: short, and without the token."""
        plain = " ".join((text or "").split())
        if self._token:
            plain = plain.replace(self._token, "***")
        return plain[:_LONGEST_QUOTE]

    def _presentable(self, error: Exception) -> Exception | None:
        """Return an error for the traceback of ours, unless it has the token."""
        shown = "".join(traceback.format_exception(error))
        return None if self._token and self._token in shown else error


@contextmanager
def quiet(*, always: bool = False) -> Iterator[None]:
    """Keep the progress bars of the Hub's client out of logs.

    Args:
        always: On a terminal too.
    """
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled() or (sys.stderr.isatty() and not always):
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from: threads and retries wrap what went wrong."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _asked_to_wait(error: Any) -> float | None:
    """Return how many seconds the Hub asked us to wait, None if it did not say.

    The header `RateLimit` is of draft-ietf-httpapi-ratelimit-headers: `"api";r=0;t=55`.
    """
    headers = error.response.headers
    asked = retry_after(headers)
    if asked is None and error.response.status_code == 429:
        limit = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))
        asked = float(limit[1]) if limit else None
    # Coming back in 0 seconds is no advice to heed.
    return asked or None


def _client_errors() -> tuple[type[Exception], ...]:
    """Return all that the Hub's client raises: its own errors, and what nonsense makes it do."""
    return (OSError, RuntimeError, ValueError, LookupError, TypeError, *_connection_errors())


def _connection_errors() -> tuple[type[Exception], ...]:
    """Return what a broken connection raises."""
    try:
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]
    except ImportError:
        # Before version 1 the client stood on requests.
        from importlib import import_module

        requests = import_module("requests")
        broken = (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        )
        return (*broken, ConnectionError, TimeoutError)
    return (httpx.TransportError, ConnectionError, TimeoutError)
