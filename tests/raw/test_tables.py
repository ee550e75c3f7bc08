from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from medsins import errors, raw
from medsins.raw import tables
from medsins.raw.files import SpanStream
from raw_for_tests import constants, read, read_in_chunks

BOM = b"\xef\xbb\xbf"

# Lone surrogates are no text: they cannot be written as UTF-8. NUL is no text either: Arrow loses
# its place if a block ends soon after one in a quoted cell that goes on for several lines.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
SPECIAL = st.sampled_from(['"', ",", "\t", "\r", "\n", "\r\n", " ", "\ufeff", "\u2028", "é"])
CELLS = st.lists(CHARACTERS | SPECIAL, max_size=8).map("".join)


@st.composite
def written_tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    # A byte order mark at the start of the file is no chunk of its first column's name.
    name = CELLS.filter(lambda cell: not cell.startswith("\ufeff"))
    names = draw(st.lists(name, min_size=1, max_size=4, unique=True))
    rows = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(rows, max_size=12))


def csv_bytes(rows: list[list[str]], **style: Any) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, **style).writerows(rows)
    return stream.getvalue().encode()


def dicts(names: list[str], rows: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def put(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


# Delimited text


@given(
    table=written_tables(),
    style=st.sampled_from(
        [
            {},
            {"quoting": csv.QUOTE_ALL},
            {"delimiter": ";"},
            {"delimiter": "\t"},
            # With "\n" alone the csv module leaves a lone carriage return without quotes, where
            # every reader takes it for the end of a row.
            {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
        ]
    ),
    block=st.sampled_from([64, 256, 1 << 19]),
)
@example(table=(["a"], [[""], ["x"]]), style={}, block=64)
@example(table=(["a\nb", 'c"'], [["\r", "\n"]]), style={}, block=64)
@example(table=(["n" * 70], [["x"]]), style={}, block=64)
@example(table=(["n"], [["x" * 57 + "\r\n"]]), style={"quoting": csv.QUOTE_ALL}, block=64)
@example(table=(["a"], [["\ufeffb"], ["\ufeffc"]]), style={}, block=64)
def test_csv_gives_back_exactly_the_cells_that_were_written(
    table: tuple[list[str], list[list[str]]], style: dict[str, Any], block: int, folder: Path
) -> None:
    names, rows = table
    put(folder, csv_bytes([names, *rows], **style))
    with constants(tables, BLOCK=block):
        reading = read(raw.csv("t.csv", delimiter=style.get("delimiter", ",")), folder)
    assert reading.records == dicts(names, rows)
    assert reading.rows == numbers(len(rows))
    assert reading.bad == []


@given(
    rows=st.lists(
        st.lists(CELLS, min_size=1, max_size=3),
        max_size=25,
    ),
    header=st.booleans(),
    chunk=st.integers(1, 200),
    block=st.integers(3, 80),
    parsed=st.sampled_from([16, 64, 1 << 19]),
    mark=st.booleans(),
)
@example(rows=[["\ufeffx", "y"]] * 9, header=True, chunk=10, block=16, parsed=1 << 19, mark=False)
@example(
    rows=[["x" * n, "\r\n" * 9] for n in range(9)] * 2,
    header=True,
    chunk=150,
    block=16,
    parsed=64,
    mark=True,
)
def test_a_file_read_in_chunks_gives_the_same_as_read_whole(
    rows: list[list[str]],
    header: bool,
    chunk: int,
    block: int,
    parsed: int,
    mark: bool,
    folder: Path,
) -> None:
    first = [["one", "two"]] if header else []
    put(folder, BOM * mark + csv_bytes(first + rows))
    files = raw.csv("t.csv", names=None if header else ("one", "two"))
    assume(header or not rows or not rows[0][0].startswith("\ufeff"))
    whole = read(files, folder)
    with constants(tables, BLOCK=parsed):
        cut, count = read_in_chunks(files, folder, chunk, block)
    assert cut.records == whole.records
    assert [why for _, why in cut.bad] == [why for _, why in whole.bad]
    assert len(whole.records) == sum(len(cells) == 2 for cells in rows)
    assert len(whole.bad) == len(rows) - len(whole.records)
    if count == 1:
        assert cut == whole


def test_large_files_are_cut_between_rows_and_never_inside_a_quoted_cell(tmp_path: Path) -> None:
    rows = [[str(number), 'a\n"b",\n' * 5] for number in range(500)]
    put(tmp_path, csv_bytes([["id", "text"], *rows]))
    reading, chunks = read_in_chunks(raw.csv("t.csv"), tmp_path, chunk=2000, block=256)
    assert chunks > 8
    assert reading.records == dicts(["id", "text"], rows)


def test_a_header_row_longer_than_a_block_is_read_in_chunks_too(tmp_path: Path) -> None:
    names = ["id", "n" * 100]
    rows = [[str(number), "x"] for number in range(200)]
    put(tmp_path, csv_bytes([names, *rows], lineterminator="\n"))
    with constants(tables, BLOCK=64):
        reading, chunks = read_in_chunks(raw.csv("t.csv"), tmp_path, chunk=400, block=64)
    assert chunks > 2
    assert reading.records == dicts(names, rows)


def test_rows_of_a_later_chunk_are_counted_from_its_first_byte(tmp_path: Path) -> None:
    put(tmp_path, "a,b\n" + "1,2\n" * 20 + "3\n" + "1,2\n" * 20)
    reading, chunks = read_in_chunks(raw.csv("t.csv"), tmp_path, chunk=40, block=20)
    assert chunks > 2
    assert reading.rows[:3] == ["1", "2", "3"]
    offset, row = reading.bad[0][0].split("+")
    lines = (tmp_path / "t.csv").read_bytes()[int(offset) :].split(b"\n")
    assert lines[int(row) - 1] == b"3"


@pytest.mark.parametrize("quoting", [True, False])
def test_rows_with_too_few_or_too_many_cells_are_set_aside_with_their_numbers(
    quoting: bool, tmp_path: Path
) -> None:
    put(tmp_path, "a,b\n1,x\n2\n3,x\n4,x,y\n5,x\n6\n")
    reading = read(raw.csv("t.csv", quoting=quoting), tmp_path)
    assert [record["a"] for record in reading.records] == ["1", "3", "5"]
    assert reading.rows == ["1", "3", "5"]
    assert reading.bad == [
        ("2", "row has 1 cells, the header has 2"),
        ("4", "row has 3 cells, the header has 2"),
        ("6", "row has 1 cells, the header has 2"),
    ]


@given(
    kinds=st.lists(
        st.sampled_from(["good", "good", "short", "long", "large", "latin"]), max_size=60
    ),
    block=st.sampled_from([64, 200, 1000]),
)
@example(kinds=["good", "short"] * 30, block=64)
@example(kinds=["good"] * 10 + ["short"] * 10 + ["large"] + ["good", "long"] * 10, block=64)
def test_row_numbers_are_right_across_blocks_whatever_is_wrong_where(
    kinds: list[str], block: int, folder: Path
) -> None:
    lines = {
        "good": b"%d,x",
        "short": b"%d",
        "long": b"%d,x,\xe9",
        "large": b'%d,"' + b"y\n" * 800 + b'"',
        "latin": b"%d,\xe9",
    }
    data = [lines[kind] % number for number, kind in enumerate(kinds, 1)]
    put(folder, b"\n".join([b"a,b", *data, b""]))
    with constants(tables, BLOCK=block):
        reading = read(raw.csv("t.csv"), folder)
    good = [str(n) for n, kind in enumerate(kinds, 1) if kind in ("good", "large")]
    bad = [str(n) for n, kind in enumerate(kinds, 1) if kind not in ("good", "large")]
    assert [record["a"] for record in reading.records] == good
    assert reading.rows == good
    assert sorted((row for row, _ in reading.bad), key=int) == bad


def test_a_quote_that_is_never_closed_is_an_error_and_not_a_short_table(tmp_path: Path) -> None:
    put(tmp_path, 'a,b\n1,x\n2,"y\n3,z\n4,z\n')
    with pytest.raises(errors.CorruptFileError, match=r"t\.csv ends inside a quoted cell"):
        read(raw.csv("t.csv"), tmp_path)


def test_a_quote_that_is_never_closed_in_the_header_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, '"a,b\n1,x\n2,y\n')
    with pytest.raises(errors.CorruptFileError, match="ends inside a quoted cell"):
        read(raw.csv("t.csv"), tmp_path)


def test_a_quote_that_is_never_closed_is_found_in_files_of_many_blocks_and_chunks(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a,b\n" + "1,x\n" * 3000 + '2,"y\n' + "3,z\n" * 3000)
    with (
        constants(tables, BLOCK=1000),
        pytest.raises(errors.CorruptFileError, match="quote"),
    ):
        read(raw.csv("t.csv"), tmp_path)
    with pytest.raises(errors.CorruptFileError, match="quote"):
        read_in_chunks(raw.csv("t.csv"), tmp_path, chunk=1000, block=100)


def test_a_missing_column_is_named_together_with_those_that_are_there(tmp_path: Path) -> None:
    put(tmp_path, "note_id,text\n1,x\n")
    with pytest.raises(errors.CorruptFileError) as caught:
        read(raw.csv("t.csv", columns=("note_id", "subject_id")), tmp_path)
    assert str(tmp_path / "t.csv") in str(caught.value)
    assert "no column 'subject_id'" in str(caught.value)
    assert "'note_id', 'text'" in str(caught.value)


def test_only_the_declared_columns_are_read_in_their_order(tmp_path: Path) -> None:
    put(tmp_path, b"a,b,c\n1,\xff,3\n")
    reading = read(raw.csv("t.csv", columns=("c", "a")), tmp_path)
    assert [list(record.items()) for record in reading.records] == [[("c", "3"), ("a", "1")]]


def test_columns_of_a_group_stand_together_and_may_stand_alone_too(tmp_path: Path) -> None:
    put(tmp_path, b"id,hr,bp,temp,x\n1,80,120,,\xff\n2,,110,36.9,y\n3,7\n4,9\xe9,1,1,y\n")
    files = raw.csv(
        "t.csv", columns=["id", "bp"], groups={"vitals": ("temp", "hr", "bp"), "heart": ["hr"]}
    )
    reading = read(files, tmp_path)
    assert reading.records == [
        {"id": "1", "bp": "120", "vitals": ("", "80", "120"), "heart": ("80",)},
        {"id": "2", "bp": "110", "vitals": ("36.9", "", "110"), "heart": ("",)},
    ]
    assert [row for row, _ in reading.bad] == ["3", "4"]


def test_groups_alone_leave_out_the_other_columns(tmp_path: Path) -> None:
    put(tmp_path, "1\t2\t3\n4\t5\t6\n")
    files = raw.tsv("t.csv", groups={"ends": ["a", "c"]}, names=["a", "b", "c"])
    assert read(files, tmp_path).records == [{"ends": ("1", "3")}, {"ends": ("4", "6")}]


def test_groups_that_cannot_be_are_refused_where_they_are_declared(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="group 'a' needs columns, and a name that no column has"):
        raw.csv("t.csv", columns=["a", "b"], groups={"a": ["b"]})
    with pytest.raises(ValueError, match="group 'c' needs columns"):
        raw.csv("t.csv", columns=["a"], groups={"c": []})
    with pytest.raises(ValueError, match="a table needs columns that are read"):
        raw.csv("t.csv", columns=[])
    with pytest.raises(ValueError, match="every one of columns"):
        raw.csv("t.csv", groups={"c": ["a"]}, names=["b"])
    put(tmp_path, "a,b\n1,2\n")
    with pytest.raises(errors.CorruptFileError, match="no column 'c'"):
        read(raw.csv("t.csv", groups={"vitals": ["a", "c"]}), tmp_path)


def test_a_column_name_that_stands_twice_is_refused_if_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "a,b,a\n1,2,3\n")
    for files in (raw.csv("t.csv"), raw.csv("t.csv", columns=["a"])):
        with pytest.raises(errors.CorruptFileError, match="more than one column 'a'"):
            read(files, tmp_path)
    assert read(raw.csv("t.csv", columns=["b"]), tmp_path).records == [{"b": "2"}]


def test_empty_columns_that_a_spreadsheet_left_at_the_end_do_no_harm(tmp_path: Path) -> None:
    put(tmp_path, "a,b,,\n1,2,,\n")
    (record,) = read(raw.csv("t.csv"), tmp_path).records
    assert (record["a"], record["b"]) == ("1", "2")


@pytest.mark.parametrize("begin", ["a,b\n", '"a",b\n', "a,b\r\n", '"a","b"\r\n'])
def test_a_byte_order_mark_is_no_part_of_the_first_name(begin: str, tmp_path: Path) -> None:
    put(tmp_path, BOM + begin.encode() + b"1,2\n3\n")
    reading = read(raw.csv("t.csv", columns=("a", "b")), tmp_path)
    assert reading.records == [{"a": "1", "b": "2"}]
    assert [row for row, _ in reading.bad] == ["2"]


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    put(tmp_path, BOM + b"1,2\n3,4\n")
    reading = read(raw.csv("t.csv", names=("a", "b")), tmp_path)
    assert reading.records == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_line_ends_will_do_and_the_last_may_be_missing(
    end: str, last: bool, tmp_path: Path
) -> None:
    put(tmp_path, end.join(["a,b", '1,"x\r\ny"', "2,z"]) + end * last)
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.records == [{"a": "1", "b": "x\r\ny"}, {"a": "2", "b": "z"}]


def test_line_ends_may_be_mixed(tmp_path: Path) -> None:
    put(tmp_path, "a,b\r\n1,x\n2,y\r\n3,z")
    assert [r["b"] for r in read(raw.csv("t.csv"), tmp_path).records] == ["x", "y", "z"]


def test_blank_lines_are_no_rows_and_may_stand_before_the_header(tmp_path: Path) -> None:
    put(tmp_path, "\n\r\na,b\n1,x\n\n\n2\n3,z\n\n")
    reading = read(raw.csv("t.csv"), tmp_path)
    assert [record["a"] for record in reading.records] == ["1", "3"]
    assert reading.rows == ["1", "3"]
    assert [row for row, _ in reading.bad] == ["2"]


def test_bytes_that_are_no_utf8_set_aside_their_row_only(tmp_path: Path) -> None:
    put(tmp_path, b"id,name\n1,caf\xc3\xa9\n2,caf\xe9\n3,tea\n")
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.records == [{"id": "1", "name": "café"}, {"id": "3", "name": "tea"}]
    assert reading.rows == ["1", "3"]
    assert reading.bad == [("2", "name: invalid UTF-8")]
    assert reading.details == ["invalid UTF-8 at byte 3 of the cell"]


@pytest.mark.filterwarnings("error")
def test_a_row_that_is_wrong_in_every_way_sets_aside_itself_only(tmp_path: Path) -> None:
    lines = [b"na\xc3\xafve,b", b"caf\xc3\xa9,x", b"caf\xe9", b"caf\xe9,x", "茶,y".encode()]
    put(tmp_path, BOM + b"\n".join(lines))
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.records == [{"naïve": "café", "b": "x"}, {"naïve": "茶", "b": "y"}]
    assert reading.bad == [
        ("2", "row has 1 cells, the header has 2"),
        ("3", "naïve: invalid UTF-8"),
    ]


def test_no_message_quotes_what_a_record_says(tmp_path: Path) -> None:
    put(tmp_path, b"a,b\nsecret,secret,secret\nsecret\xe9,secret\n")
    reading = read(raw.csv("t.csv"), tmp_path)
    assert len(reading.bad) == 2
    assert "secret" not in str(reading.bad)
    put(tmp_path, 'a,b\nsecret,"secret\n')
    with pytest.raises(errors.CorruptFileError) as caught:
        read(raw.csv("t.csv"), tmp_path)
    assert "secret" not in str(caught.value)


def test_text_in_a_declared_encoding_is_read_right(tmp_path: Path) -> None:
    put(tmp_path, '科室,问题\n内科,"头疼，\n""怎么办""?"\n'.encode("gbk"))
    reading = read(raw.csv("t.csv", columns=("问题",), encoding="gbk"), tmp_path)
    assert reading.records == [{"问题": '头疼，\n"怎么办"?'}]


def test_text_in_utf16_is_read_right(tmp_path: Path) -> None:
    put(tmp_path, "a,b\né,病\n".encode("utf-16"))
    reading = read(raw.csv("t.csv", encoding="utf-16"), tmp_path)
    assert reading.records == [{"a": "é", "b": "病"}]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gbk", b"a,b\n1,\xff\n"),
        ("ascii", b"a,b\n" + b"1,2\n" * 200_000 + b"1,\xe9\n"),
        ("utf-16", b"a,b\n1,2\n"),
    ],
)
def test_a_wrong_declared_encoding_is_an_error_that_says_so(
    encoding: str, data: bytes, tmp_path: Path
) -> None:
    put(tmp_path, data)
    with pytest.raises(errors.CorruptFileError, match=rf"t\.csv is not {encoding} text"):
        read(raw.csv("t.csv", encoding=encoding), tmp_path)


def test_a_header_in_another_encoding_is_an_error_that_says_so(tmp_path: Path) -> None:
    for encoding in ("gbk", "utf-16"):
        put(tmp_path, "科室,b\n1,2\n".encode(encoding))
        with pytest.raises(errors.CorruptFileError, match="header row is not UTF-8 text"):
            read(raw.csv("t.csv"), tmp_path)


@pytest.mark.parametrize("lenient", [False, True])
def test_records_of_several_megabytes_are_read_in_their_place(
    lenient: bool, tmp_path: Path
) -> None:
    large = 'line\n"quoted", ' * 200_000
    rows = [[str(number), large if number in (20_000, 20_002) else "x"] for number in range(30_000)]
    written = csv_bytes([["id", "text"], *rows])
    put(tmp_path, written + b"30000\n" * lenient)
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.records == dicts(["id", "text"], rows)
    assert reading.rows == numbers(30_000)
    assert [row for row, _ in reading.bad] == ["30001"] * lenient


def test_a_record_of_fifty_megabytes_is_read(tmp_path: Path) -> None:
    large = "0123456789\n" * 5_000_000
    put(tmp_path, csv_bytes([["id", "text"], ["1", "x"], ["2", large], ["3", "y"]]))
    records = read(raw.csv("t.csv"), tmp_path).records
    assert [record["id"] for record in records] == ["1", "2", "3"]
    assert records[1]["text"] == large


def test_a_record_beyond_all_measure_is_an_error_that_names_its_row(tmp_path: Path) -> None:
    put(tmp_path, csv_bytes([["id", "text"], ["1", "x"], ["2", "y" * 5000]]))
    with (
        constants(tables, BLOCK=64, _LARGEST_BLOCK=2048),
        pytest.raises(errors.CorruptFileError, match=r"the record after row 1 is longer"),
    ):
        read(raw.csv("t.csv"), tmp_path)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
)
def test_compressed_tables_are_read_in_place(
    suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    rows = [[str(number), "x" * 30] for number in range(50_000)]
    put(tmp_path, compress(csv_bytes([["id", "text"], *rows])), f"t.csv{suffix}")
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.records == dicts(["id", "text"], rows)


def test_compressed_tables_with_bad_rows_are_read_in_place(tmp_path: Path) -> None:
    put(tmp_path, gzip.compress(b"a,b\n1,2\n3\n4,\xff\n5,6\n"), "t.csv.gz")
    reading = read(raw.csv("t.csv"), tmp_path)
    assert reading.rows == ["1", "4"]
    assert [row for row, _ in reading.bad] == ["2", "3"]


def test_a_header_without_rows_gives_nothing(tmp_path: Path) -> None:
    for data in ("a,b", "a,b\n", "a,b\r\n\r\n"):
        put(tmp_path, data)
        reading = read(raw.csv("t.csv", columns=("a",)), tmp_path)
        assert (reading.records, reading.bad) == ([], [])


@pytest.mark.parametrize("data", [b"", b"\n\n", BOM])
def test_an_empty_file_is_an_error_where_a_header_is_due(data: bytes, tmp_path: Path) -> None:
    put(tmp_path, data)
    with pytest.raises(errors.CorruptFileError, match=r"t\.csv is empty, without a header row"):
        read(raw.csv("t.csv"), tmp_path)


def test_an_empty_file_without_a_header_gives_nothing(tmp_path: Path) -> None:
    put(tmp_path, b"")
    assert read(raw.csv("t.csv", names=("a", "b")), tmp_path).records == []


def test_a_file_that_is_one_endless_line_is_refused(tmp_path: Path) -> None:
    put(tmp_path, b"x" * 300_000)
    with pytest.raises(errors.CorruptFileError, match="does not begin with a header row"):
        read(raw.csv("t.csv"), tmp_path)


def test_names_stand_in_for_a_header_row(tmp_path: Path) -> None:
    put(tmp_path, '7,"What, now?",yes\r\n8,Why?\r\n9,When?,no\r\n')
    files = raw.csv("t.csv", names=("doctor", "question", "label"), columns=("label", "question"))
    reading = read(files, tmp_path)
    assert reading.records == [
        {"label": "yes", "question": "What, now?"},
        {"label": "no", "question": "When?"},
    ]
    assert reading.rows == ["1", "3"]
    assert [row for row, _ in reading.bad] == ["2"]


def test_names_that_cannot_be_are_refused_where_they_are_declared() -> None:
    with pytest.raises(ValueError, match="names"):
        raw.csv("t.csv", names=("a", "b"), columns=("c",))
    with pytest.raises(ValueError, match="names"):
        raw.csv("t.csv", names=("a", "a"))


def test_quotes_in_tsv_are_ordinary_characters(tmp_path: Path) -> None:
    put(tmp_path, 'a\tb\n"x\t5" nail\n""\t"\n', "t.tsv")
    reading = read(raw.tsv("t.tsv"), tmp_path)
    assert reading.records == [{"a": '"x', "b": '5" nail'}, {"a": '""', "b": '"'}]


def test_tsv_can_be_told_that_its_quotes_are_quotes(tmp_path: Path) -> None:
    put(tmp_path, 'a\tb\n"x\ty\nz"\t2\n', "t.tsv")
    assert read(raw.tsv("t.tsv", quoting=True), tmp_path).records == [{"a": "x\ty\nz", "b": "2"}]


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n")),
            min_size=2,
            max_size=2,
        ),
        max_size=20,
    ),
    chunk=st.integers(1, 100),
)
def test_tsv_gives_back_exactly_the_cells_whole_and_in_chunks(
    rows: list[list[str]], chunk: int, folder: Path
) -> None:
    put(folder, "\n".join("\t".join(cells) for cells in [["a", "b"], *rows]) + "\n", "t.tsv")
    reading = read(raw.tsv("t.tsv"), folder)
    assert reading.records == dicts(["a", "b"], rows)
    assert read_in_chunks(raw.tsv("t.tsv"), folder, chunk, 32)[0].records == reading.records


@given(
    data=st.lists(
        st.sampled_from(
            [b'"', b",", b"\n", b"\r", b"a", b"\xff", b"\x00", BOM, "é".encode(), b"x" * 70]
        ),
        max_size=40,
    ).map(b"".join),
    header=st.booleans(),
    quoting=st.booleans(),
)
def test_bytes_of_any_kind_give_records_or_an_error_of_ours(
    data: bytes, header: bool, quoting: bool, folder: Path
) -> None:
    put(folder, data)
    files = raw.csv("t.csv", names=None if header else ("a", "b"), quoting=quoting)
    with constants(tables, BLOCK=48):
        try:
            reading = read(files, folder)
        except errors.CorruptFileError:
            return
    counted = [*reading.rows, *(row for row, _ in reading.bad)]
    assert sorted(counted, key=int) == numbers(len(counted))


def test_closing_a_stream_waits_for_the_thread_that_reads_from_it(tmp_path: Path) -> None:
    # Arrow reads ahead in a thread of its own. If the file were closed under it, its number could
    # go to the next file that is opened, and the thread would take away that file's bytes.
    path = tmp_path / "slow"
    path.write_bytes(b"x" * 100)
    entered, release = threading.Event(), threading.Event()

    class Slow:
        def read(self, size: int = -1, /) -> bytes:
            entered.set()
            release.wait(10)
            return b"x" * size

    stream = SpanStream(Slow(), None, count_quotes=True)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(stream.read(5)))
    reader.start()
    assert entered.wait(10)
    closer = threading.Thread(target=stream.close)
    closer.start()
    time.sleep(0.05)
    assert closer.is_alive()
    release.set()
    reader.join(10)
    closer.join(10)
    assert got == [b"xxxxx"]
    assert stream.read(5) == b""


# Workbooks


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    del book["Sheet"]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def strict(data: bytes) -> bytes:
    """The same workbook in ISO strict OOXML, as far as names of namespaces go."""
    spelt = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": (
            b"http://purl.oclc.org/ooxml/spreadsheetml/main"
        ),
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(stream, "w") as after:
        for name in before.namelist():
            member = before.read(name)
            for old, new in spelt.items():
                member = member.replace(old, new)
            after.writestr(name, member)
    return stream.getvalue()


ROWS: list[list[Any]] = [
    ["File", " CHQ ", None, "Summary", None],
    ["a.txt", "Why?\nWhy?", None, "why", None],
    [None, None, None, None, None],
    ["b.txt", None, None, True, None],
    [date(2020, 1, 2), 2.5, "stray", "x", None],
]


def test_a_workbook_gives_typed_cells_under_named_columns(tmp_path: Path) -> None:
    put(tmp_path, workbook(QS=ROWS), "t.xlsx")
    reading = read(raw.xlsx("t.xlsx", columns=("CHQ", "Summary")), tmp_path)
    assert reading.records == [
        {"File": "a.txt", "CHQ": "Why?\nWhy?", "Summary": "why"},
        {"File": "b.txt", "CHQ": None, "Summary": True},
        {"File": date(2020, 1, 2), "CHQ": 2.5, "Summary": "x"},
    ]
    assert reading.rows == ["1", "3", "4"]


def test_a_workbook_in_strict_ooxml_gives_the_same(tmp_path: Path) -> None:
    data = strict(workbook(QS=ROWS))
    with pytest.warns(UserWarning, match="invalid specification"):
        # The trap of this format: not an error, but no sheets.
        assert openpyxl.load_workbook(io.BytesIO(data)).sheetnames == []
    put(tmp_path, workbook(QS=ROWS), "transitional.xlsx")
    put(tmp_path, data, "strict.xlsx")
    assert read(raw.xlsx("strict.xlsx"), tmp_path) == read(raw.xlsx("transitional.xlsx"), tmp_path)


@given(
    rows=st.lists(
        st.lists(
            st.text(
                st.characters(
                    exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufffe\uffff"
                ),
                min_size=1,
                max_size=6,
            )
            # openpyxl takes text that begins with "=" for a formula, and "#N/A" for an error; the
            # parser takes a cell of white space alone for an empty one.
            .filter(lambda cell: cell[0] not in "=#" and cell.strip())
            | st.none()
            | st.booleans()
            | st.integers(-999, 999).map(float),
            min_size=3,
            max_size=3,
        ).filter(any),
        max_size=6,
    )
)
def test_workbooks_give_back_the_cells_that_were_written(
    rows: list[list[Any]], folder: Path
) -> None:
    put(folder, workbook(S=[["a", "b", "c"], *rows]), "t.xlsx")
    assert read(raw.xlsx("t.xlsx"), folder).records == dicts(["a", "b", "c"], rows)


def test_a_renamed_sheet_is_named_together_with_those_that_are_there(tmp_path: Path) -> None:
    put(tmp_path, workbook(Sheet1=ROWS, Notes=[["x"]]), "t.xlsx")
    with pytest.raises(errors.CorruptFileError, match=r"no sheet 'QS'.*'Sheet1', 'Notes'"):
        read(raw.xlsx("t.xlsx", sheet="QS"), tmp_path)


def test_of_several_sheets_one_has_to_be_named(tmp_path: Path) -> None:
    put(tmp_path, workbook(A=[["x"], ["1"]], B=[["x"], ["2"]]), "t.xlsx")
    with pytest.raises(errors.CorruptFileError, match=r"more than one sheet.*'A', 'B'"):
        read(raw.xlsx("t.xlsx"), tmp_path)
    assert read(raw.xlsx("t.xlsx", sheet="B"), tmp_path).records == [{"x": "2"}]


def test_a_missing_column_of_a_workbook_is_named_with_its_sheet(tmp_path: Path) -> None:
    put(tmp_path, workbook(QS=ROWS), "t.xlsx")
    expected = r"sheet 'QS' has no column 'Question'.*'File', 'CHQ', 'Summary'"
    with pytest.raises(errors.CorruptFileError, match=expected):
        read(raw.xlsx("t.xlsx", columns=("Question", "File")), tmp_path)


def test_a_workbook_without_a_row_of_names_is_refused(tmp_path: Path) -> None:
    put(tmp_path, workbook(S=[[None, None], ["1", "2"]]), "t.xlsx")
    with pytest.raises(errors.CorruptFileError, match="row of column names"):
        read(raw.xlsx("t.xlsx"), tmp_path)
    with pytest.raises(errors.CorruptFileError, match="no column 'a'"):
        read(raw.xlsx("t.xlsx", columns=("a",)), tmp_path)


def test_a_column_name_that_stands_twice_in_a_workbook_is_refused(tmp_path: Path) -> None:
    put(tmp_path, workbook(S=[["a", "b", "a"], ["1", "2", "3"]]), "t.xlsx")
    with pytest.raises(errors.CorruptFileError, match="more than one column 'a'"):
        read(raw.xlsx("t.xlsx"), tmp_path)


def test_a_file_that_is_no_workbook_is_an_error_that_says_so(tmp_path: Path) -> None:
    whole = workbook(QS=ROWS)
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    for data in (b"", b"File,CHQ\na,b\n", stream.getvalue(), whole[: len(whole) // 2]):
        put(tmp_path, data, "t.xlsx")
        with pytest.raises(errors.CorruptFileError, match=r"t\.xlsx is not a readable workbook"):
            read(raw.xlsx("t.xlsx"), tmp_path)
