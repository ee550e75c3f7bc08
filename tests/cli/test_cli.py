"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipes_for_tests import visits, write_recipe, write_visits


def medsins(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medsins.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("cli") / "data"
    done = medsins("build", "mimic_iv_note_summary", "--sample", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_build_prints_what_became_of_the_records(built: tuple[Path, str]) -> None:
    out, said = built
    facts = json.loads((out / "manifest.json").read_text())["recipes"]["mimic_iv_note"]
    head, row, total = (line.split() for line in said.splitlines()[:3])
    assert head == [
        "source", "records", "instances", "skipped", "rejected", "duplicates", "written", "size",
    ]  # fmt: skip
    assert row[:7] == [
        "mimic_iv_note",
        str(facts["records"]),
        str(facts["instances"]),
        str(sum(facts["skipped"].values())),
        "0",
        str(facts["duplicates"]),
        str(facts["written"]),
    ]
    assert total[1:7] == row[1:7]
    assert "17 tasks in" in said
    assert "instances/s" in said


def test_the_same_call_with_raw_reads_what_physionet_hands_out(
    built: tuple[Path, str], tmp_path: Path
) -> None:
    from medsins.registry import samples_root

    source = samples_root() / "mimic_iv_note" / "note" / "radiology.csv.gz"
    folder = tmp_path / "raw" / "mimic_iv_note" / "note"
    folder.mkdir(parents=True)
    (folder / "radiology.csv.gz").write_bytes(source.read_bytes())
    done = medsins(
        "build", "mimic_iv_note_summary", "--raw", str(tmp_path / "raw"),
        "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shards = [
        {
            (shard["path"], shard["sha256"])
            for shard in json.loads((out / "manifest.json").read_text())["shards"]
        }
        for out in (built[0], tmp_path / "out")
    ]
    assert shards[0] == shards[1]


def test_logs_stay_free_of_progress_bars(built: tuple[Path, str], tmp_path: Path) -> None:
    done = medsins("build", "medqa", "--sample", "--out", str(tmp_path / "out"))
    assert done.stderr == ""
    quiet = medsins("build", "medqa", "--sample", "--out", str(tmp_path / "out"), "--quiet")
    assert quiet.stdout == quiet.stderr == ""


def test_verify_says_so_and_a_spoilt_build_is_exit_code_2(
    built: tuple[Path, str], tmp_path: Path
) -> None:
    done = medsins("verify", str(built[0]))
    assert done.returncode == 0
    assert "all as the manifest says" in done.stdout
    nothing = medsins("verify", str(tmp_path))
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("medsins: ")
    assert "Traceback" not in nothing.stderr


def test_a_recipe_that_cannot_be_imported_is_exit_code_1_and_the_others_are_built(
    tmp_path: Path,
) -> None:
    for name in ("ward", "yard"):
        write_recipe(tmp_path / "recipes", name)
        write_visits(tmp_path / "raw", visits(30), name)
    environment = {"MEDSINS_RECIPES": str(tmp_path / "recipes")}
    command = ["build", "ward_*", "y*_answer", "--raw", str(tmp_path / "raw"), "--out"]
    done = medsins(*command, str(tmp_path / "whole"), **environment)
    assert done.returncode == 0, done.stderr
    (tmp_path / "recipes" / "yard.py").write_text("raise RuntimeError('boom')")
    command[2] = "*_verdict"
    for options in ([], ["--quiet"]):
        out = tmp_path / f"out{len(options)}"
        done = medsins(*command, str(out), *options, **environment)
        assert done.returncode == 1, done.stderr
        assert set(json.loads((out / "manifest.json").read_text())["recipes"]) == {"ward"}
        assert ("boom" in done.stdout) == (not options)


def test_list_has_a_line_for_each_task_and_json_has_all_facts() -> None:
    lines = medsins("list", "mimic_iv_note").stdout.splitlines()
    assert sum(line.startswith("mimic_iv_note_") for line in lines) == 20
    tasks = json.loads(medsins("list", "all", "--json").stdout)
    assert {"name", "legacy_id", "definition", "license", "access"} <= tasks[0].keys()
    assert medsins("list", "--by", "source").stdout.count("physionet.org") >= 1
    assert "Text Summarization" in medsins("list", "--by", "category").stdout


def test_show_has_what_a_user_needs_to_begin() -> None:
    said = medsins("show", "mimic_iv_note_summary_ct_chest", "--raw", "somewhere").stdout
    for part in (
        "task83", "Text Summarization", "PhysioNet", "Definition", "somewhere/mimic_iv_note/note",
        "credentialed", "Example (synthetic sample)", "differs from the published",
    ):  # fmt: skip
        assert part in said, part


def test_wrong_names_and_usage_are_exit_code_2() -> None:
    wrong = medsins("build", "medkwa", "--sample")
    assert wrong.returncode == 2
    assert "medsins list" in wrong.stderr
    assert medsins("build").returncode == 2
    assert medsins("frobnicate").returncode == 2
    assert "Traceback" in medsins("--debug", "build", "medkwa").stderr


def test_fetch_explains_what_cannot_be_downloaded(tmp_path: Path) -> None:
    done = medsins("fetch", "mimic_iv_note", "--raw", str(tmp_path))
    assert done.returncode == 0
    for part in ("credentialed", "data use agreement", "note/radiology.csv", str(tmp_path)):
        assert part in done.stdout


def test_the_raw_root_may_come_from_the_environment(tmp_path: Path) -> None:
    done = medsins(
        "build", "medqa", "--out", str(tmp_path / "out"), MEDSINS_RAW=str(tmp_path / "held")
    )
    assert done.returncode == 2
    assert str(tmp_path / "held" / "medqa") in done.stderr


def test_new_writes_a_recipe_that_works_and_check_holds_it_to_the_contract(
    tmp_path: Path,
) -> None:
    done = medsins("new", "night_clinic", "--dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {
        "recipes/night_clinic.py",
        "examples/raw/night_clinic/records.jsonl",
        "seed_prompts/night_clinic.yaml",
    }
    environment = {"MEDSINS_RECIPES": str(tmp_path / "recipes")}
    listed = medsins("list", "night_clinic", **environment)
    assert "night_clinic_answer" in listed.stdout
    built = medsins(
        "build", "night_clinic", "--raw", str(tmp_path / "examples/raw"),
        "--out", str(tmp_path / "out"), **environment,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    again = medsins("new", "night_clinic", "--dir", str(tmp_path))
    assert again.returncode != 0
    assert "already" in again.stderr
    bad = medsins("new", "Night Clinic", "--dir", str(tmp_path))
    assert "lower-case" in bad.stderr
