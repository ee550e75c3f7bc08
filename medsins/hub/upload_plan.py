"""What of a build travels, and how that differs from what lies on the Hub.

A manifest is not trusted: it may have been written elsewhere. What it lists must be shards below
`data/` that lie there themselves, of tasks that it has facts of, with rows of the source that it
says they are of; everything else in the folder stays where it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from medsins.builds.folder import MANIFEST, BuildFolder
from medsins.builds.manifest import Manifest, is_shard
from medsins.builds.schemas import json_schemas
from medsins.cards import build_texts, memory_sizes
from medsins.errors import CorruptBuildError, IncompleteBuildError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

TEXTS = ("README.md", "LICENSES.md", "composition.svg", "croissant.json", MANIFEST)
"""What a build holds beside its shards and may pass on; the manifest is the last."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Item:
    """A file that travels.

    Attributes:
        path: Where it lies in the build and in the repository.
        source: The file on disk, or its content.
        size: Its size in bytes.
        sha256: Hex of its SHA-256.
    """

    path: str
    source: Path | bytes
    size: int
    sha256: str

    @classmethod
    def text(cls, path: str, content: bytes) -> Item:
        """Return a file that is held in memory."""
        return cls(path, content, len(content), hashlib.sha256(content).hexdigest())

    def lies_there(self, file: RepoFile | None) -> bool:
        """Return whether a file of a repository has the same bytes.

        The Hub knows large files by their SHA-256, and small ones by git's digest.
        """
        if file is None or file.size != self.size:
            return False
        if file.lfs is not None:
            return bool(file.lfs.sha256 == self.sha256)
        return bool(file.blob_id == self._git_blob())

    def _git_blob(self) -> str:
        """Return what git calls this content: SHA-1 over a header and the bytes."""
        digest = hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)
        if isinstance(self.source, bytes):
            digest.update(self.source)
        else:
            with self.source.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True)
class Changes:
    """What has to happen in a repository so that it holds these files and nothing older.

    Attributes:
        shards: Shards that are not there, or differ.
        texts: Texts that are not there, or differ.
        gone: Paths of files of an earlier build.
    """

    shards: tuple[Item, ...]
    texts: tuple[Item, ...]
    gone: tuple[str, ...]

    @property
    def paths(self) -> set[str]:
        """All paths that are concerned."""
        return {item.path for item in (*self.shards, *self.texts)} | set(self.gone)

    def first(self, most: int) -> Changes:
        """Return what to commit next, with at most this many shards.

        Shards go first. Texts and removals go in one commit with the last shards, so that a build
        that takes its place in one commit is never seen in between.
        """
        if len(self.shards) <= most:
            return self
        return Changes(self.shards[:most], (), ())


def manifest_of(folder: BuildFolder) -> Manifest:
    """Return the manifest of a finished build, if it is one that may be believed.

    Raises:
        IncompleteBuildError: The folder holds no finished build.
        CorruptBuildError: The manifest is not what this library writes, or lists what it must not.
    """
    for name in (MANIFEST, "data"):
        if (folder.path / name).is_symlink():
            raise CorruptBuildError(_linked(folder, name))
    manifest = checked_manifest(folder.finished().to_json(), str(folder.path))
    for shard in manifest.shards:
        path = folder.path / shard.path
        if path.is_symlink() or path.parent.is_symlink():
            raise CorruptBuildError(_linked(folder, shard.path))
    return manifest


def checked_manifest(value: Any, where: str) -> Manifest:
    """Return a manifest, or refuse one that is not of this library or leads out of its folder.

    Args:
        value: What was read from the file.
        where: The folder or repository, for the message.

    Raises:
        CorruptBuildError: It is refused.
    """
    validator = jsonschema.Draft202012Validator(json_schemas()["manifest.schema.json"])
    problem = next(iter(validator.iter_errors(value)), None)
    if problem is not None:
        raise CorruptBuildError(
            f"the {MANIFEST} of {where} is not one that medsins writes: {problem.json_path}: "
            f"{problem.message[:200]}. Build again."
        )
    manifest = Manifest.from_json(value, where)
    owners: dict[str, str] = {}
    for source, facts in manifest.recipes.items():
        for task in facts.tasks:
            if owners.setdefault(task, source) != source:
                raise CorruptBuildError(
                    f"the {MANIFEST} of {where} gives {task} to {owners[task]} and to {source}. "
                    "Build again."
                )
    seen: set[str] = set()
    for shard in manifest.shards:
        path = shard.path
        if not is_shard(path) or shard.task not in owners or path in seen:
            raise CorruptBuildError(
                f"the {MANIFEST} of {where} lists {path[:200]!r}, which is not a shard of a task "
                "that it has facts of, or lists it twice. Nothing was done; build again, or ask "
                "whoever made this build."
            )
        seen.add(path)
    return manifest


def check_sources(folder: BuildFolder, manifest: Manifest) -> None:
    """Refuse shards whose rows are of another source than the manifest says.

    What may be passed on is decided by source, so a shard must not lie about its own.

    Raises:
        CorruptBuildError: A shard does.
    """
    from pyarrow import parquet

    owners = manifest.owners
    for shard in manifest.shards:
        file = parquet.ParquetFile(folder.path / shard.path, read_dictionary=["source"])
        column = file.read(columns=["source"]).column("source")
        found = set(column.unique().to_pylist())
        owner = owners[shard.task]
        if found - {owner}:
            raise CorruptBuildError(
                f"{shard.path} in {folder.path} has rows of another source than {owner}, whose "
                f"{MANIFEST} entry it stands under. Nothing was done; build again."
            )


def subset(folder: BuildFolder, manifest: Manifest, tasks: Collection[str]) -> Manifest:
    """Return the manifest of a build without the sources of other tasks.

    A source goes or stays as a whole, since that is how it is decided and how its records are
    accounted for.

    Args:
        folder: The build.
        manifest: Its manifest.
        tasks: The tasks that may travel.

    Raises:
        IncompleteBuildError: These tasks have no instances.
    """
    recipes = [name for name, facts in manifest.recipes.items() if facts.tasks.keys() <= set(tasks)]
    if len(recipes) < len(manifest.recipes):
        # Nothing tells whether facts without tasks may be passed on.
        recipes = [name for name in recipes if manifest.recipes[name].tasks]
    kept = manifest.only(recipes)
    if not kept.shards:
        raise IncompleteBuildError(
            f"{folder.path} holds no instances that could travel. Run `medsins build` first."
        )
    return kept


def upload_items(folder: BuildFolder, manifest: Manifest, travelling: Manifest) -> list[Item]:
    """Return the files that travel: shards, and texts that describe just these.

    Args:
        folder: The build, which has been verified.
        manifest: Its manifest.
        travelling: The part of the manifest that may travel; see `subset`.

    Raises:
        CorruptBuildError: A text of the build is a symbolic link.
    """
    shards = [
        Item(shard.path, folder.path / shard.path, shard.bytes, shard.sha256)
        for shard in travelling.shards
    ]
    if travelling == manifest:
        texts = _texts_on_disk(folder)
    else:
        sizes = memory_sizes({shard.path: folder.path / shard.path for shard in shards})
        written = {**build_texts(travelling, sizes), MANIFEST: travelling.text()}
        texts = {name: text.encode() for name, text in written.items()}
    return shards + [Item.text(name, texts[name]) for name in TEXTS if name in texts]


def _texts_on_disk(folder: BuildFolder) -> dict[str, bytes]:
    texts = {}
    for name in TEXTS:
        path = folder.path / name
        if path.is_symlink():
            raise CorruptBuildError(_linked(folder, name))
        if path.is_file():
            texts[name] = path.read_bytes()
    return texts


def difference(items: Iterable[Item], remote: Mapping[str, RepoFile]) -> Changes:
    """Compare the files that travel with those of a repository.

    Of files that do not travel, only those are gone that medsins writes: what its owner
    put beside them stays.
    """
    wanted = {item.path: item for item in items}
    missing = [item for item in wanted.values() if not item.lies_there(remote.get(item.path))]
    return Changes(
        tuple(item for item in missing if item.path not in TEXTS),
        tuple(item for item in missing if item.path in TEXTS),
        tuple(
            path
            for path in sorted(remote)
            if path not in wanted and (path in TEXTS or is_shard(path))
        ),
    )


def _linked(folder: BuildFolder, name: str) -> str:
    return (
        f"{name} in {folder.path} is a symbolic link, which may lead to any file. Nothing was "
        "done; put the file itself there."
    )
