"""Files appear whole or not at all, and disks are spoken of in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from medsins.errors import OutputError
from medsins.io.files import put, write_atomically, writing, written_atomically


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large each file was when the disk was waited for."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    return sizes


def test_a_file_is_on_disk_before_it_is_in_its_place(tmp_path: Path, synced: list[int]) -> None:
    write_atomically(tmp_path / "a", "whole")
    assert synced == [5]
    (tmp_path / "b.tmp").write_text("other")
    put(tmp_path / "b.tmp", tmp_path / "b")
    assert synced == [5, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_what_is_cheap_to_make_anew_does_not_wait_for_the_disk(
    tmp_path: Path, synced: list[int]
) -> None:
    (tmp_path / "b.tmp").write_text("other")
    put(tmp_path / "b.tmp", tmp_path / "b", durable=False)
    assert (tmp_path / "b").read_text() == "other"
    assert synced == []


def test_what_is_written_before_an_error_is_gone_and_the_old_file_stays(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "old")

    def interrupted() -> None:
        with written_atomically(tmp_path / "a") as stream:
            stream.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk of .* is full"),
        (errno.EDQUOT, "the quota on the disk of .* is full"),
        (errno.EROFS, "cannot be written"),
        (errno.EEXIST, "is a file, but has to be a folder"),
    ],
)
def test_what_goes_wrong_names_the_folder(tmp_path: Path, number: int, said: str) -> None:
    with pytest.raises(OutputError, match=said) as caught, writing(tmp_path):
        raise OSError(number, "no")
    assert str(tmp_path) in str(caught.value)


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no") as caught, writing(tmp_path):
        raise OSError(errno.EPIPE, "no")
    assert not isinstance(caught.value, OutputError)
