"""The records of a table: what each holds, and how they are made from columns of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Self, overload

from medsins.errors import CorruptFileError

Record = dict[str, Any]
"""From column to cell, and from group to the tuple of its columns' cells."""


@dataclass(frozen=True)
class Layout:
    """What a record holds.

    Attributes:
        columns: Columns that are keys of the record.
        groups: (name, columns) of columns whose cells are one tuple.
    """

    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, columns: Iterable[str], groups: Mapping[str, Iterable[str]]) -> Self:
        """Return the layout of these columns and groups.

        Raises:
            ValueError: A group has the name of a column, or there is nothing to read.
        """
        made = cls(tuple(columns), tuple((name, tuple(group)) for name, group in groups.items()))
        for name, group in made.groups:
            if name in made.columns or not group:
                raise ValueError(f"group {name!r} needs columns, and a name that no column has")
        if not made.names:
            raise ValueError("a table needs columns that are read")
        return made

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every column of the file that a record is made of, once."""
        grouped = (name for _, group in self.groups for name in group)
        return tuple(dict.fromkeys((*self.columns, *grouped)))


class Records(Sequence[Record]):
    """The records of some columns, made one at a time as they are read.

    Thousands of dicts made at once would not fit into the cache of a core.

    Args:
        layout: What a record holds.
        cells: The cells of each of `layout.names`.
    """

    def __init__(self, layout: Layout, cells: list[list[str]]) -> None:
        self._layout = layout
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells[0])

    def __iter__(self) -> Iterator[Record]:
        return _row_maker(self._layout)(*self._cells)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        if isinstance(index, slice):
            return Records(self._layout, [column[index] for column in self._cells])
        return next(_row_maker(self._layout)(*([column[index]] for column in self._cells)))


@cache
def _row_maker(layout: Layout) -> Callable[..., Iterator[Record]]:
    """Return the function from columns of cells to records.

    It is compiled, as those of `collections.namedtuple` are: a dict display of a few known keys
    takes a fifth of the time of `dict(zip(names, row))`, and this runs for every record.
    """
    given = {name: f"cells{i}" for i, name in enumerate(layout.names)}
    together = [
        f"zip({', '.join(given[name] for name in group)}, strict=True)"
        for _, group in layout.groups
    ]
    values = [*(given[name] for name in layout.columns), *together]
    keys = [*layout.columns, *(name for name, _ in layout.groups)]
    record = ", ".join(f"{key!r}: value{i}" for i, key in enumerate(keys))
    row = ", ".join(f"value{i}" for i in range(len(keys)))
    code = (
        f"def records({', '.join(given.values())}):\n"
        f"    return ({{{record}}} for {row}, in zip({', '.join(values)}, strict=True))"
    )
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    made: Callable[..., Iterator[Record]] = namespace["records"]
    return made


def check_columns(where: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise if a header lacks a wanted column or has two of one name; empty names are ignored."""
    missing = [name for name in wanted if name not in names]
    if missing:
        listed = ", ".join(repr(name) for name in names if name)
        raise CorruptFileError(
            f"{where} has no column {', '.join(map(repr, missing))}. Its columns are "
            f"{listed or 'without names'}. Check that it is the right file."
        )
    repeated = [name for name in dict.fromkeys(wanted or names) if name and names.count(name) > 1]
    if repeated:
        raise CorruptFileError(
            f"{where} has more than one column {', '.join(map(repr, repeated))}, so it is unclear "
            "which one to read. Rename the others."
        )
