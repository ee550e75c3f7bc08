"""`pull`: a build that was pushed comes back, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medsins.builds.folder import MANIFEST, STATE, BuildFolder
from medsins.builds.manifest import Shard
from medsins.builds.verifying import Verification, verify
from medsins.errors import BuildConflictError, CorruptBuildError, HubError, OutputError
from medsins.hub.connection import DATASET, MAIN, Hub, check_name, endpoint_of, quiet
from medsins.hub.upload_plan import TEXTS, Item, checked_manifest
from medsins.io.files import writing
from medsins.io.logs import logger
from medsins.io.progress import progress_bar
from medsins.raw.files import sha256

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

_LOG = logger("hub")
_DOWNLOADS_AT_ONCE = 4
_CLIENT_STATE = ".cache"


def pull(
    repo_id: str,
    out: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> Verification:
    """Download a build from a dataset repository, verify it, and put it into its place.

    What arrives is gathered beside `out`, in a folder that the next call goes on with if this one
    is interrupted. Files of the repository that are of no build are left where they are.

    Args:
        repo_id: The repository as "owner/name".
        out: Where the build goes; must not be there yet, or be empty.
        revision: Branch, tag or commit; default: "main".
        token: Token of the Hub; default: `$HF_TOKEN`, else what `hf auth login` stored; public
            repositories need none.
        endpoint: Address of the Hub; default: `$HF_ENDPOINT`, else https://huggingface.co.

    Returns:
        What was verified: the folder, and its numbers of shards, rows and bytes.

    Raises:
        HubError: No such repository, no build in it, no right to read it, or no way to reach it.
        CorruptBuildError: The build there is not one of this library.
        BuildConflictError: `out` holds something, or another process pulls there.
        OutputError: The folder cannot be written.
    """
    address = endpoint_of(endpoint)
    check_name(repo_id)
    final = Path(out).expanduser()
    _is_free(final)
    hub = Hub(address, token, needs_token=False)
    doing = f"read {repo_id}"
    commit, files = hub.call(doing, lambda: hub.look(repo_id, revision or MAIN))
    if MANIFEST not in files:
        raise HubError(
            f"{repo_id} at {address} holds no medsins build: it has no {MANIFEST}. If it is one "
            "that is just being pushed, wait until that is done."
        )
    folder = BuildFolder(final.absolute().with_name(f".{final.absolute().name}.pulling"))
    with folder.locked(), writing(folder.path), quiet(always=True):
        source = _Source(hub, repo_id, commit, files, folder.path)
        shards = _shards(source, folder)
        texts = [name for name in TEXTS if name in files and name != MANIFEST]
        _clear(folder, {MANIFEST, *texts, *(item.path for item in shards)})
        for name in texts:
            source.text(name)
        source.fetch(shards)
        shutil.rmtree(folder.path / _CLIENT_STATE, ignore_errors=True)
        found = verify(folder.path)
        _is_free(final)
        folder.path.replace(final)
    return replace(found, path=final)


def _is_free(final: Path) -> None:
    if final.exists() and not (final.is_dir() and not any(final.iterdir())):
        raise BuildConflictError(f"{final} is there already. Choose another folder, or remove it.")


class _Source:
    """A commit of a repository, and the folder that its files go to."""

    def __init__(
        self, hub: Hub, repo_id: str, commit: str, files: Mapping[str, RepoFile], folder: Path
    ) -> None:
        self.repo_id, self.files = repo_id, files
        self._hub, self._commit, self._folder = hub, commit, folder

    def text(self, name: str) -> bytes:
        """Download a small file, and return its content."""

        def once() -> bytes:
            content = self._download(name, force=False)
            if not Item.text(name, content).lies_there(self.files[name]):
                content = self._download(name, force=True)
            if not Item.text(name, content).lies_there(self.files[name]):
                raise OSError(f"{name} arrived damaged")
            return content

        return self._hub.call(f"download {name} of {self.repo_id}", once)

    def fetch(self, items: Sequence[Item]) -> None:
        """Download shards, several at once.

        Raises:
            OutputError: There is no room for them.
        """
        total = sum(item.size for item in items)
        there = sum(item.size for item in items if _path(item).is_file())
        _LOG.info("pulling %s: %d bytes in shards, %d are there", self.repo_id, total, there)
        free = shutil.disk_usage(self._folder).free
        if total - there > free:
            raise OutputError(
                f"{self.repo_id} needs {total - there:,} bytes more, and the disk of "
                f"{self._folder.parent} has {free:,}. Make room, or choose another folder."
            )
        with (
            progress_bar(total, unit="B", desc="pull") as bar,
            ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
        ):
            try:
                for size in pool.map(self._shard, items):
                    bar.update(size)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _shard(self, item: Item) -> int:
        path = _path(item)

        def arrived() -> bool:
            return (
                path.is_file() and path.stat().st_size == item.size and sha256(path) == item.sha256
            )

        def once() -> int:
            if arrived():
                return item.size
            for force in (False, True):
                self._hub.api.hf_hub_download(
                    self.repo_id,
                    item.path,
                    repo_type=DATASET,
                    revision=self._commit,
                    local_dir=self._folder,
                    force_download=force,
                )
                if arrived():
                    return item.size
            raise OSError(f"{item.path} arrived damaged")

        return self._hub.call(f"download {item.path} of {self.repo_id}", once)

    def _download(self, name: str, *, force: bool) -> bytes:
        path = self._hub.api.hf_hub_download(
            self.repo_id,
            name,
            repo_type=DATASET,
            revision=self._commit,
            local_dir=self._folder,
            force_download=force,
        )
        return Path(path).read_bytes()


def _path(item: Item) -> Path:
    assert isinstance(item.source, Path)
    return item.source


def _shards(source: _Source, folder: BuildFolder) -> list[Item]:
    """Return the shards that the manifest lists, if the repository has just these."""
    try:
        loaded = json.loads(source.text(MANIFEST))
    except (ValueError, RecursionError) as error:
        raise CorruptBuildError(f"the {MANIFEST} of {source.repo_id} is not valid JSON.") from error
    manifest = checked_manifest(loaded, source.repo_id)
    for shard in manifest.shards:
        if not _fits(shard, source.files.get(shard.path)):
            raise HubError(
                f"{source.repo_id} does not hold what its {MANIFEST} says: {shard.path} is not "
                "there, or is another. A push may be under way or was interrupted; wait until it "
                "is done, or take an earlier commit with --revision."
            )
    return [
        Item(shard.path, folder.path / shard.path, shard.bytes, shard.sha256)
        for shard in manifest.shards
    ]


def _fits(shard: Shard, file: RepoFile | None) -> bool:
    if file is None or file.size != shard.bytes:
        return False
    return file.lfs is None or bool(file.lfs.sha256 == shard.sha256)


def _clear(folder: BuildFolder, wanted: set[str]) -> None:
    """Remove what an earlier pull, of something else, has left half done."""
    for path in folder.path.rglob("*"):
        name = path.relative_to(folder.path)
        kept = name.parts[0] in (_CLIENT_STATE, STATE) or name.as_posix() in wanted
        if path.is_file() and not kept:
            path.unlink()
