"""`expand`: from seed prompts to checked instructions, through a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medsins.errors import CheckError
from medsins.instructions.lint import seed_problems
from medsins.instructions.spec import InstructionSpec
from medsins.instructions.wordings import EXPANSIONS, wordings
from medsins.io.files import writing
from medsins.io.progress import progress_bar
from medsins.llm.batches import Batching
from medsins.llm.budget import Caps, Price, Spent
from medsins.llm.journal import Journal
from medsins.llm.ledger import Ledger
from medsins.llm.local import Backend
from medsins.llm.online import Pace
from medsins.llm.settings import ModelSettings
from medsins.policy.personal import refuse_copies, refuse_personal
from medsins.registry import resolve
from medsins.self_instruct.plan import Expansion, Plan
from medsins.self_instruct.pool import FilterSettings
from medsins.self_instruct.prompts import Asking
from medsins.self_instruct.writing import JOURNAL, write_card, write_task


@dataclass(frozen=True)
class Expanded:
    """What became of one task.

    Attributes:
        task: Its name.
        target: How many instructions were wanted.
        accepted: How many there are.
        state: "done", "saturated" or "unfinished".
        reason: Why it is unfinished.
        candidates: How many were judged.
        rejected: How many did not pass, by reason.
    """

    task: str
    target: int
    accepted: int
    state: str
    reason: str
    candidates: int
    rejected: Mapping[str, int]


@dataclass(frozen=True)
class Estimate:
    """What the expansion of one task may take; from everything accepted to one in five.

    Attributes:
        task: Its name.
        requests: Fewest and most requests.
        tokens: Fewest and most tokens of prompts and answers, at four bytes a token.
        usd: Fewest and most US dollars; None if no price was given.
        bodies: The requests of its first round, as they would be sent.
    """

    task: str
    requests: tuple[int, int]
    tokens: tuple[int, int]
    usd: tuple[float, float] | None
    bodies: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class ExpandResult:
    """What `expand` did.

    Attributes:
        path: The folder of expanded instructions.
        tasks: What became of each task.
        spent: What was spent so far, over all runs into this folder.
        estimates: What it would take, after a dry run.
    """

    path: Path
    tasks: dict[str, Expanded] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    estimates: dict[str, Estimate] = field(default_factory=dict)


def expand(
    select: str | Iterable[str],
    target: int = 150,
    *,
    model: str | Backend,
    base_url: str | None = None,
    out: str | os.PathLike[str] = EXPANSIONS,
    api_key_env: str = "OPENAI_API_KEY",
    headers: Mapping[str, str] | None = None,
    budget_usd: float | None = None,
    price: str | Price | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    max_minutes: float | None = None,
    asking: Asking | None = None,
    filters: FilterSettings | None = None,
    pace: Pace | None = None,
    batch: bool | Batching = False,
    dry_run: bool = False,
    guard: str | os.PathLike[str] | None = None,
    allow_personal: bool = False,
    progress: bool | None = None,
    tell: Callable[[str], None] | None = None,
) -> ExpandResult:
    """Expand the seed prompts of tasks into more instructions, with a language model.

    Only definitions, seed prompts, constraints and accepted rewrites are sent. Every request and
    answer is in a journal before anything depends on it: run the same call again after an
    interruption, and nothing is asked twice. The same answers give the same files, byte for byte.

    Args:
        select: Which tasks.
        target: How many instructions of each; a task that gives no more stops before it.
        model: Name of the model at the endpoint; or a function that takes the system and the user
            message and returns the answer.
        base_url: An OpenAI-compatible endpoint, such as "http://localhost:8000/v1"; default:
            OpenAI. No other address is ever talked to.
        out: Folder of the result.
        api_key_env: Environment variable with the key.
        headers: Further headers of every request.
        budget_usd: Most US dollars to spend, over all runs into this folder; needs a price.
        price: US dollars a million tokens, as "INPUT/OUTPUT".
        max_requests: Most requests, retries included, over all runs into this folder.
        max_tokens: Most tokens of prompts and answers, over all runs into this folder.
        max_minutes: Most minutes of this run.
        asking: What shapes the prompts: rewrites a prompt, temperature, seed.
        filters: What candidates have to pass.
        pace: Requests at once, and a minute.
        batch: Use OpenAI Batch files: half the price, within a day.
        dry_run: Send nothing; say what would be sent and what it may cost.
        guard: A build; no request may share 8 words in a row with an instance of it.
        allow_personal: Allow what looks like dates, addresses and numbers of persons.
        progress: Show a progress bar; default: on a terminal only.
        tell: Takes sentences that a user should read during the run.

    Returns:
        What became of each task, and what was spent.

    Raises:
        BudgetError: A cap is reached, or could not be kept; what was answered is kept.
        EndpointError: The endpoint cannot be used.
        CheckError: Seed prompts do not pass the checks.
        AccessError: A definition or seed prompt has what must not leave the machine.
        BuildConflictError: Another process writes into the folder.
    """
    if target < 1:
        raise CheckError(f"target={target} asks for nothing; it has to be 1 or more.")
    tasks = resolve(select).tasks
    wrong = [problem for task in tasks for problem in seed_problems(task.spec)]
    if wrong:
        raise CheckError(
            f"{len(wrong)} problems in seed prompts, the first: {wrong[0]}. Mend them first; "
            "`medsins check` lists all. Nothing was sent."
        )
    seconds = max_minutes * 60 if max_minutes is not None else None
    caps = Caps(budget_usd, max_requests, max_tokens, seconds)
    settings = ModelSettings(
        model, base_url, api_key_env, headers, caps=caps, price=price, pace=pace, batch=batch
    )
    prices = settings.prices()
    asking, filters = asking or Asking(), filters or FilterSettings()
    specs = {task.name: task.spec for task in tasks}
    seeds = {task.name: [one.text for one in wordings(task, "seeds")] for task in tasks}
    leaving = _leaving(specs, seeds)
    if not allow_personal:
        refuse_personal(leaving)
    if guard is not None:
        spans = {span for one in specs.values() for span in one.protected}
        refuse_copies(leaving, guard, spans)

    def planned(name: str) -> Expansion:
        return Expansion(specs[name], seeds[name], target, asking, filters, settings.name)

    path = Path(out).expanduser()
    if dry_run:
        return ExpandResult(path, estimates={n: _estimate(planned(n), prices) for n in specs})
    endpoint, budget = settings.endpoint(), settings.budget()
    with (
        writing(path),
        Journal(path / JOURNAL, "expansion") as journal,
        progress_bar(target * len(tasks), unit="instruction", progress=progress) as bar,
    ):
        ledger = Ledger(journal, budget, settings.name, audit=True)
        plan = Plan(
            {name: planned(name) for name in specs},
            on_progress=bar.update,
            on_end=lambda expansion: write_task(path, expansion, prices),
        )
        try:
            settings.ask(plan, endpoint, ledger, tell or bar.write)
        finally:
            write_card(path, list(plan))
    return ExpandResult(path, {one.spec.name: _expanded(one) for one in plan}, budget.spent)


def _leaving(specs: dict[str, InstructionSpec], seeds: dict[str, list[str]]) -> dict[str, str]:
    texts = {f"definition of {name}": one.definition for name, one in specs.items()}
    for name, found in seeds.items():
        texts |= {f"seed prompt {n} of {name}": text for n, text in enumerate(found, 1)}
    return texts


def _expanded(one: Expansion) -> Expanded:
    state = "unfinished" if one.state == "open" else one.state
    return Expanded(
        one.spec.name,
        one.target,
        len(one.accepted),
        state,
        one.reason_unfinished,
        one.offered,
        one.reasons(),
    )


def _estimate(expansion: Expansion, price: Price | None) -> Estimate:
    items = expansion.items()
    fewest = -(-expansion.target // expansion.asking.count)
    most = fewest * 5
    prompt = sum(len(i.request.system.encode()) + len(i.request.user.encode()) for i in items)
    prompt = prompt // (4 * len(items))
    answer = expansion.asking.count * len(expansion.spec.definition.encode()) // 4 + 20
    costs = (price.of(n * prompt, n * answer) for n in (fewest, most)) if price else None
    low_high = tuple(costs) if costs else None
    return Estimate(
        expansion.spec.name,
        (fewest, most),
        (fewest * (prompt + answer), most * (prompt + answer)),
        (low_high[0], low_high[1]) if low_high else None,
        tuple(item.request.body(expansion.model) for item in items),
    )
