"""Verifying a build: its files are what the manifest says, and every row is a valid instance."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import jsonschema
import pyarrow as pa
from pyarrow import parquet
from pydantic import TypeAdapter, ValidationError

from medsins.builds.folder import MANIFEST, BuildFolder
from medsins.builds.manifest import Manifest, Shard
from medsins.builds.schemas import json_schemas
from medsins.errors import CorruptBuildError
from medsins.io.progress import progress_bar
from medsins.raw.files import sha256
from medsins.schema import ARROW, CONSTANT, Instance, instance_id

_ROWS = 2048
_MOST_PROBLEMS = 50


@dataclass(frozen=True)
class Verification:
    """What `verify` checked without finding a problem."""

    path: Path
    shards: int
    rows: int
    bytes: int


def verify(path: str | os.PathLike[str], *, progress: bool | None = None) -> Verification:
    """Check a build: manifest, shards' digests and columns, and every row.

    Args:
        path: The build folder.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        IncompleteBuildError: The folder holds no finished build.
        CorruptBuildError: Something differs from what it should be; the message lists all.
    """
    folder = BuildFolder(path)
    manifest = folder.finished()
    problems = list(islice(_problems(folder, manifest, progress), _MOST_PROBLEMS))
    if problems:
        more = " and more" if len(problems) == _MOST_PROBLEMS else ""
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise CorruptBuildError(
            f"{folder.path} is not what its {MANIFEST} says; {len(problems)}{more} problems:"
            f"{listed}\nBuild again with --overwrite, or get the folder again."
        )
    shards = manifest.shards
    return Verification(
        folder.path,
        len(shards),
        sum(shard.rows for shard in shards),
        sum(shard.bytes for shard in shards),
    )


def _problems(folder: BuildFolder, manifest: Manifest, progress: bool | None) -> Iterator[str]:
    validator = jsonschema.Draft202012Validator(json_schemas()["manifest.schema.json"])
    wrong = [
        f"{MANIFEST}: {error.json_path}: {error.message[:200]}"
        for error in validator.iter_errors(manifest.to_json())
    ]
    if wrong:
        yield from wrong
        return
    yield from _accounts(manifest)
    listed = {shard.path for shard in manifest.shards}
    for file in sorted((folder.path / "data").glob("**/*")):
        name = file.relative_to(folder.path).as_posix()
        if file.is_file() and name not in listed:
            yield f"{name} is not in the manifest"
    rows: Counter[tuple[str, str]] = Counter()
    total = sum(shard.bytes for shard in manifest.shards)
    with progress_bar(total, unit="B", desc="verify", progress=progress) as bar:
        for shard in manifest.shards:
            bar.update(shard.bytes)
            rows[shard.task, shard.split] += shard.rows
            yield from _shard(folder.path / shard.path, shard)
    for name, facts in manifest.recipes.items():
        for task, splits in facts.tasks.items():
            for split, count in splits.items():
                if rows[task, split] != count:
                    yield (
                        f"{name}: the manifest counts {count} instances of {task} in {split}, its "
                        f"shards {rows[task, split]}"
                    )


def _accounts(manifest: Manifest) -> Iterator[str]:
    """Check that every record and every instance is accounted for."""
    for name, facts in manifest.recipes.items():
        used = facts.records_with_instances + sum(facts.skipped.values())
        used += sum(facts.rejected.values())
        if facts.records != used:
            yield f"{name}: {facts.records} records were read, but {used} are accounted for"
        kept = facts.written + facts.duplicates
        if facts.instances != kept:
            yield f"{name}: {facts.instances} instances, but {kept} are accounted for"
        counted = sum(sum(splits.values()) for splits in facts.tasks.values())
        if facts.written != counted:
            yield f"{name}: {facts.written} instances written, but {counted} by task"


@cache
def _rows_of() -> TypeAdapter[list[Instance]]:
    return TypeAdapter(list[Instance])


def _shard(path: Path, shard: Shard) -> Iterator[str]:
    name = shard.path
    try:
        digest = sha256(path)
    except OSError as error:
        yield f"{name} cannot be read ({os.strerror(error.errno or 0)})"
        return
    size = path.stat().st_size
    if size != shard.bytes:
        yield f"{name} has {size} bytes, not {shard.bytes}"
    elif digest != shard.sha256:
        yield f"{name} has another SHA-256 than the manifest says"
    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        yield f"{name} is not a readable Parquet file ({error})"
        return
    if file.metadata.num_rows != shard.rows:
        yield f"{name} has {file.metadata.num_rows} rows, not {shard.rows}"
    plain = pa.schema(
        [(field.name, pa.string() if field.name in CONSTANT else field.type) for field in ARROW]
    )
    if not file.schema_arrow.equals(plain):
        yield f"{name} has other columns than instances have"
        return
    try:
        yield from _rows(shard, file)
    except (pa.ArrowInvalid, OSError) as error:
        yield f"{name} cannot be read to its end ({error})"


def _rows(shard: Shard, file: parquet.ParquetFile) -> Iterator[str]:
    name, row = shard.path, 0
    for batch in file.iter_batches(_ROWS):
        rows = batch.to_pylist()
        try:
            instances = _rows_of().validate_python(rows)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                place = one["loc"]
                column = place[1] if len(place) > 1 else ""
                yield f"{name}, row {row + int(place[0])}: {column}: {one['msg']}"
            row += len(rows)
            continue
        for i, instance in enumerate(instances, row):
            if instance.id != instance_id(instance.task, instance.input, instance.output):
                yield f"{name}, row {i}: the id is not that of its task, input and output"
            if instance.task != shard.task or instance.split != shard.split:
                yield f"{name}, row {i}: it is of {instance.task}, {instance.split}"
            if instance.references[0] != instance.output:
                yield f"{name}, row {i}: the first reference is not the output"
        row += len(rows)
