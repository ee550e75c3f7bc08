"""The croissant.json of a build: right by itself, and to the `mlcroissant` package if it is there.

`pip install mlcroissant` (27 packages, not among what the tests need) runs the second half.
"""

from __future__ import annotations

import fnmatch
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

import medsins
from medsins.raw.files import sha256
from medsins.schema import Instance

SELECT = ["medqa", "head_qa_mcq_es", "anem", "mimic_iv_note_summary_ct_chest"]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build in four languages, with official splits, drawn ones and several references."""
    out = tmp_path_factory.mktemp("croissant") / "build"
    return medsins.build(SELECT, sample=True, out=out, progress=False).path


@pytest.fixture(scope="module")
def document(build: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((build / "croissant.json").read_text(encoding="utf-8"))
    return loaded


def rows(build: Path, task: str) -> list[dict[str, Any]]:
    return [
        row
        for path in sorted((build / "data" / task).glob("*.parquet"))
        for row in parquet.read_table(path).to_pylist()
    ]


def test_every_shard_stands_in_it_with_its_checksum(build: Path, document: dict[str, Any]) -> None:
    files = [one for one in document["distribution"] if one["@type"] == "cr:FileObject"]
    there = {path.relative_to(build).as_posix() for path in build.glob("data/*/*.parquet")}
    assert {one["contentUrl"] for one in files} == there
    for one in files:
        path = build / one["contentUrl"]
        assert one["sha256"] == sha256(path)
        assert one["contentSize"] == f"{path.stat().st_size} B"


def test_each_task_has_a_record_set_of_its_own_shards(
    build: Path, document: dict[str, Any]
) -> None:
    sets = {one["@id"]: one for one in document["distribution"] if one["@type"] == "cr:FileSet"}
    shards = [path.relative_to(build).as_posix() for path in build.glob("data/*/*.parquet")]
    tasks = {path.name for path in (build / "data").iterdir()}
    assert {one["@id"] for one in document["recordSet"]} == {"splits", *tasks}
    for record_set in document["recordSet"][1:]:
        task = record_set["@id"]
        assert [field["@id"] for field in record_set["field"]] == [
            f"{task}/{column}" for column in Instance.model_fields
        ]
        (source,) = {field["source"]["fileSet"]["@id"] for field in record_set["field"]}
        taken = fnmatch.filter(shards, sets[source]["includes"])
        assert taken
        assert {path.split("/")[1] for path in taken} == {task}


def test_it_says_what_the_card_says(document: dict[str, Any]) -> None:
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert document["inLanguage"] == ["en", "es", "zh"]
    assert "@misc{wu2024medsins" in document["citeAs"]
    assert "jin2021applied" in document["citeAs"]
    assert "synthetic" in document["keywords"]
    assert all(document[f"rai:{name}"] for name in ("dataCollection", "dataLimitations"))
    assert any("MIMIC-IV-Note" in one for one in document["rai:personalSensitiveInformation"])


@pytest.fixture(scope="module")
def croissant(build: Path) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant")
    logging.getLogger("absl").setLevel(logging.ERROR)
    return mlcroissant.Dataset(jsonld=build / "croissant.json")


def test_the_validator_accepts_it(croissant: Any) -> None:
    issues = croissant.metadata.ctx.issues
    assert not issues.errors
    # A build has no clock, so nobody can say when it will have been published.
    assert len(issues.warnings) == 1
    assert "datePublished" in next(iter(issues.warnings))


def test_records_come_back_as_they_stand_in_the_shards(build: Path, croissant: Any) -> None:
    for task in ("medqa_mcqa_zh", "anem_cell_extraction", "mimic_iv_note_summary_ct_chest"):
        found = [
            {name.removeprefix(f"{task}/"): _plain(value) for name, value in record.items()}
            for record in croissant.records(record_set=task)
        ]
        expected = rows(build, task)
        assert len(found) == len(expected) > 1
        assert sorted(found, key=lambda row: row["id"]) == sorted(
            expected, key=lambda row: row["id"]
        )


def test_the_splits_are_a_record_set(croissant: Any) -> None:
    named = [record["splits/name"] for record in croissant.records(record_set="splits")]
    assert [_plain(name) for name in named] == ["train", "validation", "test"]


def _plain(value: Any) -> Any:
    """Texts as such: mlcroissant gives them as bytes."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
