"""The floor: parse a CSV file with Arrow and write it as Parquet, zstd 2, with no mapping.

With `--share`, all of the file is parsed, but only the first rows of every block are written: a
build that keeps a third of its records has no more to compress than that.
"""

import argparse
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

BLOCK = 1 << 19


def copy(source: str, target: str, share: float) -> None:
    """Copy a CSV file to Parquet on one thread, with all cells as text.

    Args:
        source: The CSV file.
        target: The Parquet file.
        share: Share of the rows of each block to write.
    """
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with Path(source).open(encoding="utf-8") as stream:
        names = stream.readline().rstrip("\n").split(",")
    reader = csv.open_csv(
        source,
        read_options=csv.ReadOptions(block_size=BLOCK, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    with parquet.ParquetWriter(
        target, reader.schema, compression="zstd", compression_level=2
    ) as writer:
        for batch in reader:
            writer.write_batch(batch.slice(0, round(batch.num_rows * share)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--share", type=float, default=1.0)
    given = parser.parse_args()
    copy(given.source, given.target, given.share)
