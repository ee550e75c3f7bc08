"""How sure a score is: 95 % intervals by the bootstrap, and paired tests between two models.

Every metric here is a function of sums over rows: of hits, of lengths, of matching n-grams. A
resample is then one product of a matrix of counts with a table, whatever the metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

RESAMPLES = 1000
"""Resamples that an interval is read from."""

LEVEL = 0.95
"""Share of resamples that an interval holds."""

_AT_ONCE = 16
_PIECE = 1 << 17

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"


@dataclass(frozen=True, eq=False)
class Measured:
    """What is measured on the n rows of a task.

    Attributes:
        primary: The metric that stands for the task.
        points: Values by metric, from 0 to 1, as the named libraries compute them.
        rows: The primary metric of each row alone, shape (n,), from 0 to 1.
        codes: For each row its line in `table`, shape (n,).
        table: What is summed over rows, shape (lines, k); equal rows share a line.
        combine: Sums of shape (..., k) to values by metric, each of shape (...). Of the sums over
            all rows, it gives `points`.
        unparsed: Rows with an answer in which none was found.
        details: More than numbers: a confusion table, scores by label.
        signature: What the values depend on, by name.
    """

    primary: str
    points: Mapping[str, float]
    rows: Floats
    codes: Integers
    table: Floats
    combine: Callable[[Floats], dict[str, Floats]]
    unparsed: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    signature: Mapping[str, str] = field(default_factory=dict)


def row_means(columns: Mapping[str, Floats]) -> Callable[[Floats], dict[str, Floats]]:
    """Return how the means of some columns come from sums: the first sum is the number of rows."""
    names = list(columns)

    def combine(sums: Floats) -> dict[str, Floats]:
        return {name: sums[..., place] / sums[..., 0] for place, name in enumerate(names, 1)}

    return combine


def additive(columns: Mapping[str, Floats]) -> tuple[Integers, Floats]:
    """Return codes and table of columns of numbers, a leading column of ones before them."""
    stacked = np.column_stack([np.ones(len(next(iter(columns.values())))), *columns.values()])
    table, codes = np.unique(stacked, axis=0, return_inverse=True)
    return codes.reshape(-1), table


def ratio(above: Floats, below: Floats, empty: float = 0.0) -> Floats:
    """Return above / below, and `empty` where below is 0."""
    out: Floats = np.full(np.shape(below), empty)
    np.divide(above, below, out=out, where=below > 0)
    return out


def resampled(measured: Measured, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Floats]:
    """Return the values by metric of resamples of the rows, each of shape (resamples,).

    Rows are drawn with replacement (Efron 1979). Two models with the same number of rows and the
    same seed get the same draws.

    Args:
        measured: What is resampled.
        resamples: How many.
        seed: Of the draws.
    """
    counts = _counts(measured.codes, len(measured.table), resamples, seed)
    return measured.combine(np.concatenate([_product(block, measured.table) for block in counts]))


def _product(counts: Floats, table: Floats) -> Floats:
    # In pieces too small for BLAS to share out among threads: on a busy machine those wait for each
    # other fifty times as long as they work.
    step = max(1, _PIECE // (len(counts) * table.shape[1]))
    sums = np.zeros((len(counts), table.shape[1]))
    for start in range(0, len(table), step):
        sums += counts[:, start : start + step] @ table[start : start + step]
    return sums


def _counts(codes: Integers, lines: int, resamples: int, seed: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    rows = len(codes)
    for start in range(0, resamples, _AT_ONCE):
        block = np.empty((min(_AT_ONCE, resamples - start), lines))
        for one in block:
            drawn = codes[generator.integers(0, rows, rows)]
            one[:] = np.bincount(drawn, minlength=lines)
        yield block


def interval(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the percentile interval of resampled values: (low, high)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """Whether one model is better than another on the same rows.

    Attributes:
        metric: What is compared.
        difference: Value of the first less value of the second.
        interval: 95 % interval of the difference, by the paired bootstrap.
        p_bootstrap: Two-sided p of the paired bootstrap.
        p_randomisation: Two-sided p of the approximate randomisation.
        rows: Rows that both answered.
    """

    metric: str
    difference: float
    interval: tuple[float, float]
    p_bootstrap: float
    p_randomisation: float
    rows: int


def compared(
    one: Measured, other: Measured, metric: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """Test whether two models differ on the same rows, in the same order.

    The paired bootstrap follows Koehn 2004, with the differences centred for the p (Riezler and
    Maxwell 2005); the approximate randomisation swaps the answers of a row with probability 1/2
    (Noreen 1989). Both p are (extreme + 1) / (resamples + 1).

    Args:
        one: The first model.
        other: The second.
        metric: One that both have.
        resamples: Draws of each test.
        seed: Of the draws.
    """
    observed = one.points[metric] - other.points[metric]
    drawn = resampled(one, resamples, seed)[metric] - resampled(other, resamples, seed)[metric]
    swapped = _swapped(one, other, metric, resamples, seed)
    # Sums in another order differ in the last digits; these are no evidence.
    reached = abs(observed) - 1e-12
    return Comparison(
        metric=metric,
        difference=observed,
        interval=interval(drawn),
        p_bootstrap=_p(np.abs(drawn - drawn.mean()) >= reached),
        p_randomisation=_p(np.abs(swapped) >= reached),
        rows=len(one.codes),
    )


def _p(extreme: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    return float((extreme.sum() + 1) / (len(extreme) + 1))


def _swapped(one: Measured, other: Measured, metric: str, resamples: int, seed: int) -> Floats:
    """Return differences after the answers of some rows changed sides, shape (resamples,)."""
    pairs, codes = np.unique(np.column_stack([one.codes, other.codes]), axis=0, return_inverse=True)
    gain = other.table[pairs[:, 1]] - one.table[pairs[:, 0]]
    generator = np.random.default_rng(seed)
    moved = np.empty((resamples, gain.shape[1]))
    for line in moved:
        chosen = codes.reshape(-1)[generator.random(len(codes)) < 0.5]
        line[:] = np.bincount(chosen, minlength=len(pairs)) @ gain
    first = one.table[one.codes].sum(axis=0) + moved
    second = other.table[other.codes].sum(axis=0) - moved
    return one.combine(first)[metric] - other.combine(second)[metric]
