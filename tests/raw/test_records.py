from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from medsins import errors, raw
from medsins.raw import FileSet, records
from raw_for_tests import Reading, constants, read, read_in_chunks

BOM = b"\xef\xbb\xbf"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
STYLES = st.sampled_from(
    [{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": "\t"}]
)


def put(folder: Path, data: bytes | str, name: str = "t.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


# JSON


@given(values=st.lists(VALUES, max_size=6), style=STYLES)
def test_the_elements_of_an_array_are_records(
    values: list[Any], style: dict[str, Any], folder: Path
) -> None:
    put(folder, json.dumps(values, **style))
    reading = read(raw.json("t.json"), folder)
    assert reading.records == values
    assert reading.rows == numbers(len(values))


def test_the_pairs_of_an_object_are_records(tmp_path: Path) -> None:
    put(tmp_path, BOM + b'{"21645374": {"QUESTION": "Why?"}, "1": null}')
    reading = read(raw.json("t.json"), tmp_path)
    assert reading.records == [("21645374", {"QUESTION": "Why?"}), ("1", None)]


def test_records_that_lie_deeper_are_found_by_a_function(tmp_path: Path) -> None:
    put(tmp_path, '{"version": 1, "exams": {"a": {"data": [1, 2]}, "b": {"data": [3]}}}')
    files = raw.json(
        "t.json", records=lambda d: (q for exam in d["exams"].values() for q in exam["data"])
    )
    reading = read(files, tmp_path)
    assert reading.records == [1, 2, 3]
    assert reading.rows == ["1", "2", "3"]


@pytest.mark.parametrize(
    "document", ['{"exam": {}}', '{"exams": []}', '{"exams": {"a": null}}', "[]", "7"]
)
def test_a_document_laid_out_otherwise_is_an_error_that_names_the_file(
    document: str, tmp_path: Path
) -> None:
    put(tmp_path, document)
    files = raw.json("t.json", records=lambda d: [d["exams"]["a"]["data"][0]])
    with pytest.raises(errors.CorruptFileError, match=r"t\.json is JSON, but not laid out"):
        read(files, tmp_path)


@pytest.mark.parametrize("document", ['"text"', "7", "null", "true"])
@pytest.mark.parametrize("streamed", [0, 1 << 20])
def test_a_document_that_is_neither_array_nor_object_has_no_records(
    document: str, streamed: int, tmp_path: Path
) -> None:
    put(tmp_path, document)
    with (
        constants(records, STREAMED=streamed),
        pytest.raises(errors.CorruptFileError, match=r"t\.json is JSON, but not laid out"),
    ):
        read(raw.json("t.json"), tmp_path)


def test_a_file_of_json_lines_is_read_in_spite_of_its_name(tmp_path: Path) -> None:
    put(tmp_path, '{"id": 1}\n\n{"id": 2}\r\n{"id": 3}')
    assert read(raw.json("t.json"), tmp_path).records == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.parametrize("data", [b"", b" \n \n", BOM, b"{", b'["caf\xe9"]', b"[NaN]", b"[1] [2]"])
@pytest.mark.parametrize("streamed", [-1, 1 << 20])
def test_what_is_no_json_is_an_error_that_names_the_file(
    data: bytes, streamed: int, tmp_path: Path
) -> None:
    put(tmp_path, data)
    with (
        constants(records, STREAMED=streamed),
        pytest.raises(errors.CorruptFileError, match=r"t\.json is"),
    ):
        read(raw.json("t.json"), tmp_path)


@given(
    values=st.lists(VALUES, min_size=1, max_size=5),
    style=STYLES,
    kept=st.floats(0, 1, exclude_max=True),
    streamed=st.sampled_from([-1, 1 << 20]),
)
def test_a_document_that_was_cut_off_is_an_error_wherever_it_was_cut(
    values: list[Any], style: dict[str, Any], kept: float, streamed: int, folder: Path
) -> None:
    data = json.dumps(values, **style).encode()
    put(folder, data[: int(len(data) * kept)])
    with (
        constants(records, STREAMED=streamed, _STREAM_BLOCK=8),
        pytest.raises(errors.CorruptFileError),
    ):
        read(raw.json("t.json"), folder)


@given(
    document=st.lists(VALUES, max_size=6) | st.dictionaries(TEXT, VALUES, max_size=5),
    style=STYLES,
    block=st.sampled_from([1, 2, 3, 7, 50]),
)
@example(document=[1.25e-7, -12, 3.5], style={}, block=1)
@example(document=["é病😀"], style={"ensure_ascii": False}, block=1)
def test_a_large_document_gives_the_same_one_by_one_as_a_small_one_whole(
    document: Any, style: dict[str, Any], block: int, folder: Path
) -> None:
    put(folder, json.dumps(document, **style))
    with constants(records, STREAMED=-1, _STREAM_BLOCK=block):
        streamed = read(raw.json("t.json"), folder)
    assert streamed == read(raw.json("t.json"), folder)


def attempt(files: FileSet, folder: Path) -> Reading | None:
    try:
        return read(files, folder)
    except errors.CorruptFileError:
        return None


@given(
    data=st.lists(
        st.sampled_from(
            ["[", "]", "{", "}", ",", ":", '"a"', "1", "-", ".", "e5", "\n", " ", "null"]
        ),
        max_size=14,
    ).map("".join),
    block=st.sampled_from([1, 3, 1 << 20]),
)
@example(data="[1,,2]", block=1)
@example(data="[1,]", block=1)
@example(data="{1:2}", block=1)
@example(data="[1,2]\n[3]", block=1 << 20)
@example(data='\n{"a":1}\n{"b":2}', block=1 << 20)
@example(data="11", block=1)
def test_large_and_small_documents_are_held_to_the_same_grammar(
    data: str, block: int, folder: Path
) -> None:
    # JSON Lines are told from one document by their first line, which has to fit into a block.
    assume(block > len(data) or "\n" not in data.strip())
    # Of a key that stands twice a dict keeps the last, but pairs are given as they come.
    assume(data.count('"a"') < 2 or not data.strip().startswith("{"))
    put(folder, data)
    with constants(records, STREAMED=-1, _STREAM_BLOCK=block):
        streamed = attempt(raw.json("t.json"), folder)
    whole = attempt(raw.json("t.json"), folder)
    assert streamed == whole


@pytest.mark.parametrize("depth", [100_000])
@pytest.mark.parametrize("streamed", [-1, 1 << 20])
def test_a_document_nested_beyond_all_measure_is_an_error(
    depth: int, streamed: int, tmp_path: Path
) -> None:
    put(tmp_path, "[" * depth + "]" * depth)
    with constants(records, STREAMED=streamed), pytest.raises(errors.CorruptFileError):
        read(raw.json("t.json"), tmp_path)


# JSON Lines


@given(
    lines=st.lists(VALUES.map(json.dumps) | st.sampled_from(["", "  ", "{'a': 1}", "{", "NaN"])),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    mark=st.booleans(),
)
def test_every_line_of_json_lines_is_a_record_or_set_aside_with_its_number(
    lines: list[str], end: str, last: bool, mark: bool, folder: Path
) -> None:
    # What begins like one array may be one: see the tests of arrays below.
    assume(not any(line.strip().startswith("[") for line in lines))
    put(folder, BOM * mark + (end.join(lines) + end * last).encode(), "t.jsonl")
    reading = read(raw.jsonl("t.jsonl"), folder)
    values, rows, bad = [], [], []
    for number, line in enumerate(lines, 1):
        if line in ("{'a': 1}", "{", "NaN"):
            bad.append((str(number), "line is not valid JSON"))
        elif line.strip():
            values.append(json.loads(line))
            rows.append(str(number))
    assert (reading.records, reading.rows, reading.bad) == (values, rows, bad)


@given(
    lines=st.lists(VALUES.map(json.dumps) | st.sampled_from(["", "{", "[1, 2]"]), max_size=30),
    chunk=st.integers(1, 120),
    block=st.integers(1, 60),
)
@example(lines=["[1, 2]"] * 30, chunk=20, block=8)
@example(lines=["["] + ["1,"] * 30 + ["2]"], chunk=20, block=8)
@example(lines=["", "[1]", "[2]", "[3]"], chunk=2, block=3)
def test_json_lines_read_in_chunks_give_the_same_as_read_whole(
    lines: list[str], chunk: int, block: int, folder: Path
) -> None:
    put(folder, "".join(f"{line}\n" for line in lines), "t.jsonl")
    whole = attempt(raw.jsonl("t.jsonl"), folder)
    assume(whole is not None)
    assert whole is not None
    cut, _ = read_in_chunks(raw.jsonl("t.jsonl"), folder, chunk, block)
    assert cut.records == whole.records
    assert [why for _, why in cut.bad] == [why for _, why in whole.bad]


def test_large_files_of_json_lines_are_cut(tmp_path: Path) -> None:
    put(tmp_path, "".join(f'{{"id": {number}}}\n' for number in range(500)), "t.jsonl")
    reading, chunks = read_in_chunks(raw.jsonl("t.jsonl"), tmp_path, chunk=500, block=64)
    assert chunks > 8
    assert [record["id"] for record in reading.records] == list(range(500))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("begin", [b"", b"\n \n", BOM])
def test_one_array_in_place_of_json_lines_is_read_as_such_even_where_files_are_cut(
    indent: int | None, begin: bytes, tmp_path: Path
) -> None:
    values = [{"id": number, "tags": [number]} for number in range(40)]
    put(tmp_path, begin + json.dumps(values, indent=indent).encode() + b"\n", "t.jsonl")
    assert read(raw.jsonl("t.jsonl"), tmp_path).records == values
    reading, chunks = read_in_chunks(raw.jsonl("t.jsonl"), tmp_path, chunk=100, block=32)
    assert chunks == 1
    assert reading.records == values


@pytest.mark.parametrize("streamed", [-1, 1 << 20])
def test_lines_that_are_arrays_are_records_each(streamed: int, tmp_path: Path) -> None:
    put(tmp_path, "[1, 2]\n[3, 4]\n[5\n[6]\n", "t.jsonl")
    with constants(records, STREAMED=streamed):
        reading = read(raw.jsonl("t.jsonl"), tmp_path)
    assert reading.records == [[1, 2], [3, 4], [6]]
    assert [row for row, _ in reading.bad] == ["3"]


@pytest.mark.parametrize("streamed", [-1, 1 << 20])
def test_a_json_file_whose_lines_are_arrays_is_read_as_lines(streamed: int, tmp_path: Path) -> None:
    put(tmp_path, "[1, 2]\n[3, 4]\n")
    with constants(records, STREAMED=streamed):
        assert read(raw.json("t.json"), tmp_path).records == [[1, 2], [3, 4]]


def test_compressed_json_lines_are_read_in_place(tmp_path: Path) -> None:
    put(tmp_path, gzip.compress(b'{"id": 1}\n{\n{"id": 3}'), "t.jsonl.gz")
    reading = read(raw.jsonl("t.jsonl"), tmp_path)
    assert reading.records == [{"id": 1}, {"id": 3}]
    assert reading.bad == [("2", "line is not valid JSON")]


def test_bytes_that_are_no_utf8_set_aside_their_line_only(tmp_path: Path) -> None:
    put(tmp_path, b'{"a": "caf\xc3\xa9"}\n{"a": "caf\xe9"}\n{"a": ""}\n', "t.jsonl")
    reading = read(raw.jsonl("t.jsonl"), tmp_path)
    assert reading.records == [{"a": "café"}, {"a": ""}]
    assert [row for row, _ in reading.bad] == ["2"]


def test_a_line_larger_than_any_block_is_a_record(tmp_path: Path) -> None:
    large = {"text": "x" * 5_000_000}
    put(tmp_path, f'{{"id": 1}}\n{json.dumps(large)}\n{{"id": 3}}\n', "t.jsonl")
    assert read(raw.jsonl("t.jsonl"), tmp_path).records == [{"id": 1}, large, {"id": 3}]


# Lines


@given(
    lines=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=9)
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    chunk=st.integers(1, 60),
)
@example(lines=["a\x85b", "c\u2028d", "", "e\x0cf"], end="\n", chunk=5)
def test_every_line_is_a_record_whole_and_in_chunks(
    lines: list[str], end: str, chunk: int, folder: Path
) -> None:
    assume(not lines or not lines[0].startswith("\ufeff"))
    put(folder, "".join(line + end for line in lines), "t.txt")
    reading = read(raw.lines("t.txt"), folder)
    assert reading.records == lines
    assert reading.rows == numbers(len(lines))
    assert read_in_chunks(raw.lines("t.txt"), folder, chunk, 16)[0].records == lines


def test_the_last_line_needs_no_line_break_and_the_first_no_byte_order_mark(tmp_path: Path) -> None:
    put(tmp_path, BOM + b"a\n\nb", "t.txt")
    assert read(raw.lines("t.txt"), tmp_path).records == ["a", "", "b"]
    put(tmp_path, b"", "t.txt")
    assert read(raw.lines("t.txt"), tmp_path).records == []


def test_a_line_in_another_encoding_is_set_aside_with_its_number(tmp_path: Path) -> None:
    put(tmp_path, b"tea\ncaf\xe9\ncaf\xc3\xa9\n", "t.txt")
    reading = read(raw.lines("t.txt"), tmp_path)
    assert reading.records == ["tea", "café"]
    assert reading.rows == ["1", "3"]
    assert reading.bad == [("2", "invalid utf-8")]


def test_lines_in_a_declared_encoding_are_read_right(tmp_path: Path) -> None:
    put(tmp_path, "头疼\r\n咳嗽\n".encode("gbk"), "t.txt")
    assert read(raw.lines("t.txt", encoding="gbk"), tmp_path).records == ["头疼", "咳嗽"]


# Super-NaturalInstructions


def instances(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"input": f"text {n}", "output": [f"answer {n}"], **more} for n in range(count)]


def put_task(folder: Path, items: list[Any], name: str = "task1_x.json", **facts: Any) -> None:
    put(folder, json.dumps({"Definition": ["Do."], **facts, "Instances": items}), name)


def test_both_generations_of_the_task_schema_are_read(tmp_path: Path) -> None:
    put_task(tmp_path, [{"input": " a ", "output": ["b", "c"]}], "task1_old.json", Definition="Do.")
    put_task(
        tmp_path,
        [{"id": "task2-0f", "input": "a", "output": ["b"]}],
        "tasks/task2_new.json",
        URL=["https://example.org"],
    )
    files = raw.superni("task1_old", "task2_new")
    assert files.folder == "superni"
    old, new = read(files, tmp_path).records
    assert (old["task"], old["id"], old["input"], old["output"]) == (
        "task1_old",
        "",
        " a ",
        ["b", "c"],
    )
    assert (new["task"], new["id"], new["output"]) == ("task2_new", "task2-0f", ["b"])


def test_an_output_that_is_one_string_is_one_answer(tmp_path: Path) -> None:
    put_task(tmp_path, [{"input": "a", "output": "yes"}])
    assert read(raw.superni("task1_x"), tmp_path).records[0]["output"] == ["yes"]


@pytest.mark.parametrize(("count", "held"), [(423, 43), (222, 23), (6500, 650), (1, 1), (0, 0)])
def test_the_last_tenth_of_a_task_is_held_out_as_the_benchmark_has_it(
    count: int, held: int, tmp_path: Path
) -> None:
    put_task(tmp_path, instances(count))
    marks = [record["held_out"] for record in read(raw.superni("task1_x"), tmp_path).records]
    assert marks == [False] * (count - held) + [True] * held


def test_what_shares_its_group_with_the_held_out_is_marked(tmp_path: Path) -> None:
    inputs = ["s1\t drug A", "s2\t drug B", "s3\t drug C", *(f"s{n}" for n in range(4, 10)), "s1"]
    put_task(tmp_path, [{"input": text, "output": ["x"]} for text in inputs])
    files = raw.superni("task1_x", group=lambda text: text.partition("\t")[0])
    records = read(files, tmp_path).records
    assert [record["group"] for record in records[:3]] == ["s1", "s2", "s3"]
    assert [record["related"] for record in records] == [True] + [False] * 9
    assert not any(record["related"] for record in read(raw.superni("task1_x"), tmp_path).records)


def test_instances_without_input_or_output_are_set_aside_with_their_numbers(tmp_path: Path) -> None:
    items = [*instances(1), {"input": "a"}, {"output": ["b"]}, "text", None, *instances(1)]
    put_task(tmp_path, [*items, {"input": 7, "output": ["b"]}, {"input": "a", "output": None}])
    reading = read(raw.superni("task1_x"), tmp_path)
    assert reading.rows == ["1", "6"]
    assert [row for row, _ in reading.bad] == ["2", "3", "4", "5", "7", "8"]


@pytest.mark.parametrize(
    "document", [[], {}, {"Instances": {}}, [{"Instances": []}], {"instances": []}]
)
def test_a_file_that_is_no_task_file_is_an_error_that_says_so(
    document: Any, tmp_path: Path
) -> None:
    put(tmp_path, json.dumps(document), "task1_x.json")
    with pytest.raises(errors.CorruptFileError, match=r"task1_x\.json is JSON without a list"):
        read(raw.superni("task1_x"), tmp_path)


def test_task_files_are_found_at_any_depth_and_under_any_ending(tmp_path: Path) -> None:
    put_task(tmp_path, instances(1), "natural-instructions/tasks/task1_x.json")
    put_task(tmp_path, instances(1), "task1_x.chunk.json")
    put_task(tmp_path, instances(1), "task10_x.json")
    names = [file.name for file in raw.superni("task1_x").locate(tmp_path).files]
    assert names == ["natural-instructions/tasks/task1_x.json", "task1_x.chunk.json"]
