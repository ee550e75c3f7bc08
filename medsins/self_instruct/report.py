"""The measures of a set of wordings: repeats, leaks, broken constraints, variety.

The table is that of the published rewrites of MedS-Ins (`RewriteDefinitions.json`), and the
targets are what a set of ours has to reach. Repeats, their ROUGE-L and the measures of variety are
exact; what is a leak, an executed task, a demand or a broken constraint is for our own detectors
to say (`medsins.instructions.filters`), so their counts on the published file are lower bounds, as
by-eye counts are. Only counts are printed, and no wording unless examples are asked for.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from medsins.errors import InvalidFileError, MissingFilesError
from medsins.instructions.constraints import HARD, Constraint, derive
from medsins.instructions.spec import InstructionSpec
from medsins.instructions.wordings import wordings
from medsins.registry import resolve, tasks
from medsins.self_instruct.tally import Measured, Row, Tally

if TYPE_CHECKING:
    from medsins.recipe import Task

Sets: TypeAlias = "list[tuple[str, Measured]]"
"""Names of tasks with their wordings."""


@dataclass(frozen=True)
class Report:
    """The measures of a set of wordings.

    Attributes:
        source: What was measured.
        rows: The measures of all of it.
        tasks: The measures of each task.
        examples: Wordings with their faults, where they were asked for: (task, reason, text).
    """

    source: str
    rows: tuple[Row, ...]
    tasks: Mapping[str, tuple[Row, ...]]
    examples: tuple[tuple[str, str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every target is reached."""
        return all(row.ok is not False for row in self.rows)

    def __getitem__(self, name: str) -> float:
        """Return the value of a measure of the whole set."""
        return next(row.value for row in self.rows if row.name == name)

    def text(self, *, by_task: bool = False) -> str:
        """Return the report as a table, and one for each task if wanted."""
        parts = [_table(self.source, self.rows)]
        if by_task:
            parts.extend(_table(name, rows) for name, rows in self.tasks.items())
        parts.extend(f"{task}: {reason}\n  {text}" for task, reason, text in self.examples)
        return "\n\n".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as what JSON can say."""
        return {
            "source": self.source,
            "ok": self.ok,
            "rows": [asdict(row) for row in self.rows],
            "tasks": {name: [asdict(row) for row in rows] for name, rows in self.tasks.items()},
            "examples": [list(example) for example in self.examples],
        }


def _table(title: str, rows: Sequence[Row]) -> str:
    names = max(len(row.name) for row in rows)
    lines = [title]
    for row in rows:
        value = f"{row.value:,}" if isinstance(row.value, int) else f"{row.value:.3f}"
        verdict = {True: "ok", False: "NOT", None: ""}[row.ok]
        target = f"{verdict:>3} {row.target}" if row.target else ""
        lines.append(f"  {row.name:<{names}}  {value:>10}  {target:<16}  {row.note}".rstrip())
    return "\n".join(lines)


def report(source: str | os.PathLike[str], *, examples: int = 0) -> Report:
    """Measure a set of wordings.

    Args:
        source: The published `RewriteDefinitions.json`; a folder of expanded instructions
            (`<task>.jsonl`) or one of its files; "seeds" for all seed prompts, or a selector of
            tasks for theirs.
        examples: How many wordings with a fault to show of each kind.

    Raises:
        MissingFilesError: The folder holds no expanded instructions.
        InvalidFileError: A file is not one of these.
        UnknownNameError: There is no such task, and no such file.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        sets = _expanded(sorted(path.glob("*.jsonl")), path)
    elif path.suffix == ".jsonl":
        sets = _expanded([path], path)
    elif path.suffix == ".json":
        sets = _published(path)
    else:
        selected = "all" if os.fspath(source) == "seeds" else os.fspath(source)
        sets = [
            (task.name, Measured(task.spec, tuple(task.seeds)))
            for task in resolve(selected).tasks
            if task.seeds
        ]
    return Report(
        os.fspath(source),
        tuple(Tally(sets).rows()),
        {one[0]: tuple(Tally([one]).rows()) for one in sets},
        tuple(_examples(sets, examples)),
    )


def _expanded(paths: Sequence[Path], where: Path) -> Sets:
    known = {task.name: task for task in tasks()}
    found = [path for path in paths if path.stem in known]
    if not found:
        raise MissingFilesError(
            f"{where} holds no expanded instructions: there is no file <task>.jsonl of a task in "
            "it. Make some with `medsins expand`, or name the folder where they lie."
        )
    sets = []
    for path in found:
        task = known[path.stem]
        texts = tuple(one.text for one in wordings(task, "expanded", path.parent))
        sets.append((task.name, Measured(task.spec, texts, tuple(task.seeds))))
    return sets


def _published(path: Path) -> Sets:
    """Return the wordings of the published file; tasks are matched with ours by their number."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        listed = [
            (name, str(entry["original_def"]), tuple(map(str, entry["auto_rewrite_def"])))
            for name, entry in document.items()
        ]
    except FileNotFoundError as error:
        raise MissingFilesError(f"{path} is not there.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidFileError(
            f"{path} is not laid out as RewriteDefinitions.json: an object of tasks, each with "
            "original_def and auto_rewrite_def."
        ) from error
    ours = {task.legacy_id: task for task in tasks() if task.legacy_id}
    # Many of the published lists are copies of one another: each is measured once.
    known: dict[tuple[str, tuple[Constraint, ...], tuple[str, ...]], Measured] = {}
    sets = []
    for name, definition, texts in listed:
        spec = _published_spec(name, definition, ours.get(name))
        key = (definition, spec.constraints, texts)
        sets.append((name, known.setdefault(key, Measured(spec, texts))))
    return sets


def _published_spec(name: str, definition: str, task: Task | None) -> InstructionSpec:
    """Return what the rewrites of a published definition are held to.

    That is what our rules derive from it, and the labels and strings that our task of the same
    number declares, as far as the published definition has them and they concern the form of the
    answer. What else our definition says does not concern them.
    """
    ours = task.spec.all_constraints if task else ()
    strings = [one for one in ours if one.exact and one.kind in ("label", "required")]
    held: dict[str, Constraint] = {}
    for one in [*derive(definition), *strings]:
        if one.kind in HARD and one.kept(definition):
            held.setdefault("|".join(one.any_of), one)
    return InstructionSpec(name=name, definition=definition, given=tuple(held.values()))


def _examples(sets: Sets, most: int) -> Iterator[tuple[str, str, str]]:
    shown: Counter[str] = Counter()
    for name, one in sets if most else []:
        for text, found in zip(one.texts, one.hits, strict=True):
            for hit in found:
                if shown[hit.reason] < most:
                    shown[hit.reason] += 1
                    yield name, f"{hit.reason}: {hit.detail}", text
