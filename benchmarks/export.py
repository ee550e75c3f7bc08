"""Measures exports: samples a second and peak memory, at two sizes that are far apart.

    python benchmarks/export.py                    # 100,000 and 1,000,000 made-up questions
    python benchmarks/export.py --rows 2000        # a smoke test

Each run is a whole process, with its start and its end, and the SHA-256 of every shard it reads.
Builds are made first, from the made-up raw files of `inputs.py`, and are not measured. The last
line of a size does the first job with `datasets`: load, shuffle, map, write.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import FailedError, remove, run

HERE = Path(__file__).resolve().parent

EXPORT = """
import sys
from medsins.engine.memory import be_lean
be_lean()
from medsins.formats import export
result = export(sys.argv[1], sys.argv[2], sys.argv[3], progress=False, {more})
print(result.samples)
"""

DATASETS = """
import sys
from datasets import load_dataset
rows = load_dataset("parquet", data_files=sys.argv[1] + "/data/*/train-*.parquet", split="train")
def sample(row):
    prompt = [{"role": "system", "content": row["definition"]},
              {"role": "user", "content": row["input"]}]
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": row["output"]}]}
rows = rows.map(sample, remove_columns=rows.column_names).shuffle(seed=0)
rows.to_json(sys.argv[3])
print(len(rows))
"""

JOBS = {
    # What is exported, and the options for it.
    "prompt_completion, JSON Lines": ("prompt_completion", ""),
    "prompt_completion, Parquet": ("prompt_completion", "container='parquet'"),
    "sharegpt, 5 wordings each": ("sharegpt", "per_instance=5, instructions='seeds'"),
    "messages, 3 cases": ("messages", "num_fewshot=3"),
    "a tenth, by the smallest hashes": ("alpaca", "max_per_task={tenth}"),
    "webdataset": ("webdataset", ""),
    "medsins_json": ("medsins_json", ""),
}


def build(rows: int, work: Path) -> Path:
    """Return a build of so many made-up questions; it is made only once."""
    raw, out = work / f"raw-{rows}", work / f"build-{rows}"
    if not (out / "manifest.json").exists():
        inputs = [sys.executable, str(HERE / "inputs.py"), "questions", str(rows), str(raw)]
        subprocess.run(inputs, check=True)
        script = (
            "import sys, medsins\n"
            "if __name__ == '__main__':\n"
            "    medsins.build('medmcqa_mcq', raw=sys.argv[1], out=sys.argv[2])\n"
        )
        subprocess.run([sys.executable, "-c", script, str(raw), str(out)], check=True)
        remove(raw)
    return out


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    work = (given.work / "medsins-benchmarks-export").resolve()
    work.mkdir(parents=True, exist_ok=True)
    print("| job | samples | samples/s | CPU s | wall s | peak MiB | CPU of others |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    failures = 0
    for rows in given.rows:
        folder, out = build(rows, work), work / "out"
        jobs = {
            name: (EXPORT.format(more=more.format(tenth=max(1, rows // 10))), kind, out)
            for name, (kind, more) in JOBS.items()
        }
        jobs["datasets: load, map, shuffle, to_json"] = (DATASETS, "", work / "out.jsonl")
        for name, (script, kind, target) in jobs.items():
            remove(target)
            cache = work / "cache"
            remove(cache)
            command = [sys.executable, "-c", script, str(folder), kind, str(target)]
            try:
                usage = run(command, {"HF_HOME": str(cache)}, work / "log")
            except FailedError as error:
                print(f"| {name} | failed: {error} |")
                failures += 1
                continue
            samples = int(usage.output.split()[-1])
            print(
                f"| {name} | {samples:,} | {samples / usage.wall:,.0f} | {usage.cpu:.1f} | "
                f"{usage.wall:.1f} | {usage.peak:.0f} | {usage.others:.0%} |",
                flush=True,
            )
            remove(target)
            remove(cache)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
