"""`bench export`: the benchmark for another harness, as far as its sources may be passed on.

Whatever the harness, the folder holds a benchmark folder of what was exported (`records`), and
README.md and export.json, which say what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medsins.bench.harnesses import helm, inspect_files, lm_eval
from medsins.bench.harnesses.records import (
    ExportedTask,
    Options,
    copy_benchmark,
    exported_task,
)
from medsins.bench.suite.benchmark import Benchmark
from medsins.errors import CheckError, OutputError, UnknownNameError
from medsins.formats.placement import RECORD, placed
from medsins.formats.readme import sources_table
from medsins.io.files import dump, write_atomically
from medsins.io.progress import progress_bar
from medsins.io.version import __version__
from medsins.markup.markdown import bullets, table
from medsins.policy.decisions import LOCAL_ADVICE, Verdict, admitted, model_calls, publication


@dataclass(frozen=True)
class _Harness:
    title: str
    write: Callable[[Path, Sequence[ExportedTask], Options], dict[str, str]]
    how: str


_HARNESSES: dict[str, _Harness] = {
    "lm-eval": _Harness("lm-evaluation-harness", lm_eval.write, lm_eval.HOW),
    "inspect": _Harness("Inspect", inspect_files.write, inspect_files.HOW),
    "helm": _Harness("HELM", helm.write, helm.HOW),
}


def export_benchmark(
    benchmark: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str],
    *,
    num_fewshot: int | None = None,
    seed: int = 0,
    only_redistributable: bool = False,
    local_use: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Path:
    """Write a benchmark for another harness.

    The questions are texts of sources. What may not be passed on is exported only where the user
    declares that the export stays where the agreements with its owners hold; then its owner alone
    may look into the folder.

    Args:
        benchmark: The benchmark folder.
        to: "lm-eval" for lm-evaluation-harness, "inspect" for Inspect, "helm" for HELM.
        out: Folder to write; it appears when it is complete.
        num_fewshot: Few-shot examples in a prompt; default: what each task asks for.
        seed: Of the drawing of examples.
        only_redistributable: Leave out tasks that may not be passed on.
        local_use: Declare that the export stays where the agreements of its sources hold.
        overwrite: Replace an earlier export.
        progress: Show a progress bar; default: on a terminal only.

    Returns:
        The folder.

    Raises:
        AccessError: Instances of a task may not be passed on, and the user said neither to leave
            them out nor that the export stays here.
        UnknownNameError: There is no such harness, or a task that this medsins does not know.
        CheckError: The number of examples makes no sense.
        MissingFilesError: The folder holds no benchmark.
        InvalidFileError: A file of the benchmark was changed since it was built.
        BuildConflictError: `out` is there already, or another process is exporting to it.
        OutputError: `out` cannot be written.
    """
    if to not in _HARNESSES:
        raise UnknownNameError(
            f"to={to!r} is not a harness known here; choose one of {', '.join(_HARNESSES)}."
        )
    if num_fewshot is not None and num_fewshot < 0:
        raise CheckError(f"num_fewshot={num_fewshot} makes no sense; 0 asks without examples.")
    harness, options = _HARNESSES[to], Options(num_fewshot, seed)
    bench = Benchmark(benchmark)
    verdicts = publication(bench)
    names = list(bench.tasks)
    if not local_use or only_redistributable:
        names = admitted(
            verdicts,
            leave_out=only_redistributable,
            action="be exported",
            advice=LOCAL_ADVICE,
        )
    target = Path(out).expanduser().absolute()
    if target.resolve().is_relative_to(bench.path.resolve()):
        raise OutputError(f"{target} is inside the benchmark. Choose a folder outside of it.")
    with placed(target, overwrite=overwrite, private=local_use) as folder:
        tasks = []
        with progress_bar(len(names), unit="task", desc="export", progress=progress) as bar:
            for name in names:
                tasks.append(exported_task(bench, name))
                bar.update()
        copy_benchmark(bench, names, folder)
        left_out = harness.write(folder, tasks, options)
        going = [one for one in verdicts if one.task in names]
        readme = _readme(harness, bench, tasks, going, left_out, local_use)
        write_atomically(folder / "README.md", readme)
        record = _record(to, bench, tasks, options, going, left_out, local_use)
        write_atomically(folder / RECORD, dump(record))
    return target


def _record(
    to: str,
    bench: Benchmark,
    tasks: Sequence[ExportedTask],
    options: Options,
    verdicts: Sequence[Verdict],
    left_out: Mapping[str, str],
    local_use: bool,
) -> dict[str, Any]:
    """Return what `export.json` says; where things lay on this machine is not in it."""
    judged = {one.task: one for one in verdicts}
    return {
        "engine_version": __version__,
        "harness": to,
        "options": {
            "num_fewshot": options.num_fewshot,
            "seed": options.seed,
            "local_use": local_use,
        },
        "benchmark": {"digest": bench.digest, "options": asdict(bench.facts.options)},
        "may_be_passed_on": all(one.allowed for one in verdicts),
        "tasks": {
            one.name: {
                **one.record(),
                "may_be_passed_on": judged[one.name].allowed,
                "reason": judged[one.name].reason,
            }
            for one in tasks
        },
        "left_out": dict(left_out),
    }


_LOCAL = """\
**This folder is for local use.** It was exported under the declaration that it stays where the
agreements with the owners of its sources hold. Do not upload it, send it to a service, or give it
to anyone whom they do not cover."""


def _readme(
    harness: _Harness,
    bench: Benchmark,
    tasks: Sequence[ExportedTask],
    verdicts: Sequence[Verdict],
    left_out: Mapping[str, str],
    local_use: bool,
) -> str:
    rows = sum(one.facts.rows for one in tasks)
    said = (
        f"{rows:,} questions of {len(tasks)} tasks, exported by medsins {__version__} from the "
        f"benchmark `{bench.digest[:12]}`. `items/` and `fewshot/` hold the questions and the "
        "training instances that examples are drawn from; with `benchmark.json` they are a "
        "benchmark folder for `medsins bench score --benchmark` too. `export.json` has what is "
        "known of each task."
    )
    lines = [f"# MedS-Bench for {harness.title}", "", said, ""]
    closed = dict.fromkeys(one.source for one in verdicts if not one.allowed)
    if bench.sample:
        lines += ["Everything in it is made up: it was built from synthetic samples.", ""]
    if local_use:
        named = f" May not be passed on: {', '.join(closed)}." if closed else ""
        lines += [_LOCAL + named, ""]
    heads = ("task", "number", "category", "questions", "metric")
    cells = []
    for one in tasks:
        profile, count = one.profile, f"{one.facts.rows:,}"
        cells.append((one.name, profile.benchmark_id, profile.category, count, one.metrics[0]))
    lines += [harness.how.strip(), "", table(heads, cells, numbers=[3])]
    if left_out:
        lines += ["", "Without a configuration of their own in `no_code/`:", ""]
        lines.append(bullets(f"{name}: {why}" for name, why in left_out.items()))
    sent = {one.source for one in model_calls(bench) if one.allowed}
    allowed = {
        one.source: ("no" if one.source in closed else "yes", "yes" if one.source in sent else "no")
        for one in tasks
    }
    lines += ["", sources_table(allowed), ""]
    return "\n".join(lines)
