"""Mixtures: shares, caps and temperature become counts, and the counts become samples."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

from exports_for_tests import SEEDS, instances, samples, written
from medsins import errors
from medsins.builds.schemas import json_schemas
from medsins.cli import exporting as commands
from medsins.formats import Options, export, plan
from medsins.formats.mixtures import allot, quota
from medsins.registry import resolve
from medsins.schema import Mixture, Share
from paths import ROOT


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a build of an open and a closed source."""
    yield from written(tmp_path_factory.mktemp("mixtures"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mixture.yaml"
        path.write_text(text)
        return path

    return write


def mix(tasks: dict[str, Share], **options: Any) -> Mixture:
    return Mixture(name="m", tasks=tasks, **options)


def counts(available: dict[str, int], mixture: Mixture) -> dict[str, int]:
    given = allot(available, cap=None, mixture=mixture, shares=mixture.tasks)
    return {task: one.samples for task, one in given.items()}


# From shares to counts


def test_without_weights_every_sample_is_used() -> None:
    sizes = {"a": 1000, "b": 10, "c": 333}
    assert counts(sizes, mix(dict.fromkeys(sizes, Share()))) == sizes


def test_a_total_is_divided_by_size_and_weight() -> None:
    sizes = {"a": 1000, "b": 500}
    even = mix({"a": Share(), "b": Share()}, total=300)
    assert counts(sizes, even) == {"a": 200, "b": 100}
    weighted = mix({"a": Share(weight=1), "b": Share(weight=2)}, total=300)
    assert counts(sizes, weighted) == {"a": 150, "b": 150}


def test_what_is_left_of_a_total_goes_where_most_was_cut_off() -> None:
    sizes = {"a": 336, "b": 333, "c": 331}
    equal = dict.fromkeys(sizes, Share())
    assert counts(sizes, mix(equal, total=10)) == {"a": 4, "b": 3, "c": 3}
    assert counts(sizes, mix(equal, total=50)) == {"a": 17, "b": 17, "c": 16}


def test_temperature_evens_sizes_out() -> None:
    sizes = {"a": 10_000, "b": 100}
    tasks = {"a": Share(), "b": Share()}
    assert counts(sizes, mix(tasks, temperature=2.0, total=110)) == {"a": 100, "b": 10}
    assert counts(sizes, mix(tasks, temperature=math.inf, total=100)) == {"a": 50, "b": 50}
    assert counts(sizes, mix(tasks, temperature=1e-9, total=100)) == {"a": 100, "b": 0}


def test_a_cap_bounds_both_the_share_and_the_count() -> None:
    sizes = {"a": 10_000, "b": 100}
    tasks = {"a": Share(cap=300), "b": Share()}
    assert counts(sizes, mix(tasks, total=400)) == {"a": 300, "b": 100}
    assert counts(sizes, mix(tasks, total=40)) == {"a": 30, "b": 10}
    given = allot(sizes, cap=50, mixture=mix(tasks, total=400), shares=tasks)
    assert {task: one.samples for task, one in given.items()} == {"a": 50, "b": 50}
    assert given["a"].notes == ("capped, 200 are asked for",)


def test_a_task_that_is_too_small_gives_all_it_has_or_repeats() -> None:
    sizes = {"a": 100, "b": 10}
    tasks = {"a": Share(weight=1), "b": Share(weight=10)}
    given = allot(sizes, mixture=mix(tasks, total=100), shares=tasks)
    assert {task: one.samples for task, one in given.items()} == {"a": 50, "b": 10}
    assert given["b"].notes == ("all there are, 50 are asked for",)
    again = {**tasks, "b": Share(weight=10, repeat=True)}
    given = allot(sizes, mixture=mix(again, total=100), shares=again)
    assert {task: one.samples for task, one in given.items()} == {"a": 50, "b": 50}
    assert given["b"].notes == ("each is used 5.00 times",)


def test_without_a_total_no_task_falls_short_of_its_share() -> None:
    sizes = {"a": 1000, "b": 100, "c": 60}
    tasks = {"a": Share(), "b": Share(), "c": Share(repeat=True)}
    even = mix(tasks, temperature=math.inf)
    assert counts(sizes, even) == {"a": 100, "b": 100, "c": 100}
    with pytest.raises(errors.InvalidFileError, match="Give it a total"):
        counts({"a": 5}, mix({"a": Share(repeat=True)}))


@pytest.mark.parametrize("weight", [1e-12, 1e-320])
def test_without_a_total_a_mixture_of_no_end_is_refused(weight: float) -> None:
    uneven = mix({"a": Share(weight=weight), "b": Share(repeat=True)})
    with pytest.raises(errors.InvalidFileError, match="bring it to"):
        counts({"a": 5, "b": 5}, uneven)


@given(
    sizes=st.lists(st.integers(1, 10**7), min_size=1, max_size=8),
    data=st.data(),
    temperature=st.floats(0.05, 100) | st.just(math.inf),
    total=st.none() | st.integers(1, 10**7),
    cap=st.none() | st.integers(1, 10**6),
)
def test_counts_keep_to_total_caps_and_shares(
    sizes: list[int],
    data: st.DataObject,
    temperature: float,
    total: int | None,
    cap: int | None,
) -> None:
    share = st.builds(
        Share,
        weight=st.floats(0, 1000, allow_nan=False),
        cap=st.none() | st.integers(1, 10**6),
        repeat=st.booleans(),
    )
    tasks = {f"t{number}": data.draw(share) for number in range(len(sizes))}
    assume(any(one.weight > 1e-3 for one in tasks.values()))
    assume(total or any(one.weight > 1e-3 and not one.repeat for one in tasks.values()))
    available = dict(zip(tasks, sizes, strict=True))
    mixture = mix(tasks, temperature=temperature, total=total)
    try:
        given = allot(available, cap=cap, mixture=mixture, shares=tasks)
    except errors.InvalidFileError:
        # So uneven that the largest mixture without a shortage has no sample.
        assert total is None
        return
    for task, one in given.items():
        assert one.samples >= 0
        assert one.samples <= (tasks[task].cap or math.inf)
        assert one.samples <= (cap or math.inf)
        assert tasks[task].repeat or one.samples <= available[task]
        assert tasks[task].weight or not one.samples
        if total is None and not tasks[task].repeat:
            assert not one.notes
    if total is not None:
        reached = sum(one.samples for one in given.values())
        assert reached <= total
        if not any("asked" in note for one in given.values() for note in one.notes):
            assert reached == total


# From counts to samples


@given(
    keys=st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=200),
    wanted=st.integers(0, 700),
    size=st.integers(1, 50),
)
def test_a_quota_takes_the_smallest_keys_and_whole_rounds_first(
    keys: list[int], wanted: int, size: int
) -> None:
    blocks = [np.array(keys[i : i + size], np.uint64) for i in range(0, len(keys), size)]
    rule = quota(wanted, len(keys), lambda: iter(blocks))
    copies = np.concatenate([rule.copies(block) for block in blocks]).tolist()
    assert sum(copies) == wanted
    assert set(copies) <= {wanted // len(keys), wanted // len(keys) + 1}
    more = {key for key, count in zip(keys, copies, strict=True) if count > wanted // len(keys)}
    assert more == set(sorted(keys)[: len(more)])


def test_a_smaller_cap_takes_a_subset_of_what_a_larger_one_takes(
    home: Path, tmp_path: Path
) -> None:
    found: dict[int, set[Any]] = {}
    for cap in (20, 60, 10_000):
        options: dict[str, Any] = {"per_instance": 3, "instructions": "seeds", "progress": False}
        out = tmp_path / str(cap)
        export(home / "build", "alpaca", out, select="clinic", max_per_task=cap, **options)
        found[cap] = set(samples(out))
    assert found[20] < found[60] < found[10_000]
    assert Counter(one.task for one in found[20]) == {"clinic_answer": 20, "clinic_verdict": 20}
    places = [row["id"] for row in instances(home / "build", task="clinic_answer")]
    taken = [places.index(one.id) for one in found[20] if one.task == "clinic_answer"]
    assert max(taken) > len(places) / 2


def test_an_export_holds_what_its_mixture_asks_for(
    home: Path, tmp_path: Path, write: Callable[[str], Path]
) -> None:
    path = write(
        "name: uneven\ntotal: 900\ntasks:\n  all -ward: {weight: 1}\n"
        "  clinic_verdict: {weight: 3, repeat: true}\n"
    )
    planned = plan(home / "build", options=Options(mixture=path))
    wanted = {one.task: one.samples for one in planned.tasks if one.samples}
    rows = Counter(row["task"] for row in instances(home / "build"))
    sizes = {"clinic_answer": rows["clinic_answer"], "clinic_verdict": 3 * rows["clinic_verdict"]}
    asked = 900 * sizes["clinic_answer"] / sum(sizes.values())
    assert wanted["clinic_answer"] == min(rows["clinic_answer"], round(asked))
    result = export(home / "build", "sharegpt", tmp_path / "out", mixture=path, progress=False)
    assert result.counts == wanted
    assert any("each is used" in note for note in result.notes)
    found = [one for one in samples(tmp_path / "out") if one.task == "clinic_verdict"]
    uses = Counter(found)
    assert len(found) == wanted["clinic_verdict"]
    assert len(uses) == rows["clinic_verdict"]
    assert max(uses.values()) - min(uses.values()) <= 1
    # The rounds are shuffled into each other.
    assert len(set(found[: len(found) // 2])) > len(uses) * 0.7
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["options"]["mixture"]["name"] == "uneven"


def test_samples_of_all_wordings_count_as_there_are(
    home: Path, write: Callable[[str], Path]
) -> None:
    path = write("name: m\ntasks:\n  clinic: {}\n")
    options = Options(mixture=path, per_instance="all", instructions="seeds")
    planned = plan(home / "build", options=options)
    assert planned.samples == SEEDS * len(instances(home / "build", task="clinic_*"))


def test_what_is_left_out_has_no_share(home: Path, write: Callable[[str], Path]) -> None:
    path = write("name: m\ntotal: 100\ntasks:\n  all:\n  ward: {weight: 50}\n")
    planned = plan(home / "build", options=Options(mixture=path, only_redistributable=True))
    assert planned.samples == 100
    assert {one.source for one in planned.tasks if one.samples} == {"clinic"}
    assert not planned.closed


def test_the_mixture_of_the_guide_is_one() -> None:
    guide = ROOT / "docs" / "fine-tuning.md"
    if not guide.is_file():
        pytest.skip("docs/ is in checkouts only")
    text = guide.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    loaded = yaml.safe_load(text)
    loaded["tasks"] = {key: share or {} for key, share in loaded["tasks"].items()}
    assert Mixture.model_validate(loaded).temperature == 2
    for selector in loaded["tasks"]:
        assert resolve(selector).tasks


# Mixtures that are wrong


def problems(home: Path, path: Path) -> str:
    with pytest.raises(errors.InvalidFileError) as caught:
        plan(home / "build", options=Options(mixture=path))
    return str(caught.value)


def test_every_problem_is_listed_with_its_place(home: Path, write: Callable[[str], Path]) -> None:
    said = problems(
        home,
        write(
            "name: a name\n"
            "temprature: 2\n"
            "total: 0\n"
            "tasks:\n"
            "  clinicc: {weight: -1}\n"
            "  clinic: {cap: many, repeat: 1}\n"
            "  medqa: {wieght: 2}\n"
            "  clinic_answer: {weight: .nan}\n"
            "  clinic_answer: {weight: '3'}\n"
        ),
    )
    for place in (
        "line 1, name:",
        "line 2, temprature:",
        "line 3, total:",
        "line 5, tasks.clinicc: no task",
        "line 5, tasks.clinicc.weight:",
        "line 6, tasks.clinic.cap:",
        "line 6, tasks.clinic.repeat:",
        "line 7, tasks.medqa.wieght:",
        "line 7, tasks.medqa: ",
        "line 9, tasks.clinic_answer: stands twice",
        "line 9, tasks.clinic_answer.weight:",
    ):
        assert f"\n- {place}" in said, place
    assert said.count("\n- ") == 11


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: m\ntasks:\n  clinic: {weight: 0}\n  ward: {weight: 0.0}\n", "sum to nothing"),
        ("name: m\ntasks: {}\n", "tasks"),
        ("name: m\n", "tasks"),
        ("", "the whole"),
        ("- name\n", "the whole"),
        ("name: m\ntasks:\n  clinic: 3\n", "tasks.clinic"),
        ("name: m\ntasks: [\n", "line 3"),
        ("name: m\ntasks:\n  ? [a]\n  : {}\n", "line 3"),
        ("name: m\ntemperature: 0\ntasks:\n  clinic:\n", "temperature"),
        ("name: m\ntasks:\n  clinic: &a\n    weight: *a\n", "weight"),
        ("name: m\ntasks:\n  7: {}\n", "tasks.7"),
    ],
)
def test_what_is_no_mixture_is_said(
    home: Path, write: Callable[[str], Path], text: str, said: str
) -> None:
    assert said in problems(home, write(text))


def test_weights_that_come_to_nothing_in_this_split_are_said(
    home: Path, write: Callable[[str], Path]
) -> None:
    path = write("name: m\ntasks:\n  clinic: {weight: 0}\n  ward: {weight: 1}\n")
    with pytest.raises(errors.InvalidFileError, match="sum to nothing"):
        plan(home / "build", options=Options(mixture=path, only_redistributable=True))
    with pytest.raises(errors.UnknownNameError, match="no instances of these tasks"):
        plan(home / "build", options=Options(mixture=path, split="validation"))
    with pytest.raises(errors.InvalidFileError, match="cannot be read"):
        plan(home / "build", options=Options(mixture=home / "no.yaml"))


def test_the_schema_accepts_what_is_read_and_refuses_what_is_not() -> None:
    schema = json_schemas()["mixture.schema.json"]
    jsonschema.validate({"name": "m", "tasks": {"all": {"weight": 1, "cap": 5}}}, schema)
    for wrong in (
        {"name": "m", "tasks": {}},
        {"name": "m", "tasks": {"all": {"weight": -1}}},
        {"name": "m", "tasks": {"all": {}}, "more": 1},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


# The command line


def test_the_command_prints_the_counts(home: Path, write: Callable[[str], Path]) -> None:
    path = write("name: m\ntotal: 40\ntemperature: .inf\ntasks:\n  clinic:\n  ward_answer:\n")
    arguments = ["plan", str(home / "build"), str(path)]
    done = CliRunner().invoke(commands.mix, arguments, catch_exceptions=False)
    lines = {line.split()[0]: line.split() for line in done.output.splitlines() if line}
    assert lines["clinic_answer"][3:5] == ["14", "35.00%"]
    assert lines["ward_answer"][3] == "13"
    assert lines["total"][1] == "40"
    assert "ward_verdict" not in lines
