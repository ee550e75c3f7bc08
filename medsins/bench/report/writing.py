"""`bench report`: results of several runs as a page, as Markdown and as pictures.

index.html        the page, whole in itself
report.md         the same tables
leaderboard.png   the averages; overview.png the categories; SVG where PNG cannot be made
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from medsins.bench.report.leaderboard import leaderboard
from medsins.bench.report.markdown import markdown
from medsins.bench.report.page import page
from medsins.bench.report.plots import pictures, write_pictures
from medsins.io.files import write_atomically, writing


@dataclass(frozen=True)
class Report:
    """What `report` wrote.

    Attributes:
        path: The page.
        markdown: The Markdown file.
        pictures: The pictures.
        note: What the user has to know; "" if nothing.
    """

    path: Path
    markdown: Path
    pictures: tuple[Path, ...]
    note: str


def report(
    paths: Iterable[str | os.PathLike[str]], out: str | os.PathLike[str] = "medsins-report"
) -> Report:
    """Write a report of results; the same results give the same bytes.

    Args:
        paths: Files of results, of one benchmark and scored in one mode.
        out: Folder of the report; an older one in it is replaced.

    Raises:
        InvalidFileError: A file is not valid, or they cannot be compared in one report.
        OutputError: The folder cannot be written.
    """
    found = leaderboard(Path(path).expanduser() for path in paths)
    folder = Path(out).expanduser()
    written, tables = folder / "index.html", folder / "report.md"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        drawn, note = write_pictures(pictures(found), folder)
        write_atomically(tables, markdown(found))
        write_atomically(written, page(found))
    return Report(written, tables, drawn, note)
