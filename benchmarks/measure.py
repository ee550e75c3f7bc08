"""Runs whole processes and says what they cost: CPU time, wall time and peak memory.

Costs are the system's own account of a process and of all processes it started and waited for.
Peak memory is that of the largest single process among them, not their sum.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_MAXRSS_UNIT = 1 << 20 if sys.platform == "darwin" else 1 << 10


class FailedError(RuntimeError):
    """A measured process did not exit with 0."""


@dataclass(frozen=True)
class Usage:
    """What one run cost.

    Attributes:
        cpu: User and system seconds of all its processes.
        wall: Seconds from start to end.
        peak: Peak resident memory of its largest process, in MiB.
        others: Share of the machine's CPU time that other processes took meanwhile.
        output: What it printed.
    """

    cpu: float
    wall: float
    peak: float
    others: float
    output: str


@dataclass(frozen=True)
class Contestant:
    """One of several ways to do a job.

    Attributes:
        label: What it is called in the results.
        command: The command that does the job.
        outputs: Files and folders to remove before each run.
    """

    label: str
    command: Sequence[str]
    outputs: Sequence[Path] = ()


@dataclass
class Runs:
    """The runs of one contestant."""

    all: list[Usage] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Median of CPU seconds."""
        return statistics.median(usage.cpu for usage in self.all)

    @property
    def wall(self) -> float:
        """Median of wall seconds."""
        return statistics.median(usage.wall for usage in self.all)

    @property
    def peak(self) -> float:
        """Largest peak memory, in MiB."""
        return max(usage.peak for usage in self.all)

    def ratio(self, base: Runs) -> float:
        """Median of the ratios of CPU seconds to those of another contestant in the same round.

        Rounds are minutes apart, and the speed of a shared machine drifts: a ratio within a round
        is not moved by that.
        """
        pairs = zip(self.all, base.all, strict=True)
        return statistics.median(mine.cpu / theirs.cpu for mine, theirs in pairs)

    @property
    def others(self) -> float:
        """Largest share of the machine's CPU time that other processes took during a run."""
        return max(usage.others for usage in self.all)

    @property
    def output(self) -> str:
        """What the last run printed."""
        return self.all[-1].output


def run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Usage:
    """Run a command and measure it.

    The calling process should be small: until a child has loaded its own program, the memory of
    its parent counts as its own.

    Args:
        command: The command.
        environment: Variables to add to the environment.
        log: File for what it prints to standard error.

    Raises:
        FailedError: It did not exit with 0.
    """
    busy, began = _busy_seconds(), time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **environment},
        )
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        name = " ".join(Path(word).name for word in command[:3])
        raise FailedError(f"{name} exited with {process.returncode}: {lines[-1]}")
    cpu = usage.ru_utime + usage.ru_stime
    elsewhere = (_busy_seconds() - busy - cpu) / (wall * (psutil.cpu_count() or 1))
    return Usage(cpu, wall, usage.ru_maxrss / _MAXRSS_UNIT, min(max(elsewhere, 0), 1), output)


def compete(
    contestants: Sequence[Contestant], repeats: int, environment: Mapping[str, str], log: Path
) -> dict[str, Runs]:
    """Run all contestants in turn, and all of them again, so that a slow minute meets them all.

    Args:
        contestants: The contestants; what they write is still there afterwards.
        repeats: How many runs each has.
        environment: Variables to add to the environment.
        log: File for what the last one prints to standard error.

    Returns:
        The runs by label.
    """
    runs = {one.label: Runs() for one in contestants}
    for _ in range(repeats):
        for one in contestants:
            for path in one.outputs:
                remove(path)
            # What was written before goes to disk now, and not on the account of this run.
            os.sync()
            usage = run(one.command, environment, log)
            runs[one.label].all.append(usage)
            print(
                f"  {one.label}: {usage.cpu:.2f} CPU s, {usage.wall:.2f} s, {usage.peak:.0f} MiB",
                flush=True,
            )
    return runs


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def own_peak() -> float:
    """Return the peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_UNIT


def _busy_seconds() -> float:
    """Return how many seconds the processors of this machine have been busy since it started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guest(times))


def _guest(times: object) -> float:
    # Linux counts guests in user time already.
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))
