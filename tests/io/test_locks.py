"""Locks are held by one process at a time, and let go of however that ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from medsins.errors import BuildConflictError
from medsins.io.locks import locked

HOLD = (
    "import pathlib, sys, time\nfrom medsins.io.locks import locked\n"
    "with locked(pathlib.Path(sys.argv[1]), 'taken'):\n"
    "    print('locked', flush=True)\n    time.sleep(60)\n"
)


def test_a_lock_is_not_waited_for_and_a_kill_lets_go_of_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BuildConflictError, match="by another"), locked(lock, "by another"):
            pass
        other.kill()
    with locked(lock, "free again"):
        pass


def test_one_process_does_not_take_a_lock_twice(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "taken"):
        with pytest.raises(BuildConflictError), locked(tmp_path / "lock", "taken"):
            pass
        with pytest.raises(BuildConflictError), locked(tmp_path / "lock", "taken"):
            pass


def test_an_error_lets_go_of_it_and_its_file_goes_if_asked(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    def failing() -> None:
        with locked(lock, "taken", remove=True):
            assert lock.exists()
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            failing()
        assert not lock.exists()


def test_a_lock_file_that_is_removed_meanwhile_is_no_error(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "taken", remove=True):
        (tmp_path / "lock").unlink()
    with locked(tmp_path / "lock", "taken"):
        pass


def test_a_lock_that_cannot_be_made_is_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as caught, locked(tmp_path / "file/lock", "taken"):
        pass
    assert not isinstance(caught.value, BuildConflictError)
