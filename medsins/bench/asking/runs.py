"""`bench run`: ask a model every question of a benchmark, once, and write down what it said.

A run's folder, one for each model:

predictions.jsonl   a row for each question: id, task, prediction, why the model stopped
predictions.csv     the same in the published layout: task_id, input, GT, output
run.json            model, num_fewshot, seed, digest of the benchmark, counts
journal.jsonl       everything answered; a second run goes on from here

All of it may hold text of restricted sources, and stays on this machine.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medsins.bench.asking.prompts import prompt
from medsins.bench.asking.record import RunRecord, TaskRecord
from medsins.bench.suite.benchmark import Benchmark, Item
from medsins.errors import CheckError, MissingExtraError, UnknownNameError
from medsins.io.files import write_atomically, writing
from medsins.io.progress import progress_bar
from medsins.io.version import __version__
from medsins.llm.budget import Caps, Price, Spent
from medsins.llm.journal import Journal
from medsins.llm.ledger import Ledger
from medsins.llm.local import Backend
from medsins.llm.online import Pace
from medsins.llm.requests import Request, Response
from medsins.llm.settings import ModelSettings
from medsins.policy.decisions import ENDPOINT_ADVICE, admitted, model_calls
from medsins.registry import resolve

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Asking:
    """How questions are put.

    Attributes:
        num_fewshot: Few-shot examples in a prompt; None for what the benchmark asks for.
        seed: Of the drawing of few-shot examples, and of the sampling at endpoints that heed it.
        max_answer_tokens: Most tokens of an answer.
        max_prompt_tokens: Most tokens of a prompt with examples; examples go beyond that.
        temperature: Of the sampling.
    """

    num_fewshot: int | None = None
    seed: int = 0
    max_answer_tokens: int = 1024
    max_prompt_tokens: int = 8192
    temperature: float = 0.0


@dataclass(frozen=True)
class RunResult:
    """What `run` did.

    Attributes:
        path: The run's folder.
        model: The model asked.
        asked: Questions of the run, by task.
        answered: How many were answered, by task.
        left_out: Why tasks were left out, by name.
        spent: What was spent, over all runs into this folder.
    """

    path: Path
    model: str
    asked: dict[str, int]
    answered: dict[str, int]
    left_out: dict[str, str] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)


class _Questions:
    """The questions of a run, as a source of requests."""

    def __init__(
        self,
        benchmark: Benchmark,
        tasks: Iterable[str],
        asking: Asking,
        on_answer: Callable[[str], None],
    ) -> None:
        self.benchmark, self.asking, self.on_answer = benchmark, asking, on_answer
        self.items: dict[str, list[Item]] = {task: benchmark.items(task) for task in tasks}
        self.responses: dict[str, Response] = {}
        self._under_way: dict[int, Item] = {}
        self._requests = self._all_requests()

    def _all_requests(self) -> Iterable[tuple[Request, Item]]:
        for task, items in self.items.items():
            facts = self.benchmark.tasks[task]
            candidates = sorted(self.benchmark.fewshot_examples(task), key=lambda shot: shot.id)
            asked = (
                self.asking.num_fewshot
                if self.asking.num_fewshot is not None
                else facts.num_fewshot
            )
            for item in items:
                said = prompt(
                    item,
                    facts.definition,
                    candidates,
                    asked,
                    seed=self.asking.seed,
                    longest=self.asking.max_prompt_tokens,
                )
                yield (
                    Request(
                        said.system,
                        said.user,
                        self.asking.max_answer_tokens,
                        self.asking.temperature,
                        self.asking.seed,
                        label=f"{task}/{item.id}",
                    ),
                    item,
                )

    def next_request(self) -> Request | None:
        for request, item in self._requests:
            self._under_way[id(request)] = item
            return request
        return None

    def on_response(self, request: Request, response: Response) -> None:
        item = self._under_way.pop(id(request))
        self.responses[item.id] = response
        self.on_answer(item.task)

    def give_up(self, request: Request, reason: str) -> None:
        del reason
        self._under_way.pop(id(request))


def run(
    benchmark: str | os.PathLike[str],
    *,
    model: str | Backend,
    select: str | Iterable[str] = "all",
    base_url: str | None = None,
    out: str | os.PathLike[str] = "medsins-runs",
    asking: Asking | None = None,
    api_key_env: str = "OPENAI_API_KEY",
    headers: Mapping[str, str] | None = None,
    endpoint_covered_by: str = "",
    only_allowed: bool = False,
    budget_usd: float | None = None,
    price: str | Price | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    max_minutes: float | None = None,
    pace: Pace | None = None,
    progress: bool | None = None,
    tell: Callable[[str], None] | None = None,
) -> RunResult:
    """Ask a model the questions of a benchmark.

    Text of a source whose terms do not allow models that the user does not run is sent only to
    this machine, or to an endpoint that the user declares covered by a named agreement.

    Args:
        benchmark: The benchmark folder.
        model: Name of the model at the endpoint; or a function that takes the system and the user
            message and returns the answer.
        select: Which tasks of the benchmark.
        base_url: An OpenAI-compatible endpoint; default: OpenAI.
        out: Folder of the runs; each model gets a folder in it.
        asking: Few-shot examples, seed, lengths, temperature.
        api_key_env: Environment variable with the key.
        headers: Further headers of every request.
        endpoint_covered_by: Name of the agreement that covers the endpoint.
        only_allowed: Leave out tasks whose text may not be sent there.
        budget_usd: Most US dollars to spend, over all runs into this folder; needs a price.
        price: US dollars a million tokens, as "INPUT/OUTPUT".
        max_requests: Most requests, retries included, over all runs into this folder.
        max_tokens: Most tokens of prompts and answers, over all runs into this folder.
        max_minutes: Most minutes of this run.
        pace: Requests at once, and a minute.
        progress: Show a progress bar; default: on a terminal only.
        tell: Takes sentences that a user should read during the run.

    Returns:
        What was asked and answered.

    Raises:
        AccessError: Text of a task may not be sent to the endpoint.
        BudgetError: A cap is reached, or could not be kept; what was answered is kept.
        EndpointError: The endpoint cannot be used.
        MissingFilesError: The folder holds no benchmark.
        UnknownNameError: The benchmark has none of the tasks.
    """
    bench = Benchmark(benchmark)
    wanted = {task.name for task in resolve(select).tasks}
    tasks = [name for name in bench.tasks if name in wanted]
    if not tasks:
        raise UnknownNameError(
            f"{bench.path} has none of these tasks; it has {', '.join(sorted(bench.tasks)[:6])} …"
        )
    asking = asking or Asking()
    if asking.num_fewshot is not None and asking.num_fewshot < 0:
        raise CheckError(
            f"num_fewshot={asking.num_fewshot} makes no sense; 0 asks without examples."
        )
    seconds = max_minutes * 60 if max_minutes is not None else None
    caps = Caps(budget_usd, max_requests, max_tokens, seconds)
    settings = ModelSettings(
        model, base_url, api_key_env, headers, caps=caps, price=price, pace=pace
    )
    left_out: dict[str, str] = {}
    if endpoint := settings.endpoint():
        verdicts = model_calls(bench, base_url=endpoint.base_url, covered_by=endpoint_covered_by)
        verdicts = [one for one in verdicts if one.task in tasks]
        may = admitted(
            verdicts,
            leave_out=only_allowed,
            action=f"be sent to {endpoint.base_url}",
            advice=ENDPOINT_ADVICE.format(flag="--only-allowed"),
        )
        left_out = {one.task: one.reason for one in verdicts if one.task not in may}
        tasks = [name for name in tasks if name in may]
    path = Path(out).expanduser() / folder_name(settings.name)
    budget = settings.budget()
    total = sum(bench.tasks[task].rows for task in tasks)
    with (
        writing(path),
        Journal(path / "journal.jsonl", "benchmark") as journal,
        progress_bar(total, unit="question", progress=progress) as bar,
    ):
        ledger = Ledger(journal, budget, settings.name, audit=False)
        running = _RunningScore(bench, bar, tell or bar.write)
        questions = _Questions(bench, tasks, asking, running.answered)
        running.questions = questions
        try:
            settings.ask(questions, endpoint, ledger, tell or bar.write)
        finally:
            result = _write(path, bench, questions, settings.name, asking, left_out, budget.spent)
    return result


class _RunningScore:
    """Moves the bar, and says the score of each task when its last answer is there."""

    def __init__(self, bench: Benchmark, bar: Any, tell: Callable[[str], None]) -> None:
        self.bench, self.bar, self.tell = bench, bar, tell
        self.questions: _Questions | None = None
        self._left = {task: facts.rows for task, facts in bench.tasks.items()}

    def answered(self, task: str) -> None:
        self.bar.update()
        self._left[task] -= 1
        if self._left[task] or self.questions is None:
            return
        from medsins.bench.scoring.task_scores import score_run_task

        items = self.questions.items[task]
        predictions = {item.id: self.questions.responses[item.id].text for item in items}
        try:
            self.tell(f"{task}: {score_run_task(self.bench, task, items, predictions)}")
        except MissingExtraError as error:
            # Answers are what a run is for; they can be scored elsewhere.
            self.tell(f"{task} is answered, and not scored: {error}")


def folder_name(model: str) -> str:
    """Return the folder name for a model: slashes and other odd characters become `_`."""
    return _UNSAFE.sub("_", model).strip("._") or "model"


def _write(
    path: Path,
    bench: Benchmark,
    questions: _Questions,
    model: str,
    asking: Asking,
    left_out: dict[str, str],
    spent: Spent,
) -> RunResult:
    answered = dict.fromkeys(questions.items, 0)
    lines = []
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("task_id", "input", "GT", "output"))
    for task, items in questions.items.items():
        number = bench.tasks[task].benchmark_id
        for item in items:
            response = questions.responses.get(item.id)
            if response is None:
                continue
            answered[task] += 1
            row = {
                "id": item.id,
                "task": task,
                "prediction": response.text,
                "finish": response.finish,
            }
            lines.append(json.dumps(row, ensure_ascii=False))
            writer.writerow((number, item.input, item.references[0], response.text))
    write_atomically(path / "predictions.jsonl", "".join(f"{line}\n" for line in lines))
    write_atomically(path / "predictions.csv", table.getvalue())
    RunRecord(
        model=model,
        medsins=__version__,
        benchmark=bench.digest,
        tasks={
            task: TaskRecord(bench.tasks[task].items, len(items), answered[task])
            for task, items in questions.items.items()
        },
        left_out=left_out,
        num_fewshot=asking.num_fewshot,
        seed=asking.seed,
        temperature=asking.temperature,
        max_answer_tokens=asking.max_answer_tokens,
        max_prompt_tokens=asking.max_prompt_tokens,
        complete=all(answered[task] == len(items) for task, items in questions.items.items()),
    ).write(path)
    asked = {task: len(items) for task, items in questions.items.items()}
    return RunResult(path, model, asked, answered, left_out, spent)
