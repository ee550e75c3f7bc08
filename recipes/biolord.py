"""BioLORD-Dataset: names of biomedical concepts, paired with what the concepts are.

Raw layout: the owners' dataset is gated and its files could not be looked at, so the layout is
ours: `biolord.jsonl`, JSON Lines with the two texts of a pair as `name` and `description`. They
look like this (dataset card and an item of MedS-Bench): a name may have a more general concept in
brackets at its end, and the description of such a name begins with that concept: "leaf node (part
of a tree)", "part of a tree described as one without children". A concept has several
names, and a name several descriptions; its pairs stand near one another.

MedS-Ins has 10,000 of the many million pairs, and MedS-Bench a tenth of these. Which ones is not
published; the last tenth of the file is the test set here, as elsewhere.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
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

CANDIDATES = 5
"""How many concepts the matching task lists."""


def bare(name: str, description: str) -> str:
    """Return a name without the more general concept in brackets that its description repeats."""
    if name.endswith(")"):
        for i in range(len(name)):
            parent = name[i + 2 : -1]
            if name[i : i + 2] == " (" and parent and description.startswith(parent):
                return name[:i]
    return name


class BioLORD(Recipe):
    title = "BioLORD-Dataset v1"
    homepage = "https://huggingface.co/datasets/FremyCompany/BioLORD-Dataset"
    # The licenses of UMLS (NLM) and SNOMED CT (IHTSDO), from which names and definitions come.
    license = "LicenseRef-IHTSDO-and-NLM"
    citation = "Remy et al., 2022, Findings of EMNLP, pages 1454-1465, arXiv:2210.11892"
    figure_label = "BioLORD"
    access = Access.REGISTRATION
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Get a UMLS license, which covers SNOMED CT where you live or says how to, ask for access "
        "on the homepage, and save the pairs you want (MedS-Ins has 10,000) here as biolord.jsonl: "
        "a JSON object a line, with the name of the concept as 'name' and its definition as "
        "'description', in the order of the dataset. They are held in memory."
    )
    files = raw.jsonl("biolord.jsonl")
    deviations = (
        (
            "The test set is the last tenth of the pairs, for all three tasks, because which pairs "
            "MedS-Bench tests is not published: theirs may be among those for training here. Pairs "
            "that share their name or their description with the test set are left out of train."
        ),
        (
            "task48 and task49 name concepts without the bracket at their end, because the "
            "definition begins with the same words, which would give the answer away."
        ),
        "task49 accepts each name that the file has for the definition.",
        (
            "task48: the published layout of its input is not known. Here five concepts are "
            "listed in alphabetical order, none of the other four a name for the definition."
        ),
    )

    definition_concept_matching = Task(
        legacy_id="task48",
        category=Category.TEXT_RETRIEVAL,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=9000,
        definition=(
            "After 'Definition:' a biomedical concept is described, and after 'Concepts:' several "
            "concepts are listed, each on its own line after a hyphen. Exactly one of them is "
            "meant. Copy that one from the list, without the hyphen and with nothing else."
        ),
        must_include=("hyphen", "list"),
        ignored_constraints=("line",),
    )
    definition_to_concept = Task(
        legacy_id="task49",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=9000,
        definition=(
            "After 'Definition:' a biomedical concept is described at length: a disease, a "
            "procedure, a substance, a part of the body, a biological process or the like. Say in "
            "the few words of a term in a biomedical vocabulary which concept it is, and nothing "
            "more."
        ),
        must_include=("vocabular",),
    )
    concept_explanation = Task(
        legacy_id="task50",
        benchmark_id="task50",
        category=Category.EXPLANATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=9000,
        metric="bleu_rouge",
        definition=(
            "After 'Concept:' you find the name of a biomedical concept, sometimes with a more "
            "general concept in brackets. Define it as an ontology does: say first what kind of "
            "thing it is, in the words of the bracket where there is one, then what sets it apart "
            "from its like. Write one dense phrase or sentence."
        ),
        must_include=("bracket|parenthes", "phrase", "sentence"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield each pair with candidates to choose from and its place in the split."""
        del split
        pairs = [
            (text.one_line(row.get("name") or ""), text.one_line(row.get("description") or ""))
            for row in self.read(files)
        ]
        short = [bare(*pair) for pair in pairs]
        names = defaultdict(set)
        for name, (_, description) in zip(short, pairs, strict=True):
            names[description].add(name)
        kept = len(pairs) * 9 // 10
        tested = {*short[kept:], *(description for _, description in pairs[kept:])}
        for i, (name, description) in enumerate(pairs):
            candidates = {short[i]}
            for step in range(1, len(pairs)):
                # Far from here and from one another, since pairs of a concept stand together.
                other = short[(i + (step * 7919 % len(pairs) or step)) % len(pairs)]
                if len(candidates) == CANDIDATES:
                    break
                if other and other not in names[description]:
                    candidates.add(other)
            yield {
                "name": name,
                "bare": short[i],
                "description": description,
                "candidates": sorted(candidates, key=str.casefold),
                "synonyms": sorted(names[description]),
                "held_out": i >= kept,
                "related": i < kept and (short[i] in tested or description in tested),
            }

    def instances(self, record: dict[str, Any]) -> Examples:
        name, description = record["bare"], record["description"]
        if not name or not description:
            yield self.skip("no name or no description")
            return
        if record["related"]:
            yield self.skip("its name or its description is in the test set")
            return
        split = "test" if record["held_out"] else "train"
        listed = "\n".join(f"- {candidate}" for candidate in record["candidates"])
        yield self.definition_concept_matching(
            input=f"Definition: {description}\nConcepts:\n{listed}", output=name, split=split
        )
        yield self.definition_to_concept(
            input=f"Definition: {description}",
            output=name,
            references=record["synonyms"],
            split=split,
        )
        yield self.concept_explanation(
            input=f"Concept: {record['name']}", output=description, split=split
        )
