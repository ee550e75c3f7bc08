"""The benchmark from nothing to scores: built from samples, answered by a server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import medsins
from llm_server import LlmServer
from medsins.bench.asking.prompts import estimated_tokens, prompt
from medsins.bench.asking.runs import Asking, RunResult, folder_name, run
from medsins.bench.scoring.results import read_results
from medsins.bench.suite.benchmark import Benchmark, FewshotExample, Item, collect
from medsins.bench.suite.tasks import CATEGORIES, PUBLISHED, bench_tasks
from medsins.errors import (
    AccessError,
    BudgetError,
    InvalidFileError,
    MissingFilesError,
    UnknownNameError,
)
from medsins.llm.online import Pace

TASKS = ["task57", "task41", "task46", "task127", "task1", "task130"]
QUICK = Pace(8, read=20.0, total=40.0, first_wait=0.02)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    out = tmp_path_factory.mktemp("bench") / "benchmark"
    return collect("all", sample=True, out=out, progress=False)


def ask(
    bench: Benchmark,
    server: LlmServer,
    out: Path,
    select: str | Iterable[str] = TASKS,
    pace: Pace = QUICK,
    max_requests: int | None = None,
) -> RunResult:
    return run(
        bench.path,
        model="gpt-test",
        select=select,
        base_url=server.url,
        out=out,
        pace=pace,
        max_requests=max_requests,
        progress=False,
        tell=lambda _: None,
    )


def gold(bench: Benchmark, tasks: list[str]) -> dict[str, str]:
    """What a model that knows all answers says, by the SHA-256 of the last user message."""
    found = {}
    for one in bench_tasks(tasks):
        if one.name not in bench.tasks:
            continue
        for item in bench.items(one.name):
            user = f"Input:\n{item.input}\nOutput:\n" if one.published.num_fewshot else item.input
            found[hashlib.sha256(user.encode()).hexdigest()] = item.references[0]
    return found


def test_the_suite_is_that_of_the_paper() -> None:
    found = bench_tasks()
    assert {one.task.benchmark_id for one in found} == set(PUBLISHED)
    assert {one.published.category for one in found} == set(CATEGORIES)
    assert len(found) == 53
    with pytest.raises(UnknownNameError, match="nothing of this selection is in MedS-Bench"):
        bench_tasks("medquad")


def test_test_instances_become_items_and_training_ones_fewshot_examples(bench: Benchmark) -> None:
    build = medsins.load(bench.path / "build")
    tests = {row["id"] for row in build["test"]}
    trains = {row["id"] for row in build["train"]}
    for task, facts in bench.tasks.items():
        items = bench.items(task)
        assert facts.rows == len(items) > 0
        assert {item.id for item in items} <= tests
        fewshot = bench.fewshot_examples(task)
        assert {example.id for example in fewshot} <= trains
        assert not {example.input for example in fewshot} & {item.input for item in items}
        if facts.rows_published not in (None, facts.rows):
            assert f"{facts.rows_published:,}" in facts.note


def test_a_benchmark_is_the_same_each_time(bench: Benchmark, tmp_path: Path) -> None:
    again = collect("all", sample=True, out=tmp_path, progress=False, workers=1)
    assert again.digest == bench.digest
    assert (again.path / "benchmark.json").read_bytes() == (
        bench.path / "benchmark.json"
    ).read_bytes()


def test_a_changed_or_missing_benchmark_is_refused(bench: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match="medsins bench build"):
        Benchmark(tmp_path)
    made = collect("task41", sample=True, out=tmp_path, progress=False)
    (task,) = made.tasks
    path = tmp_path / "items" / f"{task}.jsonl"
    path.write_text(path.read_text().replace("a", "b"))
    with pytest.raises(InvalidFileError, match="is not what was built"):
        Benchmark(tmp_path).items(task)


def test_a_benchmark_of_another_version_or_damaged_says_how_to_make_it_anew(
    tmp_path: Path,
) -> None:
    collect("task41", sample=True, out=tmp_path, progress=False)
    path = tmp_path / "benchmark.json"
    facts = json.loads(path.read_text())
    for content, said in (
        (json.dumps(facts | {"version": "1"}), "a benchmark of version 1; this medsins reads 2"),
        (json.dumps({**facts, "tasks": 5}), "not one that medsins writes: tasks is not"),
        ("[]", "a benchmark of version None"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
    ):
        path.write_text(content)
        with pytest.raises(InvalidFileError, match=f"{said}.* another folder as --out"):
            Benchmark(tmp_path)


def test_a_benchmark_is_not_built_over_one_of_another_version(tmp_path: Path) -> None:
    collect("task41", sample=True, out=tmp_path, progress=False)
    manifest = tmp_path / "build/manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"schema_version": "2"', '"schema_version": "1"')
    )
    with pytest.raises(
        InvalidFileError, match=r"another version .* another folder as --out"
    ) as said:
        collect("task41", sample=True, out=tmp_path, progress=False)
    assert "--overwrite" not in str(said.value)


FEWSHOT_EXAMPLE = st.builds(
    FewshotExample,
    st.text("abc", min_size=3, max_size=3),
    st.text(max_size=60),
    st.text(max_size=30),
)


@given(
    question=st.text(max_size=80),
    candidates=st.lists(FEWSHOT_EXAMPLE, max_size=8, unique_by=lambda example: example.id),
    num_fewshot=st.integers(0, 5),
    longest=st.integers(0, 200),
)
def test_a_long_prompt_loses_fewshot_examples_and_never_of_its_question(
    question: str, candidates: list[FewshotExample], num_fewshot: int, longest: int
) -> None:
    item = Item("item", "task", f"Q {question}", ("x",))
    fit = [example for example in candidates if example.input != item.input]
    asked = prompt(item, "Do it.", fit, num_fewshot, longest=longest)
    assert item.input in asked.user
    assert len(asked.fewshot) <= min(num_fewshot, len(fit))
    if asked.fewshot:
        assert estimated_tokens(asked.system) + estimated_tokens(asked.user) <= longest
    assert asked == prompt(item, "Do it.", fit, num_fewshot, longest=longest)
    assert "Do it." in asked.system


def test_a_model_that_knows_all_answers_scores_all(bench: Benchmark, tmp_path: Path) -> None:
    known = gold(bench, TASKS)
    script = {"answer_map": known, "faults": {"rate": 0.2, "wait": 0.02}}
    with LlmServer(script, tmp_path / "server") as server:
        result = ask(bench, server, tmp_path / "runs")
        assert max(server.bills(usable=True).values()) == 1
    assert result.asked == result.answered
    scored = medsins.score(result.path, bench.path)
    assert scored.path is not None
    assert scored.path == result.path / "results.json"
    found = read_results(scored.path)
    assert found.model == "gpt-test"
    assert {one.value for one in found.tasks.values()} == {100.0}
    assert not found.complete
    # The same predictions in the published layout give the same scores.
    table = medsins.score(result.path / "predictions.csv", bench.path, select=TASKS)
    assert {t: r.value for t, r in table.results.tasks.items()} == {
        t: r.value for t, r in found.tasks.items()
    }


def test_a_run_that_was_cut_goes_on_and_asks_nothing_twice(
    bench: Benchmark, tmp_path: Path
) -> None:
    script = {"answers": {"mode": "by-hash", "choices": ["A", "B", "no", "Entailment"]}}
    with LlmServer(script, tmp_path / "server") as server:
        calm = ask(bench, server, tmp_path / "calm", pace=Pace(1))
        count = len(server.chats())
        with pytest.raises(BudgetError):
            ask(bench, server, tmp_path / "cut", max_requests=5)
        partial = json.loads((tmp_path / "cut/gpt-test/run.json").read_text())
        assert not partial["complete"]
        cut = ask(bench, server, tmp_path / "cut")
        assert len(server.chats()) == 2 * count
    for name in ("predictions.jsonl", "predictions.csv"):
        assert (cut.path / name).read_bytes() == (calm.path / name).read_bytes()


def test_restricted_text_goes_nowhere_but_here_unless_an_agreement_is_named(
    bench: Benchmark, tmp_path: Path
) -> None:
    # As built from real files: the sample's text is synthetic and may go anywhere.
    facts = json.loads((bench.path / "benchmark.json").read_text())
    facts["options"]["sample"] = False
    real = tmp_path / "real"
    real.mkdir()
    for name in ("items", "fewshot"):
        (real / name).symlink_to(bench.path / name)
    (real / "benchmark.json").write_text(json.dumps(facts))
    closed = next(
        task
        for known in facts["recipes"].values()
        if known["llm_api"] != "allowed" and known["redistribution"] == "no"
        for task in known["tasks"]
    )
    elsewhere = partial(
        run, real, model="m", base_url="http://models.example:1/v1", out=tmp_path / "runs"
    )
    with pytest.raises(AccessError, match="llm_api is") as caught:
        elsewhere(select=closed)
    assert "models.example" in str(caught.value)
    with pytest.raises(AccessError):
        elsewhere(select=closed, endpoint_covered_by="  ")
    assert not (tmp_path / "runs").exists()
    with LlmServer({"answers": {"mode": "fixed", "text": "no"}}, tmp_path / "server") as server:
        result = ask(Benchmark(real), server, tmp_path / "runs", select=closed)
    assert result.answered == result.asked


def test_a_function_can_stand_in_for_a_model(bench: Benchmark, tmp_path: Path) -> None:
    def parrot(system: str, user: str) -> str:
        return "entailment"

    result = run(bench.path, model=parrot, select="task41", out=tmp_path, progress=False)
    assert result.path == tmp_path / "parrot"
    rows = [json.loads(line) for line in (result.path / "predictions.jsonl").open()]
    assert {row["prediction"] for row in rows} == {"entailment"}
    scored = medsins.score(result.path, bench.path)
    (one,) = scored.results.tasks.values()
    assert 0 <= one.value <= 100
    assert one.paper
    record = result.path / "run.json"
    written = json.loads(record.read_text())
    del written["num_fewshot"]
    for content in (json.dumps(written), "[]", "{", "[" * 100_000):
        record.write_text(content)
        with pytest.raises(InvalidFileError, match="Ask again into a new folder"):
            medsins.score(result.path, bench.path)


def test_odd_answers_are_answers(bench: Benchmark, tmp_path: Path) -> None:
    answers = ["NA", "None", "null", "nan", "", " ", "\x00", "x" * 1_000_000, 'a,"b"\r\nc', "A"]
    items = bench.items("medqa_mcqa_en")
    path = tmp_path / "some.jsonl"
    rows = [
        {"id": item.id, "prediction": answers[place % len(answers)]}
        for place, item in enumerate(items)
    ]
    path.write_text("\ufeff" + "".join(json.dumps(row) + "\n" for row in rows))
    scored = medsins.score(path, bench.path, select="task57")
    assert scored.results.tasks["medqa_mcqa_en"].n == len(items)


def test_predictions_of_something_else_are_refused(bench: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"id": "x", "prediction": "A"}\n')
    with pytest.raises(InvalidFileError):
        medsins.score(path, bench.path)
    with pytest.raises(InvalidFileError, match="no row answers a question"):
        medsins.score(path, bench.path, partial=True)


def test_models_with_slashes_get_folders() -> None:
    assert folder_name("org/model-7b:free") == "org_model-7b_free"
    assert folder_name("../..") == "model"


def test_fewshot_examples_of_an_item_do_not_depend_on_other_items(
    bench: Benchmark, tmp_path: Path
) -> None:
    said: dict[str, str] = {}

    def listen(system: str, user: str) -> str:
        said[user] = system
        return "x"

    run(bench.path, model=listen, select="task41", out=tmp_path / "a", progress=False)
    alone = dict(said)
    said.clear()
    run(
        bench.path,
        model=listen,
        select=["task41", "task46"],
        out=tmp_path / "b",
        progress=False,
        asking=Asking(),
    )
    assert alone.items() <= said.items()


def medsins_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medsins.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_three_commands_lead_from_nothing_to_a_leaderboard(tmp_path: Path) -> None:
    folder = str(tmp_path / "benchmark")
    built = medsins_command("bench", "build", *TASKS, "--sample", "--out", folder)
    assert built.returncode == 0, built.stderr
    known = gold(Benchmark(folder), TASKS)
    runs = tmp_path / "runs"
    for number, model in enumerate(("org/knows", "guesses")):
        script = {
            "models": [model],
            "answers": {"mode": "by-hash", "choices": ["A", "B", "Entailment"]},
            "answer_map": {} if number else known,
        }
        with LlmServer(script, tmp_path / f"server{number}") as server:
            asked = medsins_command(
                "bench", "run", "--benchmark", folder, "--model", model,
                "--base-url", server.url, "--out", str(runs),
            )  # fmt: skip
            assert asked.returncode == 0, asked.stderr
    folders = [str(runs / name) for name in ("org_knows", "guesses")]
    scored = medsins_command("bench", "score", *folders, "--benchmark", folder)
    assert scored.returncode == 0, scored.stderr
    assert "100.00" in scored.stdout
    assert "org/knows − guesses" in scored.stdout
    page = tmp_path / "report"
    shown = medsins_command("bench", "report", *folders, "--out", str(page))
    assert shown.returncode == 0, shown.stderr
    assert "org/knows" in (page / "index.html").read_text()
