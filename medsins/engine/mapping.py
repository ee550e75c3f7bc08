"""The map loop: the records of one chunk become validated instances in one chunk file.

Everything around the recipe's own generator works on columns: a record costs a few list appends,
and validation, hashing and the Arrow conversion run once for some thousands of instances.
"""

from __future__ import annotations

import traceback
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import xxhash
from pydantic import ValidationError

from medsins.engine.chunks import ChunkWriter
from medsins.engine.plan import Chunk
from medsins.engine.receipts import Counts
from medsins.errors import CorruptFileError, MedsinsError, RecordError
from medsins.raw.files import Batch
from medsins.recipe import Recipe, SplitRule, Task, joins_files, method_for
from medsins.registry import recipe as load_recipe
from medsins.schema import COLUMNS
from medsins.taxonomy import SPLITS, Access

TASK_CHARACTERS = 1 << 19
"""Characters of text that are buffered for each task before they are validated and written: few
enough to stay in the cache of a core."""

FLUSH_CHARACTERS = 4 << 20
"""Most characters that are buffered for all tasks together."""

NOTHING = "the recipe yields nothing for it"
NOT_SELECTED = "its tasks are not selected"

_JOINED_BATCH = 512


@dataclass(slots=True)
class Buffer:
    """The examples of one task and split that are not written yet, as columns."""

    task: Task
    split: str
    outputs: frozenset[str]
    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    references: list[Any] = field(default_factory=list)
    record: list[str] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    """Number of the record that each example came from, counted over the chunk."""

    def _columns(self) -> tuple[list[Any], ...]:
        return self.input, self.output, self.references, self.record, self.owner

    def clear(self) -> None:
        """Forget the examples."""
        for column in self._columns():
            column.clear()

    def without(self, owners: set[int]) -> None:
        """Forget the examples of some records."""
        kept = [i for i, owner in enumerate(self.owner) if owner not in owners]
        for column in self._columns():
            column[:] = [column[i] for i in kept]


def map_chunk(chunk: Chunk, raw_root: Path, folder: Path) -> Counts:
    """Map one chunk and write it, its rejects and its receipt into a folder.

    Args:
        chunk: What to map.
        raw_root: The raw root.
        folder: Where chunk files go.

    Returns:
        What became of its records, as in the receipt on disk.

    Raises:
        CorruptFileError: A raw file cannot be read to its end.
        MissingFilesError: A raw file does not exist any more.
        OutputError: The chunk cannot be written.
    """
    cls = load_recipe(chunk.recipe)
    recipe = cls(raw_root)
    recipe.prepare(chunk.file_set, [cls.tasks[name] for name in chunk.tasks])
    with ChunkWriter(folder, chunk) as writer:
        mapper = Mapper(recipe, chunk, writer)
        mapper.run(_batches(recipe, chunk))
        writer.finish(mapper.counts)
    return mapper.counts


def _batches(recipe: Recipe, chunk: Chunk) -> Iterator[Batch]:
    batches = _joined(recipe, chunk) if joins_files(type(recipe)) else _read(recipe, chunk)
    return _first(batches, chunk.options.limit) if chunk.options.limit is not None else batches


def _read(recipe: Recipe, chunk: Chunk) -> Iterator[Batch]:
    for slice_ in chunk.slices:
        yield from recipe.reader.read(slice_.file, slice_.span)


def _joined(recipe: Recipe, chunk: Chunk) -> Iterator[Batch]:
    files = [slice_.file for slice_ in chunk.slices]
    records = recipe.records(files, chunk.split)
    name = files[0].name if len(files) == 1 else f"{files[0].name} and others"
    row = 0
    while True:
        try:
            several = list(islice(records, _JOINED_BATCH))
        except RecordError as error:
            raise _failed_join(recipe, name, row, error) from error
        except MedsinsError:
            raise
        except Exception as error:
            raise _failed_join(recipe, name, row, _as_record_error(error)) from error
        if not several:
            break
        yield Batch(name, several, range(row + 1, row + len(several) + 1))
        row += len(several)
    for file, number, wrong in recipe.unreadable:
        yield Batch(file, [], [], [(number, wrong)])


def _failed_join(recipe: Recipe, files: str, row: int, error: RecordError) -> CorruptFileError:
    """Return the error of a recipe that cannot join its files, without text of records."""
    return CorruptFileError(
        f"{recipe.name}: its files ({files}) cannot be joined after {row} records: {error}. Check "
        "that they are whole and belong together."
    )


def _first(batches: Iterable[Batch], limit: int) -> Iterator[Batch]:
    """Yield batches until `limit` records are out."""
    left = limit
    for batch in batches:
        if left <= 0:
            return
        taken = batch.records[:left]
        bad = batch.bad[: left - len(taken)]
        left -= len(taken) + len(bad)
        yield Batch(batch.file, taken, batch.rows[: len(taken)], bad, batch.origin)


class Mapper:
    """Runs a recipe over batches of records.

    Args:
        recipe: The recipe, with its raw root.
        chunk: The chunk being mapped.
        writer: Where finished columns and rejects go.
    """

    def __init__(self, recipe: Recipe, chunk: Chunk, writer: ChunkWriter) -> None:
        self.counts = Counts()
        self._recipe = recipe
        self._chunk = chunk
        self._writer = writer
        self._method: Callable[[Any], Iterable[Any]] = method_for(recipe, chunk.file_set)
        wanted = [type(recipe).tasks[name] for name in chunk.tasks]
        splits = [chunk.options.split] if chunk.options.split else list(SPLITS)
        self._buffers = {
            task: {split: Buffer(task, split, task.outputs) for split in splits} for task in wanted
        }
        self._all = [buffer for by_split in self._buffers.values() for buffer in by_split.values()]
        self._assign = split_assigner(type(recipe).split, chunk.options.seed)
        # Recipes may leave out tasks that are not requested: then a record without instances may
        # be one of those tasks only.
        whole = len(wanted) == len(type(recipe).tasks)
        self._nothing = NOTHING if whole else NOT_SELECTED
        self._size = 0
        self._enough = min(FLUSH_CHARACTERS, len(wanted) * TASK_CHARACTERS)
        # The batches whose examples are in the buffers: number of records before it, file, origin,
        # rows. They tell the rejects file where a record came from.
        self._buffered: list[tuple[int, str, str, Sequence[int]]] = []

    def run(self, batches: Iterable[Batch]) -> None:
        """Map all batches and write what comes out."""
        for batch in batches:
            for row, error in batch.bad:
                self.counts.records += 1
                self._reject(batch.file, f"{batch.origin}{row}", error)
            self._map(batch)
            if self._size >= self._enough:
                self._flush()
        self._flush()

    def _map(self, batch: Batch) -> None:
        method, buffers, counts = self._method, self._buffers, self.counts
        assign, file_split = self._assign, self._chunk.split
        file, origin = batch.file, batch.origin
        place = f"{file}#"
        number, size, nothing = counts.records, self._size, self._nothing
        self._buffered.append((number, file, origin, batch.rows))
        silent = 0
        for row, record in zip(batch.rows, batch.records, strict=True):
            number += 1
            try:
                items = list(method(record))
            except RecordError as error:
                self._reject(file, f"{origin}{row}", error)
                continue
            except MedsinsError:
                raise
            except Exception as error:  # noqa: BLE001 - a record may break a recipe in any way
                self._reject(file, f"{origin}{row}", _as_record_error(error))
                continue
            if not items:
                silent += 1
                continue
            given = 0
            reason = nothing
            skips: list[str] | None = None
            for item in items:
                if item.__class__ is not tuple:
                    skips = skips or []
                    skips.append(str(item))
                    continue
                task, text, output, references, key, group, split = item
                by_split = buffers.get(task)
                if by_split is None:
                    reason = NOT_SELECTED
                    continue
                where = f"{place}{key}" if key else f"{place}{origin}{row}"
                split = file_split or split or assign(group or key or where)
                buffer = by_split.get(split)
                if buffer is None:
                    reason = _split_reason(split)
                    continue
                buffer.input.append(text)
                buffer.output.append(output)
                buffer.references.append(references or None)
                buffer.record.append(where)
                buffer.owner.append(number)
                given += 1
                try:
                    size += len(text) + len(output)
                except TypeError:
                    continue  # Validation says what is wrong with what has no length.
            if given:
                counts.with_instances += 1
                counts.instances += given
                if skips:
                    counts.partly_skipped.update(skips)
            else:
                counts.skipped[skips[0] if skips else reason] += 1
        counts.records += len(batch.records)
        if silent:
            counts.skipped[nothing] += silent
        self._size = size

    def _flush(self) -> None:
        """Validate and write what is buffered; a record with one bad example is rejected whole."""
        columns: dict[int, Any] = {}
        wrong: dict[int, RecordError] = {}
        for i, buffer in enumerate(self._all):
            if buffer.input:
                columns[i] = _validated(buffer, wrong)
        if wrong:
            for owner, error in wrong.items():
                self._reject(*self._place(owner), error)
            owners = set(wrong)
            for i in columns:
                buffer = self._all[i]
                before = len(buffer.owner)
                buffer.without(owners)
                self.counts.instances -= before - len(buffer.owner)
                columns[i] = _validated(buffer, {}) if buffer.input else None
            self.counts.with_instances -= len(owners)
        self._writer.write(
            (self._all[i].task, self._all[i].split, valid)
            for i, valid in columns.items()
            if valid is not None
        )
        for i in columns:
            self._all[i].clear()
        self._buffered.clear()
        self._size = 0

    def _place(self, owner: int) -> tuple[str, str]:
        """Return the file and the row of a record that has examples in the buffers."""
        index = bisect_left(self._buffered, owner, key=itemgetter(0)) - 1
        before, file, origin, rows = self._buffered[index]
        return file, f"{origin}{rows[owner - before - 1]}"

    def _reject(self, file: str, row: str, error: RecordError) -> None:
        self.counts.rejected[str(error)] += 1
        reject = {
            "recipe": self._recipe.name,
            "file": file,
            "row": row,
            "field": error.field,
            "reason": error.reason,
        }
        if self._recipe.access is Access.OPEN and error.detail:
            reject["detail"] = error.detail[:1000]
        self._writer.reject(reject)


def _validated(buffer: Buffer, wrong: dict[int, RecordError]) -> Any:
    """Return a buffer's validated columns; add the records of invalid examples to `wrong`."""
    columns = {
        "input": buffer.input,
        "output": buffer.output,
        "references": buffer.references,
        "record": buffer.record,
    }
    if any(buffer.references):
        columns["references"] = [
            _references(output, references)
            for output, references in zip(buffer.output, buffer.references, strict=True)
        ]
    valid: Any = None
    try:
        valid = COLUMNS.validate_python(columns)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            name, row = one["loc"][0], int(one["loc"][1])
            field_name = str(name)
            message = str(one["msg"])
            if one["type"] in ("string_too_short", "string_pattern_mismatch"):
                message = "is empty"
            refused = RecordError(message, field=f"{buffer.task.name}.{field_name}")
            wrong.setdefault(buffer.owner[row], refused)
    if buffer.outputs and not buffer.outputs.issuperset(map(str, buffer.output)):
        for owner, output in zip(buffer.owner, buffer.output, strict=True):
            if output not in buffer.outputs:
                refused = RecordError(
                    "output is none of the task's labels",
                    field=f"{buffer.task.name}.output",
                    detail=repr(output),
                )
                wrong.setdefault(owner, refused)
    return valid


def _references(output: str, references: Any) -> Any:
    """Return all acceptable outputs without repeats, `output` first; None if it is the only one."""
    if not references or isinstance(references, str):
        return references or None
    listed = list(dict.fromkeys([output, *references]))
    return listed if len(listed) > 1 else None


def _as_record_error(error: Exception) -> RecordError:
    """Return where in the recipe an exception came from; its own text may quote the record."""
    frames = traceback.extract_tb(error.__traceback__)
    methods = ("instances", "records")
    inside = [frame for frame in frames if frame.name.startswith(methods)] or list(frames)
    reason = f"{type(error).__name__} in {inside[-1].name}(), line {inside[-1].lineno}"
    return RecordError(reason, detail=str(error))


def _split_reason(split: str) -> str:
    return f"its split, {split}, is not selected" if split in SPLITS else f"no split is {split!r}"


def split_assigner(rule: SplitRule, seed: int) -> Callable[[str], str]:
    """Return the function from group to split: XXH3-64 of seed and group, as a share of 2**64."""
    train = int(rule.train * 2**64)
    validation = int((rule.train + rule.validation) * 2**64)
    digest = xxhash.xxh3_64_intdigest

    def assign(group: str) -> str:
        # Keys come from raw files unchecked; validation rejects lone surrogates later.
        place = digest(f"{seed}\0{group}".encode("utf-8", "surrogatepass"))
        if place < train:
            return "train"
        return "validation" if place < validation else "test"

    return assign
