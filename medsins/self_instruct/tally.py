"""What is counted of the wordings of tasks, and the table that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from medsins.instructions.constraints import HARD
from medsins.instructions.filters import FilterHit, run_filters
from medsins.instructions.similarity import masked, words
from medsins.instructions.spec import InstructionSpec
from medsins.self_instruct.measures import (
    Likeness,
    coded,
    distinct,
    lead_verbs,
    likeness,
    openings,
    rouge_words,
    self_bleu,
    squeezed,
)
from medsins.self_instruct.pool import Pool

LEAKS = {
    "prompt leaked": "leak:meta",
    "chat reply": "leak:chat",
    "role reversed": "leak:reversal",
    "executed": "executed",
    "other language": "language",
    "interleaved": "interleaved",
}
"""Rows of what is not an instruction at all, and the fault that each counts."""

FULL = 100
"""From this many wordings a task on, its variety is held to the targets, which were set for 165."""


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes:
        name: What is measured.
        value: The count, share, mean or entropy.
        target: What it should be, in words; "" if there is nothing to reach.
        ok: Whether it is; None without a target, or where there is too little to measure.
        note: What the value is a share of, or where it is worst.
    """

    name: str
    value: float
    target: str = ""
    ok: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """The wordings of one task, and what is measured of them.

    Attributes:
        spec: What they are held to.
        texts: The wordings.
        seeds: Seed prompts that they have to differ from, beside one another.
    """

    spec: InstructionSpec
    texts: tuple[str, ...]
    seeds: tuple[str, ...] = ()

    @cached_property
    def hits(self) -> list[list[FilterHit]]:
        """The faults of each wording."""
        known: dict[str, list[FilterHit]] = {}
        for text in self.texts:
            if text not in known:
                known[text] = list(run_filters(text, self.spec))
        return [known[text] for text in self.texts]

    @cached_property
    def reasons(self) -> list[frozenset[str]]:
        """The reasons of the faults of each wording."""
        return [frozenset(hit.reason for hit in found) for found in self.hits]

    @cached_property
    def hard(self) -> frozenset[str]:
        """The constraints on the form of the answer, as faults name them."""
        return frozenset(str(one) for one in self.spec.constraints if one.kind in HARD)

    @cached_property
    def violations(self) -> list[frozenset[str]]:
        """What each wording does to constraints on the form of the answer."""
        return [
            frozenset(
                hit.reason.partition(":")[2]
                for hit in found
                if hit.reason.startswith("constraint:") and hit.detail in self.hard
            )
            for found in self.hits
        ]

    @cached_property
    def exact(self) -> int:
        """Wordings that repeat an earlier one byte for byte."""
        return len(self.texts) - len(set(self.texts))

    @cached_property
    def squeezed(self) -> list[str]:
        """The wordings without case and punctuation."""
        return [squeezed(text) for text in self.texts]

    @cached_property
    def exact_squeezed(self) -> int:
        """Wordings that repeat an earlier one but for case and punctuation."""
        return len(self.texts) - len(set(self.squeezed))

    @cached_property
    def plain(self) -> list[list[int]]:
        """The words of each wording, as `rouge-score` has them."""
        return coded([rouge_words(text) for text in self.texts])

    @cached_property
    def likeness(self) -> Likeness:
        """How alike the wordings are."""
        return likeness(self.plain)

    @cached_property
    def masked(self) -> Likeness:
        """How alike they are outside protected spans, in the words that `Pool` compares."""
        if not self.spec.protected and all(text.isascii() for text in self.texts):
            return self.likeness
        bare = [words(masked(text, self.spec.protected)) for text in self.texts]
        return likeness(coded(bare))

    @cached_property
    def lengths(self) -> list[float]:
        """Length of each wording as a share of the definition's, in words."""
        return [len(words(text)) / max(1, self.spec.length) for text in self.texts]

    @cached_property
    def self_bleu(self) -> float:
        """BLEU-4 with all other wordings as references."""
        return self_bleu(self.plain)

    @cached_property
    def distinct(self) -> tuple[float, float]:
        """Shares of different ones among all words, and among all pairs of neighbours."""
        return distinct(self.plain, 1), distinct(self.plain, 2)

    @cached_property
    def openings(self) -> tuple[float, float]:
        """Share of the commonest first two words, and the entropy of all in bits."""
        return openings(self.plain)

    @cached_property
    def verbs(self) -> tuple[int, int] | None:
        """How many verbs lead, and pairs of verb and object; None in other languages."""
        return lead_verbs(self.texts) if self.spec.language in ("en", "") else None

    @cached_property
    def survivors(self) -> int:
        """What passes every filter, offered in order to a pool with the task's seed prompts."""
        pool = Pool(self.spec, seeds=self.seeds)
        for text, reasons in zip(self.texts, self.reasons, strict=True):
            if not reasons:
                pool.compare(text)
        return len(pool.accepted)


class Tally:
    """The rows of the wordings of one or more tasks together.

    Args:
        sets: Names of tasks with their wordings.
    """

    def __init__(self, sets: list[tuple[str, Measured]]) -> None:
        self._names = [name for name, _ in sets]
        self._sets = [one for _, one in sets]
        self._count = sum(len(one.texts) for one in self._sets)

    def rows(self) -> list[Row]:
        """Return the measures in the order of the table."""
        lists = len({one.texts for one in self._sets})
        kept = sum(one.survivors for one in self._sets)
        return [
            Row("tasks", len(self._sets)),
            Row("wordings", self._count),
            Row("different lists", lists, "one a task", lists == len(self._sets)),
            self._all("different wordings", len({t for one in self._sets for t in one.texts})),
            self._all("different, squeezed", len({t for one in self._sets for t in one.squeezed})),
            *self._repeats(),
            *self._leaks(),
            *self._constraints(),
            *self._lengths(),
            *self._variety(),
            *self._verbs(),
            self._all("pass every filter", kept),
        ]

    def _share(self, count: int, of: int | None = None) -> str:
        of = self._count if of is None else of
        return f"{count / of:.2%}" if of and count else ""

    def _all(self, name: str, count: int) -> Row:
        """Return a row whose target is every wording."""
        return Row(name, count, "all", count == self._count, self._share(count))

    def _none(self, name: str, count: int) -> Row:
        """Return a row whose target is 0."""
        return Row(name, count, "0", count == 0, self._share(count))

    def _none_of(self, name: str, counts: Iterable[int]) -> Row:
        """Return a row whose target is 0, from the counts of the tasks."""
        listed = list(counts)
        total = sum(listed)
        note = self._share(total)
        if total and len(listed) > 1:
            worst = max(range(len(listed)), key=lambda place: listed[place])
            size = len(self._sets[worst].texts)
            note += f", most in {self._names[worst]}: {listed[worst]} of {size}"
        return Row(name, total, "0", total == 0, note)

    def _repeats(self) -> Iterator[Row]:
        yield self._none_of("exact repeats", (one.exact for one in self._sets))
        yield self._none_of("exact repeats, squeezed", (one.exact_squeezed for one in self._sets))
        # Lists of labels alone make wordings near: whole texts are measured for comparison with
        # others, and have no target.
        alike = [one.likeness for one in self._sets]
        for name, count in (
            ("near repeats (ROUGE-L >= 0.7)", sum(one.near for one in alike)),
            ("near repeats (ROUGE-L >= 0.9)", sum(one.very_near for one in alike)),
            ("survive the 0.7 filter", sum(one.survivors for one in alike)),
        ):
            yield Row(name, count, note=self._share(count))
        bare = [one.masked for one in self._sets]
        yield self._none_of("near repeats, masked", (one.near for one in bare))
        yield self._all("survive the 0.7 filter, masked", sum(one.survivors for one in bare))

    def _leaks(self) -> Iterator[Row]:
        found = Counter(name for one in self._sets for reasons in one.reasons for name in reasons)
        for name, reason in LEAKS.items():
            yield self._none(name, found[reason])
        six = frozenset(LEAKS.values())
        yield self._none_of(
            "any of these six",
            (sum(not six.isdisjoint(reasons) for reasons in one.reasons) for one in self._sets),
        )
        demands = {reason for reason in found if reason.startswith("demand:")}
        yield self._none_of(
            "added demand",
            (sum(not demands.isdisjoint(reasons) for reasons in one.reasons) for one in self._sets),
        )
        yield self._none("markup added", found["markup"])
        broken = {"garbled", "unicode"}
        every = (reasons for one in self._sets for reasons in one.reasons)
        yield self._none("broken text", sum(not broken.isdisjoint(reasons) for reasons in every))

    def _constraints(self) -> Iterator[Row]:
        bound = [one for one in self._sets if one.hard]
        damaged = [done for one in bound for done in one.violations]
        yield Row("under a hard constraint", len(damaged), note=f"{len(bound)} tasks")
        for name, count in (
            ("hard constraint broken", sum(not d.isdisjoint(("altered", "lost")) for d in damaged)),
            ("hard constraint lost", sum("lost" in d for d in damaged)),
            ("only its capitals", sum(d == {"case"} for d in damaged)),
        ):
            yield Row(name, count, "0", count == 0, self._share(count, len(damaged)))
        other = 0
        for one in self._sets:
            for reasons, done in zip(one.reasons, one.violations, strict=True):
                broken = any(reason.startswith("constraint:") for reason in reasons)
                other += broken and not done
        yield self._none("other constraint broken", other)

    def _lengths(self) -> Iterator[Row]:
        shares = [share for one in self._sets for share in one.lengths]
        yield self._none("more than 2 x the definition", sum(share > 2 for share in shares))
        yield self._none("more than 3 x the definition", sum(share > 3 for share in shares))
        yield self._none("less than 0.3 x the definition", sum(share < 0.3 for share in shares))
        yield Row("longest, x the definition", max(shares, default=0.0))

    @property
    def _full(self) -> bool:
        return all(len(one.texts) >= FULL for one in self._sets)

    def _variety(self) -> Iterator[Row]:
        sets = self._sets
        yield self._mean("mean ROUGE-L of pairs", [one.likeness.mean for one in sets])
        name = "mean ROUGE-L of pairs, masked"
        yield self._mean(name, [one.masked.mean for one in sets], most=0.35)
        yield self._mean("self-BLEU-4", [one.self_bleu for one in sets], most=0.80)
        yield self._mean("distinct-1", [one.distinct[0] for one in sets], least=0.07)
        yield self._mean("distinct-2", [one.distinct[1] for one in sets], least=0.22)
        shares = [one.openings[0] for one in sets]
        yield self._mean("commonest opening, share", shares, most=0.15)
        entropies = [one.openings[1] for one in sets]
        yield self._mean("entropy of openings, bits", entropies, least=4.5)

    def _mean(
        self,
        name: str,
        values: list[float],
        *,
        least: float | None = None,
        most: float | None = None,
    ) -> Row:
        """Return a row with the mean over tasks, weighted by their wordings."""
        weights = [len(one.texts) for one in self._sets]
        weighted = sum(weight * value for weight, value in zip(weights, values, strict=True))
        mean = weighted / (sum(weights) or 1)
        note = f"{min(values):.3f} to {max(values):.3f}" if len(values) > 1 else ""
        if least is not None:
            return Row(name, mean, f">= {least:g}", mean >= least if self._full else None, note)
        if most is not None:
            return Row(name, mean, f"<= {most:g}", mean <= most if self._full else None, note)
        return Row(name, mean, note=note)

    def _verbs(self) -> Iterator[Row]:
        found = [one.verbs for one in self._sets if one.verbs]
        for place, (name, least) in enumerate((("lead verbs", 25), ("verb-object pairs", 60))):
            if found:
                middle = float(median(counted[place] for counted in found))
                ok = middle >= least if self._full else None
                yield Row(f"{name}, median", middle, f">= {least}", ok, "by rule of thumb")
