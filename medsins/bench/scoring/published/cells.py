"""What the published scripts get to see of a prediction file.

They read it with `pandas.read_csv` and its defaults: blanks and words such as "None" become a
number that is not one, and a column of nothing but numbers or truth values becomes such a column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

BLANK = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
"""The cells that pandas 2 and 3 read as not a number."""

NAN = float("nan")

_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMBER = re.compile(
    r"\s*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?)\s*", re.IGNORECASE
)
_TRUTH = {"true": True, "false": False}


def cell(value: Any) -> Any:
    """Return one cell as it is read in a column of texts: a string, or NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NAN
    text = str(value)
    return NAN if text in BLANK else text


def column(values: Sequence[Any], *, scalars: bool = False) -> list[Any]:
    """Return the cells of one column as pandas gives them.

    Args:
        values: The cells as they were written.
        scalars: Whether the script takes cells by their place (`frame.iloc[3]`), which gives
            numbers of numpy; row after row (`frame.iterrows()`), they are those of Python.

    A column is read as integers, numbers or truth values where all its cells are such; integers
    beside blanks become fractions ("1" is "1.0" then). Numbers of more than 15 digits may differ
    from what pandas reads in their last ones.
    """
    cells = [cell(value) for value in values]
    texts = [text for text in cells if isinstance(text, str)]
    if not texts or not (_NUMBER.fullmatch(texts[0]) or texts[0].lower() in _TRUTH):
        return _as_scalars(cells) if scalars else cells
    read: dict[str, Any] = {}
    if all(_INTEGER.fullmatch(text) for text in texts):
        numbers = [int(text) for text in texts]
        whole = len(texts) == len(cells)
        if all(-(2**63) <= number < 2**63 for number in numbers):
            read = dict(zip(texts, numbers if whole else map(float, numbers), strict=True))
        elif whole and all(0 <= number < 2**64 for number in numbers):
            read = dict(zip(texts, numbers, strict=True))
    elif all(_NUMBER.fullmatch(text) for text in texts):
        fractions = {text: float(text) for text in texts}
        if all("inf" in text.lower() or math.isfinite(fractions[text]) for text in texts):
            read = fractions
    elif all(text.lower() in _TRUTH for text in texts):
        read = {text: _TRUTH[text.lower()] for text in texts}
    found = [read.get(text, text) if isinstance(text, str) else text for text in cells]
    return _as_scalars(found) if scalars else found


def _as_scalars(cells: list[Any]) -> list[Any]:
    kinds = {type(value) for value in cells}
    if len(kinds) != 1 or str in kinds:
        # Texts, or truth values beside blanks: such a column holds objects of Python.
        return cells
    import numpy

    kind = {bool: numpy.bool_, int: numpy.int64, float: numpy.float64}[kinds.pop()]
    return [kind(value) for value in cells]
