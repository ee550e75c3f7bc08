"""The report's pictures: SVG made by hand, and PNG of it without a browser.

PNG needs the package vl-convert-python (extra `report`); without it the pictures are SVG files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from unicodedata import east_asian_width

from medsins.bench.report.leaderboard import Cell, Column, Leaderboard, scale
from medsins.io.files import writing, written_atomically
from medsins.markup import svg
from medsins.markup.html import Html, tag

NAMES = ("leaderboard", "overview")
"""Names of the pictures, without the end that says their format."""

_WIDTH, _MARGIN = 960.0, 36.0
_ROW = 28.0
_LONGEST_LABEL = 32
_COLUMNS = 3
_PANEL_GAP = 40.0
_PIXELS = 2.0
_INK, _MUTED, _HAIR, _ACCENT, _GREY, _BAND = (
    *("#1c1d1f", "#5b6068", "#e3e0da"),
    *("#1d5a7d", "#6d8796", "#e4ecf1"),
)
_SANS = "Inter,'Helvetica Neue',Arial,'Liberation Sans','DejaVu Sans',sans-serif"


def pictures(leaderboard: Leaderboard) -> dict[str, str]:
    """Return the pictures as SVG, by name.

    Args:
        leaderboard: What they show.
    """
    return {"leaderboard": _leaderboard(leaderboard), "overview": _overview(leaderboard)}


def write_pictures(drawn: Mapping[str, str], out: Path) -> tuple[tuple[Path, ...], str]:
    """Write pictures as PNG, or as SVG where PNG cannot be made.

    Args:
        drawn: SVG by name.
        out: Folder; pictures of the other format that an earlier report left there are removed.

    Returns:
        The files, and what the user has to know; "" if nothing.

    Raises:
        OutputError: A file cannot be written.
    """
    png = _converter()
    ends = (".png", ".svg") if png else (".svg", ".png")
    paths = []
    with writing(out):
        for name, shown in drawn.items():
            path = out / f"{name}{ends[0]}"
            with written_atomically(path) as stream:
                stream.write(png(shown) if png else shown.encode())
            path.with_suffix(ends[1]).unlink(missing_ok=True)
            paths.append(path)
    note = "" if png else ("pictures are SVG files; for PNG, run: pip install 'medsins[report]'")
    return tuple(paths), note


def _converter() -> Callable[[str], bytes] | None:
    try:
        vl_convert = import_module("vl_convert")
    except ImportError:
        return None
    return lambda drawn: bytes(vl_convert.svg_to_png(drawn, scale=_PIXELS))


def _leaderboard(leaderboard: Leaderboard) -> str:
    """Return the averages with their intervals, a row for each run."""
    average = leaderboard.leaderboard[0]
    top, left, right = 96.0, 320.0, _WIDTH - _MARGIN - 64
    bottom = top + _ROW * len(leaderboard.runs)
    ends = [end for cell in average.cells if cell for end in _ends(cell)]
    ticks = scale(min(ends), max(ends))
    axis = _Axis(left, right, ticks)
    body = [
        _text(_MARGIN, 46, f"MedS-Bench: {_cut(leaderboard.title, 70)}", size=21, weight=600),
        _text(_MARGIN, 70, _subtitle(leaderboard), size=13, fill=_MUTED),
    ]
    best = next((cell for cell in average.cells if cell and cell.best), None)
    if best and best.low is not None and best.high is not None:
        body.append(_span(axis, best.low, best.high, top, bottom - top, _BAND))
    body += axis.drawn(top, bottom)
    for row, (run, cell) in enumerate(zip(leaderboard.runs, average.cells, strict=True)):
        assert cell is not None  # every run has an average
        middle = top + _ROW * (row + 0.5)
        rank = str(run.rank) if run.rank else "†"
        body += [
            _text(_MARGIN, middle + 4.5, rank, fill=_MUTED),
            _text(_MARGIN + 26, middle + 4.5, _cut(run.label)),
            *_point(axis, cell, middle),
            _text(_WIDTH - _MARGIN, middle + 4.5, cell.shown, anchor="end", weight=_weight(cell)),
        ]
    return _picture(body, bottom + 48, f"MedS-Bench: {leaderboard.title}")


def _overview(leaderboard: Leaderboard) -> str:
    """Return a small picture for each category, all from 0 to 100."""
    columns = leaderboard.leaderboard[1:]
    left = _MARGIN + 190
    width = (_WIDTH - _MARGIN - left - _PANEL_GAP * (_COLUMNS - 1)) / _COLUMNS
    row = 20.0
    height = row * len(leaderboard.runs) + 92
    body = [
        _text(_MARGIN, 46, "MedS-Bench: the categories", size=21, weight=600),
        _text(_MARGIN, 70, _subtitle(leaderboard), size=13, fill=_MUTED),
    ]
    for place, column in enumerate(columns):
        top = 128 + height * (place // _COLUMNS)
        start = left + (width + _PANEL_GAP) * (place % _COLUMNS)
        if place % _COLUMNS == 0:
            body += [
                _text(_MARGIN, top + row * (line + 0.5) + 4, _cut(run.label, 26), size=12)
                for line, run in enumerate(leaderboard.runs)
            ]
        body += _panel(column, start, width, top, row)
    bottom = 128 + height * -(-len(columns) // _COLUMNS)
    return _picture(body, bottom - 24, "MedS-Bench: results by category")


def _panel(column: Column, left: float, width: float, top: float, row: float) -> list[Html]:
    bottom = top + row * len(column.cells)
    axis = _Axis(left, left + width, [0, 25, 50, 75, 100])
    body = [
        _text(left, top - 24, column.head, size=13, weight=600),
        _text(left, top - 9, column.notes[0], size=11, fill=_MUTED),
        *axis.drawn(top, bottom),
    ]
    for line, cell in enumerate(column.cells):
        middle = top + row * (line + 0.5)
        if cell is None:
            body.append(_text(left + 4, middle + 4, "absent", size=11, fill=_MUTED))
        else:
            body += _point(axis, cell, middle, radius=3.6)
    return body


class _Axis:
    """A horizontal axis between two places of the picture."""

    def __init__(self, left: float, right: float, ticks: Sequence[float]) -> None:
        self.left, self.right, self.ticks = left, right, ticks

    def place(self, value: float) -> float:
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return self.left + share * (self.right - self.left)

    def drawn(self, top: float, bottom: float) -> list[Html]:
        shapes = []
        for tick in self.ticks:
            x = self.place(tick)
            shapes += [
                tag("line", x1=x, x2=x, y1=top, y2=bottom, stroke=_HAIR),
                _text(x, bottom + 18, f"{tick:g}", size=11, fill=_MUTED, anchor="middle"),
            ]
        shapes.append(tag("line", x1=self.left, x2=self.right, y1=top, y2=top, stroke=_INK))
        return shapes


def _point(axis: _Axis, cell: Cell, middle: float, radius: float = 4.8) -> list[Html]:
    colour = _ACCENT if cell.best else _GREY
    fill = "#ffffff" if cell.partial else colour
    shapes = [
        tag(
            "circle",
            cx=axis.place(cell.value),
            cy=middle,
            r=radius,
            fill=fill,
            stroke=colour,
            stroke_width=1.5,
        )
    ]
    if cell.low is not None and cell.high is not None:
        shapes.insert(0, _span(axis, cell.low, cell.high, middle - 1, 2, colour))
    return shapes


def _span(axis: _Axis, low: float, high: float, y: float, height: float, fill: str) -> Html:
    x = axis.place(low)
    return tag("rect", x=x, width=axis.place(high) - x, y=y, height=height, fill=fill)


def _ends(cell: Cell) -> tuple[float, ...]:
    return tuple(end for end in (cell.low, cell.value, cell.high) if end is not None)


def _subtitle(leaderboard: Leaderboard) -> str:
    tasks = sum(map(len, leaderboard.tasks.values()))
    said = f"{tasks} tasks, {len(leaderboard.tasks)} categories"
    if leaderboard.first.mode == "corrected":
        said += "; lines are 95 % intervals"
    if not all(run.complete for run in leaderboard.runs):
        said += "; hollow: over fewer tasks, or not finished"
    return said


def _weight(cell: Cell) -> int:
    return 700 if cell.best else 400


def _cut(label: str, longest: int = _LONGEST_LABEL) -> str:
    """Return what fits into the width of this many letters; wide ones count as two."""
    widths = [1 + (east_asian_width(character) in "WF") for character in label]
    if sum(widths) <= longest:
        return label
    ends = accumulate(widths)
    return "".join(one for one, end in zip(label, ends, strict=True) if end < longest) + "…"


def _text(
    x: float,
    y: float,
    said: str,
    *,
    size: float = 13.5,
    weight: int = 400,
    fill: str = _INK,
    anchor: str | None = None,
) -> Html:
    return svg.label(x, y, said, text_anchor=anchor, font_size=size, font_weight=weight, fill=fill)


def _picture(body: Sequence[Html], height: float, title: str) -> str:
    return svg.picture(body, _WIDTH, height, title, font_family=_SANS)
