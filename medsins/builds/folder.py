"""A build folder: its layout and its lock.

README.md  LICENSES.md  composition.svg  croissant.json  manifest.json
data/<task>/<split>-00000-of-0000N.parquet  rejects/<recipe>.jsonl
.medsins/lock            held while a process builds here
.medsins/files.json      sizes, times and digests of raw files, so that they are read once
.medsins/chunks/…        finished chunks of recipes that are not finished
.medsins/staged/…        finished recipes that are not published yet
.medsins/commit.json     the journal of a commit that is not finished; see `commit`
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from medsins.builds.manifest import Manifest
from medsins.errors import CorruptBuildError, IncompleteBuildError, OutputError
from medsins.io.files import writing
from medsins.io.locks import locked

MANIFEST = "manifest.json"
STATE = ".medsins"


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
        self.journal = self.state / "commit.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder and hold its lock, which the system releases even after a kill.

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

    def manifest(self) -> Manifest | None:
        """Return the manifest, or None if there is none yet.

        Raises:
            BuildVersionError: It is of another version.
            CorruptBuildError: It is not a valid manifest.
        """
        path = self.path / MANIFEST
        try:
            loaded = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise OutputError(f"{self.path} is a file, but has to be a folder.") from error
        except (ValueError, RecursionError) as error:
            raise CorruptBuildError(
                f"{path} is not valid JSON ({error}). Build again with overwrite."
            ) from error
        return Manifest.from_json(loaded, str(self.path))

    def finished(self) -> Manifest:
        """Return the manifest of a finished build.

        Raises:
            IncompleteBuildError: The folder holds no finished build.
        """
        if self.journal.exists():
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
        """Return the shards and rejects in the folder, whether or not a manifest lists them."""
        found = (*self.path.glob("data/*/*.parquet"), *self.path.glob("rejects/*.jsonl"))
        return sorted(path.relative_to(self.path).as_posix() for path in found)
