"""The Hub: a finished build goes there, and comes back.

connection.py  which Hub, as whom; calls that outlive its bad moments
parcel.py      what of a build travels, and how that differs from what lies on the Hub
pushing.py     `push`
pulling.py     `pull`
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsins.hub.pulling import pull
    from medsins.hub.pushing import PushResult, push

__all__ = ["PushResult", "pull", "push"]

_HOMES = {"PushResult": "pushing", "pull": "pulling", "push": "pushing"}


def __getattr__(name: str) -> Any:
    # Verifying a build and the Hub's client bring heavy libraries along.
    if name in _HOMES:
        return getattr(import_module(f"medsins.hub.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
