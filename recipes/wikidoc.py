"""WikiDoc, as Medical Meadow has it: questions made from the headings of a medical wiki.

Raw layout (github.com/kbressem/medAlpaca, data description; file names from the history of the
two repositories on the Hugging Face Hub): JSON arrays of {instruction, input, output}. The
instruction is always "Answer this question truthfully", the input is the question, the output the
section of the wiki. Headings of the Living Textbook were turned into questions by GPT-3.5, which
the owners found wanting in about 30 % of cases; those of the pages for patients are questions.
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


class WikiDoc(Recipe):
    title = "Medical Meadow: WikiDoc and WikiDoc patient information"
    homepage = "https://huggingface.co/datasets/medalpaca/medical_meadow_wikidoc"
    # The Hub says "cc" without a version.
    license = "LicenseRef-CC"
    citation = "Han et al., 2023, MedAlpaca, arXiv:2304.08247"
    figure_label = "WikiDoc"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "On the Hugging Face Hub, download medical_meadow_wikidoc.json from "
        "medalpaca/medical_meadow_wikidoc and medical_meadow_wikidoc_patient_info.json from "
        "medalpaca/medical_meadow_wikidoc_patient_information, and put both here."
    )
    files = {
        "textbook": raw.json("medical_meadow_wikidoc.json"),
        "patient": raw.json("medical_meadow_wikidoc_patient_info.json"),
    }
    deviations = (
        (
            "Which file has which number is not published: task70 speaks of pathologies, as the "
            "Living Textbook does, and only this order fits the published total of 14,347."
        ),
        (
            "Rows with a language model's apology are left out, and the rest of what GPT-3.5 "
            "got wrong stays, because nothing marks it."
        ),
    )

    pathology_qa = Task(
        legacy_id="task70",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=9000,
        definition=(
            "You are given a question on one aspect of a disease, a drug or another subject of "
            "medicine: what it is, how it arises, how it is found, what else looks like it, how "
            "it is treated or how it ends. Answer as the section of a textbook for health "
            "professionals on that aspect would, in precise terms and from established knowledge "
            "only. Short sentences and lists are welcome."
        ),
    )
    patient_information_qa = Task(
        legacy_id="task71",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=5347,
        definition=(
            "A patient wants to know something about a disease, a test or a treatment. Answer as "
            "a leaflet for patients does: in everyday words, with every medical term explained, "
            "complete enough to stand alone, and with nothing in it that is not known to be true."
        ),
        must_include=("stand alone|on its own|by itself|self-contained", "known to be true"),
        ignored_constraints=("alone",),
    )

    def instances_textbook(self, record: dict[str, Any]) -> Examples:
        yield from self._answer(self.pathology_qa, record)

    def instances_patient(self, record: dict[str, Any]) -> Examples:
        yield from self._answer(self.patient_information_qa, record)

    def _answer(self, task: Task, record: dict[str, Any]) -> Examples:
        question, answer = text.one_line(record["input"]), text.tidy_lines(record["output"])
        if not question or not answer:
            yield self.skip("no question or no answer")
            return
        if "as an ai language model" in f"{question} {answer}".lower():
            yield self.skip("a language model's apology")
            return
        yield task(input=question, output=answer, group=question.casefold())
