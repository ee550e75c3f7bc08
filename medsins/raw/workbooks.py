"""Readers of Excel workbooks.

A record is a dict from column name to cell. Cells keep their type, and an empty one is None.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medsins.errors import CorruptFileError
from medsins.raw.cells import check_columns
from medsins.raw.files import Batch, FileSet, RawFile, Reader, Span, file_set


def xlsx(
    *patterns: str,
    sheet: str | None = None,
    columns: Sequence[str] = (),
    **splits: str | Sequence[str],
) -> FileSet:
    """Excel workbooks, transitional or strict OOXML: the first row of a sheet has the names.

    Args:
        *patterns: Files without an official split.
        sheet: Name of the sheet; default: the only one.
        columns: Columns that must be there. Columns without a name are left out.
        **splits: Files by official split.
    """
    return file_set(WorkbookReader(sheet, tuple(columns)), patterns, splits)


@dataclass(frozen=True)
class WorkbookReader(Reader):
    """Reads one sheet of each workbook; see `xlsx` for the fields."""

    sheet: str | None
    columns: tuple[str, ...]

    def read(self, file: RawFile, span: Span | None = None) -> Iterator[Batch]:
        """Yield dicts from column to cell value; wholly empty rows are left out.

        Raises:
            CorruptFileError: It is not a workbook, or lacks the sheet or a column.
        """
        del span
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
            name = self._sheet(file, book.sheet_names)
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except CalamineError as error:
            raise CorruptFileError(f"{file.path} is not a readable workbook ({error}).") from error
        header = [str(cell).strip() for cell in rows[0]] if rows else []
        check_columns(f"{file.path}, sheet {name!r}", header, self.columns)
        if rows and not any(header):
            raise CorruptFileError(
                f"{file.path}, sheet {name!r} does not begin with a row of column names."
            )
        named = [(i, cell) for i, cell in enumerate(header) if cell]
        records, numbers = [], []
        for number, row in enumerate(rows[1:], 1):
            if any(cell != "" for cell in row):
                records.append({name: row[i] if row[i] != "" else None for i, name in named})
                numbers.append(number)
        yield Batch(file.name, records, numbers)

    def _sheet(self, file: RawFile, names: list[str]) -> str:
        if self.sheet is None and len(names) == 1:
            return names[0]
        if self.sheet in names:
            assert self.sheet is not None
            return self.sheet
        wanted = f"no sheet {self.sheet!r}" if self.sheet else "more than one sheet"
        raise CorruptFileError(
            f"{file.path} has {wanted}; its sheets are {', '.join(map(repr, names))}. Rename the "
            "sheet, or name the right one in the recipe."
        )
