"""Arrow arrays of Python's values.

`pa.array` makes them too, but its first call imports pandas, and 40 MiB with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int32]]"

STRINGS = pa.list_(pa.field("element", pa.string()))
"""The type of lists of strings, named as Parquet names it."""


def strings(encoded: Sequence[bytes]) -> pa.StringArray:
    """Return an Arrow array of strings, given in UTF-8."""
    starts = offsets(map(len, encoded), len(encoded))
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(starts), pa.py_buffer(b"".join(encoded))
    )


def offsets(lengths: Iterable[int], count: int) -> Integers:
    """Return where each of `count` values starts, and where the last one ends."""
    starts = np.zeros(count + 1, np.int32)
    np.cumsum(np.fromiter(lengths, np.int32, count), out=starts[1:])
    return starts


def integers(values: Integers) -> pa.Int32Array:
    """Return an Arrow array of 32-bit integers."""
    return pa.Int32Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(values)])


def lists(values: Sequence[list[str] | None]) -> pa.ListArray:
    """Return an Arrow array of lists of strings; an absent one is an empty one."""
    if not any(values):
        return pa.ListArray.from_arrays(
            integers(np.zeros(len(values) + 1, np.int32)), strings([]), type=STRINGS
        )
    starts = offsets((len(value or ()) for value in values), len(values))
    flat = strings([one.encode() for value in values if value for one in value])
    return pa.ListArray.from_arrays(integers(starts), flat, type=STRINGS)
