"""Exports: every format says what the build says, in one order, and only what may go goes."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from exports_for_tests import (
    SEEDS,
    build,
    contents,
    data_files,
    instances,
    run,
    samples,
    written,
)
from medsins import errors
from medsins.cli import exporting as commands
from medsins.formats import FORMATS, Options, export, plan
from medsins.formats.samples import CANDIDATES, LEARN, Instructions
from medsins.formats.shuffling import Shuffle
from medsins.instructions.wordings import Wording, instruction_id
from recipes_for_tests import write_recipe

SHUFFLED = [
    (one.name, container)
    for one in FORMATS.values()
    if not one.whole_tasks
    for container in one.containers
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a build of an open and a closed source."""
    yield from written(tmp_path_factory.mktemp("exports"))


# What is written


@pytest.mark.parametrize(("format", "container"), SHUFFLED)
def test_every_format_says_what_the_build_says(
    home: Path, tmp_path: Path, format: str, container: str
) -> None:
    result = run(home, tmp_path / "out", format, container=container)
    rows = instances(home / "build", task="clinic_*")
    found = samples(tmp_path / "out")
    expected = {
        (
            row["id"],
            row["task"],
            instruction_id(row["task"], row["definition"]),
            row["definition"],
            row["input"],
            row["output"],
        )
        for row in rows
    }
    assert len(found) == len(rows) == result.samples
    assert set(found) == expected
    assert result.counts == Counter(row["task"] for row in rows)
    assert [tmp_path / "out" / file for file in result.files] == data_files(tmp_path / "out")


def test_all_formats_and_containers_have_the_same_samples_in_the_same_order(
    home: Path, tmp_path: Path
) -> None:
    orders = []
    for kind, container in SHUFFLED:
        run(home, tmp_path / f"{kind}.{container}", kind, container=container, num_fewshot=1)
        orders.append(samples(tmp_path / f"{kind}.{container}"))
    assert all(order == orders[0] for order in orders)


def test_a_task_file_has_the_published_names_and_every_reference(
    home: Path, tmp_path: Path
) -> None:
    result = run(home, tmp_path / "out", "medsins_json", split="test", instructions="seeds")
    assert result.files == ("data/clinic_answer.json", "data/clinic_verdict.json")
    file = json.loads((tmp_path / "out" / result.files[0]).read_text())
    assert list(file) == [
        "Contributors", "Source", "URL", "Categories", "Reasoning", "Definition",
        "Input_language", "Output_language", "Instruction_language", "Domains",
        "Positive Examples", "Negative Examples", "Split Type", "Instances",
    ]  # fmt: skip
    assert file["Source"] == ["Clinic"]
    assert file["Categories"] == ["Question Answering"]
    assert file["Input_language"] == ["English"]
    assert file["Split Type"] == "Test"
    assert file["Definition"] == [f"answer, wording {number}" for number in range(SEEDS)]
    assert file["Instances"] == [
        {"id": row["id"], "input": row["input"], "output": row["references"]}
        for row in instances(home / "build", "test", "clinic_answer")
    ]


def test_a_task_file_can_be_imported_again(home: Path, tmp_path: Path) -> None:
    import jsonschema

    from medsins.builds.schemas import json_schemas

    schemas = json_schemas()
    if "task_file.schema.json" not in schemas:
        pytest.skip("this version reads no task files")
    run(home, tmp_path / "out", "medsins_json")
    for path in data_files(tmp_path / "out"):
        jsonschema.validate(json.loads(path.read_text()), schemas["task_file.schema.json"])


def test_samples_of_all_tasks_are_shuffled_together(home: Path, tmp_path: Path) -> None:
    run(home, tmp_path / "out")
    found = samples(tmp_path / "out")
    tasks = [one.task for one in found]
    changes = sum(a != b for a, b in itertools.pairwise(tasks))
    assert changes > len(tasks) / 4
    order = [row["id"] for row in instances(home / "build", task="clinic_answer")]
    assert [one.id for one in found if one.task == "clinic_answer"] != order


def test_the_same_options_give_the_same_bytes_and_another_seed_another_order(
    home: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"num_fewshot": 2, "per_instance": 3, "instructions": "seeds"}
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        run(home, tmp_path / name, seed=seed, **options)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    one, three = samples(tmp_path / "one"), samples(tmp_path / "three")
    assert Counter(x.id for x in one) == Counter(x.id for x in three)
    assert [x.id for x in one] != [x.id for x in three]
    assert {x.id: x.system for x in one} != {x.id: x.system for x in three}


def test_neither_shards_nor_batches_nor_buckets_change_the_bytes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.engine import sharding
    from medsins.formats import rows, shuffling

    options: dict[str, Any] = {
        "num_fewshot": 2, "per_instance": 3, "instructions": "seeds", "max_per_task": 100,
    }  # fmt: skip
    run(home, tmp_path / "few", **options)
    monkeypatch.setattr(sharding, "SHARD_BYTES", 10_000)
    monkeypatch.setattr(sharding, "ROW_GROUP_BYTES", 3_000)
    cut = build(home, "cut", "clinic")
    assert len(list((cut / "data" / "clinic_answer").glob("train-*"))) > 3
    monkeypatch.setattr(rows, "BATCH_BYTES", 2_000)
    monkeypatch.setattr(shuffling, "BUCKET_BYTES", 1_000)
    monkeypatch.setattr(shuffling, "_BUFFER_BYTES", 1_500)
    export(cut, "alpaca", tmp_path / "many", progress=False, **options)
    few, many = contents(tmp_path / "few"), contents(tmp_path / "many")
    # The record names the build, which is another one.
    assert few.pop("export.json") != many.pop("export.json")
    assert few == many


def test_large_exports_are_cut_into_files_that_follow_each_other(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.formats import writers

    for kind, container in (("sharegpt", "jsonl"), ("sharegpt", "parquet"), ("webdataset", None)):
        monkeypatch.undo()
        run(home, tmp_path / f"whole-{container}", kind, container=container)
        monkeypatch.setattr(writers, "FILE_BYTES", 20_000)
        monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 3_000)
        monkeypatch.setenv("MEDSINS_RECIPES", str(home / "recipes"))
        result = run(home, tmp_path / f"cut-{container}", kind, container=container)
        assert len(result.files) > 3
        count = f"{len(result.files):05d}"
        assert all(f"-of-{count}." in file for file in result.files)
        assert samples(tmp_path / f"cut-{container}") == samples(tmp_path / f"whole-{container}")


def test_the_record_says_what_there_is_and_nothing_of_time_or_machine(
    home: Path, tmp_path: Path
) -> None:
    import yaml

    result = run(home, tmp_path / "out", "axolotl", instructions="seeds")
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    files = contents(tmp_path / "out")
    assert {one["path"] for one in record["files"]} == files.keys() - {"export.json"}
    for one in record["files"]:
        assert hashlib.sha256(files[one["path"]]).hexdigest() == one["sha256"]
        assert len(files[one["path"]]) == one["bytes"]
    assert record["samples"] == result.samples
    assert record["may_be_passed_on"] is True
    manifest = (home / "build" / "manifest.json").read_bytes()
    assert record["build"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert not any(str(tmp_path).encode() in text for text in files.values())
    config = yaml.safe_load(files["axolotl.yaml"])
    (source,) = config["datasets"]
    assert source["data_files"] == list(result.files)
    assert (tmp_path / "out" / source["path"]).is_dir()


def test_llama_factory_finds_its_data_set_under_the_name_of_the_mixture(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mixture.yaml"
    path.write_text("name: my-mix\ntasks:\n  clinic:\n")
    for kind in ("sharegpt", "alpaca"):
        out = tmp_path / kind
        run(home, out, kind, mixture=path)
        info = json.loads((out / "dataset_info.json").read_text())
        (entry,) = info.values()
        assert list(info) == ["my-mix"]
        row = json.loads(data_files(out)[0].read_text().splitlines()[0])
        assert set(entry["columns"].values()) <= row.keys()
        assert (out / entry["file_name"]).is_dir()


# Instructions


def test_each_instance_goes_with_different_wordings_that_are_used_evenly(
    home: Path, tmp_path: Path
) -> None:
    for count in (1, 4, SEEDS):
        out = tmp_path / str(count)
        run(home, out, per_instance=count, instructions="seeds", select="clinic_answer")
        found = samples(out)
        by_instance: dict[str, set[str]] = {}
        for one in found:
            by_instance.setdefault(one.id, set()).add(one.system)
        assert {len(wordings) for wordings in by_instance.values()} == {count}
        uses = Counter(one.system for one in found)
        assert len(uses) == SEEDS
        assert max(uses.values()) - min(uses.values()) <= 1
        listed = map(json.loads, (out / "instructions.jsonl").read_text().splitlines())
        texts = {one["id"]: one["text"] for one in listed}
        assert all(texts[one.instruction_id] == one.system for one in found)


def test_all_wordings_give_instances_times_instructions(home: Path, tmp_path: Path) -> None:
    result = run(home, tmp_path / "out", per_instance="all", instructions="seeds")
    rows = instances(home / "build", task="clinic_*")
    assert result.samples == len(rows) * SEEDS
    assert len(set(samples(tmp_path / "out"))) == result.samples


@given(
    wordings=st.integers(1, 40),
    data=st.data(),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
)
def test_wordings_are_even_and_do_not_depend_on_batches(
    wordings: int, data: st.DataObject, sizes: list[int]
) -> None:
    each = data.draw(st.integers(1, wordings))
    listed = [Wording(f"{number:016x}", f"w{number}", "seeds") for number in range(wordings)]

    def picks(sizes: list[int]) -> Any:
        given = Instructions("task", listed, each, 7)
        first, found = 0, []
        for size in sizes:
            column = pa.array(["d"] * size).dictionary_encode()
            found.append(given.assign(first, column))
            first += size
        return np.concatenate(found)

    whole = picks([sum(sizes)])
    assert (whole == picks(sizes)).all()
    assert all(len(set(row)) == each for row in whole.tolist())
    uses = np.bincount(whole.ravel(), minlength=wordings)
    assert uses.max() - uses.min() <= 1


def test_an_instance_keeps_the_definition_it_was_built_with(home: Path, tmp_path: Path) -> None:
    spoken = build(home, "spoken", "clinic", instructions="seeds")
    export(spoken, "alpaca", tmp_path / "out", progress=False)
    definitions = {row["id"]: row["definition"] for row in instances(spoken)}
    assert len(set(definitions.values())) == 2 * SEEDS
    for one in samples(tmp_path / "out"):
        assert one.system == definitions[one.id]
        assert one.instruction_id == instruction_id(one.task, one.system)


def test_expanded_instructions_come_from_their_folder(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "instructions"
    folder.mkdir()
    texts = [f"Expanded wording {number}." for number in range(30)]
    for task in ("clinic_answer", "clinic_verdict"):
        rows = [{"id": instruction_id(task, text), "text": text} for text in texts]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{task}.jsonl").write_text(lines)
    run(home, tmp_path / "out", instructions="expanded", instructions_from=folder, per_instance=20)
    assert {one.system for one in samples(tmp_path / "out")} == set(texts)
    with pytest.raises(errors.MissingFilesError, match="medsins expand"):
        run(home, tmp_path / "no", instructions="expanded", instructions_from=tmp_path)


def test_more_wordings_than_there_are_is_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.CheckError, match="clinic_answer has 15"):
        run(home, tmp_path / "out", per_instance=16, instructions="seeds")
    with pytest.raises(errors.CheckError, match="clinic_answer has 1"):
        run(home, tmp_path / "out", per_instance=2)
    assert not (tmp_path / "out").exists()


def test_of_a_recipe_that_is_not_installed_the_definition_works(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(home, tmp_path / "known")
    monkeypatch.delenv("MEDSINS_RECIPES")
    for select in ("clinic", "clinic_answer clinic_verdict", "clinic*", "all -ward"):
        assert run(home, tmp_path / select, select=select).counts == whole.counts
    assert data_files(tmp_path / "clinic")[0].read_bytes() == (
        data_files(tmp_path / "known")[0].read_bytes()
    )
    with pytest.raises(errors.UnknownNameError, match="not installed here"):
        run(home, tmp_path / "seeds", instructions="seeds")
    file = run(home, tmp_path / "json", "medsins_json").files[0]
    assert json.loads((tmp_path / "json" / file).read_text())["Source"] == ["clinic"]


# Few-shot cases


def published_case(row: dict[str, Any]) -> str:
    return f"Input:\n{row['input']}\n\nOutput:\n{row['output']}\n"


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_published_template_is_kept_to_the_character(
    home: Path, tmp_path: Path, split: str
) -> None:
    run(home, tmp_path / "out", num_fewshot=3, template="published", split=split)
    train = {row["id"]: row for row in instances(home / "build")}
    cases = {published_case(row): row for row in train.values()}
    rows = {row["id"]: row for row in instances(home / "build", split)}
    found = samples(tmp_path / "out")
    assert {one.id for one in found} == {
        row["id"] for row in rows.values() if row["source"] == "clinic"
    }
    shown: set[str] = set()
    for one in found:
        row = rows[one.id]
        assert one.user == "Input:\n" + row["input"] + "\n" + "Output:\n"
        ending = (
            "\n\n"
            + row["definition"]
            + ("Please learn from the few-shot cases to see what content you have to output.")
        )
        assert one.system.endswith(ending)
        blocks = one.system.removesuffix(ending).split("\n\nInput:\n")
        used = [cases[blocks[0] if not n else f"Input:\n{b}"] for n, b in enumerate(blocks)]
        assert len({case["id"] for case in used}) == 3
        for case in used:
            assert case["task"] == one.task
            assert case["id"] != one.id
            assert case["record"] != row["record"]
            assert case["input"] != row["input"]
            shown.add(case["id"])
    assert len(shown) > 100


def test_the_corrected_template_sets_its_parts_apart(home: Path, tmp_path: Path) -> None:
    run(home, tmp_path / "out", num_fewshot=2)
    one = samples(tmp_path / "out")[0]
    parts = one.system.split("\n\n")
    assert [part.split("\n")[0] for part in parts[:4]] == ["Input:", "Output:"] * 2
    assert parts[5:] == [LEARN]
    assert parts[4] in ("Answer the question.", "Is there a visit? Answer 'yes' or 'no'.")
    assert one.user.startswith("Input:\n")
    assert one.user.endswith("\n\nOutput:")
    assert "\n\n\n" not in one.system


def test_cases_never_come_from_the_same_record_or_input(tmp_path: Path) -> None:
    from medsins.formats.samples import Case, Cases

    cases = Cases.__new__(Cases)
    cases._candidates = [Case(str(n), f"f#{n // 2}", f"input {n % 5}", "answer") for n in range(10)]
    cases._strides = [1, 3, 7, 9]
    for key in range(200):
        for n in range(10):
            drawn = cases.draw(key * 977, str(n), f"f#{n // 2}", f"input {n % 5}", 9)
            assert len(drawn) == len(set(drawn)) == 7
            assert all(c.record != f"f#{n // 2}" and c.input != f"input {n % 5}" for c in drawn)


def test_candidates_for_cases_are_few_and_the_same_in_any_order(tmp_path: Path) -> None:
    from medsins.formats.rows import Build
    from medsins.formats.samples import Cases

    class Rows(Build):
        def __init__(self, rows: list[dict[str, str]], size: int) -> None:
            self.rows, self.size = rows, size

        def batches(self, task: str, split: str, columns: Any) -> Iterator[pa.RecordBatch]:
            assert split == "train"
            for first in range(0, len(self.rows), self.size):
                yield pa.RecordBatch.from_pylist(self.rows[first : first + self.size])

    rows = [
        {"id": f"{n * 2654435761:032x}", "record": f"f#{n}", "input": f"i{n}", "output": "o"}
        for n in range(3000)
    ]
    one = Cases(Rows(rows, 100), "task", 5)._candidates
    assert len(one) == CANDIDATES
    assert one == Cases(Rows(rows[::-1], 77), "task", 5)._candidates
    assert one != Cases(Rows(rows, 100), "task", 6)._candidates


def test_too_few_cases_are_said_with_the_tasks_to_leave_out(home: Path, tmp_path: Path) -> None:
    small = build(home, "small", "clinic", limit=4)
    with pytest.raises(errors.CheckError, match="--select 'all -clinic_answer"):
        export(small, "alpaca", tmp_path / "out", num_fewshot=5, progress=False)
    tests = build(home, "tests", "clinic", split="test")
    with pytest.raises(errors.CheckError, match=r"clinic_answer \(0\)"):
        export(tests, "alpaca", tmp_path / "out", split="test", num_fewshot=1, progress=False)


def test_samples_with_fewer_cases_are_counted(tmp_path: Path) -> None:
    from recipes_for_tests import visits, write_visits

    write_recipe(tmp_path / "recipes")
    records = [dict(record, question="Why?" if n % 2 else f"Why {n}?", verdict="")
               for n, record in enumerate(visits(6))]  # fmt: skip
    write_visits(tmp_path / "raw", records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
        folder = build(tmp_path, select="clinic")
        train = instances(folder)
        wanted = len(train) - 1
        result = export(
            folder,
            "alpaca",
            tmp_path / "out",
            select="clinic_answer",
            num_fewshot=wanted,
            progress=False,
        )
    alike = sum(row["input"] == "Why?" for row in train)
    assert alike > 1
    assert result.notes == (f"clinic_answer: {alike} samples show fewer than {wanted} cases",)
    assert json.loads((tmp_path / "out" / "export.json").read_text())["notes"] == [*result.notes]


# Bad input


def test_names_that_are_not_there_are_said_with_those_that_are(home: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.UnknownNameError) as caught:
        run(home, tmp_path / "out", "alpacca")
    assert all(name in str(caught.value) for name in FORMATS)
    for wrong, listed in (
        ({"split": "tests"}, "validation"),
        ({"template": "paper"}, "published"),
        ({"instructions": "all"}, "expanded"),
        ({"container": "tar"}, "jsonl or parquet"),
        ({"select": "clinicc"}, "clinic"),
        ({"select": "medqa"}, "clinic_answer"),
        ({"split": "validation"}, "train"),
    ):
        with pytest.raises(errors.UnknownNameError, match=listed):
            run(home, tmp_path / "out", **wrong)
    for kind in ("webdataset", "medsins_json"):
        with pytest.raises(errors.UnknownNameError, match="container='parquet'"):
            run(home, tmp_path / "out", kind, container="parquet")
    with pytest.raises(errors.UnknownNameError, match="no num_fewshot"):
        run(home, tmp_path / "out", "medsins_json", num_fewshot=1)
    for number in ({"num_fewshot": -1}, {"per_instance": 0}, {"max_per_task": 0}):
        with pytest.raises(ValueError, match="is not a number"):
            run(home, tmp_path / "out", "alpaca", **number)
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_is_not_finished_or_not_whole_is_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.IncompleteBuildError):
        export(tmp_path, "alpaca", tmp_path / "out")
    folder = build(home, "broken", "clinic")
    shard = next((folder / "data" / "clinic_verdict").glob("train-*"))
    whole = shard.read_bytes()
    for wrong in (whole[:-100], whole[:500] + b"\0" + whole[501:], b""):
        shard.write_bytes(wrong)
        with pytest.raises(errors.CorruptBuildError, match="clinic_verdict"):
            export(folder, "alpaca", tmp_path / "out", progress=False)
    shard.unlink()
    with pytest.raises(errors.CorruptBuildError, match="clinic_verdict"):
        export(folder, "alpaca", tmp_path / "out", progress=False)
    assert list(tmp_path.iterdir()) == []


# The shuffle


@given(
    rows=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=30)), max_size=60),
    expected=st.integers(0, 500),
    buffered=st.integers(0, 200),
)
def test_a_shuffle_gives_back_every_row_in_the_order_of_keys(
    folder: Path, rows: list[tuple[int, bytes]], expected: int, buffered: int
) -> None:
    from medsins.formats import shuffling

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffling, "BUCKET_BYTES", 40)
        patch.setattr(shuffling, "_BUFFER_BYTES", buffered)
        shuffle = Shuffle(folder, expected)
        for key, row in rows:
            shuffle.add(key, row)
        assert list(shuffle.rows()) == [row for _, row in sorted(rows, key=lambda one: one[0])]
    assert list(folder.iterdir()) == []


@settings(max_examples=20)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_through_every_container(folder: Path, text: str) -> None:
    import shutil

    import orjson

    from medsins.formats.samples import Sample
    from medsins.formats.trainers import trace
    from medsins.formats.writers import JsonLines, Parquet, Tar

    sample = Sample("i", "t", "w", text, text * 2, f"{text}?")
    shutil.rmtree(folder / "text", ignore_errors=True)
    for name in ("prompt_completion", "sharegpt", "alpaca"):
        kind = FORMATS[name]
        row = {**kind.row(sample), **trace(sample)}
        (folder / "text" / name / "data").mkdir(parents=True)
        base = folder / "text" / name / "data"
        for writer in (
            JsonLines(base / "1.jsonl"),
            Parquet(base / "2.parquet", kind.arrow()),
            Tar(base / "3.tar", 0),
        ):
            writer.add(orjson.dumps(row))
            writer.close()
        expected = ("i", "t", "w", text, text * 2, f"{text}?")
        assert samples_lines(base.parent) == [expected] * 3


def samples_lines(folder: Path) -> list[tuple[str, ...]]:
    # str.splitlines() breaks at more than line feeds, which JSON Lines does not.
    path = folder / "data" / "1.jsonl"
    assert path.read_bytes().count(b"\n") == 1
    path.write_text(json.dumps(json.loads(path.read_bytes())) + "\n")
    return [tuple(one) for one in samples(folder)]


# The command line


def test_the_command_exports_and_says_what_it_did(home: Path, tmp_path: Path) -> None:
    arguments = [str(home / "build"), "--format", "messages", "--out", str(tmp_path / "out")]
    more = ["--select", "clinic", "--num-fewshot", "2", "--per-instance", "all", "--instructions",
            "seeds", "--max-per-task", "40"]  # fmt: skip
    done = CliRunner().invoke(commands.export, [*arguments, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "80 samples in" in done.output
    assert "note: clinic_answer: capped, there are" in done.output
    assert len(samples(tmp_path / "out")) == 80
    quiet = [*arguments[:-1], str(tmp_path / "two"), *more, "--quiet"]
    assert CliRunner().invoke(commands.export, quiet).output == ""
    assert contents(tmp_path / "two") == contents(tmp_path / "out")
    assert CliRunner().invoke(commands.export, arguments[:3]).exit_code == 2
    wrong = CliRunner().invoke(commands.export, [*arguments, "--per-instance", "none"])
    assert wrong.exit_code == 2


def test_a_dry_run_says_task_by_task_what_may_go(home: Path, tmp_path: Path) -> None:
    arguments = [str(home / "build"), "--format", "alpaca", "--dry-run"]
    done = CliRunner().invoke(commands.export, arguments, catch_exceptions=False)
    lines = {line.split()[0]: line for line in done.output.splitlines() if line}
    assert " yes " in lines["clinic_answer"]
    assert " no " in lines["ward_answer"]
    assert "redistribution is no" in lines["ward_answer"]
    assert "An export is refused: 2 of these tasks" in done.output
    done = CliRunner().invoke(commands.export, [*arguments, "--only-redistributable"])
    assert "left out" in done.output
    assert "refused" not in done.output
    done = CliRunner().invoke(commands.export, [*arguments, "--local-use"])
    assert "refused" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_format() -> None:
    text = CliRunner().invoke(commands.export, ["--help"]).output
    assert all(name in text for name in FORMATS)


def test_a_plan_counts_what_an_export_then_holds(home: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "split": "test", "per_instance": 2, "instructions": "seeds", "max_per_task": 21,
    }  # fmt: skip
    planned = plan(home / "build", "alpaca", Options(select="clinic", **options))
    result = run(home, tmp_path / "out", **options)
    assert {one.task: one.samples for one in planned.tasks} == result.counts
    assert planned.samples == result.samples == len(samples(tmp_path / "out"))
