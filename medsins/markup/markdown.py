"""Markdown: the pieces that the texts of a build are put together from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from medsins.text import one_line

_MARKUP = re.compile(r"[\\`*<>|\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def plain(text: str) -> str:
    """Return text so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", one_line(text))


def anchor(heading: str) -> str:
    """Return the anchor that the Hub and GitHub give a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def bullets(lines: Iterable[str]) -> str:
    """Return a list."""
    return "\n".join(f"- {line}" for line in lines)


def details(summary: str, body: str) -> str:
    """Return a part that is folded until somebody opens it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table.

    Args:
        head: Titles of the columns.
        rows: Cells, row by row, in Markdown.
        numbers: Which columns are set to the right, counted from 0.
    """
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def share(part: int, total: int) -> str:
    """Return a part of a total in per cent; one that would round to nothing shows as little."""
    value = part / max(1, total)
    return "<0.1%" if 0 < value < 0.0005 else f"{value:.1%}"
