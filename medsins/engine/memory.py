"""Settings that keep the memory of a build small; their effect is measured in `benchmarks/`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

_LEAN = {"ARROW_IO_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""One malloc arena and no threads of Arrow: each costs tens of MiB."""
if sys.platform == "linux":
    _LEAN["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc"

GARBAGE_THRESHOLD = 50_000
"""New objects after which the garbage collector looks for cycles; Python's default is 700."""

KEPT_BYTES = 8 << 20
"""Blocks of memory up to this size, such as those of a batch of records, are reused and not given
back to the system: up to twice as much is kept until `trim`."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def be_lean() -> None:
    """Give a process that only builds a small and flat memory profile.

    Call it before Arrow is imported. The garbage collector runs seldom: mapping records makes many
    objects, but hardly any cycle.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    for name, value in _LEAN.items():
        os.environ.setdefault(name, value)
    # The C library has read its environment variables already, so it needs calls.
    _allocator("mallopt", _M_ARENA_MAX, 1)
    _allocator("mallopt", _M_MMAP_THRESHOLD, KEPT_BYTES)
    _allocator("mallopt", _M_TRIM_THRESHOLD, 2 * KEPT_BYTES)


def trim() -> None:
    """Give freed memory that the C library keeps back to the system."""
    _allocator("malloc_trim", 0)


def _allocator(function: str, *arguments: int) -> None:
    """Call a function of glibc's allocator; do nothing with another C library."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            getattr(ctypes.CDLL(None), function)(*arguments)
