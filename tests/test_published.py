"""Our output against what the authors published, where the raw source is the same.

The published rows are not part of the project; these tests run where they lie beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

import medsins
from paths import SHARED

PUBLISHED = SHARED / "published" / "rationale_rows.en_fr_es.jsonl"
RAW = SHARED / "raw"

needs_published = pytest.mark.skipif(
    not PUBLISHED.is_file(), reason="the published rows are not beside this checkout"
)
needs_raw = pytest.mark.skipif(
    not RAW.is_dir(), reason="the real raw files are not beside this checkout"
)

SHAPES = {
    "task52": re.compile(r"(Question: (.*)\nOptions: (.*))\n(The right answer is (.*)\.)", re.S),
    "task53": re.compile(
        r"(Question: (.*)\nOptions: (.*))\n"
        r"((?:La bonne réponse est|Les bonnes réponses sont) (.*)\.)",
        re.S,
    ),
    "task56": re.compile(
        r"(Pregunta: (.*)\nOpciones: (.*))\n(La respuesta correcta es (.*)\.)", re.S
    ),
}


def published(task: str) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Yield (question and options, question, options by letter, right options) of each row."""
    for line in PUBLISHED.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["task"] == task:
            match = SHAPES[task].fullmatch(row["input"])
            assert match, row["input"]
            options = dict(part.split(": ", 1) for part in match[3].split("\t")[:-1])
            yield match[1], match[2], options, match[5]


def rows(folder: Path, task: str) -> list[dict[str, Any]]:
    paths = sorted((folder / "data" / task).glob("*.parquet"))
    return [row for path in paths for row in parquet.read_table(path).to_pylist()]


@needs_published
@needs_raw
def test_medqa_inputs_equal_the_published_ones_byte_for_byte(tmp_path: Path) -> None:
    medsins.build("medqa_mcqa_en", raw=RAW, out=tmp_path, progress=False)
    ours = {row["input"]: row["output"] for row in rows(tmp_path, "medqa_mcqa_en")}
    theirs = list(published("task52"))
    assert len(theirs) > 100
    for asked, _, _, right in theirs:
        assert ours[asked] == f"The right answer is {right}"


@needs_published
def test_french_questions_are_written_as_published(tmp_path: Path) -> None:
    theirs = {
        asked: (question, options, right) for asked, question, options, right in published("task53")
    }
    records = [
        {
            "id": str(number),
            "question": question,
            "answers": {letter.lower(): option for letter, option in options.items()},
            "correct_answers": [
                letter.lower()
                for letter, option in options.items()
                if re.search(rf"(?:^|, ){letter}: {re.escape(option)}", right)
            ],
        }
        for number, (question, options, right) in enumerate(theirs.values())
    ]
    (tmp_path / "raw" / "frenchmedmcqa").mkdir(parents=True)
    (tmp_path / "raw" / "frenchmedmcqa" / "test.json").write_text(json.dumps(records))
    medsins.build("frenchmedmcqa", raw=tmp_path / "raw", out=tmp_path / "out", progress=False)
    ours = {row["input"]: row["output"] for row in rows(tmp_path / "out", "frenchmedmcqa_mcq_fr")}
    assert ours.keys() == theirs.keys()
    for asked, (_, _, right) in theirs.items():
        assert ours[asked] in (
            f"Les bonnes réponses est {right}",
            f"Les bonnes réponses sont {right}",
        )


@needs_published
def test_spanish_questions_are_written_as_published(tmp_path: Path) -> None:
    theirs = {
        asked: (question, options, right) for asked, question, options, right in published("task56")
    }
    data = [
        {
            "qid": str(number),
            "qtext": question,
            "ra": str(list(options).index(right.split(":")[0]) + 1),
            "answers": [{"aid": i, "atext": o} for i, o in enumerate(options.values(), 1)],
            "image": "",
        }
        for number, (question, options, right) in enumerate(theirs.values(), 1)
    ]
    exams = {"Cuaderno": {"name": "Cuaderno", "year": "2016", "category": "biology", "data": data}}
    folder = tmp_path / "raw" / "head_qa" / "HEAD"
    folder.mkdir(parents=True)
    document = {"version": "1.0", "language": "es", "exams": exams}
    (folder / "test_HEAD.json").write_text(json.dumps(document))
    medsins.build("head_qa_mcq_es", raw=tmp_path / "raw", out=tmp_path / "out", progress=False)
    ours = {row["input"]: row["output"] for row in rows(tmp_path / "out", "head_qa_mcq_es")}
    assert ours.keys() == theirs.keys()
    for asked, (_, _, right) in theirs.items():
        assert ours[asked] == f"La respuesta correcta es: {right}"


@needs_raw
@pytest.mark.parametrize(
    ("recipe", "task", "path"),
    [
        ("bc5cdr_chem", "bc5cdr_chem_ner", "BC5CDR-chem-IOB/test.tsv"),
        ("bc5cdr", "bc5cdr_disease_ner", "BC5CDR-disease-IOB/test.tsv"),
    ],
)
def test_entity_rows_are_what_the_published_script_makes_of_the_tokens(
    recipe: str, task: str, path: str, tmp_path: Path
) -> None:
    medsins.build(task, raw=RAW, out=tmp_path, split="test", progress=False)
    expected = dict.fromkeys(as_published((RAW / recipe / path).read_text(encoding="utf-8")))
    assert [(row["input"], row["output"]) for row in rows(tmp_path, task)] == list(expected)


def as_published(text: str) -> Iterator[tuple[str, str]]:
    """Yield the rows as the published script is described to make them, token by token."""
    for block in re.split(r"\n\s*\n", text.strip()):
        sentence, mentions, inside = "", [], False
        for line in block.splitlines():
            token, tag = line.split("\t")
            sentence += token if token in (".", ",", ";", ":", "?", "!") else f" {token}"
            if tag.startswith("B"):
                mentions.append(token)
            elif tag.startswith("I"):
                assert inside
                mentions[-1] += f" {token}"
            inside = tag != "O"
        yield (
            sentence.strip(),
            f"{', '.join(mentions)}." if mentions else "There is no related enetity.",
        )


@needs_raw
def test_pubmedqa_is_the_context_and_the_question(tmp_path: Path) -> None:
    medsins.build("pubmedqa_yes_no_maybe", raw=RAW, out=tmp_path, split="test", progress=False)
    ours = {row["record"].partition("#")[2]: row for row in rows(tmp_path, "pubmedqa_yes_no_maybe")}
    source = json.loads((RAW / "pubmedqa" / "data" / "ori_pqal.json").read_text())
    assert ours.keys() == source.keys()
    for key, record in source.items():
        context = " ".join(record["CONTEXTS"])
        assert ours[key]["input"] == f"Context: {context}\nQuestion: {record['QUESTION']}"
        assert ours[key]["output"] == record["final_decision"]
