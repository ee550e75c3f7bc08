"""COVID-QA: questions of biomedical experts on scientific articles about COVID-19.

Raw layout (owners' files and the `covid_qa_deepset` loader of Hugging Face): SQuAD JSON, {"data":
[{"paragraphs": [{"context", "document_id", "qas": [{"id", "question", "is_impossible", "answers":
[{"text", "answer_start"}]}]}]}]}. A context is a whole article. Many values of `answer_start` are
wrong, and many answers have spaces at their ends; the offsets are not used here.
"""

from collections.abc import Iterator
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


def questions(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the questions of all articles, each with its article's identifier."""
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield {**question, "document_id": paragraph["document_id"]}


class CovidQA(Recipe):
    title = "COVID-QA"
    homepage = "https://github.com/deepset-ai/COVID-QA"
    license = "Apache-2.0"
    citation = "Möller et al., 2020, ACL Workshop on NLP for COVID-19"
    figure_label = "COVID-QA"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take data/question-answering/COVID-QA.json from the repository at the homepage, and keep "
        "its folders."
    )
    files = raw.json("data/question-answering/COVID-QA.json", records=questions)
    deviations = (
        (
            "Questions on one article are on one side of the split, because they share their "
            "subject; MedS-Ins took nine tenths of all questions."
        ),
    )

    question_answering = Task(
        legacy_id="task105",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1817,
        definition=(
            "You are given a question that a biomedical expert asked about COVID-19, other "
            "coronaviruses or a neighbouring subject: how a virus works and spreads, its symptoms, "
            "diagnosis and treatment, vaccines, epidemiology or the response of public health. "
            "Answer it precisely and as a scientific article would put it. Where a name, a figure "
            "or a phrase settles the question, that is the whole answer; where it asks how or why, "
            "take a few sentences."
        ),
        must_include=("COVID-19", "phrase", "sentences"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        found = [text.one_line(answer["text"]) for answer in record["answers"]]
        answers = text.distinct(answer for answer in found if answer)
        if not answers:
            yield self.skip("question without an answer")
            return
        yield self.question_answering(
            input=text.one_line(record["question"]),
            output=answers[0],
            references=answers,
            key=str(record["id"]),
            group=str(record["document_id"]),
        )
