"""MedicationQA: questions of consumers about medicines, answered from trusted websites.

Raw layout (github.com/abachaa/Medication_QA_MedInfo2019, its workbook): one workbook with one
sheet, DrugQA, whose columns are Question, Focus (Drug), Question Type, Answer, Section Title and
URL. Of its 690 rows, 39 repeat a question with another answer. Types have odd members, such as
`unanswerable` and `not_drug_question`.
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


class MedicationQA(Recipe):
    title = "MedicationQA"
    homepage = "https://github.com/abachaa/Medication_QA_MedInfo2019"
    license = "unknown"
    citation = "Ben Abacha et al., 2019, MEDINFO, Studies in Health Technology and Informatics 264"
    figure_label = "MedicationQA"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take MedInfo2019-QA-Medications.xlsx from the repository at the homepage."
    )
    files = raw.xlsx(
        "MedInfo2019-QA-Medications.xlsx",
        sheet="DrugQA",
        columns=("Question", "Question Type", "Answer"),
    )
    deviations = (
        (
            "Questions that the annotators marked as unanswerable are left out, because training "
            "on them teaches to make up an answer."
        ),
    )

    answering = Task(
        legacy_id="task65",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.DAILY_CONVERSATIONS,
        published_domain=Domain.EXAMINATIONS,
        published_count=496,
        definition=(
            "A member of the public asks about a medicine: what it is for and how it works, how "
            "and when to take it, its dose, its side effects, interactions and dangers, how to "
            "store or stop it, or what it looks like. The question may be short or misspelt. "
            "Answer it as a careful physician who relies on official drug information: correct, "
            "in words that a patient understands, and with any warning that matters for safety. "
            "Keep to what was asked."
        ),
        must_include=("warn",),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        for column in ("Question", "Answer"):
            if not isinstance(record[column], str):
                raise raw.RecordError("cell holds no text", field=column)
        if record["Question Type"] == "unanswerable":
            yield self.skip("marked as unanswerable")
            return
        question = text.one_line(record["Question"])
        yield self.answering(
            input=question,
            output=text.tidy_lines(record["Answer"]),
            group=question.casefold(),
        )
