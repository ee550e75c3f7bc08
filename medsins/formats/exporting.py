"""`export`: a finished build becomes files that a trainer reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from medsins.errors import OutputError
from medsins.formats.placement import RECORD, placed
from medsins.formats.planning import ExportPlan, Options, plan
from medsins.formats.readme import facts_of, readme
from medsins.formats.shuffling import Shuffle
from medsins.formats.task_files import head
from medsins.formats.task_samples import TaskSamples
from medsins.formats.trainers import trace
from medsins.formats.writers import Files, JsonLines, Parquet, Tar, TaskFile, Writer, finishing
from medsins.io.files import dump, write_atomically
from medsins.io.logs import logger
from medsins.io.progress import progress_bar
from medsins.io.version import __version__
from medsins.policy.decisions import LOCAL_ADVICE, Verdict, admitted
from medsins.raw.files import sha256
from medsins.registry import Select

if TYPE_CHECKING:
    from tqdm import tqdm

_LOG = logger("formats")
_ROW_BYTES = 400
"""What a row takes beside its texts, about."""


@dataclass(frozen=True)
class ExportResult:
    """What `export` wrote.

    Attributes:
        path: The folder.
        format: The training format.
        samples: Samples in all.
        counts: Samples by task.
        files: Its files, relative to the folder, in the order in which rows are to be read.
        verdicts: What the policy allows of each task.
        notes: What is to be said: tasks left out, caps, samples with fewer cases.
    """

    path: Path
    format: str
    samples: int
    counts: dict[str, int]
    files: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def export(
    path: str | os.PathLike[str],
    format: str,
    out: str | os.PathLike[str],
    *,
    split: str = "train",
    select: Select = "all",
    num_fewshot: int = 0,
    template: str = "corrected",
    per_instance: int | Literal["all"] = 1,
    instructions: str = "definition",
    instructions_from: str | os.PathLike[str] | None = None,
    max_per_task: int | None = None,
    mixture: str | os.PathLike[str] | None = None,
    seed: int = 0,
    container: str | None = None,
    only_redistributable: bool = False,
    local_use: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
) -> ExportResult:
    """Write the instances of a build as samples for training.

    A sample is an instance with an instruction: the instruction is the system message (or the
    instruction, where a format has one), the input the user's, the output the assistant's.
    Samples of all tasks are shuffled together. The same build and options give the same bytes.
    Memory does not grow with the number of samples; the disk of `out` holds them twice for a while.

    Args:
        path: The build folder.
        format: Name of a format; `medsins.formats.FORMATS` has them.
        out: Folder to write; it appears when it is complete.
        split: The split to export.
        select: Which tasks of the build.
        num_fewshot: Cases that each sample shows, from the train split of its task. Never the
            instance itself, nor one from the same raw record or with the same input.
        template: How cases are laid out: "corrected", or "published" as in the paper's code.
        per_instance: How many instructions each instance goes with, each in a sample of its own;
            "all" for every one of its task.
        instructions: Which: "definition" for the one that the instance was built with, "seeds",
            or "expanded".
        instructions_from: Folder of expanded instructions; default: `medsins-instructions`.
        max_per_task: Most samples of each task.
        mixture: File of a mixture, which says how many samples of which tasks.
        seed: Decides the order, the wordings, the cases, and which samples caps let through.
        container: "jsonl" or "parquet" where the format goes in both.
        only_redistributable: Leave out tasks that may not be passed on. It outweighs `local_use`.
        local_use: Declare that the export stays where the agreements of its sources hold. Tasks
            that may not be passed on are then exported too; nobody else may look into the folder,
            and the export says of itself that it may not be passed on.
        overwrite: Replace an earlier export.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        UnknownNameError: A format, option or selector that is not there, or nothing to export.
        AccessError: There are tasks that may not be passed on, and the user said neither to leave
            them out nor that the export stays here.
        IncompleteBuildError: The folder holds no finished build.
        CorruptBuildError: A shard is not what the manifest says.
        CheckError: A task has fewer instructions or cases than are asked for.
        MissingFilesError: A task has no expanded instructions.
        InvalidFileError: The mixture is not valid, or comes to nothing.
        BuildConflictError: `out` is there already, or another process is exporting to it.
        OutputError: `out` cannot be written.
        ValueError: A number is too small.
    """
    options = Options(
        split=split, select=select, num_fewshot=num_fewshot, template=template,
        per_instance=per_instance, instructions=instructions, instructions_from=instructions_from,
        max_per_task=max_per_task, mixture=mixture, seed=seed, container=container,
        only_redistributable=only_redistributable, local_use=local_use,
    )  # fmt: skip
    planned = plan(path, format, options)
    sizes = planned.samples, len(planned.tasks)
    _LOG.info("export from %s: %d samples of %d tasks", planned.build.path, *sizes)
    if not local_use or only_redistributable:
        admitted(
            planned.verdicts,
            leave_out=only_redistributable,
            action="be exported",
            advice=LOCAL_ADVICE,
        )
    target = Path(out).expanduser().absolute()
    if target.resolve().is_relative_to(planned.build.path.resolve()):
        raise OutputError(f"{target} is inside the build. Choose a folder outside of it.")
    with placed(target, overwrite=overwrite, private=bool(planned.closed)) as folder:
        written = _write(planned, folder, progress)
        notes = _notes(planned, written)
        record = _record(planned, written, notes, folder)
        write_atomically(folder / RECORD, dump(record))
    return ExportResult(
        target,
        format,
        record["samples"],
        written.counts,
        written.files,
        planned.verdicts,
        notes,
    )


@dataclass
class _Written:
    """What has been written: samples by task, those with fewer cases, and the data files."""

    counts: dict[str, int] = field(default_factory=dict)
    fewer_cases: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def _write(planned: ExportPlan, folder: Path, progress: bool | None) -> _Written:
    written = _Written()
    (folder / "data").mkdir()
    fill = _fill_task_files if planned.format.whole_tasks else _fill_shuffled
    with (
        progress_bar(planned.samples, unit=" samples", desc="export", progress=progress) as bar,
        finishing(JsonLines(folder / "instructions.jsonl")) as wordings,
    ):
        paths = fill(planned, folder, written, wordings, bar)
    written.files = tuple(path.relative_to(folder).as_posix() for path in paths)
    name = planned.mixture.name if planned.mixture else "medsins"
    texts = planned.format.beside(name, planned.container, written.files)
    for file, text in {**texts, "README.md": readme(planned, written.files)}.items():
        write_atomically(folder / file, text)
    return written


def _fill_shuffled(
    planned: ExportPlan, folder: Path, written: _Written, wordings: JsonLines, bar: tqdm[Any]
) -> list[Path]:
    """Write the samples of all tasks together, in the order of their keys."""
    kind, container = planned.format, planned.container
    buckets = folder / "buckets"
    buckets.mkdir()
    shuffle = Shuffle(buckets, _expected_bytes(planned))
    traced = kind.traced(container)
    for drawn in _drawn(planned, written, wordings):
        for key, sample in drawn:
            if traced:
                row = orjson.dumps({**kind.row(sample), **trace(sample)})
            else:
                row = b"%b\n%b" % (orjson.dumps(kind.row(sample)), orjson.dumps(trace(sample)))
            shuffle.add(key, row)
            bar.update()
    bar.reset()
    bar.set_description("write")
    with ExitStack() as stack:
        files = Files(folder / "data", planned.options.split, container, _opener(planned))
        stack.enter_context(finishing(files))
        if not traced:
            marks = stack.enter_context(finishing(JsonLines(folder / "trace.jsonl")))
        for row in shuffle.rows():
            if not traced:
                row, _, mark = row.partition(b"\n")
                marks.add(mark)
            files.add(row)
            bar.update()
    buckets.rmdir()
    return files.paths


def _opener(planned: ExportPlan) -> Callable[[Path, int], Writer]:
    if planned.container == "tar":
        return Tar
    if planned.container == "parquet":
        schema = planned.format.arrow()
        return lambda path, _: Parquet(path, schema)
    return lambda path, _: JsonLines(path)


def _fill_task_files(
    planned: ExportPlan, folder: Path, written: _Written, wordings: JsonLines, bar: tqdm[Any]
) -> list[Path]:
    """Write each task into a file of its own, in the order of the build."""
    build, split, paths = planned.build, planned.options.split, []
    for drawn in _drawn(planned, written, wordings):
        one = drawn.task
        spoken = [wording.text for wording in one.wordings] or build.definitions(one.task, split)
        paths.append(folder / "data" / f"{one.task}.json")
        with finishing(TaskFile(paths[-1], head(build, one.task, split, spoken))) as file:
            for _, sample in drawn:
                file.add(orjson.dumps(planned.format.row(sample)))
                bar.update()
    return paths


def _drawn(planned: ExportPlan, written: _Written, wordings: JsonLines) -> Iterator[TaskSamples]:
    """Yield the samples of each task, and note what came of them when they were drawn."""
    for one in planned.tasks:
        if not one.samples:
            continue
        drawn = TaskSamples(planned, one)
        yield drawn
        written.counts[one.task] = drawn.count
        if drawn.fewer_cases:
            written.fewer_cases[one.task] = drawn.fewer_cases
        for wording in drawn.instructions.wordings:
            entry = {"id": wording.id, "task": one.task, "kind": wording.kind, "text": wording.text}
            wordings.add(orjson.dumps(entry))


def _expected_bytes(planned: ExportPlan) -> int:
    expected = 0.0
    for one in planned.tasks:
        if one.samples:
            text = planned.build.text_bytes(one.task, planned.options.split) / one.instances
            expected += one.samples * (text * (1 + planned.options.num_fewshot) + _ROW_BYTES)
    return int(expected)


def _notes(planned: ExportPlan, written: _Written) -> tuple[str, ...]:
    notes = [f"{one.task}: {note}" for one in planned.tasks for note in one.notes]
    wanted = planned.options.num_fewshot
    notes += [
        f"{task}: {count:,} samples show fewer than {wanted} cases"
        for task, count in written.fewer_cases.items()
    ]
    return tuple(notes)


def _record(
    planned: ExportPlan, written: _Written, notes: tuple[str, ...], folder: Path
) -> dict[str, Any]:
    """Return what `export.json` says; where things lay on this machine is not in it."""
    options = asdict(planned.options)
    del options["instructions_from"], options["container"]
    select = planned.options.select
    options["select"] = [select] if isinstance(select, str) else list(select)
    options["mixture"] = planned.mixture.model_dump() if planned.mixture else None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "engine_version": __version__,
        "format": planned.format.name,
        "container": planned.container,
        "options": options,
        "build": {
            "manifest_sha256": planned.build.digest,
            "options": asdict(planned.build.manifest.options),
        },
        "may_be_passed_on": not planned.closed,
        "sources": facts_of(planned),
        "samples": sum(written.counts.values()),
        "tasks": {
            one.task: {
                "source": one.source,
                "instances": one.instances,
                "wordings": len(one.wordings) or 1,
                "samples": written.counts.get(one.task, 0),
                "may_be_passed_on": one.allowed,
                "reason": one.reason,
            }
            for one in planned.tasks
        },
        "notes": notes,
        "files": [
            {
                "path": path.relative_to(folder).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
            for path in files
        ],
    }
