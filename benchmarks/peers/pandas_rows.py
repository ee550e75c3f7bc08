"""The emergency department mapping as a loop over the rows of a pandas frame.

It takes a row with `frame.iloc[i]` and its cells by name, and does what `plain.py` does otherwise.
The table is read as pandas reads one unless told otherwise, and as the published scripts read it:
with types. The made-up cells are such that they look the same when they are written again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from plain import ADULT, STAY, Instance, run


def columns(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the variables known at triage, and those known when the visit ends."""
    last = [name for name in names if name.endswith("_last") or name in STAY]
    at_triage = [
        name
        for name in names
        if name not in last and not name.endswith("_id") and not name.startswith("outcome")
    ]
    kept = [
        name
        for name in at_triage
        if not name.startswith("triage") or name in ("triage_pain", "triage_acuity")
    ]
    return at_triage, kept + last


def text(row: pd.Series, names: Sequence[str]) -> str:
    """Return the variables of a visit, each on its line."""
    # What is missing is NaN, which alone is not equal to itself: much faster than `pd.notna`.
    return "\n".join(f"{name}: {v}" for name in names if (v := row[name]) == v)


def visits(frame: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the visits of adults with a triage acuity."""
    for i in range(len(frame)):
        row = frame.iloc[i]
        if row["triage_acuity"] >= 1 and row["age"] >= ADULT:
            yield row


def hospitalization(frame: pd.DataFrame) -> Iterator[list[Instance]]:
    """Yield one prediction of each visit."""
    at_triage, _ = columns(list(frame.columns))
    for row in visits(frame):
        answer = str(row["outcome_hospitalization"])
        yield [("mimic4ed_benchmark_hospitalization", text(row, at_triage), answer)]


def emergency(frame: pd.DataFrame) -> Iterator[list[Instance]]:
    """Yield the three predictions of each visit."""
    at_triage, at_discharge = columns(list(frame.columns))
    for row in visits(frame):
        before = text(row, at_triage)
        after = text(row, at_discharge)
        yield [
            ("mimic4ed_benchmark_hospitalization", before, str(row["outcome_hospitalization"])),
            ("mimic4ed_benchmark_critical", before, str(row["outcome_critical"])),
            ("mimic4ed_benchmark_ed_revisit_72h", after, str(row["outcome_ed_revisit_3d"])),
        ]


JOBS = {"hospitalization": hospitalization, "emergency": emergency}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=JOBS)
    parser.add_argument("raw", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    table = pd.read_csv(given.raw / "mimic4ed_benchmark" / "master_dataset.csv")
    run(JOBS[given.kind](table), iter, given.target)
