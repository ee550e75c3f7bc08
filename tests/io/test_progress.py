"""Progress bars show on terminals, not in logs, and as they are told."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from medsins.io.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "progress", "shown"),
    [
        (Terminal, None, True),
        (Terminal, False, False),
        (io.StringIO, None, False),
        (io.StringIO, True, True),
    ],
)
def test_a_bar_shows_on_a_terminal_or_as_told(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], progress: bool | None, shown: bool
) -> None:
    errors = stream()
    monkeypatch.setattr(sys, "stderr", errors)
    with progress_bar(4 << 20, unit="B", desc="verify", progress=progress) as bar:
        bar.update(1 << 20)
        bar.refresh()
        assert bar.disable is not shown
        text = errors.getvalue()
    assert ("verify" in text and "1.00M" in text) if shown else text == ""


def test_other_units_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    with progress_bar(2048, unit="question", progress=True) as bar:
        bar.update(1024)
        bar.refresh()
        text = errors.getvalue()
    assert "1024/2048" in text


def test_nothing_else_makes_bars(sources: Callable[[], dict[str, str]]) -> None:
    for name, text in sources().items():
        assert name == "io/progress.py" or "disable=" not in text, name
