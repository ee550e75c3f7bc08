"""Catalonia Independence Corpus: tweets with the stance they take on independence.

Raw layout: the task file task1646 of Super-NaturalInstructions. An input is "Tweet: " and the
tweet, in Catalan or Spanish, with its mentions, hashtags and links. The corpus is not medical; it
came into MedS-Ins because its task file says it is.
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
)

RETWEET = re.compile(r"Tweet:\s*(?:RT @\w+:\s*)?")


class CataloniaIndependence(Recipe):
    title = "Catalonia Independence Corpus"
    homepage = "https://github.com/ixa-ehu/catalonia-independence-corpus"
    license = "CC-BY-NC-SA-4.0"
    citation = "Zotova et al., 2020, LREC, arXiv:2004.00050; Wang et al., 2022, arXiv:2204.07705"
    figure_label = "Catalonia Independence Corpus"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take task1646_dataset_card_for_catalonia_independence_corpus_text_classification.json "
        "from the folder tasks/ of github.com/allenai/natural-instructions and put it in "
        "../superni."
    )
    files = raw.superni(
        "task1646_dataset_card_for_catalonia_independence_corpus_text_classification",
        # A tweet and its retweets stay on the same side.
        group=lambda tweet: RETWEET.sub("", tweet, count=1).strip(),
    )

    deviations = (
        (
            "The definition is in Spanish, because the tweets are in Spanish or Catalan; the "
            "published one is in English. The labels stay as they are."
        ),
    )

    stance = Task(
        legacy_id="task39",
        category=Category.INTENT_IDENTIFICATION,
        domain=Domain.DAILY_CONVERSATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=4410,
        # The taxonomy has no code for Catalan.
        languages=("es", "en"),
        labels=("Against", "Favor", "Neutral"),
        definition=(
            "Lea el siguiente tuit, escrito en catalán o en español, y diga qué postura adopta "
            "ante la independencia de Cataluña. Responda 'Favor' si la apoya, a ella o a quienes "
            "la promueven, 'Against' si la rechaza o critica, y 'Neutral' si solo informa o no "
            "deja ver ninguna opinión. Escriba únicamente una de esas tres palabras inglesas, sin "
            "comillas."
        ),
        must_include=("comillas|entrecomill",),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        yield self.stance(
            input=record["input"],
            output=record["output"][0],
            references=record["output"],
            key=record["id"],
            group=record["group"],
        )
