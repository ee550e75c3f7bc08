"""PubMed MeSH: titles and abstracts of PubMed articles with their MeSH headings.

Raw layout (kaggle.com/datasets/owaiskhan9654/pubmed-multilabel-text-classification and its notes;
taken from BioASQ): one CSV with `Title`, `abstractText`, `meshMajor` (the headings, as a Python
list in a string), `pmid`, `meshid`, `meshroot` and a column of 0 and 1 for each root of MeSH.
Headings have commas ("DNA, Viral") and apostrophes ("Meniere's Disease") in them. That MedS-Ins was
made from this file is inferred from its size and from the published definition.
"""

import ast
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


def listed(cell: str) -> list[str]:
    """Return the strings of a Python list that was written as text."""
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError) as error:
        raise raw.RecordError("no Python list", field="meshMajor", detail=cell) from error
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise raw.RecordError("no list of strings", field="meshMajor", detail=cell)
    return sorted({text.one_line(item) for item in value if item.strip()}, key=str.casefold)


class PubMedMeSH(Recipe):
    title = "PubMed MultiLabel Text Classification (MeSH)"
    homepage = "https://www.kaggle.com/datasets/owaiskhan9654/pubmed-multilabel-text-classification"
    license = "AFL-3.0"
    citation = "owaiskhan9654, 2022, Kaggle; Tsatsaronis et al., 2015, BMC Bioinformatics 16:138"
    figure_label = "PubMed MeSH"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Sign in to Kaggle and download 'PubMed Multi Label Text Classification Dataset "
        "Processed.csv' from https://www.kaggle.com/datasets/owaiskhan9654/"
        "pubmed-multilabel-text-classification (or get it without an account from "
        "https://huggingface.co/datasets/owaiskha9654/"
        "PubMed_MultiLabel_Text_Classification_Dataset_MeSH), and put it here."
    )
    files = raw.csv(
        "PubMed Multi Label Text Classification Dataset Processed.csv",
        columns=("Title", "abstractText", "meshMajor", "pmid"),
    )
    deviations = (
        (
            "Headings are in alphabetical order and joined by semicolons, because many have a "
            "comma in them; how the published ones are joined is not known."
        ),
    )

    classification = Task(
        legacy_id="task107",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=45000,
        definition=(
            "You are given the title and the abstract of an article in PubMed. List the Medical "
            "Subject Headings (MeSH) that an indexer would assign to it, check tags such as "
            "Humans, Female or Adult included: usually ten to fifteen. Write each heading as the "
            "thesaurus spells it, without qualifiers, in alphabetical order, with a semicolon and "
            "a blank between two headings."
        ),
        must_include=("MeSH", "check tag", "qualifier", "alphabet", "semicolon"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        title, abstract = text.one_line(record["Title"]), text.one_line(record["abstractText"])
        if not title or not abstract:
            yield self.skip("no title or no abstract")
            return
        headings = listed(record["meshMajor"])
        if not headings:
            yield self.skip("no headings")
            return
        yield self.classification(
            input=f"{title}\n{abstract}", output="; ".join(headings), key=record["pmid"]
        )
