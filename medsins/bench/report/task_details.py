"""A task of the report in detail: every metric, the published values, and the worst misses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from medsins.bench.report.leaderboard import (
    Leaderboard,
    language_label,
    metric_label,
)
from medsins.bench.scoring.results import Miss
from medsins.markup.html import Html, breakable, tag, text
from medsins.text import counted

LONGEST = 900
"""Most characters shown of a text; of longer ones the end is shown too, where answers stand."""

_TAIL = 200
_ABSENT = "—"


def drill_down(leaderboard: Leaderboard, task: str) -> Html:
    """Return a task in detail, folded until somebody opens it.

    Args:
        leaderboard: What the report holds.
        task: Name of a task in it.
    """
    fact = leaderboard.fact(task)
    about = (
        fact.benchmark_id,
        language_label(fact.language),
        counted(fact.n, "question"),
        metric_label(fact.metric),
    )
    summary = tag(
        "summary",
        tag("span", breakable(task), class_="task"),
        tag("span", text(" · ".join(about)), class_="notes"),
    )
    misses = list(_all_misses(leaderboard, task))
    if misses:
        misses.insert(0, tag("h4", text("Lowest-scoring answers")))
    return tag(
        "details",
        summary,
        tag("div", _metrics(leaderboard, task), *misses),
        class_="drill",
        id=f"task-{task}",
    )


def _metrics(leaderboard: Leaderboard, task: str) -> Html:
    """Return the table of all metrics, the published values beside them, and the counts."""
    detail = leaderboard.detail(task)
    own, published, reasons = detail.own, detail.published, detail.reasons
    groups = {
        "Corrected" if leaderboard.first.mode == "corrected" else "Scored": len(own),
        "As published": len(published),
        "Answers": 3,
    }
    top = [
        tag("th", text(name), scope="colgroup", colspan=columns)
        for name, columns in groups.items()
        if columns
    ]
    names = [*map(metric_label, own), *map(metric_label, published), "blank", "missing", "unparsed"]
    starts = {0, len(own), len(own) + len(published)}
    heads = [
        tag("th", text(name), scope="col", class_="number start" if place in starts else "number")
        for place, name in enumerate(names)
    ]
    lines = []
    for run, one in detail.runs:
        values = {one.metric: one.value} | one.metrics
        cells = [
            *(_number(values.get(name)) for name in own),
            *(_published(one.paper.get(name), reasons) for name in published),
            *(text(f"{number:,}") for number in (one.n_empty, one.n_missing, one.n_unparsed)),
        ]
        label = tag("th", tag("bdi", breakable(run.label), class_="model"), scope="row")
        shown = [
            tag("td", cell, class_="start" if place in starts else None)
            for place, cell in enumerate(cells)
        ]
        lines.append(tag("tr", label, *shown))
    corner = tag("th", text("Model"), scope="col", rowspan=2)
    head = tag("thead", tag("tr", corner, *top, class_="groups"), tag("tr", *heads))
    table = tag("table", head, tag("tbody", *lines), aria_label=f"All values of {task}")
    region = tag(
        "div", table, class_="scroll", role="region", aria_label=f"Values of {task}", tabindex=0
    )
    return tag("div", region, _footnotes(reasons))


def _number(value: float | None) -> Html:
    return text(_ABSENT if value is None else f"{value:.2f}")


def _published(value: float | str | None, reasons: Sequence[str]) -> Html:
    if isinstance(value, str):
        return tag("span", text("stops"), tag("sup", text(_letter(reasons.index(value)))))
    return _number(value)


def _letter(place: int) -> str:
    return ascii_lowercase[place] if place < len(ascii_lowercase) else str(place + 1)


def _footnotes(reasons: Iterable[str]) -> Html:
    notes = [
        tag("li", tag("sup", text(_letter(place))), text(" The published code stops: "), cut(why))
        for place, why in enumerate(reasons)
    ]
    return tag("ul", *notes, class_="footnotes") if notes else Html("")


def _all_misses(leaderboard: Leaderboard, task: str) -> Iterable[Html]:
    shown = leaderboard.may_be_shown(task)
    for run in leaderboard.runs:
        misses = leaderboard.misses(run, task)
        if not misses:
            continue
        if shown:
            language = run.results.tasks[task].language
            body = [_miss(miss, language) for miss in misses]
        else:
            ids = (tag("li", *_named(miss)) for miss in misses)
            said = "The terms of the source do not allow its texts in a report; these are the ids."
            body = [tag("p", text(said), class_="small"), tag("ul", *ids, class_="ids")]
        summary = tag("summary", tag("bdi", breakable(run.label)))
        yield tag("details", summary, *body, class_="misses")


def _named(miss: Miss) -> tuple[Html, Html]:
    return tag("code", breakable(miss.id)), tag("span", text(f"scored {miss.score:.1f}"))


def _miss(miss: Miss, language: str) -> Html:
    return tag(
        "article",
        tag("p", *_named(miss), class_="id"),
        _block("Question", miss.input, language, "question"),
        _block("Answer of the model", miss.prediction, language, "said"),
        _block("Reference", miss.reference, language, "wanted"),
        class_="miss",
    )


def _block(name: str, said: str, language: str, kind: str) -> Html:
    shown = cut(said) if said.strip() else tag("span", text("(blank)"), class_="cut")
    return tag(
        "div",
        tag("p", text(name), class_="label"),
        tag("div", shown, class_="text", dir="auto", lang=language),
        class_=kind,
    )


def cut(said: str, longest: int = LONGEST) -> Html:
    """Return a text, or its beginning and end with a note of how much is left out between.

    Args:
        said: The text, of any length.
        longest: Most characters that are shown.
    """
    if len(said) <= longest:
        return text(said)
    left_out = tag("span", text(f"{len(said) - longest:,} characters left out"), class_="cut")
    return tag("span", text(said[: longest - _TAIL]), left_out, text(said[-_TAIL:]))
