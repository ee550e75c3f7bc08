"""How large shards are in memory, which the Hub and `datasets` call `num_bytes`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_OFFSET = 4


def memory_sizes(shards: Mapping[str, Path]) -> dict[str, int]:
    """Return how many bytes shards take as plain Arrow tables: nearly, very small ones apart.

    Footers say it, no row is read. Text pages are as long as the text with a length of four bytes
    before each value, where Arrow has an offset of four. Of columns with dictionary pages the
    footer has the first and the last value, most often the same one.

    Args:
        shards: Where shards lie, by their paths in the manifest.

    Returns:
        The sizes by path; shards that cannot be read are left out.
    """
    import pyarrow as pa
    from pyarrow import parquet

    sizes = {}
    for name, path in shards.items():
        try:
            footer = parquet.read_metadata(path)
        except (OSError, pa.ArrowInvalid):
            continue
        sizes[name] = sum(
            _group(footer.row_group(index), footer.num_columns)
            for index in range(footer.num_row_groups)
        )
    return sizes


def _group(group: Any, columns: int) -> int:
    size = 0
    for index in range(columns):
        column = group.column(index)
        if "RLE_DICTIONARY" in column.encodings and column.is_stats_set:
            first, last = column.statistics.min.encode(), column.statistics.max.encode()
            length = (len(first) + len(last)) / 2
            size += int((length + _OFFSET) * column.num_values)
        else:
            size += column.total_uncompressed_size
        if "." in column.path_in_schema:
            size += _OFFSET * group.num_rows
    return size
