"""Medical Meadow flash cards: cards of medical students, turned into questions and answers.

Raw layout (github.com/kbressem/medAlpaca, data description; file name from the repository on the
Hugging Face Hub): a JSON array of {instruction, input, output}. The instruction is always "Answer
this question truthfully"; input and output are the question and the answer that GPT-3.5 made of
an Anki card without images, and are empty where it made none.
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


class MedAlpacaFlashcards(Recipe):
    title = "Medical Meadow medical flash cards"
    homepage = "https://huggingface.co/datasets/medalpaca/medical_meadow_medical_flashcards"
    # The Hub says "cc" without a version.
    license = "LicenseRef-CC"
    citation = "Han et al., 2023, MedAlpaca, arXiv:2304.08247"
    figure_label = "MedAlpaca"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "On the Hugging Face Hub, download medical_meadow_wikidoc_medical_flashcards.json from "
        "medalpaca/medical_meadow_medical_flashcards and put it here."
    )
    files = raw.json("medical_meadow_wikidoc_medical_flashcards.json")
    deviations = (
        "Cards without a question or an answer are left out, because nothing can be learnt.",
        "Rows with a language model's apology are left out, because they answer nothing.",
    )

    qa = Task(
        legacy_id="task69",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=30559,
        definition=(
            "You are given the front of a medical student's flash card: a question on anatomy, "
            "physiology, a disease, a drug or a finding. Write its back: the one fact that is "
            "asked for, in a full sentence or two that repeat what the question is about, and "
            "nothing that goes beyond it."
        ),
        must_include=("full sentence", "beyond|nothing|no more|only|just|alone|keep out|leave out"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        question, answer = text.one_line(record["input"]), text.tidy_lines(record["output"])
        if not question or not answer:
            yield self.skip("no question or no answer")
            return
        if "as an ai language model" in f"{question} {answer}".lower():
            yield self.skip("a language model's apology")
            return
        yield self.qa(input=question, output=answer, group=question.casefold())
