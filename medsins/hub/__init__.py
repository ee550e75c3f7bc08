"""The Hub: a finished build goes there, and comes back.

connection.py  which Hub, as whom; calls that outlive its bad moments
upload_plan.py what of a build travels, and how that differs from what lies on the Hub
pushing.py     `push`
pulling.py     `pull`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsins.io.lazy import lazy_exports

if TYPE_CHECKING:
    from medsins.hub.pulling import pull
    from medsins.hub.pushing import PushResult, push

__all__ = ["PushResult", "pull", "push"]

_HOMES = {"PushResult": "pushing", "pull": "pulling", "push": "pushing"}


# Verifying a build and the Hub's client bring heavy libraries along.
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
