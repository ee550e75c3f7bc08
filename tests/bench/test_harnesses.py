"""The benchmark in other harnesses: what is written, who may have it, and equal scores."""

from __future__ import annotations

import ast
import csv
import importlib.util
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import medsins
from medsins.bench.asking.prompts import prompt
from medsins.bench.harnesses import export_benchmark
from medsins.bench.harnesses.helm import as_text
from medsins.bench.harnesses.lm_eval import escaped
from medsins.bench.harnesses.records import METRICS
from medsins.bench.scoring.predictions import Answer
from medsins.bench.scoring.task_scores import score_task
from medsins.bench.suite.benchmark import Benchmark, Item, collect
from medsins.bench.suite.families import Family, profile
from medsins.errors import (
    AccessError,
    BuildConflictError,
    CheckError,
    InvalidFileError,
    MissingFilesError,
    OutputError,
    UnknownNameError,
)
from offline_for_tests import go_offline

TASKS = (
    *("medqa_mcqa_en", "medmcqa_mcq", "pubmedqa_yes_no_maybe", "mednli_entailment_classification"),
    *("healthfact_claim_verification", "mimic4ed_benchmark_critical", "bc5cdr_chem_ner"),
    *("hoc_hallmark_classification", "pico_participant_extraction", "pmc_patients_demographics"),
    *("ade_corpus_v2_drug_dose_extraction", "mmedbench_rationale_en", "mmedbench_rationale_zh"),
    *("mmedbench_rationale_ja", "mimic_iv_note_summary_mri_chest"),
)
CLOSED = {"mimic4ed_benchmark", "mimic_iv_note", "mednli"}
HARNESSES = ("lm-eval", "inspect", "helm")
ROOT = Path(medsins.__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    out = tmp_path_factory.mktemp("export") / "bench"
    return collect(TASKS, sample=True, out=out, workers=1, progress=False)


@pytest.fixture(scope="module")
def real(bench: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """The same benchmark, as if it were not built from synthetic samples."""
    out = tmp_path_factory.mktemp("real") / "bench"
    shutil.copytree(bench.path, out, ignore=shutil.ignore_patterns("build"))
    replace(bench.facts, options=replace(bench.facts.options, sample=False)).write(out)
    return Benchmark(out)


@pytest.fixture(scope="module")
def exports(bench: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("exports")
    return {to: export_benchmark(bench.path, to, out / to, progress=False) for to in HARNESSES}


def said(item: Item) -> str:
    """What a model says to a question: by its id, right, blank, beside the point or wrong."""
    kinds = (
        item.references[0],
        f"I would say this. {item.references[0]}",
        "",
        "pain and fever, aspirin",
        "no",
    )
    return kinds[int(item.id[-4:], 16) % len(kinds)]


def expected(bench: Benchmark, task: str) -> dict[str, float]:
    answers = [
        Answer(item.id, task, said(item), item.references, item.input) for item in bench.items(task)
    ]
    score = score_task(task, answers)
    return {"score": score.value, **score.values}


def test_metrics_are_named_as_scoring_names_them(bench: Benchmark) -> None:
    seen = set()
    for task in bench.tasks:
        family = profile(medsins.task(task)).family
        found = expected(bench, task)
        assert set(found) == {"score", *METRICS[family]}
        assert found["score"] == found[METRICS[family][0]]
        seen.add(family)
    assert seen == set(Family) == set(METRICS)


@pytest.mark.parametrize("to", HARNESSES)
def test_every_export_is_a_benchmark_too(
    bench: Benchmark, exports: dict[str, Path], to: str
) -> None:
    found = Benchmark(exports[to])
    assert found.digest == bench.digest
    for task in bench.tasks:
        assert found.items(task) == bench.items(task)
        assert found.fewshot_examples(task) == bench.fewshot_examples(task)
    record = json.loads((exports[to] / "export.json").read_text(encoding="utf-8"))
    assert record["harness"] == to
    assert record["benchmark"]["digest"] == bench.digest
    assert record["tasks"].keys() == bench.tasks.keys()
    for name, facts in record["tasks"].items():
        assert facts["rows"] == len(bench.items(name))
        assert facts["items_sha256"] == bench.tasks[name].items
        assert facts["license"]
    readme = (exports[to] / "README.md").read_text(encoding="utf-8")
    assert all(f"| {task} | " in readme for task in bench.tasks)
    assert "local use" not in readme


def test_an_export_has_the_same_bytes_wherever_it_is_made(
    bench: Benchmark, exports: dict[str, Path], tmp_path: Path
) -> None:
    for to in HARNESSES:
        again = export_benchmark(bench.path, to, tmp_path / to, progress=False)
        for path in filter(Path.is_file, exports[to].rglob("*")):
            if path.suffix != ".pyc":
                other = again / path.relative_to(exports[to])
                assert path.read_bytes() == other.read_bytes()
                assert str(tmp_path).encode() not in other.read_bytes()


@pytest.mark.parametrize("to", HARNESSES)
def test_what_may_not_be_passed_on_is_refused(real: Benchmark, tmp_path: Path, to: str) -> None:
    with pytest.raises(AccessError, match=r"may not be exported .*--local-use.*--only-red"):
        export_benchmark(real.path, to, tmp_path / "out", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", HARNESSES)
def test_what_may_not_be_passed_on_is_left_out_whole(
    real: Benchmark, tmp_path: Path, to: str
) -> None:
    closed = [
        task
        for name, facts in real.facts.recipes.items()
        if facts.redistribution == "no"
        for task in facts.tasks
    ]
    assert {name for name, facts in real.facts.recipes.items() if set(facts.tasks) & set(
        closed
    )} >= CLOSED  # fmt: skip
    out = export_benchmark(
        real.path, to, tmp_path / "out", only_redistributable=True, progress=False
    )
    assert set(Benchmark(out).tasks) == set(real.tasks) - set(closed)
    names = [path.relative_to(out).as_posix() for path in out.rglob("*")]
    assert not any(task in name for task in closed for name in names)
    for path in filter(Path.is_file, out.rglob("*")):
        content = path.read_text(encoding="utf-8")
        assert not any(task in content for task in closed)
        assert not any(item.input in content for task in closed for item in real.items(task))


@pytest.mark.parametrize("to", HARNESSES)
def test_local_use_is_for_the_owner_alone(real: Benchmark, tmp_path: Path, to: str) -> None:
    out = export_benchmark(real.path, to, tmp_path / "out", local_use=True, progress=False)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert set(Benchmark(out).tasks) == set(real.tasks)
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert "**This folder is for local use.**" in readme
    assert all(name in readme for name in CLOSED)
    record = json.loads((out / "export.json").read_text(encoding="utf-8"))
    assert record["may_be_passed_on"] is False
    assert record["tasks"]["mimic4ed_benchmark_critical"]["may_be_passed_on"] is False
    assert record["tasks"]["medqa_mcqa_en"]["may_be_passed_on"] is True


def test_what_makes_no_sense_is_refused(bench: Benchmark, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="choose one of lm-eval, inspect, helm"):
        export_benchmark(bench.path, "lm_eval", out)
    with pytest.raises(CheckError, match="num_fewshot=-1 makes no sense"):
        export_benchmark(bench.path, "lm-eval", out, num_fewshot=-1)
    with pytest.raises(MissingFilesError, match="holds no benchmark"):
        export_benchmark(tmp_path, "lm-eval", out)
    with pytest.raises(OutputError, match="inside the benchmark"):
        export_benchmark(bench.path, "lm-eval", bench.path / "out")
    export_benchmark(bench.path, "inspect", out, progress=False)
    with pytest.raises(BuildConflictError, match="holds an export already"):
        export_benchmark(bench.path, "lm-eval", out)
    export_benchmark(bench.path, "lm-eval", out, overwrite=True, progress=False)
    assert (out / "tasks").is_dir()
    assert not (out / "medsbench.py").exists()


def test_a_benchmark_that_was_changed_is_refused(bench: Benchmark, tmp_path: Path) -> None:
    shutil.copytree(bench.path, tmp_path / "bench", ignore=shutil.ignore_patterns("build"))
    items = tmp_path / "bench" / "items" / "medmcqa_mcq.jsonl"
    items.write_text(items.read_text().replace("B", "A"))
    with pytest.raises(InvalidFileError, match="is not what was built"):
        export_benchmark(tmp_path / "bench", "helm", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


# lm-evaluation-harness


class Loader(yaml.SafeLoader):
    """Reads task files; functions stay names."""


Loader.add_constructor("!function", lambda _, node: node.value)


def task_files(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted((folder / "tasks").glob("*.yaml")):
        found[path.stem] = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return found


def module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_task_files_name_their_rows_functions_and_groups(
    bench: Benchmark, exports: dict[str, Path]
) -> None:
    files = task_files(exports["lm-eval"])
    tasks = {name: one for name, one in files.items() if not name.startswith("group_")}
    assert tasks.keys() == bench.tasks.keys()
    utils = module(exports["lm-eval"] / "tasks" / "utils.py", "utils_for_tests")
    for name, one in tasks.items():
        facts = bench.tasks[name]
        assert one["task"] == f"medsbench_{name}"
        assert one["tag"][0] == f"medsbench_{facts.benchmark_id}"
        assert one["dataset_path"] == "json"
        for split, file in one["dataset_kwargs"]["data_files"].items():
            assert (exports["lm-eval"] / file).is_file()
            assert split in {"test", "fewshot"}
        assert one["output_type"] == "generate_until"
        assert one["description"].replace("{{ '{' }}", "{") == f"{facts.definition}\n\n"
        assert one["num_fewshot"] == min(facts.num_fewshot, len(bench.fewshot_examples(name)))
        assert ("{{input}}" in one["doc_to_text"]) == (one["num_fewshot"] > 0)
        functions = [one["custom_dataset"], one["process_results"]]
        functions += [metric["aggregation"] for metric in one["metric_list"]]
        assert all(callable(getattr(utils, path.removeprefix("utils."))) for path in functions)
        assert {metric["higher_is_better"] for metric in one["metric_list"]} == {True}
    groups = {one["group"]: one for name, one in files.items() if name.startswith("group_")}
    everything = groups.pop("medsbench")
    assert set(everything["task"]) == set(groups)
    members = [task for group in groups.values() for task in group["task"]]
    assert sorted(members) == sorted(one["task"] for one in tasks.values())
    for group in groups.values():
        assert group["aggregate_metric_list"] == [
            {"metric": "score", "aggregation": "mean", "weight_by_size": False}
        ]


def test_functions_of_the_task_files_score_as_we_do(
    bench: Benchmark, exports: dict[str, Path]
) -> None:
    utils = module(exports["lm-eval"] / "tasks" / "utils.py", "utils_for_tests")
    files = task_files(exports["lm-eval"])
    for task in bench.tasks:
        one = files[task]
        options = {**one["metadata"], **one["dataset_kwargs"]}
        splits = utils.documents(**options)
        items = {item.id: item for item in bench.items(task)}
        process = getattr(utils, one["process_results"].removeprefix("utils."))
        kept = [process(doc, [said(items[doc["id"]])]) for doc in splits["test"]]
        assert [doc["references"] for doc in splits["test"]] == [
            list(item.references) for item in bench.items(task)
        ]
        found = {
            metric["metric"]: getattr(utils, metric["metric"])(
                [row[metric["metric"]] for row in kept]
            )
            for metric in one["metric_list"]
        }
        assert found == expected(bench, task)


def test_candidates_are_ordered_by_the_seed(bench: Benchmark, exports: dict[str, Path]) -> None:
    utils = module(exports["lm-eval"] / "tasks" / "utils.py", "utils_for_tests")
    files = task_files(exports["lm-eval"])["mednli_entailment_classification"]["dataset_kwargs"]
    one, same, other = (utils.documents(**files, seed=seed)["fewshot"] for seed in (0, 0, 1))
    assert list(one) == list(same)
    assert list(one) != list(other)
    outputs = {
        example.id: example.output
        for example in bench.fewshot_examples("mednli_entailment_classification")
    }
    assert {doc["id"]: doc["references"] for doc in one} == {
        key: [output] for key, output in outputs.items()
    }


@given(st.text("{}%#a \n'\"\\", max_size=30))
def test_braces_are_escaped_for_jinja(text: str) -> None:
    template = escaped(text)
    assert template.replace("{{ '{' }}", "{") == text
    rest = template.replace("{{ '{' }}", "")
    assert not any(mark in rest for mark in ("{{", "{%", "{#")) or "{{ '{' }}" in template
    jinja2 = pytest.importorskip("jinja2", reason="comes with lm-eval")
    environment = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    assert environment.from_string(template).render() == text


def test_the_number_of_fewshot_examples_can_be_asked_for(bench: Benchmark, tmp_path: Path) -> None:
    out = export_benchmark(bench.path, "lm-eval", tmp_path / "0", num_fewshot=0, progress=False)
    assert {one.get("num_fewshot", 0) for one in task_files(out).values()} == {0}
    out = export_benchmark(bench.path, "lm-eval", tmp_path / "2", num_fewshot=2, progress=False)
    for name, one in task_files(out).items():
        if not name.startswith("group_"):
            assert one["num_fewshot"] == min(2, len(bench.fewshot_examples(name)))
    out = export_benchmark(
        bench.path, "inspect", tmp_path / "i", num_fewshot=2, seed=7, progress=False
    )
    written = (out / "medsbench.py").read_text()
    assert "num_fewshot: int | None = 2,\n    seed: int = 7,\n" in written


@pytest.fixture
def lm_eval(exports: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    go_offline(monkeypatch)
    return exports["lm-eval"]


def test_lm_eval_validates_them(lm_eval: Path) -> None:
    command = [sys.executable, "-m", "lm_eval", "validate", "--include_path", str(lm_eval)]
    command += ["--tasks", "medsbench,medsbench_mcqa,medsbench_medmcqa_mcq,medsbench_task57"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "All tasks found and valid" in done.stdout


def test_lm_eval_runs_them_and_scores_as_we_do(bench: Benchmark, lm_eval: Path) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    items = {item.id: item for task in bench.tasks for item in bench.items(task)}
    asked: dict[str, str] = {}

    class Scripted(LM):
        def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
            asked.update({request.doc["id"]: request.args[0] for request in requests})
            return [said(items[request.doc["id"]]) for request in requests]

        def loglikelihood(self, requests: list[Any], **_: Any) -> list[Any]:
            raise NotImplementedError

        def loglikelihood_rolling(self, requests: list[Any], **_: Any) -> list[Any]:
            raise NotImplementedError

    manager = TaskManager(include_path=str(lm_eval), include_defaults=False)
    results = simple_evaluate(
        model=Scripted(), tasks=["medsbench"], task_manager=manager, bootstrap_iters=10
    )
    for task in bench.tasks:
        found = results["results"][f"medsbench_{task}"]
        for name, value in expected(bench, task).items():
            assert found[f"{name},none"] == pytest.approx(value, abs=1e-12), (task, name)
    members = [task for task, facts in bench.tasks.items() if facts.category == "MCQA"]
    mean = sum(expected(bench, task)["score"] for task in members) / len(members)
    assert results["results"]["medsbench_mcqa"]["score,none"] == pytest.approx(mean)
    for key, text in asked.items():
        item = items[key]
        definition = bench.tasks[item.task].definition
        fewshot = min(bench.tasks[item.task].num_fewshot, len(bench.fewshot_examples(item.task)))
        assert text.startswith(f"{definition}\n\n")
        assert text.count("\nOutput:\n") >= (fewshot + 1 if fewshot else 0)
        if not fewshot:
            whole = prompt(item, definition, [], 0)
            assert text == f"{whole.system}\n\n{whole.user}"
        else:
            assert text.endswith(f"Input:\n{item.input}\nOutput:\n")


# Inspect


def test_the_file_for_inspect_has_a_task_for_each(
    bench: Benchmark, exports: dict[str, Path]
) -> None:
    tree = ast.parse((exports["inspect"] / "medsbench.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert sorted(one.name for one in functions) == sorted(
        facts.benchmark_id for facts in bench.tasks.values()
    )
    for one in functions:
        (decorator,) = one.decorator_list
        assert isinstance(decorator, ast.Name)
        assert decorator.id == "task"


def output(text: str) -> Any:
    """An answer as Inspect has it, with usage: to count tokens, it would download a table."""
    from inspect_ai.model import ModelOutput, ModelUsage

    found = ModelOutput.from_content("mockllm", text)
    found.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return found


def scripted(bench: Benchmark) -> tuple[Any, dict[str, list[str]]]:
    """A model of Inspect that says what `said` says, and what it was asked."""
    from inspect_ai.model import get_model

    by_question = {
        (facts.definition, item.input): item
        for task, facts in bench.tasks.items()
        for item in bench.items(task)
    }
    asked: dict[str, list[str]] = {}

    def reply(messages: list[Any], *_: Any) -> Any:
        system, user = (message.text for message in messages)
        question = user.removeprefix("Input:\n").removesuffix("\nOutput:\n")
        item = next(
            item
            for (definition, text), item in by_question.items()
            if text in (user, question) and system.startswith(definition)
        )
        asked[item.id] = [system, user]
        return output(said(item))

    return get_model("mockllm/model", custom_outputs=reply), asked


@pytest.fixture
def inspect_ai(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    monkeypatch.chdir(tmp_path)
    return pytest.importorskip("inspect_ai", reason="inspect-ai is not installed")


def test_inspect_asks_and_scores_as_we_do(bench: Benchmark, inspect_ai: Any) -> None:
    from medsins.bench.harnesses.inspect import medsbench

    model, asked = scripted(bench)
    tasks = [
        medsbench(benchmark=str(bench.path), task_id=facts.benchmark_id)
        for facts in bench.tasks.values()
    ]
    for name, log in zip(bench.tasks, inspect_ai.eval(tasks, model=model), strict=True):
        assert log.status == "success", log.error
        metrics = {key: metric.value for key, metric in log.results.scores[0].metrics.items()}
        assert metrics.pop("n_total") == len(bench.items(name))
        for key, value in expected(bench, name).items():
            assert metrics[key] == pytest.approx(value, abs=1e-12), (name, key)
        rows = {sample.id: sample.scores["as_medsins"].value for sample in log.samples}
        for item in bench.items(name):
            alone = Answer(item.id, name, said(item), item.references, item.input)
            assert rows[item.id] == pytest.approx(float(score_task(name, [alone]).rows[0]))
            candidates = sorted(bench.fewshot_examples(name), key=lambda example: example.id)
            facts = bench.tasks[name]
            whole = prompt(item, facts.definition, candidates, facts.num_fewshot)
            assert asked[item.id] == [whole.system, whole.user]


def test_inspect_reads_the_exported_file(exports: dict[str, Path], inspect_ai: Any) -> None:
    from inspect_ai.model import get_model

    path = f"{exports['inspect'] / 'medsbench.py'}@task41"
    model = get_model("mockllm/model", custom_outputs=[output("pain")] * 100)
    (log,) = inspect_ai.eval(path, model=model, task_args={"num_fewshot": 1})
    assert log.status == "success", log.error
    assert log.eval.metadata["task"] == "mednli_entailment_classification"
    assert all(len(sample.metadata["fewshot"]) == 1 for sample in log.samples)
    assert log.results.scores[0].metrics["score"].value == 0


def test_inspect_sends_nothing_that_may_not_be_sent(real: Benchmark, inspect_ai: Any) -> None:
    from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, get_model, modelapi
    from inspect_ai.solver import generate

    from medsins.bench.harnesses.inspect import medsbench

    received = []

    @modelapi(name="recording")
    def recording() -> type[ModelAPI]:
        class Recording(ModelAPI):
            async def generate(self, input: Any, **_: Any) -> ModelOutput:
                received.append(input)
                return ModelOutput.from_content("recording", "no")

        return Recording

    def run(url: str | None, solver: Any = None, **options: str) -> Any:
        received.clear()
        model = get_model("recording/model", base_url=url, config=GenerateConfig(), memoize=False)
        task = medsbench(benchmark=str(real.path), task_id="task41", **options)
        (log,) = inspect_ai.eval(task, model=model, solver=solver)
        return log

    for url in (None, "https://example.org/v1"):
        refused = run(url)
        assert refused.status == "error"
        assert "may not be sent to" in refused.error.message
        assert received == []
    assert run(None, solver=generate()).status == "error"
    assert received == []
    assert run("http://127.0.0.1:9/v1").status == "success"
    assert len(received) == len(real.items("mednli_entailment_classification"))
    # Terms that forbid models of others altogether are not mended by an agreement with one.
    assert run("https://example.org/v1", covered_by="an agreement").status == "error"
    assert received == []


def test_inspect_finds_tasks_by_name(bench: Benchmark, inspect_ai: Any) -> None:
    from medsins.bench.harnesses.inspect import medsbench

    with pytest.raises(UnknownNameError, match="has no task 'task999'"):
        medsbench(benchmark=str(bench.path), task_id="task999")
    with pytest.raises(UnknownNameError, match="15 tasks; name one"):
        medsbench(benchmark=str(bench.path))


# HELM


def no_code(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.parent.name: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "no_code").glob("*/config.yaml"))
    }


def test_configurations_are_written_for_what_helm_can_judge(
    bench: Benchmark, exports: dict[str, Path]
) -> None:
    folder = exports["helm"]
    configured = no_code(folder)
    record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert configured.keys() | record["left_out"].keys() == bench.tasks.keys()
    assert not configured.keys() & record["left_out"].keys()
    assert "mmedbench_rationale_zh" in record["left_out"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for name, why in record["left_out"].items():
        assert f"- {name}: {why}" in readme
    for name, one in configured.items():
        assert one["name"] == f"medsbench_{name}"
        text = bench.tasks[name].metric == "bleu_rouge"
        assert one["metrics"][0] == {"name": "rouge_1" if text else "exact_match", "main": True}
        assert (folder / one["prompt_file"]).is_file()
        assert (folder / one["dataset_file"]).is_file()
    for file, count in (("no_code.conf", len(configured)), ("medsins.conf", len(bench.tasks))):
        lines = (folder / file).read_text(encoding="utf-8").splitlines()
        assert lines[0] == "entries: ["
        assert lines[-1] == "]"
        assert len(lines) == count + 2


def rows_as_helm_reads_them(path: Path) -> Iterator[dict[str, Any]]:
    pandas = pytest.importorskip("pandas", reason="comes with HELM")
    for _, row in pandas.read_csv(path).iterrows():
        yield dict(row)


def test_prompts_come_out_as_we_ask(bench: Benchmark, exports: dict[str, Path]) -> None:
    for name, one in no_code(exports["helm"]).items():
        template = (exports["helm"] / one["prompt_file"]).read_text(encoding="utf-8")
        facts = bench.tasks[name]
        candidates = sorted(bench.fewshot_examples(name), key=lambda example: example.id)
        rows = list(rows_as_helm_reads_them(exports["helm"] / one["dataset_file"]))
        for row, item in zip(rows, bench.items(name), strict=True):
            whole = prompt(item, facts.definition, candidates, facts.num_fewshot)
            asked = template.format_map({"question": row["question"]})
            assert asked == f"{whole.system}\n\n{whole.user}"
            assert row["id"] == item.id
            assert row["correct_answer"].strip() == item.references[0].strip()
            assert json.loads(row["incorrect_answers"]) == []


@pytest.mark.parametrize("text", ["NA", "None", "", "0", "1e5", "True", "false", "nan", "inf"])
def test_answers_stay_text_whatever_they_look_like(tmp_path: Path, text: str) -> None:
    table = io.StringIO()
    csv.writer(table).writerows([("correct_answer",), (as_text(text),), (as_text(text),)])
    (tmp_path / "data.csv").write_text(table.getvalue(), encoding="utf-8")
    rows = list(rows_as_helm_reads_them(tmp_path / "data.csv"))
    assert [row["correct_answer"].strip() for row in rows] == [text, text]


@pytest.fixture
def helm(exports: dict[str, Path], tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    pytest.importorskip("helm.benchmark", reason="crfm-helm is not installed")

    def run(conf: str, *options: str) -> list[dict[str, Any]]:
        """Run entries with HELM's model that repeats the last word of a prompt."""
        command = [sys.executable, "-m", "helm.benchmark.run", "--conf-paths", conf]
        command += ["--models-to-run", "simple/model1", "--suite", "s", "-m", "1000", *options]
        command += ["--output-path", str(tmp_path), "--disable-cache", "-n", "1"]
        done = subprocess.run(
            [*command, "--local-path", str(tmp_path / "local"), "--exit-on-error"],
            cwd=exports["helm"],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        runs = sorted((tmp_path / "runs" / "s").glob("*/stats.json"))
        return [
            {
                "state": json.loads(path.with_name("scenario_state.json").read_text()),
                "stats": {
                    one["name"]["name"]: one.get("mean") for one in json.loads(path.read_text())
                },
            }
            for path in runs
        ]

    return run


def test_helm_runs_our_plug_in_and_scores_as_we_do(
    bench: Benchmark, helm: Callable[..., list[dict[str, Any]]]
) -> None:
    runs = helm("medsins.conf", "--plugins", "medsins.bench.harnesses.helm_plugin")
    assert len(runs) == len(bench.tasks)
    items = {item.id: item for task in bench.tasks for item in bench.items(task)}
    for run in runs:
        answers = []
        for state in run["state"]["request_states"]:
            item = items[state["instance"]["extra_data"]["medsins_id"]]
            text = state["result"]["completions"][0]["text"]
            answers.append(Answer(item.id, item.task, text, item.references, item.input))
            candidates = sorted(bench.fewshot_examples(item.task), key=lambda example: example.id)
            facts = bench.tasks[item.task]
            whole = prompt(item, facts.definition, candidates, facts.num_fewshot)
            text = f"{whole.system}\n\n{whole.user}"
            # The window of HELM's model is small, and HELM cuts what does not fit into it.
            cut = state["prompt_truncated"]
            assert (state["request"]["prompt"].strip() == text.strip()) is not cut
        score = score_task(answers[0].task, answers)
        assert run["stats"]["score"] == pytest.approx(score.value, abs=1e-12)
        for name, value in score.values.items():
            assert run["stats"][name] == pytest.approx(value, abs=1e-12)


def test_our_metric_in_helm_scores_as_we_do(bench: Benchmark) -> None:
    pytest.importorskip("helm.benchmark", reason="crfm-helm is not installed")
    from helm.benchmark.scenarios.scenario import with_instance_ids

    from medsins.bench.harnesses.helm_plugin import MedsBenchMetric, MedsBenchScenario

    items = {item.id: item for task in bench.tasks for item in bench.items(task)}
    for task in bench.tasks:
        instances = with_instance_ids(MedsBenchScenario(str(bench.path), task).get_instances(""))
        states = [
            SimpleNamespace(
                instance=one,
                train_trial_index=0,
                result=SimpleNamespace(
                    completions=[SimpleNamespace(text=said(items[one.extra_data["medsins_id"]]))]
                ),
            )
            for one in instances
        ]
        metric = MedsBenchMetric(str(bench.path), task)
        result = metric.evaluate(SimpleNamespace(request_states=states), None, "", 1)
        found = {stat.name.name: stat.mean for stat in result.aggregated_stats}
        assert found == pytest.approx(expected(bench, task), abs=1e-12)
        rows = {one.instance_id: one.stats[0].mean for one in result.per_instance_stats}
        for state in states:
            item = items[state.instance.extra_data["medsins_id"]]
            alone = Answer(item.id, task, said(item), item.references, item.input)
            assert rows[state.instance.id] == float(score_task(task, [alone]).rows[0])


def test_helm_is_given_nothing_that_may_not_be_sent(real: Benchmark) -> None:
    pytest.importorskip("helm.benchmark", reason="crfm-helm is not installed")
    from medsins.bench.harnesses.helm_plugin import medsbench

    for options in ({}, {"covered_by": "an agreement"}):
        with pytest.raises(AccessError, match="HELM does not say who runs"):
            medsbench(str(real.path), "task41", **options)
    assert medsbench(str(real.path), "task41", on_this_machine=1).name
    assert medsbench(str(real.path), "task57").name == "medsbench:task=medqa_mcqa_en"


def test_helm_runs_configurations_without_code(
    exports: dict[str, Path], tmp_path: Path, helm: Callable[..., list[dict[str, Any]]]
) -> None:
    exact = [
        f'  {{description: "medhelm_configurable_benchmark:config_path=no_code/{name}/config.yaml'
        '", priority: 1}\n'
        for name, one in no_code(exports["helm"]).items()
        if one["metrics"][0]["name"] == "exact_match"
    ]
    conf = tmp_path / "exact.conf"
    conf.write_text("entries: [\n" + "".join(exact) + "]\n")
    runs = helm(str(conf))
    assert len(runs) == len(exact)
    for run in runs:
        assert 0 <= run["stats"]["exact_match"] <= 1
        for state in run["state"]["request_states"]:
            assert isinstance(state["instance"]["references"][0]["output"]["text"], str)
