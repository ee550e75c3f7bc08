"""A Python function in place of an endpoint: local models, and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from medsins.llm.budget import used_up
from medsins.llm.ledger import Ledger
from medsins.llm.requests import Response, Source

Backend: TypeAlias = Callable[[str, str], str]
"""Takes the system and the user message, gives the answer."""


def ask_backend(source: Source, backend: Backend, ledger: Ledger) -> None:
    """Ask all that a source has to ask, one after the other, of a function.

    Args:
        source: What to ask, and who takes the answers.
        backend: The function; what it raises ends the run, and what was answered is kept.
        ledger: The record of it all.

    Raises:
        BudgetError: A cap is reached.
    """
    while (request := source.next_request()) is not None:
        known = ledger.answered(request)
        if known is None:
            if not ledger.begin(request):
                raise used_up()
            known = Response(backend(request.system, request.user))
            ledger.answer(request, known)
        source.on_response(request, known)
