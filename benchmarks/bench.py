"""What all comparisons share: sizes, folders, inputs, and how a contestant is called."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from measure import Contestant, Runs, Usage, compete, remove, run

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
MEDSINS = str(Path(sysconfig.get_path("scripts")) / "medsins")


@dataclass(frozen=True)
class Sizes:
    """How much of everything is measured.

    Attributes:
        radiology: Radiology reports.
        emergency: Rows of the emergency department tables.
        questions: JSON Lines.
        documents: XML files.
        sentences: Annotated sentences.
        ids: Ids to find duplicates among.
        growth: Radiology reports at which peak memory is taken.
        corpus: What is built in one command, by kind of input.
        repeats: Runs of each contestant.
        rounds: The same where several targets hang on a few per cent.
        starts: Runs of what takes a fraction of a second.
    """

    radiology: int
    emergency: tuple[int, ...]
    questions: int
    documents: int
    sentences: int
    ids: int
    growth: tuple[int, ...]
    corpus: Mapping[str, int]
    repeats: int
    rounds: int
    starts: int

    def scaled(self, factor: float) -> Sizes:
        """Return other sizes, with one run of each contestant."""
        return Sizes(
            radiology=round(self.radiology * factor),
            emergency=tuple(round(size * factor) for size in self.emergency),
            questions=round(self.questions * factor),
            documents=round(self.documents * factor),
            sentences=round(self.sentences * factor),
            ids=round(self.ids * factor),
            growth=tuple(round(size * factor) for size in self.growth),
            corpus={kind: round(size * factor) for kind, size in self.corpus.items()},
            repeats=1,
            rounds=1,
            starts=3,
        )


CORPUS = {
    "radiology": 5_000_000,
    "emergency": 1_100_000,
    "questions": 200_000,
    "documents": 11_000,
    "sentences": 100_000,
}
DEFAULT = Sizes(
    radiology=1_000_000,
    emergency=(100_000,),
    questions=200_000,
    documents=11_000,
    sentences=100_000,
    ids=13_500_000,
    growth=(200_000, 1_000_000),
    corpus={kind: size // 20 for kind, size in CORPUS.items()},
    repeats=3,
    rounds=7,
    starts=9,
)
FULL = replace(
    DEFAULT,
    # The second is about as many visits as MIMIC-IV-ED has.
    emergency=(100_000, 425_000),
    growth=(200_000, 1_000_000, 5_000_000),
    corpus=CORPUS,
)
QUICK_SCALE = 0.005


class DifferentError(RuntimeError):
    """Two contestants that do the same job wrote different instances."""


@dataclass
class Bench:
    """What all measurements share: sizes, folders, and how a contestant is called.

    Attributes:
        sizes: How much of everything is measured.
        work: Folder of inputs and outputs.
        judged: Whether sizes are large enough to judge by.
    """

    sizes: Sizes
    work: Path
    judged: bool
    _version: str = field(default="", init=False)

    def __post_init__(self) -> None:
        # Inputs are made anew when what makes them changes.
        digest = hashlib.sha256((HERE / "inputs.py").read_bytes())
        digest.update((HERE.parent / "recipes" / "mimic4ed_benchmark.py").read_bytes())
        self._version = digest.hexdigest()[:12]
        self.out.mkdir(parents=True, exist_ok=True)
        for old in (self.work / "inputs").glob("*"):
            if old.name != self._version:
                remove(old)

    @property
    def out(self) -> Path:
        """Folder of outputs."""
        return self.work / "out"

    @property
    def environment(self) -> dict[str, str]:
        """What is set for every process.

        Nothing is fetched, all files stay in the folder, and modules are compiled once, as those
        of an installed package are, wherever the caller has turned that off.
        """
        temporary = self.work / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            "HF_HOME": str(self.work / "hf"),
            "HF_HUB_OFFLINE": "1",
            "PYTHONDONTWRITEBYTECODE": "",
            "TMPDIR": str(temporary),
        }

    def raw(self, **sizes: int) -> Path:
        """Return a raw root with inputs of these kinds and sizes; they are made if need be."""
        root = self.work / "roots" / "-".join(f"{kind}{size}" for kind, size in sizes.items())
        remove(root)
        root.mkdir(parents=True)
        for kind, size in sizes.items():
            made = self._input(kind, size)
            for source in made.iterdir():
                (root / source.name).symlink_to(source)
            _read(made)
        return root

    def _input(self, kind: str, size: int) -> Path:
        made = self.work / "inputs" / self._version / f"{kind}-{size}"
        if not made.exists():
            print(f"  making {size:,} {kind}", flush=True)
            unfinished = made.with_name(f"{made.name}.part")
            remove(unfinished)
            self.run([PYTHON, str(HERE / "inputs.py"), kind, str(size), str(unfinished)])
            unfinished.rename(made)
        return made

    def run(self, command: Sequence[str]) -> Usage:
        """Run a command once."""
        return run(command, self.environment, self.work / "stderr.log")

    def compete(
        self, contestants: Sequence[Contestant], repeats: int | None = None
    ) -> dict[str, Runs]:
        """Run contestants in turn."""
        log = self.work / "stderr.log"
        return compete(contestants, repeats or self.sizes.repeats, self.environment, log)

    def build(self, label: str, select: str | Sequence[str], raw: Path, workers: int) -> Contestant:
        """Return `medsins build` as a contestant; its only output is the build."""
        names = [select] if isinstance(select, str) else select
        out = self.out / slug(label)
        command = [
            *(MEDSINS, "build", *names, "--raw", str(raw), "--out", str(out)),
            *("--workers", str(workers), "--quiet"),
        ]
        return Contestant(label, command, (out,))

    def peer(
        self,
        label: str,
        script: str,
        *arguments: str | Path,
        target: str,
        cache: str = "",
        options: Sequence[str] = (),
    ) -> Contestant:
        """Return a script of `peers/` as a contestant; its first output is the target."""
        outputs = [self.out / name for name in (target, cache) if name]
        words = [str(word) for word in (*arguments, *outputs)]
        return Contestant(
            label, [PYTHON, str(HERE / "peers" / script), *words, *options], tuple(outputs)
        )

    def same(self, contestants: Sequence[Contestant]) -> int:
        """Return how many instances contestants wrote.

        Raises:
            DifferentError: They are not the same.
        """
        found: dict[str, dict[str, str | int]] = {}
        for one in contestants:
            printed = self.run([PYTHON, str(HERE / "digest.py"), str(one.outputs[0])]).output
            found[one.label] = json.loads(printed)
        first = found[contestants[0].label]
        for label, digest in found.items():
            if (digest["distinct"], digest["digest"]) != (first["distinct"], first["digest"]):
                raise DifferentError(
                    f"{label} wrote {digest['distinct']:,} distinct instances that are not the "
                    f"{first['distinct']:,} of {contestants[0].label}"
                )
        return int(first["distinct"])

    def clear(self) -> None:
        """Remove all outputs."""
        for name in ("out", "roots", "tmp", "hf"):
            remove(self.work / name)
        self.out.mkdir()


def slug(label: str) -> str:
    """Return a label as a file name."""
    return re.sub(r"\W+", "-", label)


def selectors(raw: Path) -> list[str]:
    """Return the names of the recipes whose files lie below a raw root."""
    return sorted(path.name for path in raw.iterdir())


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(size_of(one) for one in path.iterdir())


def _read(path: Path) -> None:
    """Read files once, so that no contestant has to wait for the disk."""
    for file in path.rglob("*"):
        if file.is_file():
            with file.open("rb", buffering=0) as stream:
                while stream.read(1 << 20):
                    pass
