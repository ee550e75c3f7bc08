"""How many samples of each task: mixtures, caps, and which samples those are.

A mixture gives task i the share p_i = w_i n_i^(1/T) / sum_j w_j n_j^(1/T) of its total, with
weight w, temperature T, and n the samples there are, at most the cap: examples-proportional mixing
with temperature, as in Raffel et al. 2020 (arXiv:1910.10683, section 3.5.2). Shares become whole
numbers by largest remainders. A task that has fewer samples than its share asks for gives what it
has, or is gone through again if it may repeat; what it lacks is not made up for by others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from medsins.errors import InvalidFileError, MedsinsError
from medsins.formats.rows import Keys
from medsins.schema import Mixture, Share

_BINS = 1 << 16
_BIN_SHIFT = np.uint64(48)
_ROUNDING = 1e-6
_MOST = 1e12
"""More samples than anybody trains on; up to here, shares of them are counted without error."""
_DEPTH = 3


Problem = tuple[int, tuple[str, ...], str]
"""Line, keys that lead there, and what is wrong."""


def read_mixture(
    path: str | os.PathLike[str], select: Callable[[str], Sequence[str]]
) -> tuple[Mixture, dict[str, Share]]:
    """Read a mixture from a YAML file, for a build.

    Args:
        path: The file.
        select: Returns the tasks of the build that a selector means, or raises a `MedsinsError`.

    Returns:
        The mixture, and the share of each task; where two entries mean the same one, that of the
        later.

    Raises:
        InvalidFileError: It cannot be read, is not a mixture, or names tasks that are not there;
            every problem is listed with its place.
    """
    file = Path(path).expanduser()
    node, loaded = _parsed(file)
    lines, problems = _lines(node)
    named: dict[str, str] = {}
    if isinstance(loaded, dict) and isinstance(loaded.get("tasks"), dict):
        # An entry with nothing behind its colon is one with all defaults.
        entries = loaded["tasks"].items()
        loaded["tasks"] = {key: {} if share is None else share for key, share in entries}
        for selector in loaded["tasks"]:
            try:
                named.update(dict.fromkeys(select(str(selector)), selector))
            except MedsinsError as error:
                key = ("tasks", str(selector))
                problems.append((lines.get(key, 1), key, str(error)))
    mixture = None
    try:
        mixture = Mixture.model_validate(loaded)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            place = tuple(str(key) for key in one["loc"] if key != "[key]")
            problems.append((lines.get(place, lines.get(place[:-1], 1)), place, one["msg"]))
    if mixture is not None and not any(share.weight for share in mixture.tasks.values()):
        problems.append((lines["tasks",], ("tasks",), "the weights sum to nothing"))
    if problems or mixture is None:
        listed = "".join(
            f"\n- line {line}, {'.'.join(place) or 'the whole'}: {message}"
            for line, place, message in sorted(set(problems))
        )
        raise InvalidFileError(
            f"{file} is not a valid mixture:{listed}\nschemas/mixture.schema.json says what may "
            "be in it."
        )
    return mixture, {task: mixture.tasks[selector] for task, selector in named.items()}


def _parsed(file: Path) -> tuple[yaml.Node | None, Any]:
    """Return a YAML document as nodes, which know their lines, and as values."""
    try:
        text = file.read_text(encoding="utf-8")
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFileError(
            f"{file} cannot be read ({error}); it has to be a mixture."
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is no YAML"
        raise InvalidFileError(f"{file}{where}: {problem}. A mixture is a YAML file.") from error


def _lines(node: yaml.Node | None) -> tuple[dict[tuple[str, ...], int], list[Problem]]:
    """Return the line of every key of a mixture, and which keys stand twice."""
    lines: dict[tuple[str, ...], int] = {}
    problems: list[Problem] = []

    def walk(node: yaml.Node, place: tuple[str, ...]) -> None:
        if not isinstance(node, yaml.MappingNode) or len(place) == _DEPTH:
            return
        for name, value in node.value:
            inner, line = (*place, str(name.value)), name.start_mark.line + 1
            if inner in lines:
                problems.append((line, inner, "stands twice"))
                # What stands below the first of them does not count.
                for key in [known for known in lines if known[: len(inner)] == inner]:
                    del lines[key]
            lines[inner] = line
            walk(value, inner)

    if node is not None:
        walk(node, ())
    return lines, problems


@dataclass(frozen=True)
class Allotment:
    """How many samples of a task there will be.

    Attributes:
        samples: How many.
        weight: The weight that its entry in the mixture gives it; None without a mixture.
        notes: What is to be said about it.
    """

    samples: int
    weight: float | None = None
    notes: tuple[str, ...] = ()


def allot(
    available: Mapping[str, int],
    *,
    cap: int | None = None,
    mixture: Mixture | None = None,
    shares: Mapping[str, Share] | None = None,
) -> dict[str, Allotment]:
    """Decide how many samples of each task there will be.

    Args:
        available: Samples there are, by task; at least one of each.
        cap: Most samples of each task.
        mixture: The mixture, if there is one.
        shares: The share of each of these tasks in it.

    Raises:
        InvalidFileError: The mixture comes to nothing, or to no end.
    """
    if mixture is None or shares is None:
        return {task: _capped(count, cap) for task, count in available.items()}
    asked = _asked(available, cap, mixture, shares)
    return {
        task: _granted(asked[task], count, cap, shares[task]) for task, count in available.items()
    }


def _capped(count: int, cap: int | None) -> Allotment:
    if cap is None or count <= cap:
        return Allotment(count)
    return Allotment(cap, None, (f"capped, there are {count:,}",))


def _granted(asked: int, available: int, cap: int | None, share: Share) -> Allotment:
    limit = _lower(cap, share.cap)
    notes = []
    count = asked if limit is None else min(asked, limit)
    if count < asked:
        notes.append(f"capped, {asked:,} are asked for")
    if count > available and not share.repeat:
        notes.append(f"all there are, {asked:,} are asked for")
        count = available
    elif count > available:
        notes.append(f"each is used {count / available:.2f} times")
    return Allotment(count, share.weight, tuple(notes))


def _asked(
    available: Mapping[str, int], cap: int | None, mixture: Mixture, shares: Mapping[str, Share]
) -> dict[str, int]:
    """Return how many samples of each task a mixture asks for."""
    sizes = {
        task: min(count, _lower(cap, shares[task].cap) or count)
        for task, count in available.items()
    }
    largest = max(sizes.values())
    masses = {
        # (n / largest)^(1/T): the same shares, and no number that is too large.
        task: shares[task].weight * math.exp(math.log(size / largest) / mixture.temperature)
        for task, size in sizes.items()
    }
    whole = sum(masses.values())
    if not whole:
        raise InvalidFileError(
            f"mixture {mixture.name}: its weights sum to nothing over the tasks that there are "
            "samples of. Give one of them a weight above 0."
        )
    parts = {task: mass / whole for task, mass in masses.items()}
    total = mixture.total
    if total is None:
        bounds = [
            sizes[task] / part for task, part in parts.items() if part and not shares[task].repeat
        ]
        if not bounds:
            raise InvalidFileError(
                f"mixture {mixture.name}: all its tasks may repeat, so nothing says how large it "
                "is. Give it a total."
            )
        most = min(bounds)
        if most > _MOST:
            raise InvalidFileError(
                f"mixture {mixture.name}: its weights are so uneven that tasks which may repeat "
                f"bring it to {most:.0e} samples. Give it a total."
            )
        total = int(most + _ROUNDING)
        if not total:
            raise InvalidFileError(
                f"mixture {mixture.name}: its weights are so uneven that one sample of a task is "
                "more than its share. Give it a total."
            )
    return _largest_remainders(parts, total)


def _largest_remainders(parts: Mapping[str, float], total: int) -> dict[str, int]:
    exact = {task: part * total for task, part in parts.items()}
    whole = {task: int(value + _ROUNDING) for task, value in exact.items()}
    left = total - sum(whole.values())
    by_remainder = sorted(
        (task for task in parts if parts[task]), key=lambda task: whole[task] - exact[task]
    )
    for task in by_remainder[: max(0, left)]:
        whole[task] += 1
    return whole


def _lower(one: int | None, other: int | None) -> int | None:
    bounds = [bound for bound in (one, other) if bound is not None]
    return min(bounds, default=None)


@dataclass(frozen=True)
class Quota:
    """Which samples of a task are used, and how often: a rule over their keys.

    All are used `whole` times, and those whose key is not above `limit` once more.
    """

    whole: int
    limit: int | None = None

    def copies(self, keys: Keys) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return how often each sample is used."""
        counts = np.full(keys.shape, self.whole, np.int64)
        if self.limit is not None:
            counts += keys <= np.uint64(self.limit)
        return counts


def quota(wanted: int, available: int, keys: Callable[[], Iterator[Keys]]) -> Quota:
    """Return the rule by which this many samples are used, those with the smallest keys first.

    The key that separates them is found by counting keys in bins, and then looking into one bin:
    two passes, and memory that does not depend on how many there are.

    Args:
        wanted: How many samples are wanted.
        available: How many there are.
        keys: Returns the keys of all of them, block by block; called twice.
    """
    whole, rest = divmod(wanted, available) if available else (0, 0)
    if not rest:
        return Quota(whole)
    counts = np.zeros(_BINS, np.int64)
    for block in keys():
        counts += np.bincount((block >> _BIN_SHIFT).astype(np.int64).ravel(), minlength=_BINS)
    reached = np.cumsum(counts)
    chosen = int(np.searchsorted(reached, rest))
    before = int(reached[chosen - 1]) if chosen else 0
    inside = np.concatenate([block[block >> _BIN_SHIFT == np.uint64(chosen)] for block in keys()])
    return Quota(whole, int(np.sort(inside)[rest - before - 1]))
