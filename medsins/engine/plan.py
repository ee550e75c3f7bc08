"""The plan of a build: its raw files, cut into chunks with fingerprints.

A chunk, or a whole recipe, is up to date if its fingerprint is unchanged: it covers everything that
shapes the result.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from medsins.builds.manifest import Options
from medsins.errors import CorruptFileError, MissingFilesError
from medsins.instructions.wordings import wordings
from medsins.io.files import write_atomically
from medsins.io.version import __version__
from medsins.raw.files import FileSet, Located, RawFile, Reader, Span
from medsins.recipe import Recipe, Task, joins_files
from medsins.taxonomy import SPLITS

CHUNK_BYTES = 32 << 20
"""Raw bytes in a chunk: the unit of work, of parallelism, and of what an interruption can lose."""

SHAPING = ("arrays", "chunks", "duplicates", "mapping", "plan", "receipts", "sharding", "shards")
"""The modules of the engine that shape instances and shards."""

_SCAN_BLOCK = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """Size, time and digest of a raw file, and where to cut it."""

    size: int
    modified: int
    sha256: str
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Slice:
    """A raw file, or the bytes of it between two record boundaries."""

    file: RawFile
    span: Span | None = None


@dataclass(frozen=True)
class Chunk:
    """One unit of mapping.

    Attributes:
        recipe: Name of the recipe.
        file_set: Name of the file set.
        split: Official split of its files, or "".
        slices: What to read, in order.
        tasks: Names of the requested tasks.
        options: Options of the build.
        fingerprint: Digest of all that shapes its result.
    """

    recipe: str
    file_set: str
    split: str
    slices: tuple[Slice, ...]
    tasks: tuple[str, ...]
    options: Options
    fingerprint: str


@dataclass(frozen=True)
class RecipePlan:
    """All chunks of one recipe, in the order of their instances in the shards.

    Attributes:
        recipe: The recipe.
        tasks: The requested tasks.
        chunks: Its chunks.
        files: Facts of all raw files, by path relative to the raw root.
        absent: (file set, split, pattern) of patterns that match no file.
        instructions: The instructions of each task; an instance's id decides which one it has.
        fingerprint: Digest of all that shapes its result.
    """

    recipe: type[Recipe]
    tasks: tuple[Task, ...]
    chunks: tuple[Chunk, ...]
    files: dict[str, FileFacts]
    absent: tuple[tuple[str, str, str], ...]
    instructions: dict[str, tuple[str, ...]]
    fingerprint: str


class FileCache:
    """Facts of raw files that were scanned before, kept in the state of a build folder.

    Args:
        path: The JSON file they are kept in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._facts: dict[str, FileFacts] = {}
        self._changed = False
        try:
            stored = json.loads(path.read_bytes())
            for name, (size, modified, sha256, cuts) in stored.items():
                self._facts[name] = FileFacts(size, modified, sha256, tuple(cuts))
        except (FileNotFoundError, ValueError, RecursionError, TypeError, AttributeError):
            # This is a cache: without it, files are read once more.
            self._facts.clear()

    def known(self, path: Path) -> FileFacts | None:
        """Return the facts of a file unless its size or time has changed since."""
        stat = os.stat(path)  # noqa: PTH116 - this runs for every file of every build
        facts = self._facts.get(str(path))
        if facts and (facts.size, facts.modified) == (stat.st_size, stat.st_mtime_ns):
            return facts
        return None

    def add(self, path: Path, facts: FileFacts) -> None:
        """Keep the facts of a file."""
        self._facts[str(path)] = facts
        self._changed = True

    def save(self) -> None:
        """Write what is new to disk."""
        if self._changed:
            rows = {
                name: (facts.size, facts.modified, facts.sha256, facts.cuts)
                for name, facts in self._facts.items()
            }
            write_atomically(self._path, json.dumps(rows))
            self._changed = False


def scan(path: Path, reader: Reader, tick: Callable[[], None] = lambda: None) -> FileFacts:
    """Read a file once: its digest, and the record boundaries next after every `CHUNK_BYTES`.

    Args:
        path: The file.
        reader: Provides the cutter.
        tick: Called after every block.
    """
    stat = path.stat()
    digest = hashlib.sha256()
    cutter = reader.cutter() if _can_be_cut(path) and stat.st_size > CHUNK_BYTES else None
    cuts: list[int] = []
    offset, target = 0, CHUNK_BYTES
    buffer = bytearray(_SCAN_BLOCK)
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            block = buffer if count == len(buffer) else buffer[:count]
            digest.update(block)
            if cutter is not None:
                if offset >= target and (found := cutter.boundary(block)) is not None:
                    if offset + found < stat.st_size:
                        cuts.append(offset + found)
                    target = offset + CHUNK_BYTES
                cutter.feed(block)
            offset += count
            tick()
    return FileFacts(stat.st_size, stat.st_mtime_ns, digest.hexdigest(), tuple(cuts))


def _can_be_cut(path: Path) -> bool:
    return path.suffix not in (".gz", ".xz", ".bz2", ".zip", ".tar", ".tgz")


@dataclass(frozen=True)
class Inputs:
    """The raw files of one recipe, as found on disk."""

    recipe: type[Recipe]
    sets: dict[str, tuple[FileSet, tuple[RawFile, ...]]]
    lookups: tuple[tuple[FileSet, RawFile], ...]
    absent: tuple[tuple[str, str, str], ...]

    def to_scan(self) -> list[tuple[Path, Reader]]:
        """Return every file on disk once, with the reader that knows how to cut it."""
        wanted: dict[Path, Reader] = {}
        for files, found in self.sets.values():
            for file in found:
                for one in _with_companions(files.reader, file):
                    wanted.setdefault(one.path, files.reader)
        for files, file in self.lookups:
            wanted.setdefault(file.path, files.reader)
        return list(wanted.items())


def locate(recipe: type[Recipe], raw_root: Path) -> Inputs:
    """Find the raw files of a recipe.

    Raises:
        MissingFilesError: None of its files is there.
    """
    sets: dict[str, tuple[FileSet, tuple[RawFile, ...]]] = {}
    absent: list[tuple[str, str, str]] = []
    looked: list[tuple[FileSet, Located]] = []
    for name, files in recipe.file_sets().items():
        located = files.locate(recipe.folder(files, raw_root))
        looked.append((files, located))
        absent.extend((name, split, pattern) for split, pattern in located.absent)
        if located.files:
            sets[name] = (files, located.files)
    if not sets:
        raise MissingFilesError(_missing(recipe, looked, raw_root))
    lookups: list[tuple[FileSet, RawFile]] = []
    for files in recipe.lookups.values():
        found = files.locate(recipe.folder(files, raw_root))
        if not found.files:
            raise MissingFilesError(_missing(recipe, [(files, found)], raw_root))
        lookups.extend((files, file) for file in found.files)
    return Inputs(recipe, sets, tuple(lookups), tuple(absent))


def _missing(
    recipe: type[Recipe], looked: Iterable[tuple[FileSet, Located]], raw_root: Path
) -> str:
    paths = [
        f"{recipe.folder(files, raw_root)}/{pattern}"
        for files, located in looked
        for _, pattern in located.absent
    ]
    tried = ", ".join(paths[:4]) + (", …" if len(paths) > 4 else "")
    if recipe.downloads:
        how = f"Run `medsins fetch {recipe.name}`"
    else:
        how = f"Run `medsins fetch {recipe.name}` to see how to get them"
    return (
        f"the raw files of {recipe.name} are missing: tried {tried}. Access: {recipe.access}; "
        f"home: {recipe.homepage}. {how}, or point --raw (or MEDSINS_RAW) to the folder above "
        f"{recipe.name}/; --sample builds from the synthetic sample instead."
    )


def plan(
    inputs: Inputs,
    tasks: Sequence[Task],
    options: Options,
    raw_root: Path,
    cache_: FileCache,
    expansions: Path | None = None,
) -> RecipePlan:
    """Cut a recipe's work into chunks; every file must have been scanned.

    Args:
        inputs: Its raw files.
        tasks: Which of its tasks.
        options: What shapes the result.
        raw_root: Folder of the raw files.
        cache_: What is known of them.
        expansions: Folder of expanded instructions, if those are to go with the instances.

    Raises:
        CheckError: The options ask for seed prompts, and a task has none.
        MissingFilesError: The options ask for expanded instructions, and a task has none.
    """
    recipe = inputs.recipe
    facts = {path: _known(cache_, path) for path, _ in inputs.to_scan()}
    names = tuple(task.name for task in tasks)
    spoken = {
        task.name: tuple(one.text for one in wordings(task, options.instructions, expansions))
        for task in tasks
    }
    base = _digest(
        code_digest(),
        hashlib.sha256(recipe.path.read_bytes()).hexdigest(),
        json.dumps(asdict(options), sort_keys=True),
        json.dumps(list(spoken.items())),
        *(facts[file.path].sha256 for _, file in inputs.lookups),
    )
    chunks = []
    for name, (files, found) in inputs.sets.items():
        for split, slices in _cut(recipe, found, facts, options):
            digest = _digest(base, name, split, *(_identity(s, files, facts) for s in slices))
            chunks.append(Chunk(recipe.name, name, split, slices, names, options, digest))
    start = len(os.path.join(raw_root, ""))  # noqa: PTH118
    listed = {str(path)[start:].replace(os.sep, "/"): fact for path, fact in facts.items()}
    whole = _digest(base, *(chunk.fingerprint for chunk in chunks))
    return RecipePlan(recipe, tuple(tasks), tuple(chunks), listed, inputs.absent, spoken, whole)


def same_files(inputs: Inputs, cache_: FileCache) -> None:
    """Check that no raw file changed since it was scanned.

    Raises:
        CorruptFileError: One did, so that its digest does not identify what was read.
    """
    for path, _ in inputs.to_scan():
        _known(cache_, path)


def _known(cache_: FileCache, path: Path) -> FileFacts:
    facts = cache_.known(path)
    if facts is None:
        raise CorruptFileError(
            f"{path} changed while it was being read. Leave the raw files alone during a build."
        )
    return facts


def _cut(
    recipe: type[Recipe], found: Sequence[RawFile], facts: dict[Path, FileFacts], options: Options
) -> Iterable[tuple[str, tuple[Slice, ...]]]:
    """Yield (split, slices) of each chunk: cut large files, put small ones together."""
    for split in ("", *SPLITS):
        of_split = [file for file in found if file.split == split]
        if not of_split or (options.split and split and split != options.split):
            continue
        if joins_files(recipe) or options.limit is not None:
            yield split, tuple(Slice(file) for file in of_split)
            continue
        members = Counter(file.path for file in of_split)
        gathered: list[Slice] = []
        size = 0
        for file in of_split:
            fact = facts[file.path]
            if fact.cuts and not file.member:
                edges = (0, *fact.cuts, fact.size)
                for span in pairwise(edges):
                    yield split, (Slice(file, span),)
                continue
            weight = fact.size // members[file.path] if file.member else fact.size
            if gathered and size + weight > CHUNK_BYTES:
                yield split, tuple(gathered)
                gathered, size = [], 0
            gathered.append(Slice(file))
            size += weight
        if gathered:
            yield split, tuple(gathered)


def _with_companions(reader: Reader, file: RawFile) -> list[RawFile]:
    """Return a file and those that are read together with it.

    Raises:
        MissingFilesError: One of them does not exist.
    """
    together = [file, *(file.sibling(suffix) for suffix in reader.companions)]
    for one in together[1:]:
        if not one.member and not one.path.is_file():
            raise MissingFilesError(
                f"{one.path} is missing, but {file.path.name} is read together with it."
            )
    return together


def _identity(slice_: Slice, files: FileSet, facts: dict[Path, FileFacts]) -> str:
    together = _with_companions(files.reader, slice_.file)
    return f"{slice_.file.name} {slice_.span} {' '.join(facts[f.path].sha256 for f in together)}"


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode())
    return digest.hexdigest()[:32]


@cache
def code_digest() -> str:
    """Return a digest of the library's own code that shapes instances and shards.

    It is part of every fingerprint, so that a build made by other code is built again.
    """
    home = Path(__file__).resolve().parent.parent
    modules = [
        *(home / name for name in ("recipe.py", "schema.py", "text.py")),
        *sorted((home / "raw").glob("*.py")),
        *(home / "engine" / f"{name}.py" for name in SHAPING),
    ]
    digest = hashlib.sha256(__version__.encode())
    for path in modules:
        digest.update(path.read_bytes())
    return digest.hexdigest()
