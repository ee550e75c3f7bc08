"""How a model is called: which one and where, within which caps, how fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from medsins.llm.batches import Batching, ask_in_batches
from medsins.llm.budget import Budget, Caps, Price
from medsins.llm.endpoint import Endpoint
from medsins.llm.ledger import Ledger
from medsins.llm.local import Backend, ask_backend
from medsins.llm.online import Pace, ask
from medsins.llm.requests import Source


@dataclass(frozen=True)
class ModelSettings:
    """What `expand` and `bench run` are told about the model that they ask.

    Attributes:
        model: Name of the model at the endpoint, or a function in its place.
        base_url: The endpoint; None for OpenAI.
        api_key_env: Environment variable with the key.
        headers: Further headers of every request.
        caps: The most that may be spent.
        price: What tokens cost, or how a user writes it.
        pace: Requests at once, and a minute.
        batch: Whether requests go into Batch files, and how.
    """

    model: str | Backend
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    headers: Mapping[str, str] | None = None
    caps: Caps = field(default_factory=Caps)
    price: str | Price | None = None
    pace: Pace | None = None
    batch: bool | Batching = False

    @property
    def name(self) -> str:
        """What the model is called in files and messages."""
        if isinstance(self.model, str):
            return self.model
        return str(getattr(self.model, "__name__", "a Python function"))

    def prices(self) -> Price | None:
        """Return what tokens cost; None if nobody said."""
        return Price.parse(self.price) if isinstance(self.price, str) else self.price

    def endpoint(self) -> Endpoint | None:
        """Return where requests go; None if a function answers them.

        Raises:
            EndpointError: The address is not a URL, or there is no key.
        """
        if not isinstance(self.model, str):
            return None
        return Endpoint.at(self.model, self.base_url, self.api_key_env, self.headers)

    def budget(self) -> Budget:
        """Return the keeper of the caps.

        Raises:
            BudgetError: There is a cap in dollars and no price.
        """
        return Budget(self.caps, self.prices(), batch=bool(self.batch))

    def ask(
        self,
        source: Source,
        endpoint: Endpoint | None,
        ledger: Ledger,
        tell: Callable[[str], None],
    ) -> None:
        """Ask all that a source has to ask.

        Args:
            source: What to ask, and who takes the answers.
            endpoint: What `endpoint` returned.
            ledger: The record of it all.
            tell: Takes sentences that a user should read.

        Raises:
            BudgetError: A cap is reached.
            EndpointError: The endpoint cannot be used.
        """
        if endpoint is None:
            assert not isinstance(self.model, str)
            ask_backend(source, self.model, ledger)
        elif self.batch:
            batching = self.batch if isinstance(self.batch, Batching) else Batching()
            ask_in_batches(source, endpoint, ledger, batching, tell)
        else:
            ask(source, endpoint, ledger, self.pace or Pace(), tell)
