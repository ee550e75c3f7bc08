"""Running jobs on this machine: in this process, or in several that are spawned.

Jobs are functions of picklable arguments whose results lie on disk when they are done, so a
worker that dies costs the job it was at, and nothing else.
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
"""How often a job may take its worker down before the build gives up on it."""

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
        """Start workers: they get ready while this process does something else.

        One core is left to this process. Called again, now and then, it starts one more worker
        once those before it are ready.
        """
        there = len(self._processes())
        if self.workers == 1 or there >= self.workers:
            return
        if all(one.done() for one in self._ready):
            spare = (os.cpu_count() or 1) - 1
            count = min(self.workers, max(there + 1, spare))
            pool = self._started()
            # If a worker has died already, `run` will find out and start others.
            with _main_hidden(), suppress(BrokenProcessPool):
                # A worker is started for a job that finds none idle: where one was quick enough
                # to do two of these, the next call tries again.
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

        A single job is no reason to start workers, but those that are there do it: what it needs
        is imported there already.

        Args:
            function: A function of a module, called with each job's arguments.
            jobs: The arguments.
            tick: Called now and then while jobs run.

        Raises:
            WorkerDiedError: A job took its worker down time and again.
            Exception: Whatever a job raises; the others are not started any more.
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
                        f"worker processes were killed {ATTEMPTS} times, probably for want of "
                        "memory. Run the same command again with fewer --workers: what is "
                        "finished is kept."
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
        """End the worker processes at once; whatever they were at is not finished."""
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

    A spawned process imports the main module of its parent, so that a script without an
    `if __name__ == "__main__"` would start itself over, and one from standard input cannot be
    found. Jobs are functions of modules; workers have no need of the script.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {
        name: main.pop(name) for name in ("__file__", "__spec__") if name in main
    }
    main["__spec__"] = None
    try:
        yield
    finally:
        del main["__spec__"]
        main.update(hidden)


def _start_worker(modules: Sequence[str]) -> None:
    be_lean()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    for module in modules:
        importlib.import_module(module)


def _follow(sentinel: int) -> None:
    """End this process as soon as its parent is gone, however it went."""
    wait_for([sentinel])
    os._exit(1)
