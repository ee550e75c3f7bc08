"""What a build promises: accounting, determinism, increments, isolation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import medsins
from builds_for_tests import contents
from medsins import errors
from medsins.engine.runner import BuildResult
from medsins.schema import instance_id
from raw_for_tests import constants
from recipes_for_tests import visits, write_recipe, write_visits


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the recipe `clinic` and 500 raw records; returns the raw root."""
    write_recipe(tmp_path / "recipes")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_visits(tmp_path / "raw", visits(500))
    return tmp_path / "raw"


class Options(TypedDict, total=False):
    split: str
    limit: int
    workers: int
    seed: int
    overwrite: bool
    max_rejects: float


def build(select: str, raw: Path, out: Path, **options: Unpack[Options]) -> BuildResult:
    return medsins.build(select, raw=raw, out=out, progress=False, **options)


def rows(folder: Path, task: str) -> list[dict[str, Any]]:
    return [
        row
        for path in sorted((folder / "data" / task).glob("*.parquet"))
        for row in parquet.read_table(path).to_pylist()
    ]


def test_nothing_is_lost_between_records_and_rows(clinic: Path, tmp_path: Path) -> None:
    records = visits(500)
    records += [dict(records[0]), {"id": "broken", "patient": "p", "question": "What?"}]
    write_visits(clinic, records)
    facts = build("clinic", clinic, tmp_path / "out").manifest.recipes["clinic"]
    asked = [record for record in records[:-1] if record["question"]]
    assert facts.records == len(records)
    assert facts.records_with_instances == len(asked)
    assert facts.skipped == {"no question": len(records) - 1 - len(asked)}
    assert list(facts.rejected.values()) == [1]
    assert facts.instances == len(asked) + sum(bool(r["verdict"]) for r in asked)
    assert facts.duplicates == 1 + bool(records[0]["verdict"])
    assert facts.written == facts.instances - facts.duplicates
    assert facts.written == sum(len(rows(tmp_path / "out", task)) for task in facts.tasks)
    assert facts.partly_skipped == {"no verdict": sum(not r["verdict"] for r in asked)}


def test_rows_are_instances_that_can_be_traced_back(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    by_key = {record["id"]: record for record in visits(500)}
    found = rows(tmp_path / "out", "clinic_answer")
    assert len(found) == sum(bool(record["question"]) for record in by_key.values())
    for row in found:
        medsins.Instance.model_validate(row)
        assert row["id"] == instance_id(row["task"], row["input"], row["output"])
        file, _, key = row["record"].partition("#")
        assert file == "visits.jsonl"
        assert (row["input"], row["output"]) == (by_key[key]["question"], by_key[key]["answer"])
    assert list(found[0]) == list(medsins.Instance.model_fields)


@pytest.mark.parametrize(
    ("others", "kept"),
    [
        ([], ["So."]),
        (["So."], ["So."]),
        (["It is."], ["So.", "It is."]),
        (["It is.", "So.", "It is."], ["So.", "It is."]),
    ],
)
def test_references_begin_with_the_output_and_have_no_repeats(
    others: list[str], kept: list[str], clinic: Path, tmp_path: Path
) -> None:
    record: dict[str, object] = {"id": "v", "patient": "p", "question": "Why?", "answer": "So."}
    record["others"] = others
    # Beside another that has several, so that the column is there for both.
    write_visits(clinic, [record, {**record, "id": "w", "question": "How?", "others": ["As."]}])
    build("clinic", clinic, tmp_path / "out")
    found = {row["input"]: row["references"] for row in rows(tmp_path / "out", "clinic_answer")}
    assert found == {"Why?": kept, "How?": ["So.", "As."]}


def test_a_group_is_never_on_two_sides_of_a_split(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    patient = {record["id"]: record["patient"] for record in visits(500)}
    splits: dict[object, set[object]] = {}
    for task in ("clinic_answer", "clinic_verdict"):
        for row in rows(tmp_path / "out", task):
            splits.setdefault(patient[row["record"].partition("#")[2]], set()).add(row["split"])
    assert {len(found) for found in splits.values()} == {1}
    assert {one for found in splits.values() for one in found} == {"train", "test"}


def test_another_seed_makes_another_split_of_the_same_instances(
    clinic: Path, tmp_path: Path
) -> None:
    ids = []
    for seed in (0, 1):
        build("clinic", clinic, tmp_path / f"out{seed}", seed=seed)
        ids.append(
            {row["id"]: row["split"] for row in rows(tmp_path / f"out{seed}", "clinic_answer")}
        )
    assert ids[0].keys() == ids[1].keys()
    assert ids[0] != ids[1]


def test_the_bytes_do_not_depend_on_the_number_of_workers(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.engine import plan, runner

    monkeypatch.setattr(plan, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(plan, "_SCAN_BLOCK", 4_000)
    build("clinic", clinic, tmp_path / "one", workers=1)
    build("clinic", clinic, tmp_path / "two", workers=2)
    # As with large files: workers start while those are scanned.
    monkeypatch.setattr(runner, "_SMALL_BYTES", 1)
    build("clinic", clinic, tmp_path / "three", workers=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")
    assert "manifest.json" in contents(tmp_path / "one")


def test_cutting_a_file_changes_neither_rows_nor_their_order(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build("clinic", clinic, tmp_path / "whole")
    from medsins.engine import plan

    monkeypatch.setattr(plan, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(plan, "_SCAN_BLOCK", 4_000)
    build("clinic", clinic, tmp_path / "cut")
    for task in ("clinic_answer", "clinic_verdict"):
        assert rows(tmp_path / "whole", task) == rows(tmp_path / "cut", task)


def test_many_shards_and_row_groups_hold_the_same_rows(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = visits(500)
    write_visits(clinic, [*records, *records[:100]])
    build("clinic", clinic, tmp_path / "few")
    from medsins.engine import sharding

    monkeypatch.setattr(sharding, "SHARD_BYTES", 10_000)
    monkeypatch.setattr(sharding, "ROW_GROUP_BYTES", 3_000)
    result = build("clinic", clinic, tmp_path / "many")
    assert rows(tmp_path / "few", "clinic_answer") == rows(tmp_path / "many", "clinic_answer")
    shards = [s for s in result.manifest.shards if "clinic_answer/train" in s.path]
    assert len(shards) > 3
    assert shards[0].path.endswith(f"train-00000-of-{len(shards):05d}.parquet")
    medsins.verify(tmp_path / "many", progress=False)


def test_row_groups_have_a_power_of_two_of_rows(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.engine import sharding

    monkeypatch.setattr(sharding, "ROW_GROUP_BYTES", 6_000)
    build("clinic", clinic, tmp_path / "out")
    (path,) = (tmp_path / "out" / "data" / "clinic_answer").glob("train-*.parquet")
    found = parquet.read_metadata(path)
    sizes = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert len(sizes) > 3
    # A few rows more or less leave the boundaries where they were.
    assert len(set(sizes[:-1])) == 1
    assert sizes[-1] <= sizes[0]
    assert sizes[0].bit_count() == 1


def test_tasks_that_ask_of_the_same_inputs_have_the_shards_that_each_has_alone(
    clinic: Path, tmp_path: Path
) -> None:
    records = [{**one, "verdict": "yes"} for one in visits(300)]
    # Duplicates of one task, and of the other.
    records += [{**one, "answer": "Something else."} for one in records[:40]]
    records += [{**one, "verdict": "no"} for one in records[50:90]]
    write_visits(clinic, records)
    together = build("clinic", clinic, tmp_path / "together")
    assert together.manifest.recipes["clinic"].duplicates > 60
    alone: dict[str, bytes] = {}
    for task in ("clinic_answer", "clinic_verdict"):
        build(task, clinic, tmp_path / task)
        alone.update(contents(tmp_path / task))
    shards = {path: data for path, data in contents(together.path).items() if "data/" in path}
    assert len(shards) == 4
    assert shards == {path: data for path, data in alone.items() if "data/" in path}
    medsins.verify(together.path, progress=False)


HALVES = (0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)


@given(
    chunks=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["train", "validation", "test"]),
                st.lists(st.tuples(st.sampled_from(HALVES), st.sampled_from(HALVES)), min_size=1),
            ),
            max_size=4,
        ),
        max_size=4,
    ),
    bucket=st.sampled_from([1, 3, 1000]),
)
def test_duplicates_are_those_that_have_the_same_before_them(
    chunks: list[list[tuple[str, list[tuple[int, int]]]]], bucket: int
) -> None:
    from medsins.engine import duplicates
    from medsins.engine.receipts import Counts, Group, Receipt

    receipts, rows = [], []
    with tempfile.TemporaryDirectory() as folder, constants(duplicates, _BUCKET_ROWS=bucket):
        for number, batches in enumerate(chunks):
            ids = [one for _, batch in batches for one in batch]
            data = b"".join(half.to_bytes(8, "big") for one in ids for half in one)
            (Path(folder) / f"{number}.ids").write_bytes(data)
            groups = tuple(
                Group(task="t", split=split, rows=len(batch), bytes=1, inputs=place)
                for place, (split, batch) in enumerate(batches)
            )
            receipts.append(Receipt(str(number), 0, groups, Counts()))
            for place, (split, batch) in enumerate(batches):
                rows += [(split, number, place, row, one) for row, one in enumerate(batch)]
        found = duplicates.duplicates(Path(folder), receipts)
    order = ["test", "validation", "train"]
    seen: set[tuple[int, int]] = set()
    expected: dict[int, dict[int, list[int]]] = {}
    for _, number, place, row, one in sorted(rows, key=lambda item: order.index(item[0])):
        if one in seen:
            expected.setdefault(number, {}).setdefault(place, []).append(row)
        seen.add(one)
    assert found == expected


def test_a_duplicate_stays_in_test_and_leaves_train(clinic: Path, tmp_path: Path) -> None:
    write_visits(
        clinic,
        [
            {"id": str(n), "patient": f"p{n}", "question": "Same?", "answer": "Same."}
            for n in range(100)
        ],
    )
    result = build("clinic", clinic, tmp_path / "out")
    assert result.counts == {"clinic_answer": {"test": 1}}
    assert result.manifest.recipes["clinic"].duplicates == 99


def test_an_unchanged_build_is_left_as_it_is(clinic: Path, tmp_path: Path) -> None:
    first = build("clinic", clinic, tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")}
    second = build("clinic", clinic, tmp_path / "out")
    assert first.built == ("clinic",)
    assert second.built == ()
    assert second.counts == first.counts
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")}


def test_touching_a_raw_file_without_changing_it_rebuilds_nothing(
    clinic: Path, tmp_path: Path
) -> None:
    build("clinic", clinic, tmp_path / "out")
    write_visits(clinic, visits(500))
    assert build("clinic", clinic, tmp_path / "out").built == ()


def test_only_the_edited_recipe_is_built_again(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", "ward")
    write_visits(clinic, visits(50, seed=1), "ward")
    script = (
        "import medsins, sys\n"
        f"raw, out = {str(clinic)!r}, {str(tmp_path / 'out')!r}\n"
        "r = medsins.build(['clinic', 'ward'], raw=raw, out=out)\n"
        "print(*r.built)"
    )
    assert run(script) == "clinic ward"
    path = tmp_path / "recipes" / "ward.py"
    path.write_text(path.read_text().replace("Answer the question.", "Answer this question."))
    assert run(script) == "ward"
    assert rows(tmp_path / "out", "ward_answer")[0]["definition"] == "Answer this question."


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_changed_raw_bytes_are_built_again_and_old_shards_go(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    write_visits(clinic, [r for r in visits(500) if not r["verdict"]])
    build("clinic", clinic, tmp_path / "out")
    assert not (tmp_path / "out" / "data" / "clinic_verdict").exists()
    fresh = tmp_path / "fresh"
    build("clinic", clinic, fresh)
    assert contents(tmp_path / "out") == contents(fresh)


def test_asking_for_one_task_keeps_those_that_are_there(clinic: Path, tmp_path: Path) -> None:
    build("clinic_verdict", clinic, tmp_path / "out")
    assert not (tmp_path / "out" / "data" / "clinic_answer").exists()
    result = build("clinic_answer", clinic, tmp_path / "out")
    assert set(result.counts) == {"clinic_answer"}
    assert (tmp_path / "out" / "data" / "clinic_verdict").exists()
    medsins.verify(tmp_path / "out", progress=False)


def test_builds_of_several_recipes_share_a_folder(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", "ward")
    write_visits(clinic, visits(50, seed=1), "ward")
    build("clinic", clinic, tmp_path / "out")
    build("ward", clinic, tmp_path / "out")
    build("clinic ward", clinic, tmp_path / "both")
    assert contents(tmp_path / "out") == contents(tmp_path / "both")


def test_other_options_are_refused_until_told_to_overwrite(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(errors.BuildConflictError, match="--overwrite"):
        build("clinic", clinic, tmp_path / "out", seed=7)
    assert contents(tmp_path / "out") == before
    build("clinic", clinic, tmp_path / "out", seed=7, overwrite=True)
    assert json.loads((tmp_path / "out/manifest.json").read_text())["options"]["seed"] == 7


def test_a_build_of_another_schema_version_is_refused(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    path = tmp_path / "out" / "manifest.json"
    path.write_text(path.read_text().replace('"schema_version": "2"', '"schema_version": "0"'))
    with pytest.raises(errors.BuildConflictError, match="schema version 0"):
        build("clinic", clinic, tmp_path / "out")


def test_files_that_no_build_put_there_are_not_overwritten(clinic: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "data").mkdir(parents=True)
    (tmp_path / "out" / "data" / "mine.txt").write_text("mine")
    with pytest.raises(errors.BuildConflictError, match=r"no manifest\.json"):
        build("clinic", clinic, tmp_path / "out")
    assert (tmp_path / "out" / "data" / "mine.txt").read_text() == "mine"


def test_overwriting_keeps_files_that_no_build_put_there(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    build("clinic", clinic, tmp_path / "out", seed=1, overwrite=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_limit_reads_so_many_records_of_each_split(clinic: Path, tmp_path: Path) -> None:
    facts = build("clinic", clinic, tmp_path / "out", limit=20).manifest.recipes["clinic"]
    assert facts.records == 20
    keys = [row["record"] for row in rows(tmp_path / "out", "clinic_answer")]
    wanted = [f"visits.jsonl#{r['id']}" for r in visits(20) if r["question"]]
    assert Counter(keys) == Counter(wanted)


def test_limit_counts_records_that_cannot_be_read(clinic: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipes" / "clinic.py"
    recipe.write_text(recipe.read_text().replace('"visits.jsonl")', '"visits*.jsonl")'))
    good = [json.dumps(record) for record in visits(20)]
    folder = clinic / "clinic"
    folder.joinpath("visits.jsonl").write_text("\n".join([*good[:5], *["{"] * 5]))
    folder.joinpath("visits2.jsonl").write_text("\n".join(good[5:]))
    result = build("clinic", clinic, tmp_path / "out", limit=10, max_rejects=1.0)
    facts = result.manifest.recipes["clinic"]
    assert (facts.records, sum(facts.rejected.values())) == (10, 5)
    more = build("clinic", clinic, tmp_path / "more", limit=13, max_rejects=1.0)
    assert more.manifest.recipes["clinic"].records == 13


def test_limit_counts_over_all_files_of_a_split(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.engine import plan

    # So that every file would be a chunk of its own.
    monkeypatch.setattr(plan, "CHUNK_BYTES", 1 << 10)
    recipe = tmp_path / "recipes" / "clinic.py"
    recipe.write_text(recipe.read_text().replace('"visits.jsonl")', '"visits*.jsonl")'))
    raw = clinic / "clinic" / "visits.jsonl"
    raw.with_name("visits2.jsonl").write_bytes(raw.read_bytes())
    result = build("clinic", clinic, tmp_path / "out", limit=10)
    assert result.manifest.recipes["clinic"].records == 10


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("clinic_answer", "its tasks are not selected"),
        ("clinic", "the recipe yields nothing for it"),
    ],
)
def test_records_that_give_nothing_are_counted_by_what_was_selected(
    select: str, reason: str, clinic: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipes" / "clinic.py"
    first = '        if not record["question"]'
    silent = '        if record["id"] == "v0":\n            return\n'
    recipe.write_text(recipe.read_text().replace(first, silent + first))
    facts = build(select, clinic, tmp_path / "out").manifest.recipes["clinic"]
    assert facts.skipped == {reason: 1, "no question": facts.skipped["no question"]}
    assert facts.records == facts.records_with_instances + sum(facts.skipped.values())


def test_split_builds_that_split_only(clinic: Path, tmp_path: Path) -> None:
    whole = build("clinic", clinic, tmp_path / "whole")
    chunk = build("clinic", clinic, tmp_path / "chunk", split="test")
    assert chunk.counts == {task: {"test": n["test"]} for task, n in whole.counts.items()}
    assert "its split, train, is not selected" in chunk.manifest.recipes["clinic"].skipped


@pytest.mark.parametrize("group", ["record['number']", "record['patient'] + '\\ud800'"])
def test_a_group_is_not_torn_apart_whatever_names_it(
    clinic: Path, tmp_path: Path, group: str
) -> None:
    recipe = write_recipe(tmp_path / "recipes")
    recipe.write_text(recipe.read_text().replace('record["patient"]', group))
    write_visits(clinic, [{**visit, "number": i // 3} for i, visit in enumerate(visits(90))])
    result = build("clinic", clinic, tmp_path / "out")
    assert set(result.counts["clinic_answer"]) == {"train", "test"}
    splits: dict[int, set[object]] = {}
    for row in rows(result.path, "clinic_answer"):
        patient = int(str(row["record"]).removeprefix("visits.jsonl#v")) // 3
        splits.setdefault(patient, set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"answer": ""}, "clinic_answer.output: is empty"),
        ({"answer": " \n"}, "clinic_answer.output: is empty"),
        ({"answer": None}, "clinic_answer.output: Input should be a valid string"),
        ({"answer": "lone \ud800 surrogate"}, "clinic_answer.output: Input should be a valid"),
        ({"verdict": "perhaps"}, "clinic_verdict.output: output is none of the task's labels"),
        ({"others": ["fine", ""]}, "clinic_answer.references: is empty"),
        ({"others": "not a list"}, "clinic_answer.references: Input should be a valid list"),
    ],
)
def test_a_record_with_one_bad_instance_is_rejected_whole(
    clinic: Path, tmp_path: Path, broken: dict[str, object], reason: str
) -> None:
    records = visits(500)
    records[1] = {**records[1], "verdict": "yes", **broken}
    path = write_visits(clinic, [])
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    # JSON Lines readers refuse lone surrogates themselves; either way the record goes.
    result = build("clinic", clinic, tmp_path / "out")
    facts = result.manifest.recipes["clinic"]
    assert facts.records == 500
    assert sum(facts.rejected.values()) == 1
    if "surrogate" not in str(broken):
        assert next(iter(facts.rejected)).startswith(reason)
    (reject,) = result.rejects
    assert (reject["file"], reject["row"]) == ("visits.jsonl", "2")
    keys = {row["record"] for task in facts.tasks for row in rows(result.path, task)}
    assert "visits.jsonl#v1" not in keys
    assert "visits.jsonl#v2" in keys


def test_more_rejects_than_allowed_stop_the_build(clinic: Path, tmp_path: Path) -> None:
    records = visits(500)
    for record in records[:8]:
        record.pop("patient")
    write_visits(clinic, records)
    with pytest.raises(errors.RejectedRecordsError, match="KeyError") as caught:
        build("clinic", clinic, tmp_path / "out")
    assert "of 500 records" in str(caught.value)
    assert not (tmp_path / "out" / "manifest.json").exists()
    result = build("clinic", clinic, tmp_path / "out", max_rejects=0.05)
    assert sum(result.manifest.recipes["clinic"].rejected.values()) == len(result.rejects)


@pytest.mark.parametrize(("broken", "limit"), [(0, 0.0), (5, 0.01), (500, 1.0)])
def test_as_many_rejects_as_are_allowed_do_not_stop_the_build(
    broken: int, limit: float, clinic: Path, tmp_path: Path
) -> None:
    records = visits(500)
    for record in records[:broken]:
        record.clear()
    write_visits(clinic, records)
    result = build("clinic", clinic, tmp_path / "out", max_rejects=limit)
    assert len(result.rejects) == broken
    if limit:
        less = limit * 0.99
        with pytest.raises(errors.RejectedRecordsError):
            build("clinic", clinic, tmp_path / "less", max_rejects=less)


def test_a_sample_may_be_odd_throughout(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first place that has samples counts.
    monkeypatch.setattr(medsins, "__path__", [str(tmp_path / "here"), *medsins.__path__])
    write_visits(tmp_path / "here" / "samples", [*visits(3), {}, {}])
    result = medsins.build("clinic", sample=True, out=tmp_path / "out", progress=False)
    assert len(result.rejects) == 2


def test_a_source_that_is_named_has_to_be_there_and_one_of_a_group_need_not(
    clinic: Path, tmp_path: Path
) -> None:
    write_recipe(tmp_path / "recipes", "ward")
    with pytest.raises(errors.MissingFilesError, match="raw files of ward are missing"):
        build("clinic ward", clinic, tmp_path / "named")
    assert not (tmp_path / "named" / "manifest.json").exists()
    result = build("clinic domain:clinical_texts", clinic, tmp_path / "group")
    assert set(result.recipes) == {"clinic"}
    assert "raw files of ward are missing" in str(result.left_out["ward"])


def test_rejects_of_restricted_sources_never_quote_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(tmp_path / "recipes", access="CREDENTIALED", redistribution="NO")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    records = visits(500)
    records[3]["verdict"] = "SECRET verdict"
    records[4]["answer"] = ["SECRET", "list"]
    write_visits(tmp_path / "raw", records)
    text = (tmp_path / "raw/clinic/visits.jsonl").read_text()
    (tmp_path / "raw/clinic/visits.jsonl").write_text(text + '{"id": "SECRET\n')
    result = build("clinic", tmp_path / "raw", tmp_path / "out")
    assert len(result.rejects) == 3
    everything = b"".join(contents(tmp_path / "out").values())
    assert b"SECRET" not in everything
    assert {"visits.jsonl"} == {reject["file"] for reject in result.rejects}


def test_a_broken_recipe_breaks_no_other(clinic: Path, tmp_path: Path) -> None:
    (tmp_path / "recipes" / "wreck.py").write_text("import no_such_module\n")
    result = build("category:question_answering -medqa", clinic, tmp_path / "out")
    assert "clinic_answer" in result.counts
    assert isinstance(result.left_out["wreck"], errors.BrokenRecipeError)
    assert "no_such_module" in str(result.left_out["wreck"])
    with pytest.raises(errors.BrokenRecipeError, match="no_such_module"):
        build("wreck", clinic, tmp_path / "out")


def test_a_group_builds_what_is_there_and_says_what_is_not(clinic: Path, tmp_path: Path) -> None:
    result = build("access:open", clinic, tmp_path / "out")
    assert set(result.manifest.recipes) == {"clinic"}
    assert "medqa" in result.left_out


def test_a_missing_source_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingFilesError) as caught:
        build("mimic_iv_note_summary", tmp_path / "raw", tmp_path / "out")
    said = str(caught.value)
    assert str(tmp_path / "raw" / "mimic_iv_note" / "note/radiology.csv") in said
    for word in ("credentialed", "https://physionet.org", "medsins fetch", "--sample"):
        assert word in said


def test_one_failing_recipe_leaves_the_others_built(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", "ward")
    (clinic / "ward").mkdir()
    (clinic / "ward" / "visits.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(errors.RejectedRecordsError, match="ward"):
        build("clinic ward", clinic, tmp_path / "out")
    assert set(medsins.load(tmp_path / "out")) == {"train", "test"}
    assert not (tmp_path / "out" / "data" / "ward_answer").exists()


def test_wrong_arguments_say_what_would_be_right(clinic: Path, tmp_path: Path) -> None:
    for options, said in (
        ({"split": "dev"}, "train, validation, test"),
        ({"limit": 0}, "above 0"),
        ({"instructions": "poems"}, "definition"),
        ({"engine": "steam"}, "local"),
    ):
        with pytest.raises(ValueError, match=said):
            build("clinic", clinic, tmp_path / "out", **options)


def test_a_raw_file_may_be_compressed(clinic: Path, tmp_path: Path) -> None:
    import gzip

    build("clinic", clinic, tmp_path / "plain")
    plain = clinic / "clinic" / "visits.jsonl"
    with gzip.open(plain.with_suffix(".jsonl.gz"), "wb") as stream:
        stream.write(plain.read_bytes())
    plain.unlink()
    build("clinic", clinic, tmp_path / "gzip")
    ids = [
        [row["id"] for row in rows(tmp_path / out, "clinic_answer")] for out in ("plain", "gzip")
    ]
    assert ids[0] == ids[1]


def test_a_truncated_file_stops_the_build_and_leaves_the_old_one(
    clinic: Path, tmp_path: Path
) -> None:
    import gzip

    build("clinic", clinic, tmp_path / "out")
    before = contents(tmp_path / "out")
    plain = clinic / "clinic" / "visits.jsonl"
    whole = gzip.compress(plain.read_bytes())
    plain.unlink()
    plain.with_suffix(".jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(errors.CorruptFileError, match=r"visits\.jsonl\.gz is damaged or ends"):
        build("clinic", clinic, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_a_record_of_fifty_megabytes_is_built(clinic: Path, tmp_path: Path) -> None:
    records = visits(20)
    records[2]["answer"] = "long " * 10_000_000
    write_visits(clinic, records)
    build("clinic", clinic, tmp_path / "out")
    lengths = [len(row["output"]) for row in rows(tmp_path / "out", "clinic_answer")]
    assert max(lengths) == 50_000_000


MEASURED = """
import sys
from pathlib import Path
from medsins.engine.memory import be_lean
be_lean()
import medsins
from medsins.engine import duplicates, mapping, plan, sharding
plan.CHUNK_BYTES, plan._SCAN_BLOCK = 1 << 20, 1 << 16
sharding.ROW_GROUP_BYTES, mapping.FLUSH_CHARACTERS = 1 << 20, 1 << 18
duplicates._BUCKET_ROWS = 1 << 12
medsins.build("clinic", raw=sys.argv[1], out=sys.argv[2], workers=1, progress=False)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""
"""Prints its own peak; `ru_maxrss` would begin with that of the process that started it."""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_peak_memory_does_not_grow_with_the_number_of_records(clinic: Path, tmp_path: Path) -> None:
    peaks = []
    for count in (20_000, 160_000):
        write_visits(clinic, visits(count))
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(clinic), str(tmp_path / f"out{count}")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.08 * peaks[0], peaks


def test_rejects_are_judged_over_the_whole_source_not_chunk_by_chunk(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsins.engine import plan

    monkeypatch.setattr(plan, "CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr(plan, "_SCAN_BLOCK", 1 << 16)
    records = visits(40_000)
    for record in records[-200:]:
        record.pop("patient")
    write_visits(clinic, records)
    facts = build("clinic", clinic, tmp_path / "out").manifest.recipes["clinic"]
    assert 150 < sum(facts.rejected.values()) <= 200


def test_an_overwrite_that_fails_leaves_the_old_build(clinic: Path, tmp_path: Path) -> None:
    build("clinic", clinic, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(errors.MissingFilesError):
        build("clinic", tmp_path / "elsewhere", tmp_path / "out", seed=7, overwrite=True)
    assert contents(tmp_path / "out") == before
    medsins.verify(tmp_path / "out", progress=False)


def test_overwriting_leaves_nothing_of_the_old_build(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", "ward")
    write_visits(clinic, visits(50, seed=1), "ward")
    records = visits(500)
    records[1].pop("patient")
    write_visits(clinic, records)
    build("clinic ward", clinic, tmp_path / "out")
    build("ward", clinic, tmp_path / "out", seed=3, overwrite=True)
    build("ward", clinic, tmp_path / "fresh", seed=3)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_overwriting_replaces_a_build_whose_manifest_is_damaged(
    clinic: Path, tmp_path: Path
) -> None:
    build("clinic", clinic, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "data" / "clinic_gone").mkdir()
    (tmp_path / "out" / "data" / "clinic_gone" / "train-00000-of-00001.parquet").touch()
    (tmp_path / "out" / "manifest.json").write_text("{")
    with pytest.raises(errors.CorruptBuildError, match="overwrite"):
        build("clinic", clinic, tmp_path / "out")
    build("clinic", clinic, tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_shard_that_is_gone_or_cut_is_built_again(
    clinic: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    build("clinic", clinic, tmp_path / "out")
    before = contents(tmp_path / "out")
    spoil(next((tmp_path / "out").glob("data/clinic_answer/train-*.parquet")))
    assert build("clinic", clinic, tmp_path / "out").built == ("clinic",)
    assert contents(tmp_path / "out") == before


def test_a_raw_file_of_the_same_size_is_read_again_if_its_time_changed(
    clinic: Path, tmp_path: Path
) -> None:
    raw = clinic / "clinic" / "visits.jsonl"
    build("clinic", clinic, tmp_path / "out")
    stat = raw.stat()
    raw.write_text(raw.read_text().replace("plumber", "painter"))
    os.utime(raw, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert raw.stat().st_size == stat.st_size
    assert build("clinic", clinic, tmp_path / "out").built == ("clinic",)
    build("clinic", clinic, tmp_path / "anew")
    assert contents(tmp_path / "out") == contents(tmp_path / "anew")
    assert b"painter" in b"".join(
        str(row).encode() for row in rows(tmp_path / "out", "clinic_answer")
    )


def test_a_raw_file_that_changes_under_the_build_stops_it(clinic: Path, tmp_path: Path) -> None:
    raw = write_visits(clinic, visits(5), "meddler")
    meddling = f"""\
        with __import__("pathlib").Path({str(raw)!r}).open("a") as stream:
            stream.write("\\n")
        if not record["question"]"""
    source = (tmp_path / "recipes" / "clinic.py").read_text()
    source = source.replace('        if not record["question"]', meddling)
    (tmp_path / "recipes" / "meddler.py").write_text(source)
    with pytest.raises(errors.CorruptFileError, match="changed while"):
        build("meddler", clinic, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


JOIN = """
    def records(self, files, split):
        for record in self.read(files):
            yield {"SECRET": 1}[record["answer"]] if record["id"] == "v7" else record
"""


def test_a_join_that_fails_names_its_recipe_and_never_quotes_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path / "recipes", access="CREDENTIALED", redistribution="NO")
    path.write_text(path.read_text() + JOIN)
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    records = visits(20)
    records[7]["answer"] = "SECRET answer"
    write_visits(tmp_path / "raw", records)
    with pytest.raises(errors.CorruptFileError) as caught:
        build("clinic", tmp_path / "raw", tmp_path / "out")
    said = str(caught.value)
    assert "clinic" in said
    assert "visits.jsonl" in said
    assert "KeyError in records()" in said
    assert "SECRET" not in said


def test_a_lookup_with_a_broken_record_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path / "recipes")
    text = path.read_text().replace(
        '    files = raw.jsonl("visits.jsonl")\n',
        '    files = raw.jsonl("visits.jsonl")\n'
        '    lookups = {"names": raw.jsonl("names.jsonl")}\n',
    )
    path.write_text(
        text.replace("        who = {", '        self.lookup("names")\n        who = {')
    )
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_visits(tmp_path / "raw", visits(20))
    names = tmp_path / "raw" / "clinic" / "names.jsonl"
    names.write_text('{"id": 1}\n{"id": \n{"id": 3}\n')
    with pytest.raises(errors.CorruptFileError, match=r"names\.jsonl, row 2"):
        build("clinic", tmp_path / "raw", tmp_path / "out")
    names.write_text('{"id": 1}\n')
    assert build("clinic", tmp_path / "raw", tmp_path / "out").counts


def test_a_lookup_that_changed_has_its_recipe_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path / "recipes")
    path.write_text(
        path.read_text()
        .replace("    files =", '    lookups = {"names": raw.jsonl("names.jsonl")}\n    files =')
        .replace('output=record["answer"]', 'output=self.lookup("names")[0]["name"]')
    )
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_visits(tmp_path / "raw", visits(20))
    names = tmp_path / "raw" / "clinic" / "names.jsonl"
    for name in ("Hallux", "Digitus minimus"):
        names.write_text(json.dumps({"name": name}))
        assert build("clinic", tmp_path / "raw", tmp_path / "out").built == ("clinic",)
        assert {row["output"] for row in rows(tmp_path / "out", "clinic_answer")} == {name}
    assert build("clinic", tmp_path / "raw", tmp_path / "out").built == ()


def test_an_annotation_file_that_changed_has_its_recipe_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path / "recipes")
    text = path.read_text()
    path.write_text(
        text[: text.index("        if not record")].replace(
            'raw.jsonl("visits.jsonl")', 'raw.brat("*.txt")'
        )
        + "        yield self.answer(input=record.text, output=record.mentions[0].type)\n"
    )
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    folder = tmp_path / "raw" / "clinic"
    folder.mkdir(parents=True)
    (folder / "note.txt").write_text("A sore toe.")
    for kind in ("Finding", "Problem"):
        (folder / "note.ann").write_text(f"T1\t{kind} 2 10\tsore toe\n")
        assert build("clinic_answer", tmp_path / "raw", tmp_path / "out").built == ("clinic",)
        assert [row["output"] for row in rows(tmp_path / "out", "clinic_answer")] == [kind]
    (folder / "note.ann").unlink()
    with pytest.raises(errors.MissingFilesError, match=r"note\.ann is missing"):
        build("clinic_answer", tmp_path / "raw", tmp_path / "out")
