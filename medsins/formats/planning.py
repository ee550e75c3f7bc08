"""What an export would hold: the tasks that are allowed, and how many samples of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from medsins.errors import CheckError, UnknownNameError
from medsins.formats.mixtures import Allotment, allot, read_mixture
from medsins.formats.rows import Build, installed
from medsins.formats.samples import TEMPLATES
from medsins.formats.trainers import Format, find_format
from medsins.instructions.wordings import KINDS, Wording, wordings
from medsins.policy.decisions import Verdict, publication
from medsins.registry import Select
from medsins.schema import Mixture, Share
from medsins.taxonomy import SPLITS


@dataclass(frozen=True)
class Options:
    """What an export is asked for; `medsins.export` says what each of them means."""

    split: str = "train"
    select: Select = "all"
    num_fewshot: int = 0
    template: str = "corrected"
    per_instance: int | Literal["all"] = 1
    instructions: str = "definition"
    instructions_from: str | os.PathLike[str] | None = None
    max_per_task: int | None = None
    mixture: str | os.PathLike[str] | None = None
    seed: int = 0
    container: str | None = None
    only_redistributable: bool = False
    local_use: bool = False

    def check(self) -> None:
        """Refuse what means nothing whatever the build.

        Raises:
            UnknownNameError: A name is none of those that there are.
            ValueError: A number is too small.
        """
        for name, known in (
            ("split", SPLITS),
            ("template", tuple(TEMPLATES)),
            ("instructions", KINDS),
        ):
            given = getattr(self, name)
            if given not in known:
                raise UnknownNameError(
                    f"{name}={given!r} is not there; choose one of {', '.join(known)}."
                )
        for name, least in (("num_fewshot", 0), ("per_instance", 1), ("max_per_task", 1)):
            number = getattr(self, name)
            if number is None or (name == "per_instance" and number == "all"):
                continue
            if not isinstance(number, int) or number < least:
                raise ValueError(f"{name}={number!r} is not a number from {least} on.")


@dataclass(frozen=True)
class TaskPlan:
    """What an export holds of one task.

    Attributes:
        task: Its name.
        source: Name of its recipe.
        instances: Instances of the split in the build.
        wordings: Its instructions; none if instances keep the definition they were built with.
        per_instance: How many of them go with each instance.
        samples: Samples that will be written.
        weight: Its weight in the mixture; None without one.
        allowed: Whether it may be passed on.
        reason: The reason, for people.
        notes: What else is to be said.
    """

    task: str
    source: str
    instances: int
    wordings: tuple[Wording, ...] = field(repr=False)
    per_instance: int
    samples: int
    weight: float | None
    allowed: bool
    reason: str
    notes: tuple[str, ...] = ()

    @property
    def available(self) -> int:
        """How many different samples there are."""
        return self.instances * self.per_instance


@dataclass(frozen=True)
class ExportPlan:
    """What an export would hold.

    Attributes:
        build: The build.
        format: The training format.
        container: What its rows lie in.
        options: What was asked for.
        tasks: What it holds of each task, in the order of the build.
        verdicts: What the policy says of each task that is written or left out because of it.
        mixture: The mixture, if there is one.
    """

    build: Build
    format: Format
    container: str
    options: Options
    tasks: tuple[TaskPlan, ...]
    verdicts: tuple[Verdict, ...]
    mixture: Mixture | None = None

    @property
    def samples(self) -> int:
        """Samples in all."""
        return sum(one.samples for one in self.tasks)

    @property
    def closed(self) -> tuple[TaskPlan, ...]:
        """Tasks of which samples would be written that may not be passed on."""
        return tuple(one for one in self.tasks if one.samples and not one.allowed)


def plan(
    path: str | os.PathLike[str], format: str = "prompt_completion", options: Options | None = None
) -> ExportPlan:
    """Say what an export would hold, and write nothing.

    Tasks that may not be passed on are counted like the others, unless the options leave them
    out; it is `export` that refuses them.

    Args:
        path: The build folder.
        format: Name of the training format.
        options: What is asked for; default: everything of the train split, once.

    Raises:
        UnknownNameError: A format, option or selector that is not there, or nothing to export.
        IncompleteBuildError: The folder holds no finished build.
        CheckError: A task has fewer instructions or cases than are asked for.
        InvalidFileError: The mixture is not valid, or comes to nothing.
        ValueError: A number is too small.
    """
    options = options or Options()
    options.check()
    kind, container = find_format(format, options.container)
    if kind.whole_tasks and (options.num_fewshot or options.per_instance != 1):
        raise UnknownNameError(
            f"{format} has no num_fewshot and no per_instance: its files hold instances, with all "
            "instructions once in their heads. Choose another format for samples."
        )
    build = Build(path)
    mixture, shares = None, dict[str, Share]()
    if options.mixture is not None:
        mixture, shares = read_mixture(options.mixture, build.select)
    chosen = {task: build.count(task, options.split) for task in build.select(options.select)}
    wanted = {task for task, count in chosen.items() if count and (not mixture or task in shares)}
    if not wanted:
        raise UnknownNameError(
            f"{build.path} has no instances of these tasks in its {options.split} split. "
            f"Choose another of {', '.join(SPLITS)}, or other tasks."
        )
    verdicts = {one.task: one for one in publication(build.manifest) if one.task in wanted}
    going = [
        task for task, one in verdicts.items() if one.allowed or not options.only_redistributable
    ]
    spoken = _instructions(build, going, options)
    per_instance = _per_instance(spoken, options)
    available = {task: chosen[task] * per_instance[task] for task in going}
    counts = allot(
        available, cap=options.max_per_task, mixture=mixture if going else None, shares=shares
    )
    if options.num_fewshot:
        _enough_cases(build, counts, options)
    tasks = [
        _task_plan(build, task, count, verdicts, counts, spoken, per_instance)
        for task, count in chosen.items()
    ]
    judged = tuple(
        one for task, one in verdicts.items() if task not in counts or counts[task].samples
    )
    return ExportPlan(build, kind, container, options, tuple(tasks), judged, mixture)


def _task_plan(
    build: Build,
    task: str,
    instances: int,
    verdicts: Mapping[str, Verdict],
    counts: Mapping[str, Allotment],
    spoken: Mapping[str, tuple[Wording, ...]],
    per_instance: Mapping[str, int],
) -> TaskPlan:
    common: dict[str, Any] = {"task": task, "source": build.tasks[task], "instances": instances}
    if task not in counts:
        verdict = verdicts.get(task)
        note = "none in this split" if not instances else "not in the mixture"
        return TaskPlan(
            **common,
            wordings=(),
            per_instance=0,
            samples=0,
            weight=None,
            allowed=verdict is None or verdict.allowed,
            reason=verdict.reason if verdict else "",
            notes=(f"left out: {verdict.reason}",) if verdict else (note,),
        )
    return TaskPlan(
        **common,
        wordings=spoken[task],
        per_instance=per_instance[task],
        samples=counts[task].samples,
        weight=counts[task].weight,
        allowed=verdicts[task].allowed,
        reason=verdicts[task].reason,
        notes=counts[task].notes,
    )


def _instructions(
    build: Build, tasks: Iterable[str], options: Options
) -> dict[str, tuple[Wording, ...]]:
    """Return the wordings of each task; none where instances keep their own definition."""
    if options.instructions == "definition":
        return dict.fromkeys(tasks, ())
    given = options.instructions_from
    folder = Path(given) if given is not None else None
    found = {}
    missing = []
    for name in tasks:
        task = installed(name, build.tasks[name])
        if task is None:
            missing.append(name)
        else:
            found[name] = tuple(wordings(task, options.instructions, folder))
    if missing:
        raise UnknownNameError(
            f"the recipes of {', '.join(missing)} are not installed here, so their "
            f"{options.instructions} are not known. Use instructions='definition', which takes "
            "what the build holds, or leave these tasks out."
        )
    return found


def _per_instance(spoken: Mapping[str, tuple[Wording, ...]], options: Options) -> dict[str, int]:
    if options.per_instance == "all":
        return {task: max(1, len(listed)) for task, listed in spoken.items()}
    wanted = options.per_instance
    short = {
        task: max(1, len(listed)) for task, listed in spoken.items() if max(1, len(listed)) < wanted
    }
    if short:
        listed = ", ".join(f"{task} has {count}" for task, count in list(short.items())[:5])
        more = f" and {len(short) - 5} more tasks have too few" if len(short) > 5 else ""
        raise CheckError(
            f"per_instance={wanted} asks for {wanted} different instructions of each task, but "
            f"with instructions={options.instructions!r} {listed}{more}. Ask for fewer, for "
            "per_instance='all', or for another kind of instructions."
        )
    return dict.fromkeys(spoken, wanted)


def _enough_cases(build: Build, counts: Mapping[str, Allotment], options: Options) -> None:
    least = options.num_fewshot + (options.split == "train")
    short = {
        task: build.count(task, "train")
        for task, allotment in counts.items()
        if allotment.samples and build.count(task, "train") < least
    }
    if short:
        listed = ", ".join(f"{task} ({count})" for task, count in short.items())
        raise CheckError(
            f"num_fewshot={options.num_fewshot} shows each instance {options.num_fewshot} others "
            f"of the train split, and these tasks have too few there: {listed}. Build their train "
            f"split, or leave them out: --select 'all {' '.join(f'-{task}' for task in short)}'."
        )
