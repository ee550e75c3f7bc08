"""MedS-Bench in Inspect: `inspect eval medsins/medsbench -T benchmark=FOLDER -T task_id=task57`.

Inspect finds this module by the entry point `inspect_ai` of the package, and it alone imports it;
so it may import `inspect_ai` when it is loaded. Prompts and scores are those of `medsins bench`.

https://inspect.aisi.org.uk, tasks, scorers and extensions.
"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelName,
    get_model,
)
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from medsins.bench.harnesses.records import (
    MAX_ANSWER_TOKENS,
    ExportedTask,
    Options,
    exported_task,
    named,
)
from medsins.bench.harnesses.scoring import scored, values
from medsins.bench.scoring.predictions import Answer
from medsins.bench.suite.benchmark import Benchmark
from medsins.errors import AccessError
from medsins.policy.decisions import model_calls

_IN_THIS_PROCESS = frozenset({"hf", "mockllm", "nnterp", "none", "transformer_lens"})
"""Providers of Inspect that send nothing anywhere."""


@task
def medsbench(
    benchmark: str = "medsins-bench",
    task_id: str = "",
    num_fewshot: int | None = None,
    seed: int = 0,
    covered_by: str = "",
) -> Task:
    """One task of MedS-Bench.

    Args:
        benchmark: The benchmark folder, or an export of it.
        task_id: Full name of the task, or the number of its published test file, such as "task57";
            may be left out if there is only one.
        num_fewshot: Few-shot examples in a prompt; default: what the task asks for.
        seed: Of the drawing of examples, and of the sampling at models that heed it.
        covered_by: Name of the agreement that covers the model's endpoint, for texts that may not
            be sent to models that others run.
    """
    return bench_task(benchmark, task_id, num_fewshot=num_fewshot, seed=seed, covered_by=covered_by)


def bench_task(
    benchmark: str,
    task_id: str,
    *,
    num_fewshot: int | None = None,
    seed: int = 0,
    covered_by: str = "",
) -> Task:
    """Return a task of MedS-Bench; the arguments are those of `medsbench`.

    Raises:
        MissingFilesError: The folder holds no benchmark.
        UnknownNameError: It has no such task.
        InvalidFileError: A file of it was changed since it was built.
    """
    bench = Benchmark(benchmark)
    one = exported_task(bench, named(bench, task_id))
    options = Options(num_fewshot, seed)
    return Task(
        dataset=MemoryDataset(_samples(one, options), name=one.name),
        # The setup runs even where the user puts another solver in the place of ours.
        setup=within_terms(str(benchmark), one.name, covered_by),
        solver=generate(),
        scorer=as_medsins(),
        config=GenerateConfig(temperature=0.0, max_tokens=MAX_ANSWER_TOKENS, seed=seed),
        display_name=f"medsbench {one.name}",
        version=bench.facts.version,
        metadata={
            "benchmark": bench.digest,
            "items": one.facts.items,
            "task": one.name,
            "category": one.profile.category,
            "language": one.profile.language,
        },
    )


def _samples(one: ExportedTask, options: Options) -> list[Sample]:
    return [
        Sample(
            input=[ChatMessageSystem(content=asked.system), ChatMessageUser(content=asked.user)],
            target=list(item.references),
            id=item.id,
            metadata={
                "task": one.name,
                # Scoring reads options out of questions, and logs are scored where no benchmark is.
                "question": item.input,
                "references": list(item.references),
                "fewshot": list(asked.fewshot),
            },
        )
        for item, asked in one.prompts(options)
    ]


@solver
def within_terms(benchmark: str, task_name: str, covered_by: str = "") -> Solver:
    """Refuse to send a text to a model to which its source's terms do not let it go.

    Args:
        benchmark: The benchmark folder.
        task_name: Full name of the task.
        covered_by: Name of the agreement that covers the model's endpoint.
    """
    bench = Benchmark(benchmark)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        model = get_model()
        provider = ModelName(model).api
        if provider not in _IN_THIS_PROCESS:
            # Without an address it is the provider's own, and no address of this machine.
            where = model.api.base_url or provider
            for one in model_calls(bench, base_url=where, covered_by=covered_by):
                if one.task == task_name and not one.allowed:
                    raise AccessError(
                        f"{task_name} may not be sent to {where} ({one.reason}). Nothing was sent. "
                        "Name a model on this machine, with its address as --model-base-url, or "
                        "the agreement that covers this one as -T covered_by=…"
                    )
        return state

    return solve


@metric
def corpus() -> Metric:
    """All metrics of a task, over all of its answers."""

    def compute(scores: list[SampleScore]) -> dict[str, float]:
        if not scores:
            return {}
        if any(one.score.answer is None for one in scores):
            raise ValueError(
                "MedS-Bench scores one answer to each question, and here are several that "
                "differ. Run one epoch."
            )
        answers = [
            _answer(str(one.sample_id), str(one.score.answer), one.sample_metadata or {})
            for one in scores
        ]
        whole = scored((scores[0].sample_metadata or {})["task"], answers)
        counts = {
            "n_total": whole.n_total,
            "n_empty": whole.n_empty,
            "n_unparsed": whole.n_unparsed,
        }
        return values(whole) | counts

    return compute


@scorer(metrics=[corpus()])
def as_medsins() -> Scorer:
    """Score an answer as `medsins bench score` does, by the metric that stands for its task."""

    async def score(state: TaskState, target: Target) -> Score:
        del target
        said = state.output.completion
        one = scored(state.metadata["task"], [_answer(str(state.sample_id), said, state.metadata)])
        why = "no answer" if one.n_empty else "no answer was found in it" if one.n_unparsed else ""
        return Score(value=float(one.rows[0]), answer=said, explanation=why or None)

    return score


def _answer(key: str, said: str, known: dict[str, object]) -> Answer:
    references = known["references"]
    assert isinstance(references, list)
    return Answer(key, str(known["task"]), said, tuple(references), str(known["question"]))
