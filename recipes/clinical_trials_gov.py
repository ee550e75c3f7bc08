"""Leaf Clinical Trials (LCT) corpus: eligibility criteria with entities and their relations.

Raw layout (github.com/uw-bionlp/clinical-trials-gov-data, its files and the brat_to_spert.py that
wrote them): `data/docs/brat/batch<n>/NCT<number>.txt` are the criteria as they were written; the
`.ann` beside each is empty. The annotations are in `data/ner/spert/{train,dev,test}.json`, arrays
of lines in the format of SpERT: `orig_id` ("<line>_NCT<number>", lines counted from 0), `tokens`,
`entities` ({type, start, end}, end exclusive) and `relations` ({type, head, tail}, positions in
`entities`). The lines of all trials were shuffled before they were cut into three files, so that
those of one trial are in all of them. `types.json` lists the types.

A line begins with its line break, which is a token, as single spaces may be; full-width characters
were replaced. Entities overlap, and many have a double of the same words whose type ends in -Name.
Not all trials that have a text are annotated.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from medsins import (
    Access,
    Category,
    Domain,
    Examples,
    LlmApi,
    Recipe,
    Redistribution,
    Task,
    raw,
    text,
)

# The types of types.json, and of some the values, which stand after three underscores.
PLAIN = (
    "Age, Allergy, Allergy-Name, Asserted, Assertion, Birth, Code, Condition, Condition-Name, "
    "Condition-Type, Contraindication, Coreference, Criteria, Criteria-Count, Death, Drug, "
    "Drug-Name, Encounter, Eq-Comparison, Eq-Unit, Eq-Value, Ethnicity, Exception, Family-Member, "
    "Immunization, Immunization-Name, Indication, Insurance, Language, Location, Modifier, "
    "Negation, Observation, Observation-Name, Organism, Organism-Name, Other, Procedure, "
    "Procedure-Name, Provider, Risk, Specimen, Study"
)
VALUED = {
    "Acuteness": "acute, chronic",
    "Condition-Name": "lab, measurement, vital",
    "Condition-Type": "admitting, discharge, problem-list",
    "Eq-Operator": "BETWEEN, EQ, GT, GTEQ, LT, LTEQ, PLUS-MINUS",
    "Eq-Temporal-Period": "anytime, future, past, present, recent",
    "Eq-Temporal-Recency": "first-time, most-recent-time",
    "Eq-Temporal-Unit": "day, hour, minute, month, second, week, year",
    "Eq-Unit": "ref-range-high, ref-range-low, ref-range-normal",
    "Life-Stage-And-Gender": (
        "adult, boy, child, elderly, female, girl, infant, male, transgender"
    ),
    "Location": "clinic, emergency-dept, hospital, residence, room, unit",
    "Polarity": ("abnormal, high, low, medium, negative, non-reactive, normal, positive, reactive"),
    "Severity": "mild, moderate, severe",
    "Stability": "change, stable",
}
RELATIONS = (
    "Abbrev-Of, Acuteness, After, And, Asserted, Before, Caused-By, Class, Code, Contraindicates, "
    "Criteria, Dose, Duration, During, Equivalent-To, Example-Of, Except, Found-By, From, Has, "
    "If-Then, Indication-For, Is-Other, Location, Max-Value, Min-Value, Minimum-Count, Modifies, "
    "Name, Negates, Numeric-Filter, Operator, Or, Per, Polarity, Provider, Refers-To, Risk-For, "
    "Severity, Specimen, Stability, Stage, Study-Of, Temporal-Unit, Temporality, Treatment-For, "
    "Type, Unit, Using, Value"
)
ENTITY_TYPES = sorted(
    [
        *PLAIN.split(", "),
        *(f"{kind}___{value}" for kind in VALUED for value in VALUED[kind].split(", ")),
    ]
)
RELATION_TYPES = RELATIONS.split(", ")

# What the owners replaced before they tokenised, each character by one.
REPLACED = str.maketrans("˂＜＞：－﴾﴿（、，", "<<>:-()(,,")
BREAK = re.compile(r"\s*\n\s*")


class ClinicalTrialsGov(Recipe):
    title = "Leaf Clinical Trials (LCT) corpus"
    homepage = "https://github.com/uw-bionlp/clinical-trials-gov-data"
    license = "unknown"
    citation = "Dobbins et al., 2022, Scientific Data 9:490, arXiv:2207.13757"
    figure_label = "Clinical-Trials.gov"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "In the folder above, run 'git clone https://github.com/uw-bionlp/clinical-trials-gov-data "
        "clinical_trials_gov', so that its folder data lies here."
    )
    files = raw.json(*(f"data/ner/spert/{part}.json" for part in ("train", "dev", "test")))
    lookups = {"criteria": raw.brat("data/docs/brat/**/*.txt")}
    deviations = (
        (
            "The three files are read together and split anew by trial, because the lines of one "
            "trial are scattered over them; the published script reads one of them and gives the "
            "lines in the others as empty."
        ),
        (
            "Entities have numbers, and relations refer to these, because the same words may be "
            "several entities; the published output repeats the words. Lines are counted from 1."
        ),
        (
            "The definition lists the types that the corpus has, values included, because the "
            "published list leaves some out."
        ),
        (
            "Entities are copied from the text, because the published ones are tokens joined by "
            "spaces; they are in the order of the text, as both definitions ask."
        ),
        "Trials of which a line is missing are left out, because their answer would have holes.",
    )

    eligibility_structuring = Task(
        legacy_id="task77",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.EXAMINATIONS,
        definition=(
            "You are given the eligibility criteria of a clinical trial. Mark up each line so that "
            "a database query can be made from it. Answer with one JSON object. Its keys are the "
            'numbers of the lines as strings, from "1" on, headings included and none left out. '
            'The value of each is an object with two lists, "Entities" and "Relations", which '
            "are empty where there are none. An entity is the list [number, words, type]: its "
            "number, counted from 1 in each line, the words that it covers, copied from the line, "
            "and its type. Order entities by where they begin, then the longer before the "
            "shorter, then by type; they may overlap, and the same words may have several types. "
            "A relation is the list [number, number, type]: the numbers of the entity it starts "
            "from and of the one it leads to, and its type. Order relations by these numbers, "
            "then by type. What stands after '___' in a type is the value that the words mean. "
            f"Types of entities: {', '.join(ENTITY_TYPES)}. Types of relations: {RELATIONS}."
        ),
        template_vars={"entities": ", ".join(ENTITY_TYPES), "relations": RELATIONS},
        must_include=(
            ", ".join(ENTITY_TYPES),
            RELATIONS,
            "[number, words, type]",
            "[number, number, type]",
            "headings|heading",
            "copied|copy",
            "overlap",
            "longer",
            "string",
            "empty",
        ),
    )

    def records(
        self, files: Sequence[raw.RawFile], split: str
    ) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield each trial with its lines."""
        del split
        trials: dict[str, list[dict[str, Any]]] = {}
        for line in self.read(files):
            trials.setdefault(line["orig_id"].partition("_")[2], []).append(line)
        yield from trials.items()

    def instances(self, record: tuple[str, list[dict[str, Any]]]) -> Examples:
        trial, lines = record
        if trial not in self._criteria:
            yield self.skip("no text of the trial")
            return
        criteria = self._criteria[trial]
        lines.sort(key=lambda line: int(line["orig_id"].partition("_")[0]))
        tokens = [token for line in lines for token in line["tokens"]]
        try:
            spans = text.token_spans(criteria.translate(REPLACED), tokens)
        except ValueError:
            yield self.skip("the lines of the trial do not add up to its text")
            return
        shown, structured = [], []
        rest = iter(spans)
        for line in lines:
            own = list(islice(rest, len(line["tokens"])))
            visible = [span for span in own if span[0] < span[1]]
            if visible:
                begin = criteria.rfind("\n", 0, visible[0][0]) + 1
                shown.append(BREAK.sub(" ", criteria[begin : visible[-1][1]]))
                structured.append(json.dumps(_structure(line, own, criteria), ensure_ascii=False))
        rows = ",\n".join(f'"{number}": {row}' for number, row in enumerate(structured, 1))
        yield self.eligibility_structuring(
            input="\n".join(shown), output=f"{{\n{rows}\n}}", key=trial, group=trial
        )

    @cached_property
    def _criteria(self) -> dict[str, str]:
        return {document.id: document.text for document in self.lookup("criteria")}


def _structure(
    line: dict[str, Any], spans: list[tuple[int, int]], criteria: str
) -> dict[str, list[list[int | str]]]:
    """Return the entities and relations of a line.

    Args:
        line: The line, as the owners annotate it.
        spans: Where its tokens stand in the criteria.
        criteria: The text.
    """
    places = [
        (spans[entity["start"]][0], spans[entity["end"] - 1][1], entity["type"])
        for entity in line["entities"]
    ]
    order = sorted(range(len(places)), key=lambda i: (places[i][0], -places[i][1], places[i][2]))
    numbers = {i: number for number, i in enumerate(order, 1)}
    relations = sorted(
        (numbers[relation["head"]], numbers[relation["tail"]], relation["type"])
        for relation in line["relations"]
    )
    if not {kind for *_, kind in places} <= set(ENTITY_TYPES):
        raise raw.RecordError("type of an entity is not in the list", field="entities")
    if not {kind for *_, kind in relations} <= set(RELATION_TYPES):
        raise raw.RecordError("type of a relation is not in the list", field="relations")
    return {
        "Entities": [
            [numbers[i], text.one_line(criteria[places[i][0] : places[i][1]]), places[i][2]]
            for i in order
        ],
        "Relations": [list(relation) for relation in relations],
    }
