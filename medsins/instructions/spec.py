"""The instruction spec: what a definition demands of every wording of it.

A task returns its spec (`Task.spec`), so that checks of wordings depend on no task or recipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from medsins.instructions.constraints import Constraint, declared, derive, protected
from medsins.instructions.languages import language
from medsins.instructions.seeds import Seed, read_seeds
from medsins.instructions.similarity import masked, stems, words
from medsins.text import NO_ENTITY, one_line


@dataclass(frozen=True, kw_only=True)
class InstructionSpec:
    """What a task's definition demands of its wordings.

    Attributes:
        name: Name of the task.
        definition: Its definition.
        source: Name of the task's recipe.
        seed_file: Path of its seed prompts, if there are any.
        template_vars: Value of each placeholder in the seed prompts of its family.
        labels: The closed set of labels, where there is one.
        template: The output with `{label}` in it, where the output is more than the label.
        metric: Name of the benchmark's metric.
        translation: ISO 639-1 codes of source and target, if the task is to translate.
        finds: Whether the task is to find something in a text.
        must_include: What the task declares beside what rules derive from the definition.
        ignored_constraints: Values of derived constraints that no wording has to keep.
        given: All constraints, where they are not those of the definition.
    """

    name: str
    definition: str
    source: str = ""
    seed_file: Path | None = None
    template_vars: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    template: str = "{label}"
    metric: str = ""
    translation: tuple[str, str] | None = None
    finds: bool = False
    must_include: tuple[str, ...] = ()
    ignored_constraints: tuple[str, ...] = ()
    given: tuple[Constraint, ...] | None = None

    @cached_property
    def all_constraints(self) -> tuple[Constraint, ...]:
        """What a wording has to keep, and what the task ignores of that, without repeats."""
        if self.given is not None:
            return self.given
        derived = derive(
            self.definition, labels=self.labels, languages=self.translation, finds=self.finds
        )
        ignored = set(self.ignored_constraints)
        shown = [
            one if ignored.isdisjoint(one.any_of) else replace(one, ignored=True) for one in derived
        ]
        return tuple(dict.fromkeys([*shown, *map(declared, self.must_include)]))

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """What every wording has to keep."""
        return tuple(one for one in self.all_constraints if not one.ignored)

    @cached_property
    def protected(self) -> tuple[str, ...]:
        """Spans that wordings repeat byte for byte; left out where texts are compared."""
        return tuple(dict.fromkeys([*protected(self.constraints), *self.template_vars.values()]))

    @cached_property
    def seeds(self) -> list[Seed]:
        """The seed prompts, filled in; none if there is no file of them.

        Raises:
            CheckError: The file is not laid out as it should be, or a placeholder cannot be filled.
        """
        if self.seed_file is None:
            return []
        attribute = self.name.removeprefix(f"{self.source}_")
        return read_seeds(self.seed_file, attribute, self.template_vars, self.name)

    @cached_property
    def language(self) -> str:
        """ISO 639-1 code of the definition's language; "" if it is not recognised."""
        return language(self.definition)

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The closed set of outputs; empty where outputs are free text."""
        return frozenset(self.template.format(label=label) for label in self.labels)

    @cached_property
    def length(self) -> int:
        """Words of the definition."""
        return len(words(self.definition))

    @cached_property
    def bare_length(self) -> int:
        """Words of the definition outside protected spans."""
        return len(words(masked(self.definition, self.protected)))

    @cached_property
    def folded(self) -> str:
        """The definition in lower case and on one line."""
        return one_line(self.definition.lower())

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of words side by side in the definition, outside protected spans."""
        return frozenset(pairwise(words(masked(self.definition, self.protected))))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Beginnings of the words of the definition that carry its meaning."""
        return stems(self.definition)


EMPTY_ANSWERS = {"f1": (NO_ENTITY, NO_ENTITY.replace("enetity", "entity"))}
"""What a metric of MedS-Bench takes for "there is none", where it looks for a sentence: the
published one, misspelt as the gold is, and the one that rewrites made of it."""

_NONE = re.compile(r"\bthere (?:is|are) no\b.*", re.IGNORECASE)
_ANSWER = re.compile(
    r"\b(?:answer|write|reply|respond|say|return|output|responda|escriba|répondez|écrivez|напишите|"
    r"ответьте)\b|作答|回答|答え",
    re.IGNORECASE,
)


def unscorable(spec: InstructionSpec) -> Iterator[str]:
    """Yield what a definition asks for that the task's metric would count as wrong.

    Tasks with a metric that looks for a sentence where there is nothing (`EMPTY_ANSWERS`) have to
    ask for such a sentence, and tasks with a closed set of labels for outputs of that set.
    """
    for one in spec.all_constraints:
        if one.kind not in ("literal", "required") or not one.exact:
            continue
        literal = one.any_of[0]
        accepted = EMPTY_ANSWERS.get(spec.metric)
        if accepted and _NONE.match(literal) and literal not in accepted:
            yield (
                f"{spec.name}: the definition asks for {literal!r}, which its metric does not "
                f"take for an empty answer; it takes {' or '.join(map(repr, accepted))}"
            )
        if spec.metric and spec.outputs and one.kind == "literal" and not one.ignored:
            before = spec.definition[: spec.definition.index(literal)]
            clause = re.split(r"[.。!?]\s", before)[-1]
            if _ANSWER.search(clause) and not _is_output(literal, spec):
                yield (
                    f"{spec.name}: the definition asks for {literal!r}, which is none of the "
                    "outputs that its metric knows"
                )


def _is_output(literal: str, spec: InstructionSpec) -> bool:
    """Return whether a literal is an output or label, or their form with a word in capitals."""
    if literal in spec.outputs or literal in spec.labels:
        return True
    before, _, after = spec.template.partition("{label}")
    inner = literal.removeprefix(before).removesuffix(after)
    return len(inner) < len(literal) and re.fullmatch(r"[^\W\d_a-z]{2,}", inner) is not None
