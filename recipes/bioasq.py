"""BioASQ: questions of biomedical experts, with the answers they wrote from the literature.

Raw layout (participants' area, guidelines of Task B; names in the zip as in the BigBIO loader):
`BioASQ-training<N>b.zip` with `training<N>b.json`, one object {"questions": [question]}. A question
has `id`, `body`, `type` (yesno, factoid, list or summary), `ideal_answer` (a list of texts; one
text in early editions), `exact_answer`, `documents`, `snippets` and more. Each edition holds the
questions of all earlier ones, sometimes with revised answers.
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
    """Yield the questions of an edition."""
    yield from document["questions"]


class BioASQ(Recipe):
    title = "BioASQ Task B"
    homepage = "http://participants-area.bioasq.org/datasets/"
    license = "CC-BY-2.5"
    citation = (
        "Krithara et al., 2023, Scientific Data 10:170; Tsatsaronis et al., 2015, BMC "
        "Bioinformatics 16:138"
    )
    figure_label = "BIOASQ"
    access = Access.REGISTRATION
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Register at the homepage, log in, and download the training data of Task B, such as "
        "BioASQ-training13b.zip. Put the zip here, or the training13b.json that is in it. The "
        "newest edition is enough, because it holds the earlier ones."
    )
    files = raw.json("BioASQ-training*b.zip!*training*b.json", "training*b.json", records=questions)
    deviations = (
        (
            "One instance for each question, whose further ideal answers are references, because "
            "they answer the same thing. MedS-Ins has about 9,000 pairs, more than any edition "
            "has questions; how it made them is unknown."
        ),
    )

    question_answering = Task(
        legacy_id="task104",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given a question as biomedical researchers and physicians ask it: one to be "
            "answered with yes or no, one for a single fact, one for a list, or one for a summary "
            "of what is known. Answer it from the scientific literature in one short paragraph. "
            "Begin with what is asked for, be it yes or no, the fact or the items of the list, and "
            "go on with the findings that support and explain it. Write plain prose without "
            "headings and citations."
        ),
        must_include=("yes or no", "paragraph", "heading", "citation"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        ideal = record.get("ideal_answer") or []
        listed = [ideal] if isinstance(ideal, str) else ideal
        answers = [tidy for answer in listed if (tidy := text.tidy_lines(answer))]
        if not answers:
            yield self.skip("no ideal answer")
            return
        question = text.one_line(record["body"])
        yield self.question_answering(
            input=question,
            output=answers[0],
            references=answers,
            key=record["id"],
            # A question may come again in another edition, or under another id.
            group=question.casefold(),
        )
