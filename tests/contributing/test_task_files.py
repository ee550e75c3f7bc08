"""Task files of contributors, handed in as they hand them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import medsins
from medsins.contributing.task_files import Imported, import_task_file, read_task_file
from medsins.errors import InvalidFileError, OutputError
from paths import SHARED

TEMPLATE = SHARED / "published/DATA_Contributor/Task_Contributor.xlsx"
CARD = {
    "Contributors": ["A. Nonymous"],
    "Source": ["Toe Clinic"],
    "URL": ["https://example.org/toes"],
    "Categories": ["QA"],
    "Definition": ["You are given a question about toes. Answer it in one sentence."],
    "Input_language": ["English"],
    "Output_language": ["English"],
    "Instruction_language": ["English"],
    "Domains": ["daily conversation"],
}
INSTANCES = [
    {"id": "q1", "input": "How many toes has a foot?", "output": ["Five.", "It has five."]},
    {"id": "q2", "input": "Which toe is the hallux?", "output": ["The big toe."]},
]


def write(path: Path, **changes: Any) -> Path:
    document = {**CARD, "Split Type": "Train", "Instances": INSTANCES, **changes}
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    return path


def workbook(path: Path, rows: list[list[str]], **changes: str | None) -> Path:
    book = openpyxl.Workbook()
    card = book.active
    assert card is not None
    card.title = "Basic Information"
    card.append(["Task Card"])
    fields = {key: value[0] for key, value in CARD.items()}
    fields["Text Domains"] = fields.pop("Domains")
    for key, value in {**fields, "Split Type": "Test", **changes}.items():
        card.append([key, value])
    sheet = book.create_sheet("Instances")
    for row in (["Input", "Output"], *rows):
        sheet.append(row)
    book.save(path)
    return path


def test_a_json_task_file_becomes_a_build_and_a_recipe(tmp_path: Path) -> None:
    path = write(tmp_path / "Toe Clinic.json")
    made = import_task_file(path, folder=tmp_path / "home", out=tmp_path / "data", progress=False)
    assert made.result.counts == {"toe_clinic_answers": {"train": 2}}
    rows = medsins.load(tmp_path / "data", "train", tasks=None)
    first = next(row for row in rows if "toes" in row["input"])
    assert first["references"] == ["Five.", "It has five."]
    assert first["record"].endswith("#q1")
    assert first["task_category"] == "Question Answering"
    assert first["text_domain"] == "Daily Conversations"
    facts = made.result.manifest.recipes["toe_clinic"]
    assert (facts.redistribution, facts.llm_api) == ("no", "local_only")
    medsins.verify(tmp_path / "data")


def test_a_task_file_that_changed_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    def imported() -> Imported:
        return import_task_file(
            path, folder=tmp_path / "home", out=tmp_path / "data", progress=False
        )

    path = write(tmp_path / "toes.json")
    first = imported()
    write(path, Instances=[*INSTANCES, {"id": "q3", "input": "Why?", "output": ["So."]}])
    second = imported()
    assert (second.recipe, second.raw) == (first.recipe, first.raw)
    assert (first.raw / "toes" / "task.json").read_bytes() == path.read_bytes()
    assert second.result.counts == {"toes_answers": {"train": 3}}


def test_a_workbook_becomes_a_build(tmp_path: Path) -> None:
    path = workbook(tmp_path / "toes.xlsx", [["How many?", "Five."], ["Which?", "The big one."]])
    made = import_task_file(path, folder=tmp_path / "home", out=tmp_path / "data", progress=False)
    assert made.result.counts == {"toes_answers": {"test": 2}}


@pytest.mark.skipif(not TEMPLATE.is_file(), reason="the published template is not here")
def test_the_published_template_is_told_what_it_lacks() -> None:
    with pytest.raises(InvalidFileError) as caught:
        read_task_file(TEMPLATE)
    for field in ("Contributors", "Definition", "Categories"):
        assert f"sheet Basic Information, {field}: is empty" in str(caught.value)
    assert "sheet Instances: is empty" in str(caught.value)


def test_every_problem_is_listed_at_once_with_its_place(tmp_path: Path) -> None:
    instances = [
        {"id": 1, "input": "secret", "output": []},
        {"id": 1, "input": " ", "output": "x"},
        {"output": ["y"]},
        "no object",
    ]
    path = write(
        tmp_path / "bad.json",
        Categories=["Questoin Answering"],
        Domains=None,
        Input_language=["Klingon"],
        Instances=instances,
        **{"Split Type": "Dev"},
    )
    with pytest.raises(InvalidFileError) as caught:
        read_task_file(path)
    said = str(caught.value)
    for expected in (
        "has no Domains",
        "Categories: is not known; did you mean 'question answering'?",
        "Input_language: is not known",
        "Split Type: is not one of",
        "Instances[0].output",
        "Instances[1].input: is empty",
        "Instances[2]: has no input",
        "Instances[3]: is not of type object",
        "Instances[0].id: is used more than once",
    ):
        assert expected in said
    assert "secret" not in said


def test_problems_of_a_workbook_name_sheet_row_and_column(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "bad.xlsx", [["How many?", "Five."], ["", "x"]], Categories="Sorcery"
    )
    with pytest.raises(InvalidFileError) as caught:
        read_task_file(path)
    assert "sheet Instances, row 3: has no input" in str(caught.value)
    assert "sheet Basic Information, Categories: is not known" in str(caught.value)


def test_a_workbook_without_a_sheet_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "empty.xlsx")
    with pytest.raises(InvalidFileError, match="no sheet Basic Information and no sheet Instances"):
        read_task_file(tmp_path / "empty.xlsx")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"3", b'{"Instances": 3}'])
@pytest.mark.parametrize("ending", ["json", "xlsx", "txt"])
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, content: bytes, ending: str
) -> None:
    path = tmp_path / f"file.{ending}"
    path.write_bytes(content)
    with pytest.raises(InvalidFileError, match=r"file\."):
        read_task_file(path)


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*CARD, "Instances", "Split Type", "input", "output", "id"]),
                inner,
                max_size=8,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_document_gives_anything_but_a_contribution_or_a_clear_error(
    folder: Path, document: Any
) -> None:
    path = folder / "any.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidFileError):
        read_task_file(path)


def test_a_name_that_is_taken_or_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json")
    with pytest.raises(OutputError, match="there is a recipe medqa already"):
        import_task_file(path, "medqa", folder=tmp_path, out=tmp_path / "data")
    with pytest.raises(OutputError, match="cannot name a recipe"):
        import_task_file(path, "Toe-Clinic", folder=tmp_path, out=tmp_path / "data")


def test_texts_with_quotes_and_line_breaks_make_a_recipe_that_can_be_imported(
    tmp_path: Path,
) -> None:
    odd = 'Say """no""" \\ and\n{nothing} else\'s "ok"'
    path = write(tmp_path / "odd.json", Definition=[odd], Source=[odd], Contributors=[odd])
    made = import_task_file(path, folder=tmp_path / "home", out=tmp_path / "data", progress=False)
    rows = medsins.load(tmp_path / "data", "train", tasks=None)
    assert rows[0]["definition"] == odd
    assert made.recipe.is_file()
