"""Spans that no rewrite may change travel as placeholders and come back byte for byte."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from medsins.instructions.spec import InstructionSpec

_PLACEHOLDER = re.compile(r"⟦\s?[^⟦⟧]*⟧")
_SENTENCE_END = re.compile(r"[.!?](?:['\"”’»)]*\s+)|[。！？\n]")


@dataclass(frozen=True)
class Mask:
    """The protected spans of one definition.

    Attributes:
        spans: The spans; the first one travels as `⟦P1⟧`.
        counts: How often the definition has each.
        ordered: Pairs of labels that stand in one sentence of the definition, in this order: each
            goes with what is said beside it.
    """

    spans: tuple[str, ...]
    counts: tuple[int, ...]
    ordered: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, spec: InstructionSpec) -> Mask:
        """Return the mask for the protected spans of a definition, by first occurrence."""
        definition, protected = spec.definition, spec.protected
        there = [span for span in dict.fromkeys(protected) if span and span in definition]
        # Where one span is in another, the longer one counts.
        found = Counter(_pattern(there).findall(definition)) if there else Counter[str]()
        mask = cls(tuple(found), tuple(found.values()))
        kinds = ("label", "literal")
        labels = {s for one in spec.constraints if one.kind in kinds for s in one.any_of}
        names = dict(zip(mask.placeholders, mask.spans, strict=True))
        pairs = mask.pairs(mask.hide(definition))
        ordered = {pair for pair in pairs if {names[one] for one in pair} <= labels}
        # Labels that the definition itself has both ways round mean nothing by their order.
        both = {(one, other) for one, other in ordered if (other, one) in ordered}
        return cls(mask.spans, mask.counts, frozenset(ordered - both))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What stands for each span."""
        return tuple(f"⟦P{number}⟧" for number in range(1, len(self.spans) + 1))

    def hide(self, text: str) -> str:
        """Put placeholders in place of the spans; the longest wins where one is in another."""
        if not self.spans:
            return text
        names = dict(zip(self.spans, self.placeholders, strict=True))
        return _pattern(list(self.spans)).sub(lambda match: names[match[0]], text)

    @property
    def wanted(self) -> dict[str, int]:
        """How often each placeholder stands in the definition."""
        return dict(zip(self.placeholders, self.counts, strict=True))

    def wrong(self, text: str) -> list[str]:
        """Return the placeholders that a rewrite lacks, repeats more than asked, or made up."""
        found = Counter(_PLACEHOLDER.findall(text))
        wanted = self.wanted
        made_up = [name for name in found if name not in wanted]
        return [name for name, most in wanted.items() if not 1 <= found[name] <= most] + made_up

    def pairs(self, text: str) -> set[tuple[str, str]]:
        """Return the pairs of placeholders that stand in one sentence, in their order."""
        found = (_PLACEHOLDER.findall(sentence) for sentence in _SENTENCE_END.split(text))
        return {pair for names in found for pair in combinations(names, 2) if pair[0] != pair[1]}

    def swapped(self, text: str) -> bool:
        """Return whether a rewrite has labels of one sentence in another order."""
        return any((other, one) in self.ordered for one, other in self.pairs(text))

    def show(self, text: str) -> str:
        """Put the spans back in place of the placeholders."""
        for name, span in zip(self.placeholders, self.spans, strict=True):
            text = text.replace(name, span)
        return text


def _pattern(spans: list[str]) -> re.Pattern[str]:
    def whole(span: str) -> str:
        # "no" is not in "not"; Chinese and Japanese put no space between words.
        before = r"(?<![^\W_])" if span[0].isascii() and span[0].isalnum() else ""
        after = r"(?![^\W_])" if span[-1].isascii() and span[-1].isalnum() else ""
        return f"{before}{re.escape(span)}{after}"

    return re.compile("|".join(map(whole, sorted(spans, key=len, reverse=True))))
