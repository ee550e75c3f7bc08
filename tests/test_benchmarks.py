"""The benchmarks run, and their inputs are the same every time."""

import subprocess
import sys
from pathlib import Path

import pytest

from paths import ROOT

BENCHMARKS = ROOT / "benchmarks"
KINDS = ("radiology", "emergency", "questions", "documents", "sentences")

pytestmark = pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="benchmarks/ is in checkouts only")


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_the_same_every_time(kind: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        run("inputs.py", kind, 40, tmp_path / name)
    run("inputs.py", kind, 40, tmp_path / "other", "--seed", 1)

    assert contents(tmp_path / "first")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert contents(tmp_path / "first") != contents(tmp_path / "other")


def test_everything_that_is_compared_writes_the_same_instances(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("psutil")
    scripts = Path(sys.executable).parent
    if not any((scripts / name).exists() for name in ("medsins", "medsins.exe")):
        pytest.skip("medsins is not installed as a command")

    only = ("radiology", "emergency", "formats", "duplicates")
    run("run.py", "--scale", 0.001, "--work", tmp_path, "--only", *only)

    work = tmp_path / "medsins-benchmarks"
    results = (work / "RESULTS.md").read_text(encoding="utf-8")
    assert "FAILED" not in results
    assert results.count("not judged at this size") == 6
    assert str(tmp_path) not in results
    assert not any((work / "out").iterdir())
