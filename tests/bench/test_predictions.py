"""Prediction files: what is read, what is refused, and how rows find their questions."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medsins.bench.scoring.predictions import Predictions, asked, join, read_predictions
from medsins.errors import InvalidFileError


@dataclass(frozen=True)
class Item:
    id: str
    task: str
    input: str
    references: tuple[str, ...]


ITEMS = [
    Item(
        "a1", "medqa_mcqa_en", "Question: q\nOptions: A: x\tB: y\t", ("The right answer is A: x",)
    ),
    Item(
        "a2", "medqa_mcqa_en", "Question: r\nOptions: A: x\tB: y\t", ("The right answer is B: y",)
    ),
    Item("b1", "pubmedqa_answer_verification", "Question: s", ("no",)),
]


def json_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(path: Path, rows: Iterable[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def texts(predictions: Predictions) -> list[str]:
    return [row.text for row in predictions.rows]


@pytest.mark.parametrize("said", ["NA", "None", "null", "nan", "", " ", "1", "007", "1e3", "true"])
def test_every_answer_is_text(tmp_path: Path, said: str) -> None:
    lines = json_lines(tmp_path / "p.jsonl", {"id": "a1", "prediction": said})
    assert texts(read_predictions(lines)) == [said]
    rows = [("id", "prediction"), ("a1", said)]
    assert texts(read_predictions(table(tmp_path / "p.csv", rows))) == [said]


def test_null_is_a_blank_answer(tmp_path: Path) -> None:
    lines = json_lines(tmp_path / "p.jsonl", {"id": "a1", "prediction": None})
    assert texts(read_predictions(lines)) == [""]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=50), min_size=1))
def test_json_lines_and_csv_say_the_same(tmp_path: Path, said: list[str]) -> None:
    rows = [{"id": str(place), "prediction": text} for place, text in enumerate(said)]
    assert texts(read_predictions(json_lines(tmp_path / "p.jsonl", *rows))) == said
    cells = [("id", "prediction"), *((row["id"], row["prediction"]) for row in rows)]
    assert texts(read_predictions(table(tmp_path / "p.csv", cells))) == said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_of_byte_order_are_no_part_of_the_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "p"
    path.write_bytes('{"id": "a1", "prediction": "é\u2028x"}\n'.encode(encoding))
    assert [(row.id, row.text) for row in read_predictions(path).rows] == [("a1", "é\u2028x")]
    rows = [("id", "prediction"), ("a1", 'two\nlines, "quoted"')]
    assert texts(read_predictions(table(path, rows, encoding))) == ['two\nlines, "quoted"']


def test_another_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"id,prediction\na1,caf\xe9\n")
    with pytest.raises(InvalidFileError, match=r"not UTF-8 at byte 20, line 2"):
        read_predictions(path)
    path.write_bytes(b"id,prediction\n" + b"a1,x\n" * 300_000 + b"a2,\xff\n")
    with pytest.raises(InvalidFileError, match=r"at byte 1,500,017, line 300,002"):
        read_predictions(path)


def test_a_long_answer_is_read_whole(tmp_path: Path) -> None:
    long = "word " * 250_000
    lines = json_lines(tmp_path / "p.jsonl", {"id": "a1", "prediction": long})
    assert texts(read_predictions(lines)) == [long]
    rows = [("id", "prediction"), ("a1", long)]
    assert texts(read_predictions(table(tmp_path / "p.csv", rows))) == [long]


def test_memory_does_not_grow_with_prompts(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = [("task_id", "input", "GT", "output")]
    with path.open("w") as file:
        for place in range(100):
            prompt = "x" * 300_000
            file.write(json.dumps({"id": str(place), "prompt": prompt, "prediction": "y"}) + "\n")
            rows.append(("task57", prompt, "z", "y"))
    table(tmp_path / "p.csv", rows)
    del rows
    for each in (path, tmp_path / "p.csv"):
        tracemalloc.start()
        assert len(read_predictions(each).rows) == 100
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8_000_000


TWO_MODELS = """
{"id": "a", "prediction": "x", "model": "m/1"}
{"id": "b", "prediction": "x", "model": "m/2"}
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("id;prediction\na;b\n", "lacks the columns task_id, input, GT, output; it has id;predict"),
        ("task_id,input,output\na,b,c\n", "lacks the columns GT; it has task_id, input, output"),
        ("id,id,prediction\na,b,c\n", "column twice: id"),
        ("id,prediction\na,b,c\n", "line 2: 3 cells, but the header has 2"),
        ('id,prediction\nx,"a\nb"\nz\n', "line 4: 1 cells"),
        ('id,prediction\nx,"open\n', "row that begins at line 2: not valid CSV"),
        ('{"id": "a"}\n', "line 1: no 'prediction'; it has id"),
        ('{"id": "a", "prediction": "x"}\n{"id": "b", "pred', "line 2: not valid JSON"),
        ('{"id": "a", "prediction": 3}\n', "line 1: 'id' and 'prediction' have to be text"),
        ('{"id": "a", "prediction": "x"}\n[1]\n', "line 2: not a JSON object"),
        (TWO_MODELS, "predictions of 2 models: m/1, m/2"),
    ],
)
def test_what_is_no_prediction_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "p"
    path.write_text(content)
    with pytest.raises(InvalidFileError) as refused:
        read_predictions(path)
    assert message in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="is not there"):
        read_predictions(tmp_path / "p.jsonl")


def test_the_model_is_named_whatever_its_name(tmp_path: Path) -> None:
    row = {"id": "a1", "prediction": "x", "model": "org/a_model"}
    assert read_predictions(json_lines(tmp_path / "p", row)).model == "org/a_model"


def given_rows(path: Path, *pairs: tuple[str, str]) -> Predictions:
    return read_predictions(
        json_lines(path, *({"id": key, "prediction": said} for key, said in pairs))
    )


def test_missing_rows_are_blank_and_said(tmp_path: Path) -> None:
    joined = join(given_rows(tmp_path / "p", ("a2", "B"), ("b1", "no")), ITEMS)
    assert [(one.id, one.prediction, one.missing) for one in joined.answers] == [
        ("a1", "", True),
        ("a2", "B", False),
        ("b1", "no", False),
    ]
    assert joined.missing == ("a1",)
    assert joined.problems == ["rows missing, scored as blank: 1 (a1)"]


def test_extra_and_repeated_rows_are_errors(tmp_path: Path) -> None:
    extra = given_rows(tmp_path / "p", *((f"z{place}", "x") for place in range(9)), ("a1", "A"))
    with pytest.raises(InvalidFileError, match=r"no question .*: 9 \('z0' in line 1.*4 more\)"):
        join(extra, ITEMS)
    twice = given_rows(tmp_path / "p", ("a1", "A"), ("a2", "B"), ("a1", "B"))
    with pytest.raises(InvalidFileError, match=r"earlier row answers: 1 \('a1' in line 3\)"):
        join(twice, ITEMS)


def test_partial_takes_what_is_there(tmp_path: Path) -> None:
    rows = given_rows(tmp_path / "p", ("z", "x"), ("a1", "A"), ("a1", "B"))
    joined = join(rows, ITEMS, partial=True)
    assert [(one.id, one.prediction) for one in joined.answers] == [("a1", "A"), ("a2", "")]
    assert (joined.extra, joined.repeated) == (1, 1)
    assert joined.left_out == ("pubmedqa_answer_verification",)
    assert len(joined.problems) == 4


def published(*items: Item) -> list[tuple[str, ...]]:
    number = {"medqa_mcqa_en": "task57", "pubmedqa_answer_verification": "task12"}
    rows = [(number[one.task], one.input, one.references[0], "x") for one in items]
    return [("task_id", "input", "GT", "output"), *rows]


def test_rows_of_the_published_layout_find_their_questions(tmp_path: Path) -> None:
    rows = published(ITEMS[2], ITEMS[0])
    joined = join(read_predictions(table(tmp_path / "p.csv", rows)), ITEMS)
    assert [one.prediction for one in joined.answers] == ["x", "", "x"]


def test_rows_of_the_published_layout_may_hold_the_prompt(tmp_path: Path) -> None:
    one = ITEMS[0]
    prompt = (
        f"<s>system\n\nInput:\nold\nOutput:\nold\nInput:\n{one.input}\nOutput:<eot>assistant\n\n"
    )
    rows = published(Item(one.id, one.task, prompt, one.references))
    joined = join(read_predictions(table(tmp_path / "p.csv", rows)), ITEMS)
    assert joined.answers[0].prediction == "x"
    assert asked(prompt) == one.input
    assert asked(one.input) == one.input


def test_equal_questions_are_answered_in_order(tmp_path: Path) -> None:
    same = [Item(str(place), "medqa_mcqa_en", "q", ("A",)) for place in range(2)]
    rows = published(*same)
    rows[2] = (*rows[2][:3], "second")
    joined = join(read_predictions(table(tmp_path / "p.csv", rows)), same)
    assert [one.prediction for one in joined.answers] == ["x", "second"]
    rows.append(rows[1])
    with pytest.raises(InvalidFileError, match="earlier row answers: 1"):
        join(read_predictions(table(tmp_path / "p.csv", rows)), same)


@pytest.mark.parametrize("field", [0, 1, 2])
def test_another_question_or_reference_is_refused(tmp_path: Path, field: int) -> None:
    rows = published(*ITEMS)
    rows[1] = (*rows[1][:field], "another", *rows[1][field + 1 :])
    with pytest.raises(InvalidFileError, match=r"no question of the benchmark: 1 \(.* in line 2\)"):
        join(read_predictions(table(tmp_path / "p.csv", rows)), ITEMS)
