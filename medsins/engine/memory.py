"""How little memory a process that builds can do with; the effect is measured in `benchmarks/`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

_LEAN = {"ARROW_IO_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""One malloc arena, and no threads of Arrow beside this one: each costs tens of MiB."""
if sys.platform == "linux":
    _LEAN["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc"

GARBAGE_THRESHOLD = 50_000
"""How many more objects there may be than before until cycles are looked for; Python's is 700."""

KEPT_BYTES = 8 << 20
"""Blocks of memory up to this size are used again instead of being given back to the system, as
those are that hold a batch of records: twice as much may be kept until `trim`."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


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
    _allocator("mallopt", _M_MMAP_THRESHOLD, KEPT_BYTES)
    _allocator("mallopt", _M_TRIM_THRESHOLD, 2 * KEPT_BYTES)


def trim() -> None:
    """Give back what the C library keeps of freed memory."""
    _allocator("malloc_trim", 0)


def _allocator(function: str, *arguments: int) -> None:
    """Call a function of glibc's allocator; with another C library, there is nothing to call."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            getattr(ctypes.CDLL(None), function)(*arguments)
