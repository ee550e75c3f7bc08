"""Reading a finished build: load, datasets' own loader, verify."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import medsins
from medsins import errors
from medsins.schema import CONSTANT, Instance


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "data"
    medsins.build("medqa ncbi_disease", sample=True, out=folder, progress=False)
    return folder


@pytest.fixture
def build(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(finished, tmp_path / "data")
    return tmp_path / "data"


def test_load_gives_all_splits_or_one(finished: Path) -> None:
    from datasets import Dataset, DatasetDict

    everything = medsins.load(finished)
    assert isinstance(everything, DatasetDict)
    assert list(everything) == ["train", "validation", "test"]
    test = medsins.load(finished, "test")
    assert isinstance(test, Dataset)
    assert test.num_rows == everything["test"].num_rows
    assert test.column_names == list(Instance.model_fields)
    Instance.model_validate(test[0])


def test_load_takes_tasks(finished: Path) -> None:
    found = medsins.load(finished, "train", tasks="medqa_mcqa_zh")
    assert set(found["task"]) == {"medqa_mcqa_zh"}


def test_load_takes_a_selection_of_the_default_folder(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished, tmp_path / "medsins-data")
    monkeypatch.chdir(tmp_path)
    assert set(medsins.load("medqa", "test")["source"]) == {"medqa"}


def test_the_folder_is_a_dataset_of_its_own(finished: Path) -> None:
    from datasets import get_dataset_config_names, load_dataset

    names = get_dataset_config_names(str(finished))
    assert set(names) == {"default", "medqa_mcqa_en", "medqa_mcqa_zh", "ncbi_disease_extraction"}
    one = load_dataset(str(finished), "medqa_mcqa_en", split="train")
    assert set(one["task"]) == {"medqa_mcqa_en"}
    everything = load_dataset(str(finished), split="train")
    assert everything.num_rows == medsins.load(finished, "train").num_rows


def test_constant_columns_are_dictionaries_on_disk_and_strings_to_readers(finished: Path) -> None:
    file = parquet.ParquetFile(next(finished.glob("data/medqa_mcqa_en/*.parquet")))
    columns = {
        file.metadata.row_group(0).column(i).path_in_schema: file.metadata.row_group(0).column(i)
        for i in range(file.metadata.num_columns)
    }
    for name in CONSTANT:
        assert "RLE_DICTIONARY" in columns[name].encodings
        assert file.schema_arrow.field(name).type == pa.string()
    assert "RLE_DICTIONARY" not in columns["input"].encodings
    assert {column.compression for column in columns.values()} == {"ZSTD"}


def test_loading_what_is_not_there_says_what_is(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.IncompleteBuildError, match="medsins build"):
        medsins.load(tmp_path)
    with pytest.raises(errors.UnknownNameError, match="medqa_mcqa_en"):
        medsins.load(finished, tasks="meqsum")
    with pytest.raises(errors.UnknownNameError, match="train, validation, test"):
        medsins.load(finished, "dev", tasks="ncbi_disease")


def test_a_build_that_is_whole_is_verified(finished: Path) -> None:
    found = medsins.verify(finished, progress=False)
    manifest = json.loads((finished / "manifest.json").read_text())
    assert found.rows == sum(shard["rows"] for shard in manifest["shards"])
    assert found.shards == len(list(finished.glob("data/*/*.parquet")))


def shard_of(build: Path) -> Path:
    return next(build.glob("data/medqa_mcqa_en/train-*.parquet"))


def rewrite(build: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a shard and make the manifest agree with it, as a careful forger would."""
    from hashlib import sha256

    path = shard_of(build)
    parquet.write_table(change(parquet.read_table(path)), path, store_schema=False)
    manifest = json.loads((build / "manifest.json").read_text())
    for shard in manifest["shards"]:
        if build / shard["path"] == path:
            shard.update(bytes=path.stat().st_size, sha256=sha256(path.read_bytes()).hexdigest())
    (build / "manifest.json").write_text(json.dumps(manifest))


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))


def flip_a_byte(build: Path) -> None:
    data = bytearray(shard_of(build).read_bytes())
    data[len(data) // 3] ^= 1
    shard_of(build).write_bytes(bytes(data))


def edit_manifest(build: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((build / "manifest.json").read_text())
    change(manifest)
    (build / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip_a_byte, "another SHA-256"),
        (lambda build: shard_of(build).unlink(), "cannot be read"),
        (lambda build: shard_of(build).write_bytes(b"PAR1"), "4 bytes"),
        (lambda build: (build / "data" / "extra.parquet").write_bytes(b""), "not in the manifest"),
        (
            lambda build: rewrite(
                build, lambda t: with_column(t, "output", ["other"] * t.num_rows)
            ),
            "the id is not that of its task, input and output",
        ),
        (
            lambda build: rewrite(build, lambda t: with_column(t, "split", ["dev"] * t.num_rows)),
            "split",
        ),
        (
            lambda build: rewrite(
                build, lambda t: with_column(t, "references", [["x"]] * t.num_rows)
            ),
            "the first reference is not the output",
        ),
        (lambda build: rewrite(build, lambda t: t.drop_columns(["license"])), "other columns"),
        (lambda build: edit_manifest(build, lambda m: m.pop("options")), "options"),
        (
            lambda build: edit_manifest(build, lambda m: m["recipes"]["medqa"].update(records=99)),
            "99 records were read",
        ),
        (
            lambda build: edit_manifest(
                build, lambda m: m["recipes"]["medqa"].update(duplicates=5)
            ),
            "accounted for",
        ),
    ],
)
def test_verify_finds_what_differs(build: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(build)
    with pytest.raises(errors.CorruptBuildError, match=said):
        medsins.verify(build, progress=False)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000], ids=["empty", "cut", "deep"])
def test_a_manifest_that_is_no_json_is_said(build: Path, content: str) -> None:
    (build / "manifest.json").write_text(content)
    with pytest.raises(errors.CorruptBuildError, match="not valid JSON"):
        medsins.verify(build, progress=False)
