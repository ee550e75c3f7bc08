"""Measures medsins beside other tools, in one run, and writes a table of results.

    python benchmarks/run.py                 # writes benchmarks/RESULTS.md
    python benchmarks/run.py --quick         # small sizes: a smoke test that judges nothing
    python benchmarks/run.py --full          # adds 5M rows, and 13.5M instances in one build
    python benchmarks/run.py --full --keep   # takes what was measured of this code before
    python benchmarks/run.py --full --keep --only radiology    # but for one comparison

Every run is a whole process, with its start and its end. Those that are compared take turns, on
the same made-up input, and where they do the same job their output is compared too. This process
stays small on purpose: see `measure.run`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import pickle
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench import DEFAULT, FULL, HERE, Bench, DifferentError, Sizes
from comparisons import COMPARISONS
from measure import FailedError
from report import Section, render, versions

QUICK_SCALE = 0.005
FREE_GB = 25
WORK = "medsins-benchmarks"


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help=f"a scale of {QUICK_SCALE}")
    size.add_argument("--full", action="store_true", help=f"needs {FREE_GB} GB of disk")
    parser.add_argument("--scale", type=float, default=1.0, help="make all sizes smaller")
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, help="some comparisons")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="take comparisons that were measured before from the work folder if neither this code "
        "nor a size has changed since; those of --only are measured anew",
    )
    parser.add_argument("--repeats", type=int, help="runs of each contestant")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help=f"folder in which {WORK}/ is made for inputs, which are kept, and outputs, which are "
        "not; default: %(default)s",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="file of the results; default: RESULTS.md beside this script, but in the work folder "
        "if not all is measured at full scale",
    )
    given = parser.parse_args()
    given.work = (given.work / WORK).resolve()
    if given.full and shutil.disk_usage(_existing(given.work)).free < FREE_GB * 10**9:
        parser.error(f"--full needs {FREE_GB} GB of disk below {given.work}")
    return given


def main() -> int:
    """Measure, and write the results."""
    given = arguments()
    sizes = FULL if given.full else DEFAULT
    kind = "full" if given.full else "default"
    scale = QUICK_SCALE if given.quick else given.scale
    if scale != 1:
        sizes, kind = sizes.scaled(scale), f"{scale:g} scale"
    if given.repeats:
        sizes = replace(sizes, repeats=given.repeats, rounds=given.repeats)
    bench = Bench(sizes, given.work, judged=scale == 1)
    sections: list[Section] = []
    failures: list[str] = []
    measured = given.work / "measured" / _identity(sizes)
    measured.mkdir(parents=True, exist_ok=True)
    for name in COMPARISONS if given.keep else given.only or COMPARISONS:
        path = measured / f"{name}.pickle"
        if given.keep and path.exists() and name not in (given.only or ()):
            sections.append(pickle.loads(path.read_bytes()))
            continue
        print(name, flush=True)
        path.unlink(missing_ok=True)
        bench.clear()
        try:
            sections.append(COMPARISONS[name](bench))
        except (FailedError, DifferentError) as error:
            failures.append(f"{name}: {error}")
            print(f"  FAILED: {error}", file=sys.stderr)
        else:
            path.write_bytes(pickle.dumps(sections[-1]))
    bench.clear()
    whole = scale == 1 and (given.keep or not given.only)
    results = given.results or (HERE if whole else given.work) / "RESULTS.md"
    results.write_text(render(kind, sections, failures), encoding="utf-8")
    print(f"wrote {results}")
    return 1 if failures else 0


def _identity(sizes: Sizes) -> str:
    """Return a digest of what measurements depend on: this code, the library's, and the sizes."""
    digest = hashlib.sha256(f"{versions()} {sizes}".encode())
    found = importlib.util.find_spec("medsins")
    assert found is not None
    assert found.origin is not None
    for home in (HERE, Path(found.origin).parent, HERE.parent / "recipes"):
        for path in sorted(home.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.absolute().parent)


if __name__ == "__main__":
    sys.exit(main())
