"""The report as one HTML file: style and script are inside it, and nothing is ever fetched.

A content security policy forbids the network, and any style or script but these two, by their
hashes. Shapes are SVG with lengths in per cent, since such a policy rules out style attributes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from itertools import count

from medsins.bench.report.leaderboard import (
    LEGEND,
    RUN_FACTS,
    TOTALS,
    Cell,
    Column,
    Leaderboard,
    Run,
    method,
    scale,
)
from medsins.bench.report.task_details import drill_down
from medsins.bench.scoring.results import Results
from medsins.markup.html import Html, breakable, joined, tag, text
from medsins.text import counted

_ABSENT = "—"


def page(leaderboard: Leaderboard) -> str:
    """Return the report as HTML.

    Args:
        leaderboard: What it holds.
    """
    style, script = _asset("page.css"), _asset("page.js")
    numbers = count(1)
    sections = [
        _leaderboard(leaderboard, numbers),
        _scored(leaderboard, numbers),
        *(_category(leaderboard, name, numbers) for name in leaderboard.tasks),
        _method(leaderboard),
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", text(f"MedS-Bench: {leaderboard.title}")),
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
    )
    body = tag(
        "body",
        tag("a", text("Skip to the leaderboard"), class_="skip", href="#leaderboard"),
        tag("main", _top(leaderboard), *sections),
        tag("p", id="spoken", class_="unseen", role="status"),
        tag("script", script),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _asset(name: str) -> Html:
    return Html(files("medsins.bench.report").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    def hashed(content: str) -> str:
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return (
        f"default-src 'none'; style-src {hashed(style)}; script-src {hashed(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _top(leaderboard: Leaderboard) -> Html:
    title = leaderboard.title
    tasks = sum(map(len, leaderboard.tasks.values()))
    lede = (
        f"{counted(tasks, 'task')} in {counted(len(leaderboard.tasks), 'category')} of medical "
        "language. Every value is from 0 to 100, and higher is better."
    )
    if leaderboard.first.mode == "corrected":
        lede += " Small figures are 95 % intervals."
    links = [("scored", "What was scored"), *((_anchor(name), name) for name in leaderboard.tasks)]
    return tag(
        "header",
        tag("p", text("MedS-Bench"), class_="kicker"),
        tag("h1", text(title[0].upper() + title[1:])),
        tag("p", text(lede), class_="lede"),
        tag(
            "nav",
            tag(
                "ul",
                *(tag("li", tag("a", text(name), href=f"#{to}")) for to, name in links),
            ),
            aria_label="Contents",
        ),
    )


def _anchor(category: str) -> str:
    return category.lower().replace(" ", "-")


# Leaderboard


def _leaderboard(leaderboard: Leaderboard, numbers: Iterator[int]) -> Html:
    average, *categories = leaderboard.leaderboard
    parts = [tag("h2", text("Leaderboard"))]
    if len(leaderboard.runs) > 1:
        parts.append(_forest(leaderboard.runs, average))
    parts.append(
        _figure(
            numbers,
            "Averages over the categories, and the mean of each.",
            _table(leaderboard.runs, [average, *categories], sorted_by=1),
        )
    )
    parts.append(_legend([average, *categories]))
    if leaderboard.remarks:
        remarks = (tag("li", text(remark)) for remark in leaderboard.remarks)
        parts.append(tag("ul", *remarks, class_="remarks"))
    return tag("section", *parts, id="leaderboard")


def _legend(columns: Sequence[Column]) -> Html:
    cells = [cell for column in columns for cell in column.cells]
    entries = [
        tag("span", _mark(kind), text(f" {meaning}"))
        for kind, meaning in LEGEND.items()
        if any(cell and getattr(cell, kind) for cell in cells)
    ]
    if not all(cells):
        entries.append(tag("span", text(f"{_ABSENT} absent")))
    return tag("p", *entries, class_="legend") if entries else Html("")


def _mark(kind: str) -> Html:
    if kind == "partial":
        return tag("span", text("†"), class_="dagger")
    return tag("span", class_=f"dot {kind}")


def _forest(runs: Sequence[Run], average: Column) -> Html:
    """Return a picture of the averages with their intervals, over the interval of the highest."""
    cells = [cell for cell in average.cells if cell]
    low = min(cell.value if cell.low is None else cell.low for cell in cells)
    high = max(cell.value if cell.high is None else cell.high for cell in cells)
    ticks = scale(low, high)

    def place(value: float) -> str:
        return f"{100 * (value - ticks[0]) / (ticks[-1] - ticks[0]):.2f}%"

    behind = [tag("line", x1=place(x), x2=place(x), y1="0", y2="100%") for x in ticks]
    best = next((cell for cell in cells if cell.best), None)
    if best and best.low is not None and best.high is not None:
        width = 100 * (best.high - best.low) / (ticks[-1] - ticks[0])
        band = tag("rect", x=place(best.low), width=f"{width:.2f}%", height="100%", class_="band")
        behind.insert(0, band)
    rows = []
    for run, cell in zip(runs, average.cells, strict=True):
        assert cell is not None  # every run has an average
        kind = "best" if cell.best else "partial" if cell.partial else None
        shapes = [tag("circle", cx=place(cell.value), cy="50%", r="4.5")]
        if cell.low is not None and cell.high is not None:
            ends = {"x1": place(cell.low), "x2": place(cell.high)}
            shapes.insert(0, tag("line", **ends, y1="50%", y2="50%"))
        drawn = tag("svg", *behind, tag("g", *shapes, class_=kind))
        rows.append(
            tag(
                "div",
                tag("span", tag("bdi", breakable(run.label)), class_="name"),
                tag("span", drawn, class_="plot"),
                tag("span", text(cell.shown), class_="number"),
                class_="line",
            )
        )
    labels = [tag("text", text(f"{x:g}"), x=place(x), y="14", text_anchor="middle") for x in ticks]
    axis = tag("span", tag("svg", *labels), class_="plot")
    rows.append(tag("div", tag("span"), axis, tag("span"), class_="line axis"))
    caption = "Averages with their 95 % intervals"
    if best and best.interval:
        caption += "; the shade is the interval of the highest"
    return tag(
        "figure",
        tag("figcaption", tag("b", text("Figure 1. ")), text(f"{caption}.")),
        tag("div", *rows, class_="forest", role="img", aria_label="The averages of Table 1, drawn"),
    )


# Tables


def _figure(numbers: Iterator[int], caption: str, table: Html) -> Html:
    number = next(numbers)
    named = f"table-{number}"
    return tag(
        "figure",
        tag("figcaption", tag("b", text(f"Table {number}. ")), text(caption), id=named),
        tag("div", table, class_="scroll", role="region", aria_labelledby=named, tabindex=0),
    )


def _table(runs: Sequence[Run], columns: Sequence[Column], sorted_by: int | None = None) -> Html:
    names = [_sorter(0, text("Model"), "text")]
    notes = [tag("td")]
    for place, column in enumerate(columns, 1):
        name = breakable(column.head) if column.task else text(column.head)
        order = "descending" if place == sorted_by else None
        names.append(_sorter(place, name, "number", order))
        notes.append(tag("td", joined(_notes(column), tag("br"))))
    rows = []
    for row, run in enumerate(runs):
        cells = [_cell(column.cells[row]) for column in columns]
        rows.append(tag("tr", _row_head(run), *cells))
    head = tag("thead", tag("tr", *names), tag("tr", *notes, class_="notes"))
    return tag("table", head, tag("tbody", *rows), class_="sortable")


def _sorter(place: int, name: Html, kind: str, order: str | None = None) -> Html:
    """Return the head of a column that sorts the table by it."""
    arrow = tag("span", class_="arrow", aria_hidden="true")
    return tag(
        "th",
        tag("button", name, arrow, type="button"),
        scope="col",
        class_=kind,
        data_column=place,
        aria_sort=order,
    )


def _notes(column: Column) -> list[Html]:
    notes = [text(note) for note in column.notes if note]
    if column.task:
        notes[0] = tag("a", notes[0], href=f"#task-{column.task}")
    elif column.category:
        notes[-1] = tag("a", notes[-1], href=f"#{_anchor(column.category)}")
    return notes


def _row_head(run: Run) -> Html:
    rank = text(run.rank) if run.rank else text("†")
    spoken = tag("span", text(" rank " if run.rank else " no rank "), class_="unseen")
    return tag(
        "th",
        tag("span", spoken, rank, class_="rank"),
        tag("bdi", breakable(run.label), class_="model"),
        scope="row",
        data_value=run.label,
    )


def _cell(cell: Cell | None) -> Html:
    if cell is None:
        absent = tag("span", text("absent"), class_="unseen")
        mark = tag("span", text(_ABSENT), aria_hidden="true")
        return tag("td", mark, absent, class_="absent", data_group=2)
    kind = "best" if cell.best else "close" if cell.close else "partial" if cell.partial else None
    said = LEGEND.get(kind or "")
    return tag(
        "td",
        tag(
            "span",
            _mark(kind) if kind else Html(""),
            text(cell.shown),
            tag("span", text(f", {said}"), class_="unseen") if said else Html(""),
            class_="value",
        ),
        tag("span", text(cell.interval), class_="interval") if cell.interval else Html(""),
        _bar(cell),
        class_=kind,
        data_value=repr(cell.value),
        data_group=1 if cell.partial else 0,
    )


def _bar(cell: Cell) -> Html:
    shapes = [
        tag("rect", y="1", width="100%", height="2", class_="track"),
        tag("rect", y="1", width=f"{cell.value:.2f}%", height="2", class_="reach"),
    ]
    if cell.low is not None and cell.high is not None:
        width = f"{max(cell.high - cell.low, 1):.2f}%"
        at = f"{cell.low:.2f}%"
        shapes.append(tag("rect", x=at, width=width, height="4", class_="range"))
    return tag("svg", *shapes, class_="bar", width="100%", height="4", aria_hidden="true")


# What was scored


def _scored(leaderboard: Leaderboard, numbers: Iterator[int]) -> Html:
    first = leaderboard.first
    questions = sum(
        leaderboard.fact(task).n for tasks in leaderboard.tasks.values() for task in tasks
    )
    modes = {
        "corrected": "corrected: standard metrics, blank and missing answers count as wrong",
        "paper": "paper: what the published code computes",
    }
    subsets = {
        "full": "all test rows",
        "paper": "as many rows of each task as the paper scores",
    }
    facts = {
        "Benchmark": tag("code", text(first.benchmark)),
        "Questions": text(f"{questions:,}"),
        "Rows": text("; ".join(subsets[one] for one in _each(leaderboard, lambda r: r.subset))),
        "Scoring": text(modes[first.mode]),
        "Scored by": text(
            ", ".join(f"medsins {one}" for one in _each(leaderboard, lambda r: r.medsins))
        ),
    }
    listed = [part for name, fact in facts.items() for part in (_term(name), tag("dd", fact))]
    return tag(
        "section",
        tag("h2", text("What was scored")),
        tag("dl", *listed, class_="facts"),
        _figure(numbers, "The runs, and answers that could not count.", _runs(leaderboard)),
        _signatures(leaderboard),
        id="scored",
    )


def _term(name: str) -> Html:
    return tag("dt", text(name))


def _each(leaderboard: Leaderboard, of: Callable[[Results], str]) -> list[str]:
    return sorted({of(run.results) for run in leaderboard.runs})


def _runs(leaderboard: Leaderboard) -> Html:
    titles = [_sorter(0, text("Model"), "text")]
    titles += [_sorter(place, text(name), "number") for place, name in enumerate(TOTALS, 1)]
    titles += [tag("th", text(name), scope="col", class_="words") for name in RUN_FACTS]
    lines = []
    for run in leaderboard.runs:
        totals, words = run.totals()
        lines.append(
            tag(
                "tr",
                _row_head(run),
                *(tag("td", text(f"{n:,}"), data_value=n, data_group=0) for n in totals),
                *(tag("td", text(word), class_="words") for word in words),
            )
        )
    return tag("table", tag("thead", tag("tr", *titles)), tag("tbody", *lines), class_="sortable")


def _signatures(leaderboard: Leaderboard) -> Html:
    families: dict[str, dict[str, list[str]]] = {}
    for run in leaderboard.runs:
        for family, signature in sorted(run.results.signatures.items()):
            families.setdefault(family, {}).setdefault(signature, []).append(run.label)
    if not families:
        return Html("")
    parts = []
    for family, signatures in families.items():
        parts.append(_term(family))
        for signature, labels in signatures.items():
            whose = text(f" ({', '.join(labels)})") if len(signatures) > 1 else Html("")
            parts.append(tag("dd", tag("code", text(signature)), whose))
    summary = tag("summary", text("Signatures: what the values depend on"))
    return tag("details", summary, tag("dl", *parts, class_="facts signatures"))


# Categories


def _category(leaderboard: Leaderboard, name: str, numbers: Iterator[int]) -> Html:
    tasks = leaderboard.tasks[name]
    parts = [
        tag("h2", text(name)),
        _figure(
            numbers,
            f"{name}, by task.",
            _table(leaderboard.runs, leaderboard.category(name)),
        ),
    ]
    if languages := leaderboard.languages(name):
        parts.append(
            _figure(
                numbers,
                f"{name}, by language of the answers.",
                _table(leaderboard.runs, languages),
            )
        )
    parts.append(tag("h3", text("By task" if len(tasks) > 1 else "In detail")))
    parts += [drill_down(leaderboard, task) for task in tasks]
    return tag("section", *parts, id=_anchor(name))


def _method(leaderboard: Leaderboard) -> Html:
    paragraphs = (tag("p", text(one)) for one in method(leaderboard.first.mode))
    return tag("section", tag("h2", text("Method")), *paragraphs, id="method", class_="prose")
