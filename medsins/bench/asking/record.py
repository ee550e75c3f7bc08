"""What `run.json` says of a run: whom was asked what, and how much of it was answered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from medsins.errors import InvalidFileError
from medsins.io.files import dump, write_atomically
from medsins.io.structured import MalformedError, from_json

FILE = "run.json"


@dataclass(frozen=True)
class TaskRecord:
    """How far a task came.

    Attributes:
        items: SHA-256 of its questions.
        asked: How many there are.
        answered: How many of them have an answer.
    """

    items: str
    asked: int
    answered: int


@dataclass(frozen=True)
class RunRecord:
    """What shaped a run, and what came of it.

    Attributes:
        model: Name of the model.
        medsins: Version of the library that asked.
        benchmark: Digest of the benchmark.
        tasks: How far each task came.
        left_out: Why tasks of the selection were not asked.
        num_fewshot: Few-shot examples in a prompt; None for what the benchmark asks for.
        seed: By which few-shot examples were drawn.
        temperature: Of the sampling.
        max_answer_tokens: Most tokens of an answer.
        max_prompt_tokens: Most tokens of a prompt with examples.
        complete: Whether every question has an answer.
    """

    model: str
    medsins: str
    benchmark: str
    tasks: dict[str, TaskRecord]
    left_out: dict[str, str]
    num_fewshot: int | None
    seed: int
    temperature: float
    max_answer_tokens: int
    max_prompt_tokens: int
    complete: bool

    def write(self, folder: Path) -> None:
        """Write it into the folder of the run."""
        write_atomically(folder / FILE, dump(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> RunRecord | None:
        """Return the record of a run; None if the folder has none.

        Raises:
            InvalidFileError: It is not one that this library writes.
        """
        path = folder / FILE
        try:
            return from_json(cls, json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (MalformedError, ValueError, RecursionError) as error:
            raise InvalidFileError(
                f"{path} is not one that this version of medsins writes: {error}. Ask again "
                "into a new folder: `medsins bench run … --out`."
            ) from error
