"""Downloads: open files from their homes, checked against the digest that a recipe pins."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tenacity import Retrying

from medsins.errors import FetchError
from medsins.io.files import put
from medsins.io.logs import logger
from medsins.io.retries import AttemptError, policy, retry_after
from medsins.raw.files import Download, sha256

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.5
_PAGE = (b"<!doctype html", b"<html", b"<head")
_MARKUP = (b"<?xml", b"<!--")
_HTML = re.compile(rb"<html|<!doctype html")
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}
_LOG = logger("raw")


def download(
    wanted: Download, folder: Path, tick: Callable[[int], object] = lambda _: None
) -> bool:
    """Download a file into a folder, unless it exists already.

    The bytes go into a temporary file beside the final one, from which an interrupted transfer is
    resumed; it gets the final name only if its digest is right.

    Args:
        wanted: The file.
        folder: The source's folder.
        tick: Called with the number of new bytes as they arrive.

    Returns:
        Whether anything had to be transferred.

    Raises:
        FetchError: No address delivered the pinned bytes.
    """
    target = folder / wanted.path
    if target.is_file() and sha256(target) == wanted.sha256:
        _LOG.info("%s exists already", target)
        return False
    if target.is_file():
        raise FetchError(
            f"{target} exists, but it is not the pinned file (SHA-256 {sha256(target)[:12]}…, "
            f"pinned {wanted.sha256[:12]}…). Move it away to fetch the pinned one."
        )
    with _writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    failures = []
    for url in (wanted.url, *wanted.mirrors):
        begun = part.exists()
        try:
            _transfer(url, part, tick)
            if begun and sha256(part) != wanted.sha256:
                # What an earlier attempt left may be the beginning of something else.
                part.unlink()
                _transfer(url, part, tick)
            _accept(part, wanted, url)
        except FetchError as error:
            _LOG.warning("%s did not deliver %s", _shown(url), wanted.path)
            failures.append(str(error))
        else:
            with _writing(target):
                put(part, target)
            _LOG.info("fetched %s: its digest is right", _shown(url))
            return True
    raise FetchError(
        f"{wanted.path} could not be fetched. "
        + " ".join(failures)
        + f" You can put the file at {target} by hand; it is checked when it is built."
    )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FetchError(f"{path} cannot be written ({error.strerror}).") from error


def _accept(part: Path, wanted: Download, url: str) -> None:
    found = sha256(part)
    if found == wanted.sha256:
        return
    _LOG.warning("%s delivered other bytes than are pinned", _shown(url))
    size = part.stat().st_size
    with part.open("rb") as stream:
        begin = stream.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    part.unlink()
    if begin.startswith(_PAGE) or (begin.startswith(_MARKUP) and _HTML.search(begin)):
        raise FetchError(
            f"{url} delivered a web page instead of the file: it may require a login or a click, "
            "or have moved."
        )
    raise FetchError(
        f"{url} delivered {size:,} bytes with SHA-256 {found[:12]}…, pinned is "
        f"{wanted.sha256[:12]}…: its owners may have changed it."
    )


def _shown(url: str) -> str:
    """Return an address for the log, without user, password and query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _transfer(url: str, part: Path, tick: Callable[[int], object]) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"{url} is not a web address.")
    again = Retrying(**policy(_LOG, _shown(url), attempts=_ATTEMPTS, first=_FIRST_WAIT_SECONDS))
    try:
        again(_attempt, url, part, tick)
    except AttemptError as error:
        raise FetchError(f"{url}: {error}; tried {_ATTEMPTS} times.") from error


def _attempt(url: str, part: Path, tick: Callable[[int], object]) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "medsins"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            resumed = answer.status == 206
            length = answer.headers.get("Content-Length")
            got = 0
            with _writing(part):
                opened = part.open("ab" if resumed else "wb", buffering=0)
            with opened as stream:
                while block := answer.read1(_BLOCK):
                    with _writing(part):
                        stream.write(block)
                    got += len(block)
                    tick(len(block))
            if length is not None and got < int(length):
                raise AttemptError(f"the connection ended after {got:,} of {length} bytes")
    except FetchError:
        raise
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            # Nothing is left to send: the partial file is complete, or is of another file.
            return
        if error.code in _TRANSIENT_STATUS:
            said = f"the server answered {error.code} {error.reason}"
            raise AttemptError(said, wait=retry_after(error.headers)) from error
        raise FetchError(f"{url} answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise AttemptError(f"the connection failed ({error})") from error
