"""Renders measurements as a page of Markdown: the machine, the targets, the tables."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from measure import Runs, own_peak

PACKAGES = ("medsins", "pyarrow", "pydantic", "orjson", "numpy", "polars", "datasets", "pandas")

INTRODUCTION = (
    "Written by `benchmarks/run.py` ({kind} run). Every measurement is a whole process; those that "
    "are compared took turns on the same made-up input, in rounds. Times are medians. CPU is user "
    "and system time of a process and all that it started, with the least and the most of its "
    "runs; a ratio is the median of the ratios of CPU to the first line's in the same round. Peak "
    "is the largest resident memory of any single "
    "process, and never less than that of the measuring one, {own:.0f} MiB. Seconds depend on the "
    "machine: compare ratios. A comparison that a busy moment spoilt may have been measured again, "
    "as a whole."
)
OTHERS = "Other processes took up to {others:.0%} of the CPU time during a run."


@dataclass(frozen=True)
class Verdict:
    """A target, and what was measured.

    Attributes:
        measure: What is measured.
        target: What is wanted; "" where nothing is.
        value: What came out.
        met: Whether that is what is wanted; None where nothing is.
        judged: Whether it was measured at the size that the target is about.
    """

    measure: str
    target: str
    value: str
    met: bool | None
    judged: bool = True


@dataclass(frozen=True)
class Section:
    """One comparison.

    Attributes:
        title: Its heading.
        text: What was done.
        groups: Runs by contestant; ratios are to the first contestant of a group.
        verdicts: What it says about targets.
        ratios: Whether ratios mean anything.
    """

    title: str
    text: str
    groups: Sequence[Mapping[str, Runs]]
    verdicts: Sequence[Verdict] = ()
    ratios: bool = True


def render(kind: str, sections: Sequence[Section], failures: Sequence[str]) -> str:
    """Return the page."""
    targets = [
        (one.measure, one.target, one.value, _met(one))
        for section in sections
        for one in section.verdicts
    ]
    pages = [
        "# Benchmarks\n",
        f"{INTRODUCTION.format(kind=kind, own=own_peak())}\n",
        f"Machine: {machine()}.\n",
        f"Versions: {versions()}.\n",
        *(f"FAILED: {failure}\n" for failure in failures),
        "## Targets\n",
        _table(("measure", "target", "measured", "met"), targets, numbers=range(0)),
    ]
    for section in sections:
        busiest = max(one.others for runs in section.groups for one in runs.values())
        text = f"{section.text} {OTHERS.format(others=busiest)}\n"
        pages += [f"## {section.title}\n", text, _runs_table(section)]
    return "\n".join(pages)


def _runs_table(section: Section) -> str:
    rows = []
    for runs in section.groups:
        base = next(iter(runs.values()))
        for label, one in runs.items():
            costs = [usage.cpu for usage in one.all]
            rows.append(
                (
                    label,
                    f"{one.cpu:.2f}",
                    f"{min(costs):.2f} to {max(costs):.2f}",
                    *([f"{one.ratio(base):.2f}"] if section.ratios else []),
                    f"{one.wall:.2f}",
                    f"{one.peak:,.0f}",
                    str(len(costs)),
                )
            )
    ratio = ["ratio"] if section.ratios else []
    head = ("", "CPU s", "least to most", *ratio, "wall s", "peak MiB", "runs")
    return _table(head, rows, range(1, len(head)))


def machine() -> str:
    """Return the processor, its cores and the memory."""
    name = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        models = [
            line.partition(":")[2].strip()
            for line in facts.read_text().splitlines()
            if line.startswith("model name")
        ]
        name = models[0] if models else name
    memory = psutil.virtual_memory().total / 2**30
    return f"{name}, {psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    """Return the versions of Python and of what is compared."""
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)]
    )


def _met(verdict: Verdict) -> str:
    if verdict.met is None:
        return ""
    if not verdict.judged:
        return "not judged at this size"
    return "yes" if verdict.met else "**no**"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: range) -> str:
    rule = ["---:" if i in numbers else "---" for i in range(len(head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))
