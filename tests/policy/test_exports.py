"""Exports keep to what may go, and appear under their names whole or not at all."""

from __future__ import annotations

import itertools
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import medsins
from exports_for_tests import SECRET, build, contents, run, written
from medsins import errors
from medsins.formats import export


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a build of an open and a closed source."""
    yield from written(tmp_path_factory.mktemp("exports"))


# What may go


def test_what_may_not_be_passed_on_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.AccessError, match="ward: redistribution is no") as caught:
        run(home, tmp_path / "out", select="all")
    assert "--local-use" in str(caught.value)
    assert "--only-redistributable" in str(caught.value)
    assert SECRET not in str(caught.value)
    with pytest.raises(errors.AccessError, match="none of the"):
        run(home, tmp_path / "out", select="ward", only_redistributable=True)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_task_without_a_sample_holds_nothing_up(home: Path, tmp_path: Path) -> None:
    mixture = tmp_path / "mixture.yaml"
    mixture.write_text("name: open\ntasks:\n  all:\n  ward: {weight: 0}\n")
    result = run(home, tmp_path / "out", select="all", mixture=mixture)
    assert {one.source for one in result.verdicts} == {"clinic"}
    assert SECRET.encode() not in b"".join(contents(tmp_path / "out").values())


def test_no_combination_short_of_the_declaration_lets_it_out(home: Path, tmp_path: Path) -> None:
    mixture = tmp_path / "mixture.yaml"
    mixture.write_text(
        "name: all\ntotal: 50\ntasks:\n  all: {weight: 1}\n  ward: {weight: 9, repeat: true}\n"
    )
    choices: dict[str, list[Any]] = {
        "format": ["alpaca", "messages", "medsins_json"],
        "select": ["all", "ward_answer clinic", "*_answer", "access:credentialed"],
        "split": ["train", "test"],
        "only_redistributable": [False, True],
        "mixture": [None, mixture],
    }
    refused = written = 0
    for number, values in enumerate(itertools.product(*choices.values())):
        options = dict(zip(choices, values, strict=True))
        out = tmp_path / f"out{number}"
        try:
            run(home, out, num_fewshot=number % 3, **options)
        except errors.AccessError:
            refused += 1
        except errors.UnknownNameError:
            pass
        else:
            written += 1
            assert options["only_redistributable"]
            for name, text in contents(out).items():
                assert SECRET.encode() not in text, (options, name)
            record = json.loads((out / "export.json").read_text())
            assert record["may_be_passed_on"] is True
            assert "ward" not in record["sources"]
        assert not out.exists() or (out / "export.json").exists()
    assert refused > 20
    assert written > 10


def test_what_is_left_out_is_said(home: Path, tmp_path: Path) -> None:
    result = run(home, tmp_path / "out", select="all", only_redistributable=True)
    assert set(result.counts) == {"clinic_answer", "clinic_verdict"}
    assert "ward_answer: left out: redistribution is no" in result.notes
    assert {one.task for one in result.verdicts if not one.allowed} == {
        "ward_answer",
        "ward_verdict",
    }


def test_declared_local_use_is_written_into_the_export(home: Path, tmp_path: Path) -> None:
    result = run(home, tmp_path / "out", select="all", local_use=True)
    assert "ward_answer" in result.counts
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["may_be_passed_on"] is False
    assert record["tasks"]["ward_answer"]["may_be_passed_on"] is False
    assert record["sources"]["ward"] == {
        "access": "credentialed", "redistribution": "no", "llm_api": "local_only",
    }  # fmt: skip
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "may not be passed on" in readme
    assert "ward" in readme


def test_declared_local_use_of_what_is_open_changes_nothing(home: Path, tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        run(home, tmp_path / "out", local_use=True)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755
    assert json.loads((tmp_path / "out" / "export.json").read_text())["may_be_passed_on"] is True


def test_leaving_out_outweighs_the_declaration(home: Path, tmp_path: Path) -> None:
    result = run(home, tmp_path / "out", select="all", local_use=True, only_redistributable=True)
    assert not any(task.startswith("ward") for task in result.counts)


def test_a_manifest_that_is_laxer_than_the_recipe_opens_nothing(home: Path, tmp_path: Path) -> None:
    folder = build(home, "lax", "ward")
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"redistribution": "no"', '"redistribution": "yes"'))
    with pytest.raises(errors.AccessError):
        export(folder, "alpaca", tmp_path / "out", progress=False)


def test_a_task_without_instances_in_the_split_forbids_nothing(home: Path, tmp_path: Path) -> None:
    folder = home / "mixed"
    build(home, "mixed", "clinic", split="test")
    build(home, "mixed", "ward", split="test")
    manifest = json.loads((folder / "manifest.json").read_text())
    for task in manifest["recipes"]["ward"]["tasks"]:
        manifest["recipes"]["ward"]["tasks"][task] = {}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = export(folder, "alpaca", tmp_path / "out", split="test", progress=False)
    assert set(result.counts) == {"clinic_answer", "clinic_verdict"}


def test_synthetic_samples_of_closed_sources_may_go(tmp_path: Path) -> None:
    medsins.build("mednli", sample=True, out=tmp_path / "build", progress=False)
    result = export(tmp_path / "build", "alpaca", tmp_path / "out", progress=False)
    assert result.samples
    assert {one.reason for one in result.verdicts} == {"synthetic sample"}


# Where it is written


def test_a_folder_that_is_there_is_left_alone(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    run(home, out)
    before = contents(out)
    with pytest.raises(errors.BuildConflictError, match="--overwrite"):
        run(home, out, seed=1)
    assert contents(out) == before
    run(home, out, seed=1, overwrite=True)
    assert contents(out) != before
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    with pytest.raises(errors.BuildConflictError, match="holds no export"):
        run(home, mine, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.OutputError, match="is a file"):
        run(home, tmp_path / "file")
    with pytest.raises(errors.OutputError, match="is a file"):
        run(home, tmp_path / "file" / "below")
    with pytest.raises(errors.OutputError, match="inside the build"):
        run(home, home / "build" / "data" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine", "out"]
    assert contents(mine) == {"thesis.txt": b"mine"}


KILLED = """
import os, signal, sys
from pathlib import Path
from medsins.formats import export

left = int(sys.argv[1])

def mortal(name):
    method = getattr(Path, name)
    def wrapped(self, *args, **kwargs):
        global left
        if "export-out" in str(self) and left >= 0:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *args, **kwargs)
    setattr(Path, name, wrapped)

for name in ("rename", "replace", "unlink", "mkdir", "open", "rmdir", "chmod"):
    mortal(name)
export({build!r}, "alpaca", {out!r}, select="clinic", seed=1, overwrite=True, progress=False)
print(int(sys.argv[1]) - left)
"""


def test_killed_at_any_step_there_is_the_old_export_or_the_new_one(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "export-out"
    script = KILLED.format(build=str(home / "build"), out=str(out))

    def step(steps: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, str(steps)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    run(home, out)
    old = contents(out)
    run(home, tmp_path / "other", seed=1)
    new = contents(tmp_path / "other")
    done = step(10**6)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 10
    assert contents(out) == new
    for moment in (3, steps - 3, steps - 2, steps - 1):
        run(home, out, overwrite=True)
        assert step(moment).returncode != 0
        # Between two renames the old one may stand beside its place for a moment; the next call
        # puts it back.
        assert not out.exists() or contents(out) in (old, new)
        run(home, out, overwrite=True)
        assert contents(out) == old
        assert sorted(path.name for path in tmp_path.iterdir()) == ["export-out", "other"]


def test_an_interrupted_replacement_is_undone_by_a_call_that_fails(
    home: Path, tmp_path: Path
) -> None:
    run(home, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.replaced")
    with pytest.raises(errors.BuildConflictError):
        run(home, tmp_path / "out", seed=1)
    assert contents(tmp_path / "out") == before


def test_two_exports_to_one_place_do_not_meet(home: Path, tmp_path: Path) -> None:
    from medsins.formats.placement import placed

    with placed(tmp_path / "out", overwrite=False, private=False) as folder:
        with pytest.raises(errors.BuildConflictError, match="another process"):
            run(home, tmp_path / "out")
        assert folder.is_dir()
        (folder / "export.json").write_text("{}")
    assert (tmp_path / "out" / "export.json").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 100 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("kind", "container", "kibibytes"),
    [
        # Too small for the rows; then large enough for them once, but not twice.
        ("alpaca", "jsonl", 100),
        ("alpaca", "jsonl", 500),
        ("webdataset", "tar", 500),
        ("alpaca", "parquet", 100),
        ("medsins_json", "json", 32),
    ],
)
def test_a_full_disk_is_said_and_leaves_nothing(
    home: Path, small_disk: Path, kind: str, container: str, kibibytes: int
) -> None:
    size = f"remount,size={kibibytes}k"
    subprocess.run(["mount", "-o", size, str(small_disk)], check=True)
    cases = 0 if kind == "medsins_json" else 3
    with pytest.raises(errors.OutputError, match="full"):
        run(home, small_disk / "out", kind, container=container, num_fewshot=cases)
    assert list(small_disk.iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=5m", str(small_disk)], check=True)
    assert run(home, small_disk / "out", kind, container=container, num_fewshot=cases).samples


def test_a_folder_that_cannot_be_written_is_said(home: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(errors.OutputError, match="cannot be written"):
        run(home, small_disk / "out")
