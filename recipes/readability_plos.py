"""Controllable readability corpus: articles of PLOS journals with their author summaries.

Raw layout (readme of github.com/zhehengluoK/Readability-Controllable-Biomedical-Document-
Summarization, and the file names of the owners' copy on Hugging Face): JSON Lines with `doi`,
`title`, `abstract`, `plain language summary` and `article`, the whole text as one string, in
which the summary stands too. 1,000 articles each are for development and testing.
"""

import re
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


def without(article: str, summary: str) -> str:
    """Return the article without the summary, wherever white space falls in it."""
    words = r"\s+".join(map(re.escape, summary.split()))
    return text.tidy_lines(re.sub(words, "", article))


class ReadabilityPLOS(Recipe):
    title = "Controllable readability corpus (PLOS)"
    homepage = "https://www.nactem.ac.uk/readability/"
    license = "CC-BY-4.0"
    citation = "Luo et al., 2022, Findings of EMNLP, doi:10.18653/v1/2022.findings-emnlp.343"
    figure_label = "Readibility"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download the corpus from https://www.nactem.ac.uk/readability/ (or its three files from "
        "https://huggingface.co/datasets/KenLuo/RC-Sum-PLOS), and put train_plos.jsonl, "
        "dev_plos.jsonl and test_plos.jsonl into a folder plos_corpus here."
    )
    files = raw.jsonl(
        train="plos_corpus/train_plos.jsonl",
        validation="plos_corpus/dev_plos.jsonl",
        test="plos_corpus/test_plos.jsonl",
    )
    deviations = (
        (
            "The summary is taken out of the article also where its white space differs there; "
            "the published script leaves it in then, as the answer in the question."
        ),
        "An article without a summary gives nothing; the published script gives an empty answer.",
        (
            "All of the official train file is training data, because nothing is tested on the "
            "tenth of it that MedS-Ins leaves out."
        ),
    )

    plain_language_summary = Task(
        legacy_id="task113",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=23511,
        definition=(
            "You are given the title and the text of a biomedical research article. Write its "
            "author summary for readers who are no specialists: what is known, what the authors "
            "asked and did, what they found and why it matters. Keep it to one or two paragraphs "
            "in plain words, avoid acronyms, and explain the technical terms you cannot avoid."
        ),
        must_include=("one or two paragraphs", "acronym", "technical term"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        summary = (record.get("plain language summary") or "").strip()
        if not summary:
            yield self.skip("no plain language summary")
            return
        article = without(record.get("article") or "", summary)
        if not article:
            yield self.skip("no text apart from the summary")
            return
        title = (record.get("title") or "").strip()
        yield self.plain_language_summary(
            input=f"{title}\n{article}" if title else article,
            output=summary,
            key=record.get("doi") or "",
        )
