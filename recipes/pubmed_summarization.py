"""PubMed summarization: articles of PubMed Central with their abstracts.

Raw layout (readme of github.com/armancohan/long-summarization): JSON Lines named `.txt`, with
`article_id`, `article_text` and `abstract_text` (lists of sentences), `labels`, `section_names`
and `sections`. Text is in lower case, with spaces around punctuation; a sentence of an abstract
stands between `<S>` and `</S>` (the owners' script). A few articles have no text.
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

SENTENCE_TAG = re.compile(r"</?S>", re.IGNORECASE)


class PubMedSummarization(Recipe):
    title = "PubMed long-document summarization"
    homepage = "https://github.com/armancohan/long-summarization"
    license = "unknown"
    citation = "Cohan et al., 2018, NAACL, arXiv:1804.05685"
    figure_label = "PubMed"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download pubmed-dataset.zip by the links in the readme of "
        "github.com/armancohan/long-summarization (Google Drive or archive.org, no account "
        "needed) and unpack it, so that the folder pubmed-dataset lies here."
    )
    files = raw.jsonl(
        train="pubmed-dataset/train.txt",
        validation="pubmed-dataset/val.txt",
        test="pubmed-dataset/test.txt",
    )
    deviations = (
        (
            "All of the official train file is training data, because nothing is tested on the "
            "tenth of it that MedS-Ins leaves out."
        ),
    )

    article = Task(
        legacy_id="task111",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=107931,
        definition=(
            "You are given the full text of a biomedical article without its abstract. Write the "
            "abstract: why the work was done, how, what was found and what follows from it, in "
            "the order of the article and with the figures that matter. As in the article, write "
            "in lower case, with a blank before and after every punctuation mark."
        ),
        must_include=("lower case|lowercase|small letters", "punctuation", "abstract"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        article = text.one_line(" ".join(record["article_text"]))
        abstract = text.one_line(SENTENCE_TAG.sub(" ", " ".join(record["abstract_text"])))
        if not article:
            yield self.skip("article without text")
            return
        if not abstract:
            yield self.skip("article without an abstract")
            return
        yield self.article(input=article, output=abstract, key=record["article_id"])
