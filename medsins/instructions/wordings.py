"""The instructions of a task: its definition, its seed prompts or its expansions.

Expansions are in a folder with one `<task>.jsonl` for each task, a row for each instruction with at
least `id` and `text`; `medsins expand` writes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import xxhash

from medsins.errors import CheckError, InvalidFileError, MissingFilesError, UnknownNameError

KINDS = ("definition", "seeds", "expanded")
"""What a user can ask for: the definition alone, the seed prompts, or the expansions."""

EXPANSIONS = "medsins-instructions"
"""Default folder of expansions."""


class Instructed(Protocol):
    """A task, as far as its instructions go."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def source(self) -> str:
        """Name of its recipe."""

    @property
    def definition(self) -> str:
        """Its definition."""

    @property
    def seeds(self) -> list[str]:
        """Its seed prompts."""


@dataclass(frozen=True)
class Wording:
    """One instruction of a task.

    Attributes:
        id: Hex of a 64-bit hash of task and text; samples carry it as `instruction_id`.
        text: The instruction.
        kind: "definition", "seeds" or "expanded".
    """

    id: str
    text: str
    kind: str


def instruction_id(task: str, text: str) -> str:
    """Return the id of an instruction: hex of XXH3-64 over task, a NUL and the text."""
    return xxhash.xxh3_64_hexdigest(f"{task}\0{text}".encode())


def wordings(task: Instructed, kind: str, folder: Path | None = None) -> list[Wording]:
    """Return the instructions of a task, in their order.

    Args:
        task: The task.
        kind: One of `KINDS`.
        folder: Folder of expansions; default: `medsins-instructions`.

    Raises:
        UnknownNameError: There is no such kind.
        CheckError: The kind is "seeds", and the task has none.
        MissingFilesError: The task has no expansions in the folder.
        InvalidFileError: Its file of expansions cannot be read.
    """
    if kind not in KINDS:
        raise UnknownNameError(
            f"instructions={kind!r} is unknown; choose one of {', '.join(KINDS)}."
        )
    if kind == "definition":
        texts = [task.definition]
    elif kind == "seeds":
        texts = task.seeds
        if not texts:
            raise CheckError(
                f"{task.name} has no seed prompts. Use instructions='definition', or write "
                f"seed_prompts/{task.source}.yaml."
            )
    else:
        texts = _expanded(task, folder or Path(EXPANSIONS))
    return [Wording(instruction_id(task.name, text), text, kind) for text in texts]


def _expanded(task: Instructed, folder: Path) -> list[str]:
    path = folder.expanduser() / f"{task.name}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise MissingFilesError(
            f"{path} does not exist: {task.name} has no expanded instructions. Make them with "
            f"`medsins expand {task.name}`, or name the folder that has them."
        ) from error
    texts = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            text = row["text"]
            whole = row["id"] == instruction_id(task.name, text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidFileError(
                f"{path}, line {number}, is not an expanded instruction of {task.name}. Write the "
                f"file again with `medsins expand {task.name}`."
            ) from error
        if not whole:
            raise InvalidFileError(
                f"{path}, line {number}: the id does not match, so the text was changed later. "
                f"Write the file again with `medsins expand {task.name}`."
            )
        texts.append(text)
    if not texts:
        raise InvalidFileError(f"{path} is empty. Run `medsins expand {task.name}` again.")
    return texts
