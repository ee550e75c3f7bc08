"""What every machine-made wording goes through, and the pool that it has to be new in.

`judge` looks at one text by itself: the checks of `medsins.instructions.filters`, in their order. A
`Pool` goes on to compare it with the definition, the seed prompts and all that was accepted before.
Nothing here draws by lot or reads a clock: the same texts in the same order get the same verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from medsins.instructions.filters import DEFAULT, FILTERS, FilterSettings, run_filters
from medsins.instructions.filters import REASONS as FILTER_REASONS
from medsins.instructions.similarity import masked, normalised, rouge_l, words
from medsins.instructions.spec import InstructionSpec

__all__ = [
    "DEFAULT",
    "FILTERS",
    "REASONS",
    "FilterSettings",
    "InstructionSpec",
    "Pool",
    "Verdict",
    "judge",
]

REASONS = {
    **FILTER_REASONS,
    "repeat:exact": "is the same as another, but for case and punctuation",
    "repeat:near": "is nearly the same as another",
}
"""Every reason of a rejection, and what it means; the names are stable."""


_NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Verdict:
    """What became of a wording.

    Attributes:
        accepted: Whether it may be used.
        reason: One of `REASONS` if not; "" if it may.
        detail: What shows it, for people.
        nearest: The wording most like it among those it was compared with; "" if it was not.
        similarity: ROUGE-L of the two, protected spans left out, from 0 to 1.
        scores: Measures that were taken on the way: "words", "length" (as a share of the
            definition's), "similarity".
    """

    accepted: bool
    reason: str = ""
    detail: str = ""
    nearest: str = ""
    similarity: float = 0.0
    scores: Mapping[str, float] = field(default_factory=lambda: _NO_SCORES)


def judge(
    text: str, spec: InstructionSpec, filters: FilterSettings = DEFAULT, *, template: str = ""
) -> Verdict:
    """Judge a wording by itself; what it repeats is for `Pool.offer` to say.

    Args:
        text: The wording, with its protected spans in place.
        spec: What it is held to.
        filters: Thresholds, and which filters are off.
        template: The text of the prompt that asked for it, without what was filled in.
    """
    count = len(words(text))
    scores = MappingProxyType(
        {"words": float(count), "length": count / spec.length if spec.length else 0.0}
    )
    for hit in run_filters(text, spec, filters, template=template):
        return Verdict(False, hit.reason, hit.detail, scores=scores)
    return Verdict(True, scores=scores)


class Pool:
    """The wordings of one task: those that are there, and those that were accepted.

    Attributes:
        spec: What wordings are held to.
        filters: Thresholds, and which filters are off.
        accepted: The accepted wordings, in the order in which they were offered.
    """

    def __init__(
        self,
        spec: InstructionSpec,
        filters: FilterSettings = DEFAULT,
        seeds: Iterable[str] = (),
        *,
        template: str = "",
    ) -> None:
        """Start with the definition and the seed prompts, which are not judged.

        Args:
            spec: What wordings are held to.
            filters: Thresholds, and which filters are off.
            seeds: The seed prompts of the task.
            template: The text of the prompt that asks for wordings, without what is filled in.
        """
        self.spec = spec
        self.filters = filters
        self.accepted: list[str] = []
        self._template = template
        self._codes: dict[str, int] = {}
        self._keys: dict[str, str] = {}
        self._texts: list[str] = []
        self._coded: list[list[int]] = []
        short = spec.length < filters.short
        self._near = filters.near_short if short else filters.near
        for text in (spec.definition, *seeds):
            self._add(text, normalised(text), self._code(text))

    def offer(self, text: str) -> Verdict:
        """Judge a wording by all filters, and add it if it passes.

        Args:
            text: The wording, with its protected spans in place.
        """
        verdict = judge(text, self.spec, self.filters, template=self._template)
        return self.compare(text, verdict.scores) if verdict.accepted else verdict

    def compare(self, text: str, scores: Mapping[str, float] = _NO_SCORES) -> Verdict:
        """Judge whether a wording is new, whatever else it is, and add it if it is.

        Args:
            text: The wording, with its protected spans in place.
            scores: What was measured before; it goes into the verdict.
        """
        key = normalised(text)
        if "exact" not in self.filters.off and key in self._keys:
            detail = "it differs in case and punctuation at most"
            return Verdict(False, "repeat:exact", detail, self._keys[key], 1.0, scores)
        coded = self._code(text)
        similarity, nearest = self._most_similar(coded)
        scores = MappingProxyType({**scores, "similarity": similarity})
        if "near" not in self.filters.off and similarity >= self._near:
            detail = f"ROUGE-L {similarity:.2f}, allowed below {self._near:.2f}"
            return Verdict(False, "repeat:near", detail, nearest, similarity, scores)
        self._add(text, key, coded)
        self.accepted.append(text)
        return Verdict(True, "", "", nearest, similarity, scores)

    def _code(self, text: str) -> list[int]:
        """Return the words of a text outside protected spans, each as a number."""
        bare = words(masked(text, self.spec.protected))
        return [self._codes.setdefault(word, len(self._codes)) for word in bare]

    def _add(self, text: str, key: str, coded: list[int]) -> None:
        self._keys.setdefault(key, text)
        self._texts.append(text)
        self._coded.append(coded)

    def _most_similar(self, coded: Sequence[int]) -> tuple[float, str]:
        """Return the largest ROUGE-L with any wording of the pool, and that wording."""
        best, nearest = 0.0, ""
        for other, text in zip(self._coded, self._texts, strict=True):
            total = len(coded) + len(other)
            # A common subsequence is no longer than the shorter of the two.
            if not total or 2 * min(len(coded), len(other)) <= best * total:
                continue
            similarity = rouge_l(coded, other)
            if similarity > best:
                best, nearest = similarity, text
        return best, nearest
