"""What tests of helpers share: the text of the library's own modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import medsins


@pytest.fixture
def sources() -> Callable[[], dict[str, str]]:
    root = Path(medsins.__file__).parent
    return lambda: {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in root.rglob("*.py")
    }
