"""`bench check-submission`: is a file what a leaderboard takes, and if so, the entry for it.

Every problem is listed at once, with its place; nothing of what rows say is repeated, since rows of
the published layout hold texts of sources. An entry is written only for a file without problems:

entry.json   what was handed in (name, size, SHA-256), counts, and `results` in the layout of a
             results file, without any text of questions or answers
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from medsins.bench.scoring.predictions import (
    PUBLISHED_COLUMNS,
    Prediction,
    Predictions,
    join,
    read_predictions,
)
from medsins.bench.scoring.results import Results
from medsins.bench.suite.benchmark import Benchmark, Item
from medsins.errors import InvalidFileError
from medsins.io.files import dump, write_atomically, writing

ENTRY = "entry.json"

VERSION = "1"
"""Version of the layout of an entry."""

_LISTED = 50
_SHOWN = 5
_CELL = 2**31 - 1


@dataclass(frozen=True)
class Submission:
    """What `check_submission` found.

    Attributes:
        path: The file.
        benchmark: Digest of the benchmark that it was held against.
        model: Name of the model; "" if it is not known.
        problems: Why it is not a submission, each with its place; none if it is one.
        counts: Rows by task, as far as they could be told.
        results: The scores; None if there are problems.
        entry: The entry; None if there are problems.
    """

    path: Path
    benchmark: str
    model: str
    problems: tuple[str, ...]
    counts: dict[str, int]
    results: Results | None = None
    entry: Path | None = None


def check_submission(
    path: str | os.PathLike[str],
    benchmark: str | os.PathLike[str] = "medsins-bench",
    *,
    model: str = "",
    out: str | os.PathLike[str] | None = None,
    partial: bool = False,
) -> Submission:
    """Check a file of predictions against a benchmark, and write its leaderboard entry.

    A submission answers every question once: a row for each, blank where the model said nothing.

    Args:
        path: JSON Lines or CSV with `id` and `prediction`, or a CSV in the published layout.
        benchmark: The benchmark folder.
        model: Name of the model; default: what the file says.
        out: Folder of the entry, or its path if it ends in ".json"; default: beside the file.
        partial: Allow tasks to be absent, each as a whole; the entry says which are there.

    Returns:
        The problems, or the entry; nothing is written if there are problems.

    Raises:
        MissingFilesError: The folder holds no benchmark.
        InvalidFileError: The benchmark was changed since it was built.
        MissingExtraError: A package that a metric needs is not installed.
        OutputError: The entry cannot be written.
    """
    path = Path(path).expanduser()
    bench = Benchmark(benchmark)
    questions = [item for task in bench.tasks for item in bench.items(task)]
    try:
        read = read_predictions(path)
    except InvalidFileError as error:
        listed = tuple(_all_problems(path)) or (str(error),)
        return Submission(path, bench.digest, model, listed, {})
    named = model or read.model
    problems, counts = _against(read, questions, partial)
    problems += _naming(model, read)
    if problems:
        return Submission(path, bench.digest, named, tuple(problems), counts)
    from medsins.bench.scoring.grading import score

    scored = score(path, benchmark, model=named, paper=False, partial=partial)
    tasks = {
        name: task.model_copy(update={"misses": []}) for name, task in scored.results.tasks.items()
    }
    results = scored.results.model_copy(update={"tasks": tasks})
    entry = _place(path, out)
    with writing(entry.parent):
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(entry, dump(_entry(path, results, counts)))
    return Submission(path, bench.digest, named, (), counts, results, entry)


def _place(path: Path, out: str | os.PathLike[str] | None) -> Path:
    if out is None:
        return path.with_name(f"{path.stem}.{ENTRY}")
    out = Path(out).expanduser()
    return out if out.suffix == ".json" else out / ENTRY


def _entry(path: Path, results: Results, counts: dict[str, int]) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "version": VERSION,
        "model": results.model,
        "benchmark": results.benchmark,
        "file": {"name": path.name, "bytes": path.stat().st_size, "sha256": digest},
        "counts": {
            "tasks": len(results.tasks),
            "rows": sum(counts.values()),
            "blank": sum(task.n_empty for task in results.tasks.values()),
            "by_task": counts,
        },
        "results": results.model_dump(),
    }


def _naming(model: str, read: Predictions) -> list[str]:
    if model and read.model and model != read.model:
        return [f"the file names its model otherwise than --model ({_quoted(model)})"]
    if not (model or read.model).strip():
        return ["the model is not named: add the column 'model' to the file, or give --model NAME"]
    return []


def _against(
    read: Predictions, questions: Sequence[Item], partial: bool
) -> tuple[list[str], dict[str, int]]:
    """Hold rows against questions, and return the problems and the rows by task."""
    # `join` says which text answers a question; here the text is the number of the row.
    numbered = tuple(replace(row, text=str(place)) for place, row in enumerate(read.rows))
    joined = join(replace(read, rows=numbered), questions, partial=True)
    used = [read.rows[int(one.prediction)] for one in joined.answers if not one.missing]
    counts = dict(Counter(one.task for one in joined.answers if not one.missing))
    lines = {row.line for row in used}
    answered = {_key(row) for row in used}
    others = [row for row in read.rows if row.line not in lines]
    repeated = [row for row in others if _key(row) in answered]
    extra = [row for row in others if _key(row) not in answered]
    problems = []
    if extra:
        problems.append(
            f"{_lines(extra)}: {_many(extra, 'row')} of no question of this benchmark; it may be "
            "another version or subset"
        )
    if repeated:
        problems.append(
            f"{_lines(repeated)}: {_many(repeated, 'row')} for a question that an earlier row "
            "answers"
        )
    asked = Counter(question.task for question in questions)
    missing: dict[str, list[str]] = {}
    for one in joined.answers:
        if one.missing:
            missing.setdefault(one.task, []).append(one.id)
    for task, total in asked.items():
        if task in joined.left_out:
            if not partial:
                problems.append(f"{task}: no rows, {total:,} are due")
        elif task in missing:
            problems.append(
                f"{task}: {counts.get(task, 0):,} of {total:,} rows; missing are "
                f"{_some(missing[task])}"
            )
    if partial and not counts and not problems:
        problems.append("no row answers a question of this benchmark")
    return problems, counts


def _key(row: Prediction) -> tuple[str, str, int]:
    return row.id, row.task, row.question


def _many(rows: Sequence[Any], what: str) -> str:
    return f"{len(rows):,} {what}{'' if len(rows) == 1 else 's'}"


def _lines(rows: Sequence[Prediction]) -> str:
    return f"line{'' if len(rows) == 1 else 's'} {_some([f'{row.line:,}' for row in rows])}"


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _all_problems(path: Path) -> Iterator[str]:
    """Yield what is wrong with each line of a file that `read_predictions` refuses.

    It stops at the first line that it cannot use. Nothing is yielded where no line is to blame:
    the file is not there, empty or misencoded.
    """
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return
    if not text.strip():
        return
    found = _json_problems(text) if text.lstrip().startswith("{") else _csv_problems(text)
    problems = list(islice(found, _LISTED + 1))
    yield from problems[:_LISTED]
    if len(problems) > _LISTED:
        yield f"and more; the first {_LISTED} are listed"


def _json_problems(text: str) -> Iterator[str]:
    models: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield f"line {number:,}: not valid JSON ({error.msg}, column {error.colno})"
            continue
        if not isinstance(row, dict):
            yield f"line {number:,}: not a JSON object"
            continue
        for name in ("id", "prediction"):
            if name not in row:
                yield f"line {number:,}: no {name!r}"
            elif not isinstance(row[name], str) and not (
                name == "prediction" and row[name] is None
            ):
                yield f"line {number:,}: {name!r} is not text in quotes"
        if row.get("model"):
            models.setdefault(str(row["model"]), number)
    yield from _model_problems(models)


def _csv_problems(text: str) -> Iterator[str]:
    before = csv.field_size_limit(_CELL)
    try:
        yield from _table_problems(csv.reader(io.StringIO(text, newline=""), strict=True))
    finally:
        csv.field_size_limit(before)


def _table_problems(reader: Any) -> Iterator[str]:
    models: dict[str, int] = {}
    line = 1
    try:
        names = [name.strip() for name in next(row for row in reader if row)]
        yield from _header_problems(names)
        line = reader.line_num + 1
        for row in reader:
            if row and len(row) != len(names):
                yield f"line {line:,}: {len(row)} cells, but the header has {len(names)}"
            elif row:
                name = dict(zip(names, row, strict=True)).get("model")
                if name:
                    models.setdefault(name, line)
            line = reader.line_num + 1
    except csv.Error as error:
        yield f"line {line:,}: not valid CSV from the row on that begins here ({error})"
    yield from _model_problems(models)


def _header_problems(names: Sequence[str]) -> Iterator[str]:
    places = [place for place, name in enumerate(names, 1) if names.index(name) != place - 1]
    if places:
        yield f"header: column {_some(map(str, places))} has the name of an earlier one"
    if {"id", "prediction"} <= set(names):
        return
    published = [name for name in PUBLISHED_COLUMNS if name not in names]
    if published:
        wanted = [name for name in ("id", "prediction") if name not in names]
        yield (
            f"header: no column {' and no '.join(map(repr, wanted))}; the published layout lacks "
            f"{', '.join(map(repr, published))}"
        )


def _model_problems(models: dict[str, int]) -> Iterator[str]:
    if len(models) > 1:
        yield (
            f"lines {_some(f'{line:,}' for line in models.values())}: {len(models)} names of "
            "models; a submission is of one"
        )
