"""The folder of a build: its layout, its lock, and how a new build replaces the old one.

README.md  LICENSES.md  composition.svg  croissant.json  manifest.json
data/<task>/<split>-00000-of-0000N.parquet  rejects/<recipe>.jsonl
.medsins/lock            held while a process builds here
.medsins/files.json      sizes, times and digests of raw files, so that they are read once
.medsins/chunks/…         finished chunks of recipes that are not finished
.medsins/staged/…        finished recipes that are not published yet
.medsins/commit.json     what the publishing of staged recipes has to move; see `commit`
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from medsins.errors import (
    CorruptBuildError,
    IncompleteBuildError,
    OutputError,
)
from medsins.io.files import write_atomically, writing
from medsins.io.locks import locked
from medsins.io.logs import logger

MANIFEST = "manifest.json"
STATE = ".medsins"
_LOG = logger("builds")


class BuildFolder:
    """A folder that holds a build, or will.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        self.state = self.path / STATE
        self.chunks = self.state / "chunks"
        self.staged = self.state / "staged"
        self._journal = self.state / "commit.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder and hold its lock; the system lets go of it even after a kill.

        Raises:
            BuildConflictError: Another process holds the lock.
            OutputError: The folder cannot be created or written.
        """
        taken = (
            f"another process is building into {self.path}. Wait until it is done, or build into "
            "another folder."
        )
        with ExitStack() as stack:
            with writing(self.path):
                self.state.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.state / "lock", taken))
            yield

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest, or None if there is none yet.

        Raises:
            CorruptBuildError: It is not valid JSON.
        """
        path = self.path / MANIFEST
        try:
            loaded = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise OutputError(f"{self.path} is a file, but a folder is due there.") from error
        except ValueError as error:
            raise CorruptBuildError(
                f"{path} is not valid JSON ({error}). Build again with overwrite."
            ) from error
        if not isinstance(loaded, dict):
            raise CorruptBuildError(f"{path} is no manifest. Build again with overwrite.")
        return loaded

    def finished(self) -> dict[str, Any]:
        """Return the manifest of a finished build.

        Raises:
            IncompleteBuildError: There is no finished build here.
        """
        if self._journal.exists():
            raise IncompleteBuildError(
                f"{self.path} was being replaced by a new build when that was interrupted. Run the "
                "same build command again; it finishes in seconds."
            )
        manifest = self.manifest()
        if manifest is None:
            started = "an unfinished" if self.state.exists() else "no"
            raise IncompleteBuildError(
                f"{self.path} holds {started} build. Run `medsins build` to make or finish one."
            )
        return manifest

    def published(self) -> list[str]:
        """Return the shards and rejects that lie here, whatever a manifest says of them."""
        found = (*self.path.glob("data/*/*.parquet"), *self.path.glob("rejects/*.jsonl"))
        return sorted(path.relative_to(self.path).as_posix() for path in found)

    def commit(
        self, moves: Mapping[str, str], deletes: list[str], texts: Mapping[str, str]
    ) -> None:
        """Publish staged files: all of it happens, even if the process is killed in between.

        The journal is written first. Whoever finds it later does the rest of it (`recover`).

        Args:
            moves: Final path by staged path, both relative to the build folder.
            deletes: Paths of published files that the new build does not have.
            texts: Contents of further files by path; the manifest is the last.
        """
        journal = {"moves": dict(moves), "deletes": deletes, "texts": dict(texts)}
        _LOG.info("commit of %d files to %s begun", len(moves) + len(texts), self.path)
        write_atomically(self._journal, json.dumps(journal))
        self._finish()

    def recover(self) -> None:
        """Finish an interrupted commit, if there is one."""
        if self._journal.exists():
            _LOG.warning("an interrupted commit to %s is finished now", self.path)
            self._finish()

    def _finish(self) -> None:
        journal = json.loads(self._journal.read_bytes())
        for staged, final in journal["moves"].items():
            target = self.path / final
            target.parent.mkdir(parents=True, exist_ok=True)
            if (self.path / staged).exists():
                (self.path / staged).replace(target)
        for name in journal["deletes"]:
            (self.path / name).unlink(missing_ok=True)
        for name, text in journal["texts"].items():
            write_atomically(self.path / name, text)
        self._remove_empty_folders()
        self._journal.unlink()
        shutil.rmtree(self.staged, ignore_errors=True)
        shutil.rmtree(self.chunks, ignore_errors=True)
        _LOG.info("commit to %s finished", self.path)

    def _remove_empty_folders(self) -> None:
        for top in ("data", "rejects"):
            for folder in sorted((self.path / top).glob("**/"), reverse=True):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
