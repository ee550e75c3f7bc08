"""MedS-Bench in HELM, with the prompts and scores of `medsins bench`.

`helm-run --plugins medsins.bench.harnesses.helm_plugin` loads it, and it alone imports `helm`. Run
entries are `medsbench:benchmark=FOLDER,task=task57`; `medsbench` below has the other arguments.

https://github.com/stanford-crfm/helm, docs/importing_custom_modules.md.
"""

from __future__ import annotations

from typing import Any

from helm.benchmark.adaptation.common_adapter_specs import get_generation_adapter_spec
from helm.benchmark.metrics.metric import (
    MetricInterface,
    MetricMetadata,
    MetricResult,
    MetricSpec,
    PerInstanceStats,
)
from helm.benchmark.metrics.metric_name import MetricName
from helm.benchmark.metrics.statistic import Stat
from helm.benchmark.presentation.taxonomy_info import TaxonomyInfo
from helm.benchmark.run_spec import RunSpec, run_spec_function
from helm.benchmark.scenarios.scenario import (
    CORRECT_TAG,
    TEST_SPLIT,
    Input,
    Instance,
    Output,
    Reference,
    Scenario,
    ScenarioMetadata,
    ScenarioSpec,
)

from medsins.bench.harnesses.helm import PREFIX
from medsins.bench.harnesses.records import (
    MAX_ANSWER_TOKENS,
    PRIMARY,
    Options,
    exported_task,
    named,
)
from medsins.bench.harnesses.scoring import answer, scored, values
from medsins.bench.suite.benchmark import Benchmark
from medsins.errors import AccessError
from medsins.policy.decisions import model_calls

_KEY = "medsins_id"


@run_spec_function(PREFIX)
def medsbench(
    benchmark: str,
    task: str,
    num_fewshot: int | None = None,
    seed: int = 0,
    on_this_machine: int = 0,
    covered_by: str = "",
) -> RunSpec:
    """Return the run of a task.

    Args:
        benchmark: The benchmark folder, or an export of it.
        task: Full name of the task, or the number of its published test file.
        num_fewshot: Few-shot examples in a prompt; default: what the task asks for.
        seed: Of the drawing of examples.
        on_this_machine: 1 to declare that the model runs on this machine.
        covered_by: Name of the agreement that covers the model, for texts that may not be sent to
            models that others run.

    Raises:
        AccessError: The text may not be sent to a model of which nothing is known.
        MissingFilesError: The folder holds no benchmark.
        UnknownNameError: It has no such task.
    """
    bench = Benchmark(benchmark)
    name = named(bench, task)
    where = "http://localhost" if on_this_machine == 1 else "a model of HELM"
    for one in model_calls(bench, base_url=where, covered_by=str(covered_by)):
        if one.task == name and not one.allowed:
            raise AccessError(
                f"{name} may not be sent to models that others run ({one.reason}), and HELM "
                "does not say who runs this one. Add to the run entry on_this_machine=1 if it runs "
                "here, or, where the terms leave room for one, covered_by=… with the name of the "
                "agreement."
            )
    return RunSpec(
        name=f"{PREFIX}:task={name}",
        scenario_spec=ScenarioSpec(
            class_name=f"{__name__}.MedsBenchScenario",
            args={
                "benchmark": str(benchmark),
                "task": name,
                "num_fewshot": num_fewshot,
                "seed": seed,
            },
        ),
        adapter_spec=get_generation_adapter_spec(
            max_train_instances=0, max_tokens=MAX_ANSWER_TOKENS, stop_sequences=[]
        ),
        metric_specs=[
            MetricSpec(
                class_name=f"{__name__}.MedsBenchMetric",
                args={"benchmark": str(benchmark), "task": name},
            )
        ],
        groups=[PREFIX],
    )


class MedsBenchScenario(Scenario):
    """The questions of a task, each with its whole prompt.

    Args:
        benchmark: The benchmark folder.
        task: Full name of the task.
        num_fewshot: Few-shot examples in a prompt; None for what the task asks for.
        seed: Of the drawing of examples.
    """

    name = PREFIX
    description = "MedS-Bench"
    tags = ["biomedical"]

    def __init__(
        self, benchmark: str, task: str, num_fewshot: int | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        self._task = exported_task(Benchmark(benchmark), task)
        self._options = Options(num_fewshot, seed)

    def get_instances(self, output_path: str) -> list[Instance]:
        """Return the questions; examples are in their prompts already."""
        del output_path
        return [
            Instance(
                input=Input(text=f"{asked.system}\n\n{asked.user}"),
                references=[
                    Reference(Output(text=text), tags=[CORRECT_TAG]) for text in item.references
                ],
                split=TEST_SPLIT,
                extra_data={_KEY: item.id},
            )
            for item, asked in self._task.prompts(self._options)
        ]

    def get_metadata(self) -> ScenarioMetadata:
        """Return what HELM shows of a task."""
        profile = self._task.profile
        return ScenarioMetadata(
            name=self.name,
            main_metric=PRIMARY,
            main_split=TEST_SPLIT,
            display_name=f"MedS-Bench, {profile.task}",
            description=f"MedS-Bench, {profile.category}: {profile.task}.",
            taxonomy=TaxonomyInfo(
                task=profile.category, what="", who="", when="", language=profile.language
            ),
        )


class MedsBenchMetric(MetricInterface):
    """All metrics of a task, over all of its answers.

    Args:
        benchmark: The benchmark folder.
        task: Full name of the task.
    """

    def __init__(self, benchmark: str, task: str) -> None:
        self._task = exported_task(Benchmark(benchmark), task)

    def evaluate(
        self, scenario_state: Any, metric_service: Any, eval_cache_path: str, parallelism: int
    ) -> MetricResult:
        """Score what the model said; the score of each row is that of the task's own metric."""
        del metric_service, eval_cache_path, parallelism
        items = {item.id: item for item in self._task.bench.items(self._task.name)}
        states = {state.instance.extra_data[_KEY]: state for state in scenario_state.request_states}
        whole = scored(
            self._task.name, [answer(items[key], _said(state)) for key, state in states.items()]
        )
        rows = [
            PerInstanceStats(
                states[key].instance.id,
                None,
                states[key].train_trial_index,
                [Stat(MetricName(PRIMARY, split=TEST_SPLIT)).add(float(row))],
            )
            for key, row in zip(whole.ids, whole.rows, strict=True)
        ]
        stats = [
            Stat(MetricName(name, split=TEST_SPLIT)).add(found)
            for name, found in values(whole).items()
        ]
        return MetricResult(stats, rows)

    def get_metadata(self) -> list[MetricMetadata]:
        """Return what HELM shows of the metrics."""
        return [
            MetricMetadata(name=name, display_name=name, lower_is_better=False)
            for name in (PRIMARY, *self._task.metrics)
        ]


def _said(state: Any) -> str:
    completions = state.result.completions if state.result else []
    return completions[0].text if completions else ""
