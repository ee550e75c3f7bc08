"""How the command line prints tables and sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click


def table(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: range = range(0)
) -> None:
    """Print rows under a head; columns in `numbers` are set to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    align: list[Callable[[str, int], str]] = [
        str.rjust if i in numbers else str.ljust for i in range(len(head))
    ]
    for row in (head, *rows):
        cells = (fit(cell, width) for fit, cell, width in zip(align, row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def size(count: float) -> str:
    """Return a number of bytes for people to read."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
