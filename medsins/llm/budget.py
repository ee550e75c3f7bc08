"""Caps on what a run may spend; what could pass a cap is not sent.

A request reserves the most it can cost before it is sent, and is settled with what the endpoint
says it used. What was sent and got no countable answer stays counted at its reservation.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from medsins.errors import BudgetError

_MILLION = 1_000_000
BATCH_SHARE = 0.5
"""What a request in a Batch file costs, as a share of the same request made at once (OpenAI)."""


@dataclass(frozen=True)
class Price:
    """What tokens cost, in US dollars a million.

    Attributes:
        input: Price of tokens of the prompt.
        output: Price of tokens of the answer.
    """

    input: float
    output: float

    @classmethod
    def parse(cls, text: str) -> Price:
        """Read "INPUT/OUTPUT", such as "2.50/10".

        Raises:
            BudgetError: It is not that.
        """
        try:
            one, other = (float(part) for part in text.split("/"))
        except ValueError as error:
            raise BudgetError(
                f"{text!r} is not a price. Write dollars a million tokens as INPUT/OUTPUT: 2.50/10."
            ) from error
        if not (0 <= one < float("inf") and 0 <= other < float("inf")):
            raise BudgetError(f"{text!r} is not a price: it has to be finite and not below 0.")
        return cls(one, other)

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Return what this many tokens cost, in US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


@dataclass(frozen=True)
class Caps:
    """The most that may be spent, over all runs that share a journal; None for no cap.

    Attributes:
        usd: US dollars.
        requests: Requests sent, retries included.
        tokens: Tokens of prompts and answers together.
        seconds: Wall time of this run.
    """

    usd: float | None = None
    requests: int | None = None
    tokens: int | None = None
    seconds: float | None = None


@dataclass
class Spent:
    """What was spent or is reserved.

    Attributes:
        requests: Requests sent.
        input_tokens: Tokens of prompts.
        output_tokens: Tokens of answers.
        usd: US dollars; 0 while no price is known.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True)
class Reservation:
    """What a request may cost at most, while it is under way."""

    input_tokens: int
    output_tokens: int
    usd: float


class Budget:
    """Keeps a run within its caps.

    Args:
        caps: The caps.
        price: What tokens cost; None if nobody said.
        batch: Whether requests go into Batch files, at half the price.

    Raises:
        BudgetError: There is a cap in dollars and no price: it could not be kept.
    """

    def __init__(self, caps: Caps, price: Price | None = None, *, batch: bool = False) -> None:
        if caps.usd is not None and price is None:
            raise BudgetError(
                "a budget in dollars needs the price of the model, which nobody said. Give it as "
                "dollars a million tokens with --price INPUT/OUTPUT, or use --max-requests or "
                "--max-tokens instead. Nothing was sent."
            )
        self.caps = caps
        self.price = price
        self.spent = Spent()
        self._share = BATCH_SHARE if batch else 1.0
        self._started = time.monotonic()

    def reserve(self, input_tokens: int, output_tokens: int) -> Reservation | None:
        """Set aside what a request may cost at most, or return None if that could pass a cap."""
        usd = self._cost(input_tokens, output_tokens)
        caps, spent = self.caps, self.spent
        tokens = spent.input_tokens + spent.output_tokens + input_tokens + output_tokens
        if (
            (caps.requests is not None and spent.requests + 1 > caps.requests)
            or (caps.tokens is not None and tokens > caps.tokens)
            or (caps.usd is not None and spent.usd + usd > caps.usd)
            or (caps.seconds is not None and time.monotonic() - self._started > caps.seconds)
        ):
            return None
        reserved = Reservation(input_tokens, output_tokens, usd)
        self.count(reserved)
        return reserved

    def count(self, reserved: Reservation) -> None:
        """Count a request that was or may have been sent, at the most it can have cost."""
        self.spent.requests += 1
        self.spent.input_tokens += reserved.input_tokens
        self.spent.output_tokens += reserved.output_tokens
        self.spent.usd += reserved.usd

    def settle(
        self, reserved: Reservation, input_tokens: int | None, output_tokens: int | None
    ) -> None:
        """Put what a request did use in place of what was reserved for it; None keeps that."""
        used_in = reserved.input_tokens if input_tokens is None else input_tokens
        used_out = reserved.output_tokens if output_tokens is None else output_tokens
        self.spent.input_tokens += used_in - reserved.input_tokens
        self.spent.output_tokens += used_out - reserved.output_tokens
        self.spent.usd += self._cost(used_in, used_out) - reserved.usd

    def reservation(self, input_tokens: int, output_tokens: int) -> Reservation:
        """Return the reservation for this many tokens, without asking whether there is room."""
        return Reservation(input_tokens, output_tokens, self._cost(input_tokens, output_tokens))

    def share_used(self) -> float:
        """Return how much of the nearest cap is used, from 0 to 1 and above."""
        caps, spent = self.caps, self.spent
        pairs = (
            (spent.usd, caps.usd),
            (spent.requests, caps.requests),
            (spent.input_tokens + spent.output_tokens, caps.tokens),
            (time.monotonic() - self._started, caps.seconds),
        )
        return max(
            (used / cap if cap else 1.0 for used, cap in pairs if cap is not None), default=0
        )

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        return self.price.of(input_tokens, output_tokens) * self._share if self.price else 0.0


def used_up() -> BudgetError:
    """Return the error that ends a run whose next request could pass a cap."""
    return BudgetError(
        "the budget is used up: what was answered is kept. Raise it and run the same command again "
        "to go on from here."
    )
