"""The log: what was planned, skipped, resumed and retried; never text of records, keys or prompts.

It is quiet until somebody listens: `logging.getLogger("medsins")` takes handlers as all loggers do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_ROOT = logging.getLogger("medsins")
_ROOT.addHandler(logging.NullHandler())


def logger(room: str) -> logging.Logger:
    """Return the logger of a room of the library: "engine" has `medsins.engine`."""
    return _ROOT.getChild(room)


@contextmanager
def shown(level: int) -> Iterator[None]:
    """Show the log on standard error, above progress bars.

    Args:
        level: The lowest level to show, as `logging` numbers them.
    """
    from tqdm.contrib.logging import logging_redirect_tqdm

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = _ROOT.level
    _ROOT.addHandler(handler)
    _ROOT.setLevel(level)
    try:
        with logging_redirect_tqdm([_ROOT]):
            yield
    finally:
        _ROOT.setLevel(before)
        _ROOT.removeHandler(handler)
