"""`medsins.fetch`: download the open raw files, and explain how to get the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from medsins.io.progress import progress_bar
from medsins.raw.fetch import download
from medsins.recipe import Recipe
from medsins.registry import Select, raw_root, resolve
from medsins.taxonomy import Access

_HOW = {
    Access.OPEN: "open, but not fetched automatically",
    Access.REGISTRATION: "you have to register with its owners",
    Access.CREDENTIALED: "you have to be credentialed and sign a data use agreement",
    Access.LICENSED: "you need a license from its owners",
}


@dataclass(frozen=True)
class Fetched:
    """What became of one source.

    Attributes:
        recipe: Name of the recipe.
        folder: The source's folder.
        fetched: Files that were downloaded now.
        present: Files that existed already.
        missing: Patterns of files that are still missing.
        instructions: What to do to get those; "" if nothing is missing.
    """

    recipe: str
    folder: Path
    fetched: tuple[str, ...]
    present: tuple[str, ...]
    missing: tuple[str, ...]
    instructions: str


def fetch(
    select: Select, raw: str | os.PathLike[str] | None = None, *, progress: bool | None = None
) -> list[Fetched]:
    """Download the open raw files of the selected tasks and check them; explain the others.

    Args:
        select: Which tasks; see `medsins.tasks`.
        raw: Folder of the raw files; default: `$MEDSINS_RAW`, else the user's cache folder.
        progress: Show a progress bar; default: on a terminal only.

    Returns:
        One entry for each source, in alphabetical order.

    Raises:
        UnknownNameError: The selection matches nothing.
        FetchError: A file could not be fetched; those fetched before stay.
    """
    root = raw_root(raw)
    return [_one(recipe, root, progress) for recipe in resolve(select).recipes]


def _one(recipe: type[Recipe], root: Path, progress: bool | None) -> Fetched:
    folder = root / recipe.name
    fetched: list[str] = []
    present: list[str] = []
    with progress_bar(unit="B", desc=recipe.name, progress=progress) as bar:
        for wanted in recipe.downloads:
            transferred = download(wanted, folder, bar.update)
            (fetched if transferred else present).append(wanted.path)
    missing = tuple(
        f"{recipe.folder(files, root).name}/{pattern}"
        for files in (*recipe.file_sets().values(), *recipe.lookups.values())
        for _, pattern in files.locate(recipe.folder(files, root)).absent
    )
    instructions = _instructions(recipe, root, missing) if missing else ""
    return Fetched(recipe.name, folder, tuple(fetched), tuple(present), missing, instructions)


def _instructions(recipe: type[Recipe], root: Path, missing: tuple[str, ...]) -> str:
    lines = [
        f"{recipe.title} ({recipe.name}): {_HOW[recipe.access]}.",
        f"  home:    {recipe.homepage}",
        f"  license: {recipe.license}",
    ]
    if recipe.manual_download_instructions:
        lines.append(f"  to do:   {recipe.manual_download_instructions}")
    lines.append(f"  put below {root}/:")
    lines += [f"    {pattern}" for pattern in missing]
    return "\n".join(lines)
