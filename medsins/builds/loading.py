"""Loading a build into `datasets`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, overload

from medsins.builds.folder import BuildFolder
from medsins.errors import UnknownNameError
from medsins.registry import resolve
from medsins.taxonomy import SPLITS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

DEFAULT_FOLDER = "medsins-data"
"""Where `build` writes by default, and where `load` looks for a selection."""


@overload
def load(
    path_or_select: str | os.PathLike[str],
    split: None = None,
    *,
    tasks: str | Iterable[str] | None = None,
) -> DatasetDict: ...
@overload
def load(
    path_or_select: str | os.PathLike[str], split: str, *, tasks: str | Iterable[str] | None = None
) -> Dataset: ...
@overload
def load(
    path_or_select: str | os.PathLike[str],
    split: str | None,
    *,
    tasks: str | Iterable[str] | None = None,
) -> Dataset | DatasetDict: ...
def load(
    path_or_select: str | os.PathLike[str],
    split: str | None = None,
    *,
    tasks: str | Iterable[str] | None = None,
) -> Dataset | DatasetDict:
    """Load the instances of a build; columns are the fields of `Instance`.

    Args:
        path_or_select: A build folder; or a selection, of the build in `medsins-data`.
        split: "train", "validation" or "test"; default: all, as a `DatasetDict`.
        tasks: Which tasks of the build; default: all.

    Returns:
        A `Dataset` for one split, a `DatasetDict` for all.

    Raises:
        IncompleteBuildError: The folder holds no finished build.
        UnknownNameError: The build has none of these tasks, or they have no such split.
    """
    path = Path(path_or_select).expanduser()
    if not path.is_dir() and tasks is None and path.name == str(path_or_select):
        path, tasks = Path(DEFAULT_FOLDER), str(path_or_select)
    manifest = BuildFolder(path).finished()
    there = list(manifest.tasks)
    wanted = set(there) if tasks is None else {task.name for task in resolve(tasks).tasks}
    files: dict[str, list[str]] = {}
    for shard in manifest.shards:
        if shard.task in wanted:
            files.setdefault(shard.split, []).append(str(path / shard.path))
    files = {name: files[name] for name in SPLITS if name in files}
    if not files:
        raise UnknownNameError(f"{path} has none of the tasks asked for; it has {_some(there)}.")
    if split is not None and split not in files:
        raise UnknownNameError(f"{path} has no split {split!r} of these tasks, but {_some(files)}.")

    from datasets import load_dataset

    # `datasets` types its answer by the arguments' values, which only it can follow.
    return load_dataset("parquet", data_files=files, split=split)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
