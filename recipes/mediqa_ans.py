"""MEDIQA-AnS: questions that consumers asked about health, with summaries of the answers to them.

Raw layout (osf.io/fyg46, and the loaders in github.com/saverymax/qdriven-chiqa-summarization): one
JSON object from question number to `question`, `multi_abs_summ` (written from all answers by a
person), `multi_ext_summ` (sentences picked from all answers) and `answers` (from "1_Answer1" to
`article`, `answer_abs_summ`, `answer_ext_summ`, `section`, `url` and `rating`). The questions are
as they were sent, misspellings included, and the white space is irregular.
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


class MediqaAnS(Recipe):
    title = "MEDIQA-AnS"
    homepage = "https://doi.org/10.17605/OSF.IO/FYG46"
    license = "CC-BY-4.0"
    citation = "Savery et al., 2020, Scientific Data 7:322, arXiv:2005.09067"
    figure_label = "MEDIQA-AnS"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download the summarization datasets from https://osf.io/fyg46 (no account needed) and "
        "put question_driven_answer_summarization_primary_dataset.json here or into a folder here."
    )
    files = raw.json("**/question_driven_answer_summarization_primary_dataset.json")
    deviations = (
        (
            "The answer is the summary that a person wrote from all answers, and the one of picked "
            "sentences is a further reference, because both answer the question; which of the two "
            "was published is not known."
        ),
    )

    question_answering = Task(
        legacy_id="task102",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.DAILY_CONVERSATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=140,
        definition=(
            "A person without medical training asks a question about health, sometimes with the "
            "story behind it and with misspelt names. Answer what is asked, fully and correctly, "
            "in plain words and one paragraph, and leave out whatever does not help with the "
            "question."
        ),
        must_include=("paragraph", "plain"),
    )

    def instances(self, record: tuple[str, dict[str, Any]]) -> Examples:
        number, entry = record
        question = text.one_line(entry["question"])
        if not question:
            yield self.skip("empty question")
            return
        written, picked = entry.get("multi_abs_summ"), entry.get("multi_ext_summ")
        summaries = [text.one_line(summary) for summary in (written, picked) if summary]
        answers = [summary for summary in summaries if summary]
        if not answers:
            yield self.skip("no summary")
            return
        yield self.question_answering(
            input=question, output=answers[0], references=answers, key=number, group=question
        )
