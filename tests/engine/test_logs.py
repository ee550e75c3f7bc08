"""What a build says to the log, and what it never does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

import medsins
from medsins.builds.folder import BuildFolder
from medsins.cli import app
from medsins.engine.runner import BuildResult
from medsins.errors import RejectedRecordsError
from recipes_for_tests import visits, write_recipe, write_visits

CANARY = "canary7731"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe whose records all hold a canary in every text; one of five is rejected."""
    write_recipe(tmp_path / "recipes")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    records = visits(60)
    for number, record in enumerate(records):
        for name in ("id", "patient", "question", "answer"):
            record[name] = f"{record[name]} {CANARY}"
        if number % 5 == 0:
            record["verdict"] = f"maybe {CANARY}"
        if number % 10 == 0:
            record["answer"] = {CANARY: CANARY}
    write_visits(tmp_path / "raw", records)
    return tmp_path


def build(home: Path, max_rejects: float = 1.0, workers: int = 1) -> BuildResult:
    return medsins.build(
        "clinic",
        raw=home / "raw",
        out=home / "out",
        max_rejects=max_rejects,
        workers=workers,
        progress=False,
    )


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [record.getMessage() for record in caplog.records if record.name.startswith("medsins")]
    caplog.clear()
    return said


def test_a_build_says_what_it_plans_resumes_writes_and_skips(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "medsins")
    with pytest.raises(RejectedRecordsError):
        build(home, max_rejects=0.0)
    said = messages(caplog)
    assert "planned clinic: 1 files, 1 chunks" in said
    assert "clinic failed: RejectedRecordsError" in said
    result = build(home)
    said = messages(caplog)
    assert "resumed clinic: 1 of 1 chunks were finished" in said
    shards, rejects = len(result.manifest.shards), len(result.rejects)
    assert rejects > 0
    assert f"wrote clinic: {shards} shards, {rejects} rejected records" in said
    assert said[-1] == f"commit to {home / 'out'} finished"
    build(home)
    assert "skipped clinic: it is up to date" in messages(caplog)


def test_the_end_of_an_interrupted_commit_is_said(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(home)
    journal = BuildFolder(home / "out").state / "commit.json"
    journal.write_text('{"moves": {}, "deletes": [], "texts": {}}')
    build(home)
    assert any("an interrupted commit" in one for one in messages(caplog))
    assert not journal.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_no_text_of_a_record_is_ever_logged(
    home: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    workers: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RejectedRecordsError):
        build(home, max_rejects=0.0, workers=workers)
    assert build(home, workers=workers).rejects
    assert messages(caplog)
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


def test_the_command_line_shows_the_log_when_it_is_asked_to(home: Path) -> None:
    words = ["build", "clinic", "--raw", str(home / "raw"), "--out", str(home / "out")]
    words += ["--max-rejects", "1"]
    quiet = CliRunner().invoke(app, words)
    assert quiet.exit_code == 0, quiet.output
    assert "medsins.engine" not in quiet.stderr
    loud = CliRunner().invoke(app, ["--verbose", *words])
    assert "INFO medsins.engine: skipped clinic: it is up to date" in loud.stderr
    assert "medsins.engine" not in loud.stdout
