"""How a new build replaces the old one: all of it or nothing, whenever the process is killed.

A rename is atomic, several of them are not. So a journal lists every move and removal, with the
texts of card and manifest, and is itself written by one rename: before it, the old build is
untouched; after it, the commit will happen. Its steps can be repeated (a staged file that does not
exist any more was moved already), so the next process that locks the folder finishes them. While
the journal exists the folder is between two builds, and `BuildFolder.finished` refuses to read it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from medsins.builds.folder import BuildFolder
from medsins.errors import CorruptBuildError
from medsins.io.files import write_atomically
from medsins.io.logs import logger
from medsins.io.structured import from_json

_LOG = logger("builds")


@dataclass(frozen=True)
class _Journal:
    """A commit that has begun; the fields are the arguments of `commit`."""

    moves: dict[str, str]
    deletes: list[str]
    texts: dict[str, str]


def commit(
    folder: BuildFolder, moves: Mapping[str, str], deletes: Sequence[str], texts: Mapping[str, str]
) -> None:
    """Publish staged files.

    Args:
        folder: The build folder, whose lock this process holds.
        moves: Final path by staged path, both relative to the build folder.
        deletes: Paths of published files that the new build does not have.
        texts: Contents of further files by path, the manifest last: it is what makes the rest a
            build.
    """
    journal = _Journal(dict(moves), list(deletes), dict(texts))
    _LOG.info("commit of %d files to %s begun", len(moves) + len(texts), folder.path)
    write_atomically(folder.journal, json.dumps(asdict(journal)))
    _finish(folder, journal)


def recover(folder: BuildFolder) -> None:
    """Finish an interrupted commit, if there is one.

    Raises:
        CorruptBuildError: Its journal cannot be read.
    """
    if folder.journal.exists():
        _LOG.warning("an interrupted commit to %s is finished now", folder.path)
        _finish(folder, _read(folder))


def _read(folder: BuildFolder) -> _Journal:
    try:
        return from_json(_Journal, json.loads(folder.journal.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise CorruptBuildError(
            f"{folder.journal}, the journal of an interrupted commit, is damaged. Remove "
            f"{folder.path} and build again."
        ) from error


def _finish(folder: BuildFolder, journal: _Journal) -> None:
    for staged, final in journal.moves.items():
        target = folder.path / final
        target.parent.mkdir(parents=True, exist_ok=True)
        if (folder.path / staged).exists():
            (folder.path / staged).replace(target)
    for name in journal.deletes:
        (folder.path / name).unlink(missing_ok=True)
    for name, text in journal.texts.items():
        write_atomically(folder.path / name, text)
    _remove_empty_folders(folder)
    folder.journal.unlink()
    # After the journal, which cannot be repeated without them. If the process is killed before they
    # are removed, the next build of these recipes sees by their fingerprints that they are old.
    shutil.rmtree(folder.staged, ignore_errors=True)
    shutil.rmtree(folder.chunks, ignore_errors=True)
    _LOG.info("commit to %s finished", folder.path)


def _remove_empty_folders(folder: BuildFolder) -> None:
    for top in ("data", "rejects"):
        for path in sorted((folder.path / top).glob("**/"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
