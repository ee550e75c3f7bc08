"""LitCovid document classification: articles about COVID-19 with the topics of LitCovid.

Raw layout (readme and scripts of github.com/dki-lab/covid19-classification; release of August
2020): `LitCovid.{train,dev,test}.csv` with `pmid`, `title`, `text` (the passages of the article,
the title first, with an empty line between them), `human_label` (topics joined by ", ") and
others. The `.tsv` files beside them have the same articles without identifiers, in lower case and
tokenised. An article is an abstract, or a full text of up to a hundred thousand characters; it
has one to several topics. `case_report` is the only topic with an underscore.
"""

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

# In the order of the owners' litcovid_category_order.txt, which is that of `human_label`.
TOPICS = (
    "diagnosis",
    "treatment",
    "mechanism",
    "transmission",
    "prevention",
    "case report",
    "forecasting",
    "general",
)


class LitCovid(Recipe):
    title = "LitCovid document classification"
    homepage = "https://github.com/dki-lab/covid19-classification"
    license = "unknown"
    citation = "Jimenez Gutierrez et al., 2020, Findings of EMNLP, arXiv:2006.13816"
    figure_label = "LitCovid"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link to the LitCovid data in the readme of "
        "github.com/dki-lab/covid19-classification (Google Drive, no account needed), download "
        "LitCovid.train.csv, LitCovid.dev.csv and LitCovid.test.csv from the folder "
        "hedwig-data/datasets/LitCovid, and put them here under the same path."
    )
    files = raw.csv(
        columns=("pmid", "text", "human_label"),
        train="hedwig-data/datasets/LitCovid/LitCovid.train.csv",
        validation="hedwig-data/datasets/LitCovid/LitCovid.dev.csv",
        test="hedwig-data/datasets/LitCovid/LitCovid.test.csv",
    )
    deviations = (
        (
            "The answer names all topics of an article; the published definition asks for one, but "
            "many articles have several, and each is right."
        ),
        (
            "Articles keep their case and their paragraphs, because the raw files have them; the "
            "tokenised files that most experiments read have not."
        ),
        (
            "All of the official train file is training data, because nothing is tested on the "
            "tenth of it that MedS-Ins leaves out."
        ),
    )

    topic_classification = Task(
        legacy_id="task108",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given the abstract or the text of an article about COVID-19. Name its topics: "
            "diagnosis (tests, symptoms, imaging), treatment, mechanism (how the virus and the "
            "disease work), transmission, prevention (control, public health, protection), case "
            "report, forecasting (models of how the epidemic spreads) or general (whatever fits "
            "nowhere else). Most articles have one topic, some have several. Write the names in "
            "lower case and in this order, with a comma and a blank between two of them, and "
            "nothing else."
        ),
        must_include=(*TOPICS, "lower case|lowercase", "comma", "order|sequence"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        article = text.tidy_lines(record["text"])
        if not article:
            yield self.skip("empty text")
            return
        named = {name.strip().replace("_", " ") for name in record["human_label"].split(",")} - {""}
        if not named.issubset(TOPICS):
            raise raw.RecordError("no such topic", field="human_label", detail=str(sorted(named)))
        if not named:
            yield self.skip("no topic")
            return
        yield self.topic_classification(
            input=article,
            output=", ".join(topic for topic in TOPICS if topic in named),
            key=record["pmid"],
        )
