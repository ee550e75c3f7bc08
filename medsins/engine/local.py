"""Running jobs on this machine: in this process, or in several that are spawned.

Jobs are functions of picklable arguments that write their results to disk, so a worker that dies
costs only its current job.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from medsins.engine.memory import be_lean
from medsins.errors import WorkerDiedError
from medsins.io.logs import logger

Result = TypeVar("Result")

ATTEMPTS = 3
"""How often workers may die before the build gives up."""

_LOG = logger("engine")
_POLL_SECONDS = 0.25


class Local:
    """Runs jobs in up to `workers` processes; with one, in this process.

    Args:
        workers: Number of processes.
        modules: Names of modules that jobs need: workers import them as they start.
    """

    def __init__(self, workers: int, modules: Sequence[str] = ()) -> None:
        self.workers = workers
        self._modules = tuple(modules)
        self._pool: ProcessPoolExecutor | None = None
        self._ready: list[Future[int]] = []

    def start(self) -> None:
        """Start workers in the background, so that they are ready when `run` needs them.

        One core is left to this process. Each later call starts one more worker if those before it
        are ready: a few at a time, since their imports compete for the same cores.
        """
        running = len(self._processes())
        if self.workers == 1 or running >= self.workers:
            return
        if all(one.done() for one in self._ready):
            spare = (os.cpu_count() or 1) - 1
            count = min(self.workers, max(running + 1, spare))
            pool = self._started()
            # If a worker has died already, `run` notices and starts others.
            with _main_hidden(), suppress(BrokenProcessPool):
                # The pool starts a worker for each job that finds none idle, so as many empty jobs
                # start as many workers; if one worker took two of them, the next call tries again.
                self._ready = [pool.submit(int) for _ in range(count)]

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self._modules,),
            )
        return self._pool

    def _processes(self) -> list[BaseProcess]:
        return list((self._pool._processes or {}).values()) if self._pool is not None else []

    def run(
        self,
        function: Callable[..., Result],
        jobs: Sequence[tuple[Any, ...]],
        tick: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Result]]:
        """Yield (number of the job, its result) as jobs finish.

        Workers are not started for a single job, but if there are any, one of them runs it: it has
        imported what the job needs.

        Args:
            function: A function of a module, called with each job's arguments.
            jobs: The arguments.
            tick: Called a few times a second while jobs run.

        Raises:
            WorkerDiedError: Workers died `ATTEMPTS` times.
            Exception: What a job raises; jobs that wait are not started any more.
        """
        if self.workers == 1 or (len(jobs) <= 1 and not self._processes()):
            for number, job in enumerate(jobs):
                result = function(*job)
                tick()
                yield number, result
            return
        left = set(range(len(jobs)))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                for number, result in self._round(function, jobs, sorted(left), tick):
                    left.discard(number)
                    yield number, result
            except BrokenProcessPool as error:
                self.stop()
                _LOG.warning(
                    "a worker died (%d of %d times); %d jobs left", attempt, ATTEMPTS, len(left)
                )
                if attempt == ATTEMPTS:
                    raise WorkerDiedError(
                        f"worker processes were killed {ATTEMPTS} times, probably for lack of "
                        "memory. Run the same command again with fewer --workers: finished work "
                        "is kept."
                    ) from error
            else:
                return

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a single job and return its result; see `run`."""
        [(_, result)] = self.run(function, [arguments])
        return result

    def _round(
        self,
        function: Callable[..., Result],
        jobs: Sequence[tuple[Any, ...]],
        numbers: Iterable[int],
        tick: Callable[[], None],
    ) -> Iterator[tuple[int, Result]]:
        pool = self._started()
        with _main_hidden():
            running: dict[Future[Result], int] = {
                pool.submit(function, *jobs[number]): number for number in numbers
            }
        try:
            while running:
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                tick()
                for future in done:
                    yield running.pop(future), future.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the worker processes at once, without waiting for their jobs."""
        if self._pool is not None:
            processes = self._processes()
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            self._pool = None
            self._ready = []

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None and self._pool is not None:
            self._pool.shutdown()
        self.stop()


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Let spawned processes start without running the user's script again.

    A spawned process imports the main module of its parent, so a script without
    `if __name__ == "__main__"` would start itself again, and one from standard input cannot be
    found. Jobs are functions of modules, so workers do not need the script.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {
        name: main.pop(name) for name in ("__file__", "__spec__") if name in main
    }
    # With neither a spec nor a file, multiprocessing tells the child about no main module at all.
    main["__spec__"] = None
    try:
        yield
    finally:
        del main["__spec__"]
        main.update(hidden)


def _start_worker(modules: Sequence[str]) -> None:
    be_lean()
    # Ctrl-C reaches the whole process group: the parent alone handles it and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    for module in modules:
        importlib.import_module(module)


def _follow(sentinel: int) -> None:
    """End this process as soon as its parent has ended, even by SIGKILL."""
    wait_for([sentinel])
    os._exit(1)
