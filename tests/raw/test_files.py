from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsins import errors, raw
from medsins.raw import FileSet
from raw_for_tests import read

TABLE = b"a,b\n1,2\n"


def put(folder: Path, *names: str, data: bytes = TABLE) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def located(files: FileSet, folder: Path) -> list[str]:
    return [file.name for file in files.locate(folder).files]


def put_zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


TAR_MODES: dict[str, Literal["w:", "w:gz", "w:bz2", "w:xz"]] = {
    ".tar": "w:",
    ".gz": "w:gz",
    ".bz2": "w:bz2",
    ".xz": "w:xz",
}


def put_tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, TAR_MODES[path.suffix]) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


# Patterns


def test_files_come_in_the_order_of_split_pattern_and_name(tmp_path: Path) -> None:
    put(tmp_path, "b.csv", "a.csv", "x/2.csv", "x/10.csv", "x/deep/1.csv")
    files = raw.csv(train=("x/*.csv", "b.csv"), test="a.csv")
    found = files.locate(tmp_path)
    assert [(file.name, file.split) for file in found.files] == [
        ("x/10.csv", "train"),
        ("x/2.csv", "train"),
        ("b.csv", "train"),
        ("a.csv", "test"),
    ]
    assert found.absent == ()


def test_two_stars_reach_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "x/a.csv", "x/y/a.csv", "x/y/b.csv")
    assert located(raw.csv("**/a.csv"), tmp_path) == ["a.csv", "x/a.csv", "x/y/a.csv"]


def test_a_file_that_two_patterns_match_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "b.csv")
    assert located(raw.csv("b.csv", "*.csv"), tmp_path) == ["b.csv", "a.csv"]


def test_patterns_without_a_file_are_reported_with_their_split(tmp_path: Path) -> None:
    put(tmp_path, "a.csv")
    found = raw.csv("a.csv", "b*.csv", test="c.csv").locate(tmp_path)
    assert [file.name for file in found.files] == ["a.csv"]
    assert found.absent == (("", "b*.csv"), ("test", "c.csv"))


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    found = raw.csv("a.csv").locate(tmp_path / "nowhere")
    assert (found.files, found.absent) == ((), (("", "a.csv"),))


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    put(
        tmp_path, "a.csv", ".a.csv", "._a.csv", "x/.b.csv", ".ipynb_checkpoints/a.csv", ".x/y/a.csv"
    )
    put(tmp_path, ".c.csv.gz", data=gzip.compress(TABLE))
    assert located(raw.csv("**/*.csv"), tmp_path) == ["a.csv"]


def test_the_folder_itself_may_be_hidden(tmp_path: Path) -> None:
    put(tmp_path / ".cache/clinic", "a.csv")
    assert located(raw.csv("*.csv"), tmp_path / ".cache/clinic") == ["a.csv"]


def test_a_folder_that_a_pattern_matches_is_no_file(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "b.csv/readme.txt")
    assert located(raw.csv("*.csv"), tmp_path) == ["a.csv"]


# Compressed twins


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_a_compressed_file_stands_in_for_the_plain_one(suffix: str, tmp_path: Path) -> None:
    put(tmp_path, f"x/a.csv{suffix}")
    assert located(raw.csv("x/a.csv"), tmp_path) == [f"x/a.csv{suffix}"]
    assert located(raw.csv("x/*.csv"), tmp_path) == [f"x/a.csv{suffix}"]
    put(tmp_path, "x/a.csv")
    assert located(raw.csv("x/a.csv"), tmp_path) == ["x/a.csv"]
    assert located(raw.csv("x/*.csv"), tmp_path) == ["x/a.csv"]


@given(
    present=st.sets(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["", ".gz", ".xz", ".bz2"])), min_size=1
    ),
    pattern=st.sampled_from(["*.csv", "[ab].csv", "**/*.csv", "*"]),
)
def test_of_a_file_and_its_compressed_twins_exactly_one_is_read(
    present: set[tuple[str, str]], pattern: str, folder: Path
) -> None:
    for path in folder.glob("*.csv*"):
        path.unlink()
    put(folder, *(f"{letter}.csv{suffix}" for letter, suffix in present))
    names = located(raw.csv(pattern), folder)
    assert sorted(name[0] for name in names) == sorted({letter for letter, _ in present})
    assert {name for name in names if name.endswith(".csv")} == {
        f"{letter}.csv" for letter, suffix in present if not suffix
    }


# Archives

MEMBERS = {
    "data/b.csv": TABLE,
    "data/a.csv": b"a,b\n3,4\n",
    "data/readme.txt": b"",
    "__MACOSX/data/._a.csv": b"junk",
    "data/._b.csv": b"junk",
}


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("c.zip", put_zip),
        ("c.tar", put_tar),
        ("c.tar.gz", put_tar),
        ("c.tar.bz2", put_tar),
        ("c.tar.xz", put_tar),
    ],
)
def test_members_of_archives_are_read_in_place_without_what_macos_adds(
    name: str, pack: Callable[[Path, dict[str, bytes]], None], tmp_path: Path
) -> None:
    pack(tmp_path / name, MEMBERS)
    files = raw.csv(f"{name}!data/*.csv")
    assert located(files, tmp_path) == [f"{name}!data/a.csv", f"{name}!data/b.csv"]
    assert read(files, tmp_path).records == [{"a": "3", "b": "4"}, {"a": "1", "b": "2"}]


def test_a_tar_file_of_the_current_folder_has_the_same_members(tmp_path: Path) -> None:
    put_tar(tmp_path / "c.tar.gz", {f"./{name}": data for name, data in MEMBERS.items()})
    files = raw.csv("c.tar.gz!data/a.csv")
    assert read(files, tmp_path).records == [{"a": "3", "b": "4"}]


def test_the_archive_itself_may_be_found_by_a_pattern(tmp_path: Path) -> None:
    put_zip(tmp_path / "part2.zip", {"x.csv": b"a\n2\n"})
    put_zip(tmp_path / "part1.zip", {"x.csv": b"a\n1\n"})
    records = read(raw.csv("part?.zip!*.csv"), tmp_path).records
    assert records == [{"a": "1"}, {"a": "2"}]


def test_a_record_larger_than_a_block_is_read_from_an_archive_too(tmp_path: Path) -> None:
    large = "x" * 2_000_000
    put_zip(tmp_path / "c.zip", {"a.csv": f'a,b\n1,"{large}"\n2\n3,y\n'.encode()})
    reading = read(raw.csv("c.zip!a.csv"), tmp_path)
    assert [(r["a"], len(r["b"])) for r in reading.records] == [("1", 2_000_000), ("3", 1)]
    assert [row for row, _ in reading.bad] == ["2"]


def test_an_archive_without_the_member_is_reported_absent(tmp_path: Path) -> None:
    put_zip(tmp_path / "c.zip", {"data/b.csv": TABLE})
    found = raw.csv("c.zip!data/a.csv", "d.zip!data/a.csv").locate(tmp_path)
    assert found.files == ()
    assert found.absent == (("", "c.zip!data/a.csv"), ("", "d.zip!data/a.csv"))


@pytest.mark.parametrize(("name", "pack"), [("c.zip", put_zip), ("c.tar.gz", put_tar)])
def test_a_member_that_vanished_is_an_error_that_names_archive_and_member(
    name: str, pack: Callable[[Path, dict[str, bytes]], None], tmp_path: Path
) -> None:
    pack(tmp_path / name, MEMBERS)
    files = raw.csv(f"{name}!data/a.csv")
    (file,) = files.locate(tmp_path).files
    pack(tmp_path / name, {"data/b.csv": TABLE})
    with pytest.raises(errors.MissingFilesError, match=rf"{name} has no member data/a\.csv"):
        list(files.reader.read(file))


def test_a_locked_archive_is_an_error_that_says_so(tmp_path: Path) -> None:
    put_zip(tmp_path / "c.zip", {"a.csv": TABLE})
    data = bytearray((tmp_path / "c.zip").read_bytes())
    # The first bit of the flags says "encrypted", in the member's header and in the directory.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "c.zip").write_bytes(data)
    with pytest.raises(errors.CorruptFileError, match=r"a\.csv cannot be read.*password"):
        read(raw.csv("c.zip!a.csv"), tmp_path)


def test_a_file_that_is_no_archive_is_an_error_in_one_line(tmp_path: Path) -> None:
    put(tmp_path, "c.zip", data=b"<html>log in first</html>")
    with pytest.raises(errors.CorruptFileError, match=r"c\.zip is damaged") as caught:
        raw.csv("c.zip!a.csv").locate(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_damaged_member_is_an_error_and_not_a_short_table(tmp_path: Path) -> None:
    rows = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000))
    put_zip(tmp_path / "c.zip", {"a.csv": rows})
    data = bytearray((tmp_path / "c.zip").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "c.zip").write_bytes(data)
    with pytest.raises(errors.CorruptFileError, match=r"c\.zip is damaged"):
        read(raw.csv("c.zip!a.csv"), tmp_path)


# Damaged, vanished and misplaced files

ROWS = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000))
LINES = b"".join(b'{"a": %d}\n' % n for n in range(50_000))


@pytest.mark.parametrize(
    ("files", "name", "data"),
    [
        (raw.csv("f"), "f.gz", ROWS),
        (raw.jsonl("f"), "f.gz", LINES),
        (raw.lines("f"), "f.gz", ROWS),
        (raw.json("f"), "f.gz", b"[" + b"1, " * 50_000 + b"1]"),
    ],
)
@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.99])
def test_a_truncated_gzip_file_is_an_error_and_not_a_short_corpus(
    files: FileSet, name: str, data: bytes, kept: float, tmp_path: Path
) -> None:
    packed = gzip.compress(data)
    put(tmp_path, name, data=packed)
    assert read(files, tmp_path).records
    put(tmp_path, name, data=packed[: int(kept if kept > 1 else len(packed) * kept)])
    with pytest.raises(errors.CorruptFileError, match=r"f\.gz is damaged or ends too early"):
        read(files, tmp_path)


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_a_file_that_is_not_what_its_ending_says_is_an_error_that_names_it(
    suffix: str, tmp_path: Path
) -> None:
    put(tmp_path, f"a.csv{suffix}")
    with pytest.raises(errors.CorruptFileError, match=rf"a\.csv{suffix}"):
        read(raw.csv("a.csv"), tmp_path)


def test_a_gzip_file_with_a_flipped_bit_is_an_error(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(ROWS))
    packed[len(packed) // 2] ^= 4
    put(tmp_path, "a.csv.gz", data=bytes(packed))
    with pytest.raises(errors.CorruptFileError, match=r"a\.csv\.gz"):
        read(raw.csv("a.csv"), tmp_path)


def test_a_file_that_has_gone_since_it_was_listed_is_an_error_that_names_it(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz"):
        put(tmp_path, name)
        (file,) = raw.csv("a.csv").locate(tmp_path).files
        (tmp_path / name).unlink()
        with pytest.raises(errors.MissingFilesError, match=name):
            list(raw.csv("a.csv").reader.read(file))


def test_a_file_in_place_of_the_folder_is_an_error_that_says_so(tmp_path: Path) -> None:
    put(tmp_path, "clinic")
    with pytest.raises(
        errors.MissingFilesError, match=r"clinic is a file, but has to be the source's folder"
    ):
        raw.csv("a.csv").locate(tmp_path / "clinic")


@pytest.mark.parametrize("pattern", ["data/a.csv", "data/*.csv", "data/a.zip!x.csv"])
def test_a_file_in_place_of_a_folder_of_the_pattern_is_an_error_that_says_so(
    pattern: str, tmp_path: Path
) -> None:
    put(tmp_path, "data")
    with pytest.raises(errors.MissingFilesError, match=r"data is a file, but has to be a folder"):
        raw.csv(pattern).locate(tmp_path)


@pytest.mark.parametrize("pattern", ["data/a.csv", "data/a.csv!x.csv"])
def test_a_folder_in_place_of_a_file_is_an_error_that_says_so(pattern: str, tmp_path: Path) -> None:
    put(tmp_path, "data/a.csv/inner.csv")
    with pytest.raises(errors.MissingFilesError, match=r"a\.csv is a folder, but has to be a file"):
        raw.csv(pattern).locate(tmp_path)


def test_a_misplaced_file_does_no_harm_where_others_are_found(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "data")
    found = raw.csv("a.csv", "data/b.csv").locate(tmp_path)
    assert [file.name for file in found.files] == ["a.csv"]
    assert found.absent == (("", "data/b.csv"),)


# Declarations


def test_a_split_with_another_name_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match=r"dev: not a split\. Splits are train, validation, test"):
        raw.csv(train="a.csv", dev="b.csv")


def test_a_file_set_without_a_pattern_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match="at least one pattern"):
        raw.jsonl()
