"""Locks: one process at a time, and none that a killed process leaves locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medsins.errors import BuildConflictError


@contextmanager
def locked(path: Path, taken: str, *, remove: bool = False) -> Iterator[None]:
    """Hold a lock, without waiting for it; the system lets go of it even after a kill.

    Args:
        path: The lock file. Never a file with content: it may be emptied.
        taken: What to say when another process holds the lock.
        remove: Whether the file goes away at the end. It must not be renamed meanwhile.

    Raises:
        BuildConflictError: Another process holds the lock.
        OSError: The file cannot be made.
    """
    # It brings a twentieth of a second of imports.
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise BuildConflictError(taken) from error
    try:
        yield
        # Whoever opened the file before it is removed, and gets the lock after it is let go, finds
        # that it has no name any more, and does not take the lock.
    finally:
        if remove:
            path.unlink(missing_ok=True)
        lock.release()
