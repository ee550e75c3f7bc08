"""Progress bars: on a terminal, quiet in logs."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(
    total: float | None = None, *, unit: str, desc: str | None = None, progress: bool | None = None
) -> tqdm[Any]:
    """Return a progress bar, for a `with` statement.

    Args:
        total: How many units there are; None if nobody knows.
        unit: What is counted; "B" are bytes, and are shown as KiB, MiB and so on.
        desc: What is done.
        progress: Whether to show it; None: on a terminal only.
    """
    # In notebooks `auto` draws a widget; elsewhere it would only take long to import.
    home = import_module("tqdm.auto" if "ipykernel" in sys.modules else "tqdm")
    bar: tqdm[Any] = home.tqdm(
        total=total,
        unit=unit,
        unit_scale=unit == "B",
        unit_divisor=1024 if unit == "B" else 1000,
        desc=desc,
        disable=None if progress is None else not progress,
    )
    return bar
