"""Reading what a model answered, and joining it with what it was asked.

Two layouts. JSON Lines: {"id": ..., "prediction": ...} and whatever else, such as "model". CSV:
`id,prediction`, or the published `task_id,input,GT,output`, which has no ids; its rows are found by
task, input and reference. Everything is text: "NA", "None" and "null" are answers.

Of a prompt only a hash is kept, so memory does not grow with prompts.
"""

from __future__ import annotations

import codecs
import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TextIO

import orjson
import xxhash

from medsins.errors import InvalidFileError

PUBLISHED_COLUMNS = ("task_id", "input", "GT", "output")
"""Columns of the authors' own files."""

_SHOWN = 5
_CELL = 2**31 - 1
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of a model.

    Attributes:
        id: Id of the instance; "" in the published layout.
        text: The answer.
        line: Where its row begins in the file, counted from 1.
        task: Number or name of its task in the published layout.
        question: Hash of its input and reference in the published layout.
    """

    id: str
    text: str
    line: int
    task: str = ""
    question: int = 0


@dataclass(frozen=True)
class Predictions:
    """All answers in a file.

    Attributes:
        path: The file.
        rows: The answers, in their order.
        model: The model that the file names; "" if it names none.
    """

    path: Path
    rows: tuple[Prediction, ...]
    model: str = ""


class Question(Protocol):
    """What a model was asked: an item of a benchmark folder, or an instance of a build."""

    @property
    def id(self) -> str:
        """Id of its instance."""

    @property
    def task(self) -> str:
        """Name of its task."""

    @property
    def input(self) -> str:
        """What the model reads."""

    @property
    def references(self) -> Sequence[str]:
        """Acceptable answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer beside what it is judged by.

    Attributes:
        id: Id of the instance.
        task: Name of its task.
        prediction: What the model said; "" if its row is missing.
        references: Acceptable answers, at least one.
        input: What the model read.
        language: ISO 639-1 code of the answer; "" for that of the task.
        missing: Whether the file had no row for it.
    """

    id: str
    task: str
    prediction: str
    references: tuple[str, ...]
    input: str = ""
    language: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Joined:
    """Predictions and questions, put together.

    Attributes:
        answers: One for each question, in the order of the questions.
        missing: Ids of questions without a row; they are scored as blank.
        extra: Rows that belong to no question; only with `partial`.
        repeated: Rows for a question that an earlier row answers; only with `partial`.
        left_out: Tasks without any row; only with `partial`.
    """

    answers: tuple[Answer, ...]
    missing: tuple[str, ...] = ()
    extra: int = 0
    repeated: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def problems(self) -> list[str]:
        """What the user has to know, in plain sentences."""
        said = []
        if self.missing:
            first = _listed(self.missing)
            said.append(f"rows missing, scored as blank: {len(self.missing):,} ({first})")
        if self.extra:
            said.append(f"rows of no question, passed over: {self.extra:,}")
        if self.repeated:
            said.append(f"rows that answer a question again, passed over: {self.repeated:,}")
        if self.left_out:
            said.append(f"tasks without any row, not scored: {', '.join(self.left_out)}")
        return said


def read_predictions(path: str | os.PathLike[str]) -> Predictions:
    """Read a file of predictions: JSON Lines or CSV, in UTF-8, or UTF-16 with a byte order mark.

    Args:
        path: The file; what is in it decides on the format.

    Raises:
        InvalidFileError: It is not there, not text, of neither format, lacks columns, or names
            several models.
    """
    path = Path(path).expanduser()
    try:
        with path.open("rb") as raw:
            encoding = _encoding(raw.read(4))
        with path.open(encoding=encoding, newline="") as file:
            first = _first_character(file)
            if not first:
                raise InvalidFileError(f"{path} is empty. Run the model again.")
            file.seek(0)
            if first == "{":
                models, rows = _read_json_lines(path, file)
            else:
                models, rows = _read_csv(path, file)
    except UnicodeDecodeError:
        raise InvalidFileError(_misencoded(path, encoding)) from None
    except FileNotFoundError as error:
        raise InvalidFileError(f"{path} is not there. Look at the path.") from error
    except OSError as error:
        raise InvalidFileError(f"{path} cannot be read: {error.strerror}.") from error
    if len(models) > 1:
        raise InvalidFileError(
            f"{path} holds predictions of {len(models)} models: {_listed(sorted(models))}. "
            "Give each its own file."
        )
    return Predictions(path, tuple(rows), "".join(models))


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _first_character(file: TextIO) -> str:
    while chunk := file.read(4096):
        if stripped := chunk.lstrip():
            return stripped[0]
    return ""


def _misencoded(path: Path, encoding: str) -> str:
    """Say where a file stops being what its encoding says, counted in bytes and lines."""
    decoder = codecs.getincrementaldecoder(encoding)()
    place, line = 0, 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            held = len(decoder.getstate()[0])
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "replace")
                line += good.count("\n")
                place += error.start - held
                break
            place += len(chunk)
    name = "UTF-16" if encoding == "utf-16" else "UTF-8"
    return f"{path} is not {name} at byte {place:,}, line {line:,}. Save it as UTF-8 and try again."


def _read_json_lines(path: Path, file: TextIO) -> tuple[set[str], list[Prediction]]:
    models: set[str] = set()
    rows: list[Prediction] = []
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidFileError(
                f"{path}, line {number:,}: not valid JSON ({error.msg}, column {error.colno}). "
                "Each line has to be one object."
            ) from None
        if not isinstance(row, dict):
            raise InvalidFileError(f"{path}, line {number:,}: not a JSON object.")
        missing = [name for name in ("id", "prediction") if name not in row]
        if missing:
            raise InvalidFileError(
                f"{path}, line {number:,}: no {' and no '.join(map(repr, missing))}; it has "
                f"{_listed(row)}. Each line needs 'id' and 'prediction'."
            )
        # A model that gave nothing is written as null by some; that is not an answer.
        said = "" if row["prediction"] is None else row["prediction"]
        if not isinstance(said, str) or not isinstance(row["id"], str):
            raise InvalidFileError(
                f"{path}, line {number:,}: 'id' and 'prediction' have to be text in quotes."
            )
        if row.get("model"):
            models.add(str(row["model"]))
        rows.append(Prediction(row["id"], said, number))
    return models, rows


def _lines(file: TextIO) -> Iterator[str]:
    # Opened for CSV, the file would also end lines at a carriage return alone.
    file.reconfigure(newline="\n")  # type: ignore[attr-defined]
    yield from file


def _read_csv(path: Path, file: TextIO) -> tuple[set[str], list[Prediction]]:
    before = csv.field_size_limit(_CELL)
    try:
        return _csv_rows(path, csv.reader(file, strict=True))
    finally:
        csv.field_size_limit(before)


def _csv_rows(path: Path, reader: Any) -> tuple[set[str], list[Prediction]]:
    models: set[str] = set()
    rows: list[Prediction] = []
    line = 1
    try:
        header = next(row for row in reader if row)
        names = [name.strip() for name in header]
        by_id = _columns(path, names)
        line = reader.line_num + 1
        for row in reader:
            if row and len(row) != len(names):
                raise InvalidFileError(
                    f"{path}, line {line:,}: {len(row)} cells, but the header has {len(names)}. "
                    "Cells with commas, quotes or line breaks have to be in quotes."
                )
            if row:
                cells = dict(zip(names, row, strict=True))
                if cells.get("model"):
                    models.add(cells["model"])
                rows.append(_csv_prediction(cells, by_id, line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidFileError(
            f"{path}, in the row that begins at line {line:,}: not valid CSV ({error})."
        ) from None
    return models, rows


def _columns(path: Path, names: list[str]) -> bool:
    """Return whether rows have ids; the alternative is the published layout."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidFileError(f"{path} has a column twice: {_listed(twice)}.")
    if {"id", "prediction"} <= set(names):
        return True
    missing = [name for name in PUBLISHED_COLUMNS if name not in names]
    if missing:
        raise InvalidFileError(
            f"{path} lacks the columns {', '.join(missing)}; it has {_listed(names)}. Needed are "
            f"'id' and 'prediction', or the published {', '.join(PUBLISHED_COLUMNS)}."
        )
    return False


def _csv_prediction(cells: dict[str, str], by_id: bool, line: int) -> Prediction:
    if by_id:
        return Prediction(cells["id"], cells["prediction"], line)
    hashed = _question(cells["input"], cells["GT"])
    return Prediction("", cells["output"], line, cells["task_id"].strip(), hashed)


def _question(text: str, reference: str) -> int:
    """Hash an input and a reference, without white space: tables change it at ends of lines."""
    both = "\x1f".join("".join(part.split()) for part in (asked(text), reference))
    return xxhash.xxh3_64_intdigest(both.encode())


def asked(text: str) -> str:
    """Return the question in a prompt of the published layout, or the whole text if it is none.

    The question stands between the last "Input:" and the "Output:" that ends the prompt, behind
    which there is at most what opens the model's turn.
    """
    head, opening, question = text.rpartition("Input:\n")
    question, closing, rest = question.rpartition("\nOutput:")
    if opening and closing and len(rest) < 100 and (not head or head[-1] == "\n"):
        return question
    return text


def join(
    predictions: Predictions, questions: Iterable[Question], *, partial: bool = False
) -> Joined:
    """Put predictions beside the questions of a benchmark.

    A question without a row is an answer left blank. Ids, or in the published layout task, input
    and reference, have to be those of the benchmark.

    Args:
        predictions: What was read.
        questions: All questions that the file is to answer.
        partial: Pass over rows that are extra or repeated, and leave out tasks without any row.

    Raises:
        InvalidFileError: Rows are extra or repeated.
    """
    asked_for = list(questions)
    by_id = _by_id(predictions, asked_for)
    known = {question.id for question in asked_for}
    found: dict[str, str] = {}
    extra, repeated = [], []
    for row, key in zip(predictions.rows, by_id, strict=True):
        if key not in known:
            extra.append(row)
        elif key in found:
            repeated.append(row)
        else:
            found[key] = row.text
    if not partial:
        _refuse(predictions, extra, repeated)
    present = {question.task for question in asked_for if question.id in found}
    left_out = dict.fromkeys(one.task for one in asked_for if partial and one.task not in present)
    answers = tuple(
        Answer(
            id=one.id,
            task=one.task,
            prediction=found.get(one.id, ""),
            references=tuple(one.references),
            input=one.input,
            missing=one.id not in found,
        )
        for one in asked_for
        if one.task not in left_out
    )
    return Joined(
        answers,
        tuple(answer.id for answer in answers if answer.missing),
        len(extra),
        len(repeated),
        tuple(left_out),
    )


def _by_id(predictions: Predictions, questions: Sequence[Question]) -> list[str]:
    """Return the id of each row; of equal questions, the first row answers the first."""
    if all(row.id for row in predictions.rows):
        return [row.id for row in predictions.rows]
    from medsins.registry import tasks

    number = {one.name: one.benchmark_id for one in tasks() if one.benchmark_id}
    waiting: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in reversed(questions):
        key = _question(one.input, one.references[0])
        waiting[number.get(one.task, one.task), key].append(one.id)
    answered: dict[tuple[str, int], str] = {}
    found = []
    for row in predictions.rows:
        place = number.get(row.task, row.task), row.question
        if row.id:
            found.append(row.id)
            continue
        if waiting.get(place):
            answered[place] = waiting[place].pop()
        found.append(answered.get(place, ""))
    return found


def _refuse(
    predictions: Predictions, extra: Sequence[Prediction], repeated: Sequence[Prediction]
) -> None:
    path = predictions.path
    if extra:
        raise InvalidFileError(
            f"{path}: rows that belong to no question of the benchmark: {len(extra):,} "
            f"({_rows(extra)}). "
            "It may be another version or subset; `--partial` passes them over."
        )
    if repeated:
        raise InvalidFileError(
            f"{path}: rows for a question that an earlier row answers: {len(repeated):,} "
            f"({_rows(repeated)}). `--partial` takes the first."
        )


def _rows(rows: Sequence[Prediction]) -> str:
    return _listed([f"{row.id[:40] or row.task[:40]!r} in line {row.line:,}" for row in rows])


def _listed(names: Iterable[str]) -> str:
    every = [str(name)[:60] for name in names]
    more = len(every) - _SHOWN
    return ", ".join(islice(every, _SHOWN)) + (f" and {more:,} more" if more > 0 else "")
