"""How little memory a process that builds can do with; the effect is measured in `benchmarks/`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LEAN = {"ARROW_IO_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""One malloc arena, and no threads of Arrow beside this one: each costs tens of MiB."""
if sys.platform == "linux":
    _LEAN["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc"

GARBAGE_THRESHOLD = 50_000
"""How many more objects there may be than before until cycles are looked for; Python's is 700."""

_M_ARENA_MAX = -8
_ARROW_DECAY_MS = 1000
"""How long Arrow lets jemalloc keep what is free, unless told otherwise."""


def be_lean() -> None:
    """Set a process that does nothing but build for a small and flat memory profile.

    It has to be called before Arrow is imported. Cycles of objects are looked for seldom: mapping
    records makes many objects, and hardly any cycle.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    for name, value in _LEAN.items():
        os.environ.setdefault(name, value)
    # The C library has read its environment already.
    _allocator("mallopt", _M_ARENA_MAX, 1)


@contextmanager
def frugal() -> Iterator[None]:
    """Give memory back to the system as soon as it is free: what is so now, and in the block.

    That suits work on a few large pieces: small ones that come and go are better kept at hand.
    """
    import pyarrow as pa

    trim()
    if pa.default_memory_pool().backend_name != "jemalloc":
        yield
        return
    pa.jemalloc_set_decay_ms(0)
    try:
        yield
    finally:
        pa.jemalloc_set_decay_ms(_ARROW_DECAY_MS)


def trim() -> None:
    """Give back what the C library keeps of freed memory."""
    _allocator("malloc_trim", 0)


def _allocator(function: str, *arguments: int) -> None:
    """Call a function of glibc's allocator; with another C library, there is nothing to call."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            getattr(ctypes.CDLL(None), function)(*arguments)
