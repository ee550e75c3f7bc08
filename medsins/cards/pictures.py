"""The card's picture: instances by task category, coloured by text domain, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from medsins.cards.contents import GONE, BuiltTask, Contents, domains_in, grouped
from medsins.markup import svg
from medsins.markup.html import Html, tag, text
from medsins.taxonomy import Domain
from medsins.text import counted

PICTURE = "composition.svg"
"""Name of the file; the card shows it."""

_COLOURS = {
    str(Domain.MEDICAL_KNOWLEDGE_BASES): "#2f6f9f",
    str(Domain.CLINICAL_TEXTS): "#c8553d",
    str(Domain.ACADEMIC_PAPERS): "#4f8a5b",
    str(Domain.EXAMINATIONS): "#e3a42b",
    str(Domain.DAILY_CONVERSATIONS): "#8465a8",
    GONE: "#9aa0a6",
}
_WIDTH, _MARGIN = 800, 28
_LABELS, _NUMBERS = 222, 160
"""Room for the names of categories, and for the numbers behind the longest bar."""

_ROW, _BAR = 27, 15
_LEGEND_COLUMNS, _LEGEND_ROW = 3, 23
_STYLE = Html(
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"
    "fill:#1f2933}"
    ".title{font-size:19px;font-weight:600}.small{font-size:12.5px;fill:#5f6b76}"
    ".label{font-size:13px}.number{font-size:12.5px;font-weight:600}"
    ".loud{font-size:13px;font-weight:600;fill:#b3261e}"
)


def composition(contents: Contents) -> str:
    """Return the picture of what a build holds: a bar for each category, and a legend."""
    categories = grouped(contents.tasks, lambda task: task.category)
    head = f"{counted(contents.rows, 'instance')} by task category"
    kinds = f"{counted(len(contents.tasks), 'task')}, {counted(len(contents.sources), 'source')}"
    kinds += "; the colour says where the text comes from"
    body = [
        svg.label(_MARGIN, 44, head, class_="title"),
        svg.label(_MARGIN, 67, kinds, class_="small"),
    ]
    y = 86.0
    if contents.sample:
        loud = "Synthetic samples: none of it is real data"
        body.append(svg.label(_MARGIN, y + 3, loud, class_="loud"))
        y += 20
    legend, y = _legend(contents.tasks, contents.rows, y)
    body += legend
    largest = max((_rows(tasks) for tasks in categories.values()), default=1)
    scale = (_WIDTH - 2 * _MARGIN - _LABELS - _NUMBERS) / largest
    top = y
    for category, tasks in categories.items():
        body += _bar(category, tasks, y, scale)
        y += _ROW
    # The axis, over the left edges of the bars.
    axis = f"M{_MARGIN + _LABELS} {top - 5:g}V{y - _ROW + _BAR + 5:g}"
    body.append(tag("path", d=axis, stroke="#9aa5b1", stroke_width=1))
    height = round(y + _MARGIN - (_ROW - _BAR))
    title = "Instances of this build by task category and text domain"
    return svg.picture(body, _WIDTH, height, title, style=_STYLE)


def _legend(tasks: Sequence[BuiltTask], total: int, y: float) -> tuple[list[Html], float]:
    """Return a strip of the domains' shares with their names, and where to go on below it."""
    domains = domains_in(tasks)
    rows = {name: sum(task.rows for task in tasks if task.domain == name) for name in domains}
    width = _WIDTH - 2 * _MARGIN
    body = []
    x = float(_MARGIN)
    for name in domains:
        share = rows[name] / max(1, total)
        body.append(_rectangle(x, y, share * width, 10, name, rows[name]))
        x += share * width
    y += 24
    column = width / _LEGEND_COLUMNS
    for number, name in enumerate(domains):
        x = _MARGIN + number % _LEGEND_COLUMNS * column
        place = y + number // _LEGEND_COLUMNS * _LEGEND_ROW
        share = rows[name] / max(1, total)
        body.append(tag("circle", cx=x + 6, cy=place, r=5.5, fill=_COLOURS[name]))
        percent = tag("tspan", text(f"{share:.1%}"), class_="small", dx=7)
        body.append(svg.label(x + 18, place + 4.5, name, percent, class_="label"))
    return body, y + -(-len(domains) // _LEGEND_COLUMNS) * _LEGEND_ROW + 14


def _bar(category: str, tasks: Sequence[BuiltTask], y: float, scale: float) -> list[Html]:
    """Return the bar of one category: its name, a piece for each domain, its numbers."""
    base = y + _BAR - 3
    body = [svg.label(_MARGIN, base, category, class_="label")]
    start = x = float(_MARGIN + _LABELS)
    for name in domains_in(tasks):
        rows = sum(task.rows for task in tasks if task.domain == name)
        body.append(_rectangle(x, y, rows * scale, _BAR, name, rows))
        x += rows * scale
    # However few there are, there is something to see.
    x = max(x, start + 1.5)
    many = text(counted(len(tasks), "task"))
    small = tag("tspan", many, class_="small", font_weight=400, dx=7)
    total = text(f"{_rows(tasks):,}")
    return [*body, tag("text", total, small, x=f"{x + 8:.1f}", y=base, class_="number")]


def _rows(tasks: Sequence[BuiltTask]) -> int:
    return sum(task.rows for task in tasks)


def _rectangle(x: float, y: float, width: float, height: float, name: str, rows: int) -> Html:
    return tag(
        "rect",
        tag("title", text(f"{name}: {rows:,}")),
        x=f"{x:.1f}",
        y=y,
        width=f"{max(width, 1.5):.1f}",
        height=height,
        fill=_COLOURS[name],
    )
