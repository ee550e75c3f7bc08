"""What to ask a model for, and what to make of its answers: the same for any order of arrival.

A task's prompts are planned in rounds. A round depends only on what was accepted in the rounds
before it, and its answers are judged in the order of the plan when the last of them is there. So
the result is the same however many requests run at once, and however often the run was resumed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from medsins.instructions.similarity import words
from medsins.instructions.spec import InstructionSpec
from medsins.llm.requests import Request, Response
from medsins.self_instruct.masking import Mask
from medsins.self_instruct.parsing import rewrites
from medsins.self_instruct.pool import FilterSettings, Pool, Verdict, judge
from medsins.self_instruct.prompts import Asking, Item, compose, template_text

ROUND = 16
"""Most prompts in a round of one task: after each, prompts learn from what was accepted."""

_FIRST_RATE, _LOWEST_RATE = 0.6, 0.2
_WINDOW, _SATURATED = 50, 0.1
_PARSE_AGAIN = 2
_COMMON_OPENING = 0.1
_OPENINGS = 8


@dataclass(frozen=True)
class Accepted:
    """An instruction that passed all checks.

    Attributes:
        text: The instruction.
        index: The place of its prompt in the plan.
        parent: The first seed prompt that its prompt showed.
        key: Identity of the request that it came from.
        verdict: What the checks found.
    """

    text: str
    index: int
    parent: str
    key: str
    verdict: Verdict


@dataclass(frozen=True)
class Rejected:
    """A candidate that was not accepted, or an answer without candidates.

    Attributes:
        text: The candidate; "" if there is none.
        index: The place of its prompt in the plan.
        reason: Why, as a name that is counted.
        detail: Why, in words.
    """

    text: str
    index: int
    reason: str
    detail: str = ""


@dataclass
class _Asked:
    """One prompt of the round under way."""

    item: Item
    request: Request
    response: Response | None = None
    longer: bool = False
    unread: int = 0
    candidates: list[str] | None = None


@dataclass(frozen=True)
class Receipt:
    """What an answer was and cost, for the record."""

    index: int
    key: str
    response: Response


class Expansion:
    """The expansion of one task.

    Args:
        spec: The task's definition and what protects it.
        seeds: Its seed prompts.
        target: How many instructions are wanted.
        asking: What shapes the prompts.
        filters: What candidates have to pass.
        model: Name of the model, for the identity of requests.
    """

    def __init__(
        self,
        spec: InstructionSpec,
        seeds: Sequence[str],
        target: int,
        asking: Asking,
        filters: FilterSettings,
        model: str,
    ) -> None:
        self.spec, self.seeds, self.target = spec, list(seeds), target
        self.asking, self.model = asking, model
        self.mask = Mask.of(spec)
        self.accepted: list[Accepted] = []
        self.rejected: list[Rejected] = []
        self.receipts: list[Receipt] = []
        self.left_over = 0
        self.reason_unfinished = ""
        self._filters = filters
        self._pool = Pool(spec, filters, self.seeds, template=template_text())
        self._outcomes: list[bool] = []
        self._planned = 0
        self._round: list[_Asked] = []
        self._to_ask: list[_Asked] = []
        if target > 0:
            self._plan_round()

    @property
    def state(self) -> str:
        """Return "done", "saturated", "unfinished", or "open" while more is to be asked."""
        if len(self.accepted) >= self.target:
            return "done"
        if self.saturated:
            return "saturated"
        return "unfinished" if self.reason_unfinished else "open"

    @property
    def saturated(self) -> bool:
        """Return whether hardly anything new comes: less than 10 % of the last 50 candidates."""
        recent = self._outcomes[-_WINDOW:]
        return len(recent) == _WINDOW and sum(recent) < _SATURATED * _WINDOW

    @property
    def offered(self) -> int:
        """Return how many candidates were judged, missing ones included."""
        return len(self._outcomes)

    def reasons(self) -> dict[str, int]:
        """Return how many candidates were rejected, by reason."""
        return dict(sorted(Counter(one.reason for one in self.rejected).items()))

    def items(self) -> list[Item]:
        """Return the prompts of the round under way."""
        return [asked.item for asked in self._round]

    def next_request(self) -> Request | None:
        """Return the next request of the round, if there is one left to ask."""
        if self.reason_unfinished or not self._to_ask:
            return None
        return self._to_ask.pop(0).request

    def on_response(self, request: Request, response: Response) -> None:
        """Accept the answer to a request; judge the round if it was the last one."""
        asked = next(one for one in self._round if one.request is request)
        self.receipts.append(Receipt(asked.item.index, request.key(self.model), response))
        if self._ask_again(asked, response):
            self._to_ask.append(asked)
            return
        asked.response = response
        if all(one.response is not None for one in self._round):
            self._judge_round()

    def give_up(self, reason: str) -> None:
        """Leave the task unfinished for this run."""
        self.reason_unfinished = reason

    def _ask_again(self, asked: _Asked, response: Response) -> bool:
        """Change the request of a prompt whose answer cannot be used but might be next time."""
        request = asked.request
        if response.finish == "length" and not asked.longer:
            asked.longer = True
            asked.request = replace(request, max_tokens=2 * request.max_tokens)
            return True
        if response.finish != "stop":
            return False
        asked.candidates = rewrites(response.text)
        if asked.candidates is None and asked.unread < _PARSE_AGAIN:
            asked.unread += 1
            asked.request = replace(request, seed=((request.seed or 0) + 1) % 2**31)
            return True
        return False

    def _judge_round(self) -> None:
        for asked in self._round:
            self._judge(asked)
        self.receipts.sort(key=lambda receipt: receipt.index)
        self._round = []
        if self.state == "open":
            self._plan_round()

    def _judge(self, asked: _Asked) -> None:
        assert asked.response is not None
        index, count = asked.item.index, self.asking.count
        candidates = asked.candidates
        if asked.response.finish != "stop":
            self._reject(Rejected("", index, f"finish:{asked.response.finish}"), count)
            return
        if candidates is None:
            self._reject(
                Rejected("", index, "unreadable", "not in a form that was asked for"), count
            )
            return
        if len(candidates) < count:
            missing = count - len(candidates)
            self._reject(Rejected("", index, "missing", f"{missing} fewer than asked for"), missing)
        for number, candidate in enumerate(candidates):
            if self.state != "open":
                self.left_over += 1
            elif number >= count:
                self._reject(Rejected(candidate, index, "surplus", "more than asked for"), 0)
            else:
                self._offer(candidate, asked)

    def _offer(self, candidate: str, asked: _Asked) -> None:
        text = self.mask.show(candidate)
        verdict = self._placeholders_kept(candidate, text) or self._pool.offer(text)
        index = asked.item.index
        if verdict.accepted:
            key = asked.request.key(self.model)
            self.accepted.append(Accepted(text, index, asked.item.parent, key, verdict))
            self._outcomes.append(True)
        else:
            self._reject(Rejected(text, index, verdict.reason, verdict.detail), 1)

    def _placeholders_kept(self, candidate: str, text: str) -> Verdict | None:
        """Return a rejection if a placeholder is missing, repeated, made up or out of order."""
        wrong, swapped = self.mask.wrong(candidate), self.mask.swapped(candidate)
        if not wrong and not swapped:
            return None
        # What else is wrong with the text says more than that a mark is not as it should be.
        verdict = judge(text, self.spec, self._filters, template=template_text())
        if not verdict.accepted:
            return verdict
        if wrong:
            return Verdict(False, "placeholder", f"lost, repeated or made up: {', '.join(wrong)}")
        return Verdict(False, "order", "labels or languages are in another order")

    def _reject(self, rejected: Rejected, weight: int) -> None:
        self.rejected.append(rejected)
        self._outcomes.extend([False] * weight)

    def _plan_round(self) -> None:
        missing = self.target - len(self.accepted)
        rate = _FIRST_RATE
        if self.offered >= _WINDOW:
            rate = max(_LOWEST_RATE, len(self.accepted) / self.offered)
        prompts = min(ROUND, math.ceil(missing / (self.asking.count * rate)))
        made = [one.text for one in self.accepted]
        openings = self._openings(made)
        for index in range(self._planned, self._planned + prompts):
            item = compose(self.spec, self.seeds, made, openings, index, self.asking)
            self._round.append(_Asked(item, item.request))
        self._planned += prompts
        self._to_ask = list(self._round)

    def _openings(self, made: Sequence[str]) -> list[str]:
        """Return the first two words that too many instructions begin with, commonest first."""
        texts = [self.mask.hide(text) for text in (*self.seeds, *made)]
        counts = Counter(" ".join(words(text)[:2]) for text in texts)
        fewest = max(2, _COMMON_OPENING * len(texts))
        common = [(-count, opening) for opening, count in counts.items() if count >= fewest]
        return [opening for _, opening in sorted(common)[:_OPENINGS]]


@dataclass
class Plan:
    """The expansions of several tasks, as one source of requests.

    Attributes:
        expansions: By task.
        check: Looks at every request before it may be sent.
        on_progress: Called with how many instructions were accepted since the last time.
        on_end: Called with every task that is done or saturated.
    """

    expansions: dict[str, Expansion]
    check: Callable[[Request], None] = lambda _: None
    on_progress: Callable[[int], object] = lambda _: None
    on_end: Callable[[Expansion], None] = lambda _: None
    _under_way: dict[int, Expansion] = field(default_factory=dict)

    def next_request(self) -> Request | None:
        """Return the next request of the first task that has one."""
        for expansion in self.expansions.values():
            request = expansion.next_request()
            if request is not None:
                self.check(request)
                self._under_way[id(request)] = expansion
                return request
        return None

    def on_response(self, request: Request, response: Response) -> None:
        """Hand an answer to its task."""
        expansion = self._under_way.pop(id(request))
        before = len(expansion.accepted)
        expansion.on_response(request, response)
        self.on_progress(len(expansion.accepted) - before)
        if expansion.state in ("done", "saturated"):
            self.on_end(expansion)

    def give_up(self, request: Request, reason: str) -> None:
        """Leave the task of a request unfinished."""
        self._under_way.pop(id(request)).give_up(reason)

    def __iter__(self) -> Iterator[Expansion]:
        return iter(self.expansions.values())
