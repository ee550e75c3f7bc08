"""The ledger: journal and budget together, so that what is on disk and what is counted agree.

Events: `sent` before a request leaves, then `answer`, or `failed` if there was none that counts.
A `sent` without either was under way when the process ended, and stays counted in full.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from medsins.llm.budget import Budget, Reservation
from medsins.llm.calls import Call, Reply
from medsins.llm.journal import Journal


class Ledger:
    """What was asked, answered and spent, over all runs that share the journal.

    Args:
        journal: The open journal.
        budget: The budget of this run; what earlier runs spent is counted in.
        model: Name of the model that is asked.
        audit: Whether prompts are journalled verbatim; not for prompts with text of instances.
    """

    def __init__(self, journal: Journal, budget: Budget, model: str, *, audit: bool) -> None:
        self.journal = journal
        self.budget = budget
        self.model = model
        self._audit = audit
        self._replies: dict[str, Reply] = {}
        self._replay()

    def _replay(self) -> None:
        under_way: dict[str, list[Reservation]] = {}
        for event in self.journal.events():
            kind, key = event.get("event"), event.get("key", "")
            if kind == "sent":
                reserved = self.budget.reservation(event["input"], event["output"])
                self.budget.count(reserved)
                under_way.setdefault(key, []).append(reserved)
            elif kind == "answer":
                reply = Reply(**event["reply"])
                self._replies[key] = reply
                self.budget.settle(under_way[key].pop(), reply.input_tokens, reply.output_tokens)
            elif kind == "failed":
                reserved = under_way[key].pop()
                if not event["billed"]:
                    self.budget.settle(reserved, 0, 0)

    def answered(self, call: Call) -> Reply | None:
        """Return the answer to a call if there is one already."""
        return self._replies.get(call.key(self.model))

    def begin(self, call: Call, **facts: Any) -> Reservation | None:
        """Reserve and journal a request that is about to be sent; None if it may not be."""
        reserved = self.budget.reserve(*call.most_tokens())
        if reserved is not None:
            self.journal.append(self._sent(call, reserved, facts))
        return reserved

    def begin_all(self, calls: list[Call], **facts: Any) -> list[tuple[Call, Reservation]]:
        """Reserve and journal as many of the calls as the budget has room for, in order."""
        begun = []
        for call in calls:
            reserved = self.budget.reserve(*call.most_tokens())
            if reserved is None:
                break
            begun.append((call, reserved))
        self.journal.append(*(self._sent(call, reserved, facts) for call, reserved in begun))
        return begun

    def _sent(self, call: Call, reserved: Reservation, facts: dict[str, Any]) -> dict[str, Any]:
        event = {
            "event": "sent",
            "key": call.key(self.model),
            "label": call.label,
            "input": reserved.input_tokens,
            "output": reserved.output_tokens,
            **facts,
        }
        if self._audit:
            event["body"] = call.body(self.model)
        return event

    def answer(self, call: Call, reserved: Reservation, reply: Reply) -> None:
        """Put an answer on disk and settle what it cost."""
        key = call.key(self.model)
        self.journal.append({"event": "answer", "key": key, "reply": asdict(reply)})
        self._replies[key] = reply
        self.budget.settle(reserved, reply.input_tokens, reply.output_tokens)

    def fail(self, call: Call, reserved: Reservation, why: str, *, billed: bool) -> None:
        """Put a failure on disk; what may have been billed stays counted in full."""
        self.journal.append(
            {"event": "failed", "key": call.key(self.model), "why": why, "billed": billed}
        )
        if not billed:
            self.budget.settle(reserved, 0, 0)
