"""The ledger: journal and budget together, so that what is on disk and what is counted agree.

Events: `sent` before a request leaves, then `answer`, or `failed` if there was none that counts.
A `sent` without either was under way when the process ended, and stays counted in full.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from medsins.io.logs import logger
from medsins.llm.budget import Budget, Reservation
from medsins.llm.journal import Journal
from medsins.llm.requests import Request, Response

_LOG = logger("llm")


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
        self._responses: dict[str, Response] = {}
        self._under_way: dict[str, list[Reservation]] = {}
        self._replay()

    def _replay(self) -> None:
        for event in self.journal.events():
            kind, key = event.get("event"), event.get("key", "")
            if kind == "sent":
                reserved = self.budget.reservation(event["input"], event["output"])
                self.budget.count(reserved)
                self._under_way.setdefault(key, []).append(reserved)
            elif kind == "answer":
                self._settle(key, Response(**event["response"]))
            elif kind == "failed":
                self._let_go(key, billed=event["billed"])
        _LOG.info("%s: %d answers of earlier runs", self.journal.path, len(self._responses))

    def answered(self, request: Request) -> Response | None:
        """Return the answer to a request if there is one already."""
        return self._responses.get(request.key(self.model))

    def begin(self, request: Request, **facts: Any) -> bool:
        """Reserve and journal a request that is about to be sent; False if it may not be."""
        reserved = self.budget.reserve(*request.most_tokens())
        if reserved is None:
            return False
        self.journal.append(self._sent(request, reserved, facts))
        return True

    def begin_all(self, requests: list[Request], **facts: Any) -> list[Request]:
        """Reserve and journal as many of the requests as the budget has room for, in order."""
        begun, events = [], []
        for request in requests:
            reserved = self.budget.reserve(*request.most_tokens())
            if reserved is None:
                break
            begun.append(request)
            events.append(self._sent(request, reserved, facts))
        self.journal.append(*events)
        return begun

    def _sent(
        self, request: Request, reserved: Reservation, facts: dict[str, Any]
    ) -> dict[str, Any]:
        key = request.key(self.model)
        self._under_way.setdefault(key, []).append(reserved)
        event = {
            "event": "sent",
            "key": key,
            "label": request.label,
            "input": reserved.input_tokens,
            "output": reserved.output_tokens,
            **facts,
        }
        if self._audit:
            event["body"] = request.body(self.model)
        return event

    def answer(self, request: Request, response: Response) -> None:
        """Write an answer down and settle what it cost."""
        key = request.key(self.model)
        self.journal.append({"event": "answer", "key": key, "response": asdict(response)})
        self._settle(key, response)

    def fail(self, request: Request, reason: str, *, billed: bool) -> None:
        """Write a failure down; what may have been billed stays counted in full.

        It is passed over if no request for the request is under way: a failure that was read out of
        a batch before a kill is read again after it.
        """
        key = request.key(self.model)
        if self._under_way.get(key):
            self.journal.append({"event": "failed", "key": key, "why": reason, "billed": billed})
            self._let_go(key, billed=billed)

    def _settle(self, key: str, response: Response) -> None:
        self._responses[key] = response
        if self._under_way.get(key):
            reserved = self._under_way[key].pop()
            self.budget.settle(reserved, response.input_tokens, response.output_tokens)

    def _let_go(self, key: str, *, billed: bool) -> None:
        if self._under_way.get(key):
            reserved = self._under_way[key].pop()
            if not billed:
                self.budget.settle(reserved, 0, 0)
