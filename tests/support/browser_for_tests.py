"""Headless Chromium, driven over WebDriver (W3C) with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import re
import shutil
import struct
import subprocess
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_ENTER = "\ue007"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_SECONDS = 60
_TOP = 80


def missing_browser() -> str:
    """Say what is missing for these tests; "" if nothing is."""
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)):
        if not any(map(shutil.which, names)):
            return f"{names[0]} is not installed"
    return ""


class Browser:
    """A browser session.

    Args:
        address: Where the driver listens.
        profile: A new folder for the browser's profile.
    """

    def __init__(self, address: str, profile: Path) -> None:
        self._address = address
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def close(self) -> None:
        self._ask("DELETE", self._session)

    def open(self, page: Path) -> None:
        self._ask("POST", f"{self._session}/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script returns; `arguments` is what it is given."""
        body = {"script": script, "args": list(arguments)}
        return self._ask("POST", f"{self._session}/execute/sync", body)

    def click(self, selector: str) -> None:
        self._ask("POST", f"{self._session}/element/{self._find(selector)}/click", {})

    def press_enter(self, selector: str) -> None:
        body = {"text": _ENTER}
        self._ask("POST", f"{self._session}/element/{self._find(selector)}/value", body)

    def screenshot(self) -> bytes:
        """Return what can be seen, as PNG."""
        return base64.b64decode(self._ask("GET", f"{self._session}/screenshot"))

    def console(self) -> list[str]:
        """Return what the page has written to the console since the last call, errors included."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        """Show the page as a screen of this size in CSS pixels does."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Show the page as for a reader who prefers "light" or "dark"."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._devtools("Emulation.setEmulatedMedia", {"features": [feature]})

    def _devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        body = {"cmd": command, "params": parameters}
        return self._ask("POST", f"{self._session}/goog/cdp/execute", body)

    def _find(self, selector: str) -> str:
        body = {"using": "css selector", "value": selector}
        found: str = self._ask("POST", f"{self._session}/element", body)[_ELEMENT]
        return found

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
            return json.load(reply)["value"]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a driver and a browser in a new folder, and end both."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert driver.stdout is not None
        said = next(
            filter(None, (re.search(r"successfully on port (\d+)", line) for line in driver.stdout))
        )
        session = Browser(f"http://127.0.0.1:{said[1]}", folder / "profile")
        try:
            yield session
        finally:
            session.close()
    finally:
        driver.terminate()
        driver.wait()


def colours(png: bytes) -> int:
    """Return how many pixel values the top of a PNG has; 8 bits a channel, not interlaced."""
    width, height, depth, kind, *_, interlace = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, interlace) == (8, 0)
    size = {2: 3, 6: 4}[kind]
    packed, place = b"", 8
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        if name == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += 12 + length
    raw = zlib.decompress(packed)
    above = bytearray(width * size)
    seen: set[bytes] = set()
    for line in range(min(height, _TOP)):
        start = line * (width * size + 1)
        row = _unfiltered(
            raw[start], bytearray(raw[start + 1 : start + 1 + width * size]), above, size
        )
        seen.update(bytes(row[at : at + size]) for at in range(0, len(row), size * 7))
        above = row
    return len(seen)


def _unfiltered(kind: int, row: bytearray, above: bytearray, size: int) -> bytearray:
    for at in range(len(row)):
        left = row[at - size] if at >= size else 0
        up, corner = above[at], above[at - size] if at >= size else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        row[at] = (row[at] + guess) & 255
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    return min((left, up, corner), key=lambda one: abs(left + up - corner - one))
