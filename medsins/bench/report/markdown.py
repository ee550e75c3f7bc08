"""The report as Markdown: the same tables as on the page, without the texts of misses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from medsins.bench.report.leaderboard import (
    LEGEND,
    RUN_FACTS,
    TOTALS,
    Cell,
    Column,
    Leaderboard,
    language_label,
    method,
    metric_label,
)
from medsins.markup.markdown import bullets, details, plain, table
from medsins.text import counted

_ABSENT = "—"
_MARKS = {"best": "**bold**", "close": "°", "partial": "†"}
_STOPS = "stops"


def markdown(leaderboard: Leaderboard) -> str:
    """Return the report as Markdown.

    Args:
        leaderboard: What it holds.
    """
    first = leaderboard.first
    parts = [
        f"# MedS-Bench: {plain(leaderboard.title)}",
        "Every value is from 0 to 100, and higher is better."
        + (" In brackets: 95 % intervals." if first.mode == "corrected" else ""),
        "## Leaderboard",
        _table(leaderboard, leaderboard.leaderboard, ranked=True),
        _legend(leaderboard.leaderboard),
        bullets(plain(remark) for remark in leaderboard.remarks),
        "## What was scored",
        bullets(
            [
                f"Benchmark: {plain(first.benchmark)}",
                f"Subset: {first.subset}",
                f"Scoring: {first.mode}",
            ]
        ),
        _runs(leaderboard),
        *_signatures(leaderboard),
    ]
    for category in leaderboard.tasks:
        parts += [f"## {category}", _table(leaderboard, leaderboard.category(category))]
        if languages := leaderboard.languages(category):
            parts += ["By language of the answers:", _table(leaderboard, languages)]
        parts += (_detail(leaderboard, task) for task in leaderboard.tasks[category])
    parts += ["## Method", *method(first.mode)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(leaderboard: Leaderboard, columns: Sequence[Column], *, ranked: bool = False) -> str:
    heads = ["Model", *(_head(column) for column in columns)]
    rows = [
        [plain(run.label), *(_cell(column.cells[row]) for column in columns)]
        for row, run in enumerate(leaderboard.runs)
    ]
    if ranked:
        heads.insert(0, "Rank")
        for run, cells in zip(leaderboard.runs, rows, strict=True):
            cells.insert(0, str(run.rank or _ABSENT))
    return table(heads, rows, [0, *range(2, len(heads))] if ranked else range(1, len(heads)))


def _head(column: Column) -> str:
    notes = ", ".join(plain(note) for note in column.notes if note)
    return f"{plain(column.head)}<br>{notes}" if notes else plain(column.head)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return _ABSENT
    shown = f"**{cell.shown}**" if cell.best else cell.shown
    mark = _MARKS["close"] if cell.close else _MARKS["partial"] if cell.partial else ""
    return f"{shown}{mark} ({cell.interval})" if cell.interval else f"{shown}{mark}"


def _legend(columns: Iterable[Column]) -> str:
    cells = [cell for column in columns for cell in column.cells if cell]
    return "; ".join(
        f"{mark}: {LEGEND[kind]}"
        for kind, mark in _MARKS.items()
        if any(getattr(cell, kind) for cell in cells)
    )


def _runs(leaderboard: Leaderboard) -> str:
    rows = []
    for run in leaderboard.runs:
        numbers, words = run.totals()
        rows.append([plain(run.label), *map(str, numbers), *map(plain, words)])
    return table(("Model", *TOTALS, *RUN_FACTS), rows, range(1, 6))


def _signatures(leaderboard: Leaderboard) -> Iterable[str]:
    found = sorted({pair for run in leaderboard.runs for pair in run.results.signatures.items()})
    if found:
        lines = bullets(f"{plain(family)}: {plain(signature)}" for family, signature in found)
        yield details("Signatures: what the values depend on", lines)


def _detail(leaderboard: Leaderboard, task: str) -> str:
    fact, detail = leaderboard.fact(task), leaderboard.detail(task)
    about = (fact.benchmark_id, language_label(fact.language), counted(fact.n, "question"))
    heads = [
        "Model",
        *(plain(metric_label(name)) for name in detail.own),
        *(f"as published: {plain(metric_label(name))}" for name in detail.published),
        *("blank", "missing", "unparsed"),
    ]
    rows = []
    for run, result in detail.runs:
        own = {result.metric: result.value} | result.metrics
        rows.append(
            [
                plain(run.label),
                *(_number(own.get(name)) for name in detail.own),
                *(_number(result.paper.get(name)) for name in detail.published),
                *map(str, (result.n_empty, result.n_missing, result.n_unparsed)),
            ]
        )
    body = table(heads, rows, range(1, len(heads)))
    if detail.reasons:
        said = [f"The published code stops: {plain(reason)}" for reason in detail.reasons]
        body += f"\n\n{bullets(said)}"
    # Markdown is not read inside a summary.
    return details(escape(f"{task} ({', '.join(about)})"), body)


def _number(value: float | str | None) -> str:
    if isinstance(value, str):
        return _STOPS
    return _ABSENT if value is None else f"{value:.2f}"
