"""Measures what a push sends again after a small change, through the Hub's Xet storage.

    python benchmarks/resent.py                  # one shard of 150,000 rows; some minutes
    python benchmarks/resent.py --rows 2000      # a smoke test

A made-up source is built and pushed; then some of its raw records change, it is built and pushed
again, and the bytes that arrive at the storage are counted. The same rows, as other writers lay
them out, are uploaded beside it. Every measurement starts with a Hub and a client that know
nothing. The Hub is a stand-in on this machine, `--hub`, with the real client and its `hf-xet`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inputs import WORDS
from measure import FailedError, remove, run

ROOT = Path(__file__).resolve().parents[1]
STUB = ROOT.parent / "shared" / "tools" / "hubstub.py"
TASK, CHANGED, MEBI = "medmcqa_mcq", 50, 1 << 20

Record = dict[str, object]
Edit = Callable[[list[Record], random.Random], list[Record]]

BUILD = """
import sys, medsins
if __name__ == "__main__":
    medsins.build(sys.argv[1], raw=sys.argv[2], out=sys.argv[3], progress=False)
"""

PUSH = "import sys; from medsins.hub import push; push(sys.argv[1], 'alice/data')"

UPLOAD = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
HfApi().create_repo("alice/data", repo_type="dataset", exist_ok=True)
HfApi().create_commit(
    "alice/data", [CommitOperationAdd("data.parquet", sys.argv[1])], commit_message="rows",
    repo_type="dataset",
)
"""

WRITE = {
    # How others write the rows of a shard; the first is Arrow's way unless told otherwise.
    "pyarrow, zstd": """
from pyarrow import parquet
parquet.write_table(parquet.read_table(sys.argv[1]), sys.argv[2], compression="zstd")
""",
    "pyarrow, zstd, content-defined chunks": """
from pyarrow import parquet
table = parquet.read_table(sys.argv[1])
parquet.write_table(table, sys.argv[2], compression="zstd", use_content_defined_chunking=True)
""",
    "pyarrow, zstd, larger chunks": """
from pyarrow import parquet
chunks = {"min_chunk_size": 1 << 20, "max_chunk_size": 2 << 20, "norm_level": 0}
table = parquet.read_table(sys.argv[1])
parquet.write_table(
    table, sys.argv[2], compression="zstd", use_content_defined_chunking=chunks,
    data_page_size=2 << 20,
)
""",
    "datasets, to_parquet": """
from datasets import Dataset
Dataset.from_parquet(sys.argv[1], cache_dir=sys.argv[2] + ".cache").to_parquet(sys.argv[2])
""",
    "polars, write_parquet": """
import polars
polars.read_parquet(sys.argv[1]).write_parquet(sys.argv[2])
""",
}


def records(count: int, rng: random.Random, name: str) -> list[Record]:
    """Return made-up questions, no two alike, in the layout of MedMCQA."""
    return [
        {
            "id": f"{name}-{number:08x}",
            "question": f"{' '.join(rng.choices(WORDS, k=40))} {name} {number}?",
            **{
                option: " ".join(rng.choices(WORDS, k=4)) for option in ("opa", "opb", "opc", "opd")
            },
            "cop": rng.randint(1, 4),
            "choice_type": "single",
            "exp": None,
            "subject_name": "Anatomy",
            "topic_name": None,
        }
        for number in range(count)
    ]


def put_in_front(rows: list[Record], rng: random.Random) -> list[Record]:
    """Return the records after some new ones."""
    return records(CHANGED, rng, "new") + rows


def dropped(rows: list[Record], _: random.Random) -> list[Record]:
    """Return the records without some in the middle, that stand together."""
    middle = len(rows) // 2
    return rows[:middle] + rows[middle + CHANGED :]


def edited(rows: list[Record], rng: random.Random) -> list[Record]:
    """Return the records, with another question in some that stand together."""
    return with_other_questions(rows, range(len(rows) // 3, len(rows) // 3 + CHANGED), rng)


def edited_anywhere(rows: list[Record], rng: random.Random) -> list[Record]:
    """Return the records, with another question in some that stand anywhere."""
    return with_other_questions(rows, rng.sample(range(len(rows)), CHANGED), rng)


def with_other_questions(
    rows: list[Record], numbers: Iterable[int], rng: random.Random
) -> list[Record]:
    """Return the records, with another question in those of some numbers."""
    rows = list(rows)
    for number in numbers:
        question = f"{' '.join(rng.choices(WORDS, k=40))} edited {number}?"
        rows[number] = {**rows[number], "question": question}
    return rows


EDITS: dict[str, Edit] = {
    "put in front": put_in_front,
    "dropped": dropped,
    "edited": edited,
    "edited here and there": edited_anywhere,
}


def build(rows: list[Record], name: str, work: Path) -> Path:
    """Return a build of some records."""
    raw, out = work / f"raw-{name}", work / f"build-{name}"
    path = raw / "medmcqa" / "train.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    remove(out)
    run([sys.executable, "-c", BUILD, TASK, str(raw), str(out)], {}, work / "log")
    remove(raw)
    return out


def shard(folder: Path) -> Path:
    """Return the shard of a build of one task and split."""
    (path,) = (folder / "data" / TASK).glob("train-*.parquet")
    return path


def written(folder: Path, writer: str, work: Path) -> Path:
    """Return a file with the rows of a build, as another tool writes them."""
    path = work / "peer" / f"{folder.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    script = f"import sys\n{WRITE[writer]}"
    run([sys.executable, "-c", script, str(shard(folder)), str(path)], {}, work / "log")
    return path


@contextmanager
def hub(stub: Path, work: Path) -> Iterator[str]:
    """Start a Hub that holds nothing, and yield its address."""
    data, told = work / "hub", work / "hub-url"
    remove(data)
    remove(told)
    command = [sys.executable, str(stub), "--token", "hf_bench:alice:write", "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--url-file", str(told)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not told.is_file() or not told.read_text():
            if process.poll() is not None:
                raise FailedError(f"{stub.name} exited with {process.returncode}")
            time.sleep(0.05)
        yield told.read_text()
    finally:
        process.terminate()
        process.wait()
        remove(data)


def sent(url: str) -> int:
    """Return how many bytes of content the storage of a Hub has received."""
    with urllib.request.urlopen(f"{url}/_stub/log") as answer:
        log = json.load(answer)
    return sum(one["req_bytes"] for one in log if one["path"].startswith("/_cas/v1/xorbs"))


def resent(script: str, before: Path, after: Path, stub: Path, work: Path) -> int:
    """Return what is sent when one thing is uploaded after another."""
    home = work / "home"
    remove(home)
    with hub(stub, work) as url:
        settings = {"HF_ENDPOINT": url, "HF_TOKEN": "hf_bench", "HF_HOME": str(home)}
        run([sys.executable, "-c", script, str(before)], settings, work / "log")
        first = sent(url)
        run([sys.executable, "-c", script, str(after)], settings, work / "log")
        return sent(url) - first


def line(writer: str, builds: dict[str, Path], stub: Path, work: Path) -> str:
    """Return the line of the table for one writer; "" for `push` itself."""
    files = builds if not writer else {n: written(b, writer, work) for n, b in builds.items()}
    size = (files[""] if writer else shard(files[""])).stat().st_size
    script = UPLOAD if writer else PUSH
    counts = [resent(script, files[""], files[name], stub, work) for name in EDITS]
    cells = [writer or "medsins push", *(f"{count / MEBI:.2f}" for count in (size, *counts))]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=150_000)
    parser.add_argument("--hub", type=Path, default=STUB, help="default: %(default)s")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    if not given.hub.is_file():
        parser.error(f"{given.hub} is not there: name the stand-in for the Hub with --hub.")
    os.environ.pop("HF_HUB_DISABLE_XET", None)
    work = (given.work / "medsins-benchmarks-resent").resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows = records(given.rows, random.Random(0), "row")
    builds = {"": build(rows, "before", work)}
    for number, (name, edit) in enumerate(EDITS.items(), 1):
        builds[name] = build(edit(rows, random.Random(number)), name.replace(" ", "-"), work)
    heads = [f"{CHANGED} rows {name}" for name in EDITS]
    print(f"MiB that are sent again of a shard of {given.rows:,} rows:\n")
    print(f"| written by | whole shard | {' | '.join(heads)} |")
    print(f"| --- |{' ---: |' * (len(heads) + 1)}")
    failures = 0
    for writer in ("", *WRITE):
        try:
            print(line(writer, builds, given.hub, work), flush=True)
        except FailedError as error:
            print(f"| {writer or 'medsins push'} | failed: {error} |")
            failures += 1
    remove(work)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
