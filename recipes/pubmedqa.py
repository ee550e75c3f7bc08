"""PubMedQA: yes/no/maybe questions about biomedical research, with the abstracts that answer them.

Raw layout (owners' readme and files): `data/ori_pqal.json`, 1,000 questions labelled by experts,
lies in the owners' repository; `data/ori_pqaa.json`, 211,269 questions made from titles by rule,
is a download. Both are one JSON object from PubMed id to a record with `QUESTION`, `CONTEXTS` (the
sections of the abstract without its conclusion), `LONG_ANSWER` (the conclusion) and
`final_decision`; records of the latter have fewer keys, and never the decision "maybe".
MedS-Bench tests on all 1,000 labelled questions, not only on the owners' 500 for testing.

Five more tasks are task files of Super-NaturalInstructions, made from the rule-based questions;
their inputs are "Context: …" or "Question: …" and "Answer: …" lines, or the bare abstract.
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
)

SUPERNI = {
    "task845_pubmedqa_question_generation": "question_generation_with_answer",
    "task846_pubmedqa_classification": "answer_verification",
    "task847_pubmedqa_question_generation": "question_generation_from_passage",
    "task848_pubmedqa_classification": "objective_detection",
    "task849_pubmedqa_answer_generation": "long_answer_generation",
}


def shared(text: str) -> str:
    """Return what comes first in an input: the abstract, or the question if there is none."""
    first = text.partition("\nAnswer: ")[0].partition("\nQuestion: ")[0]
    return first.removeprefix("Context: ").strip()


class PubMedQA(Recipe):
    title = "PubMedQA"
    homepage = "https://github.com/pubmedqa/pubmedqa"
    license = "MIT"
    citation = "Jin et al., 2019, EMNLP-IJCNLP, pages 2567-2577, arXiv:1909.06146"
    figure_label = "PubMedQA"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link to PQA-A in the readme of github.com/pubmedqa/pubmedqa (Google Drive, no "
        "account needed) and save the file as data/ori_pqaa.json. The five task files are in the "
        "folder tasks/ of github.com/allenai/natural-instructions; put them in ../superni."
    )
    files = {
        "questions": raw.json(train="data/ori_pqaa.json", test="data/ori_pqal.json"),
        "superni": raw.superni(*SUPERNI, group=shared),
    }
    downloads = (
        raw.Download(
            "https://raw.githubusercontent.com/pubmedqa/pubmedqa/"
            "1cbae8e92f72f20c8d3747cbb3bf5bc53554d997/data/ori_pqal.json",
            "data/ori_pqal.json",
            "8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d",
        ),
    )
    deviations = (
        (
            "task12: the definition asks for the yes or no that the answer amounts to, because "
            "that is what the labels are; the published one asks whether the answer answers the "
            "question, and speaks of a passage that the input lacks."
        ),
        (
            "task12 leaves out of train what shares its question with the published test set, "
            "the last tenth of its file, where the answer is always 'no'. task11 and task13 to "
            "task15 are split by abstract, because instances of one abstract are related."
        ),
    )

    yes_no_maybe = Task(
        legacy_id="task124",
        benchmark_id="task123",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        published_count=211269,
        labels=("yes", "no", "maybe"),
        must_include=("lower case|lower-case|lowercase",),
        metric="accuracy",
        definition=(
            "After 'Context:' you find the abstract of a biomedical study without its conclusion, "
            "and after 'Question:' the research question of that study. Answer the question from "
            "what the abstract reports. Write 'yes' or 'no' if the findings settle it, and 'maybe' "
            "if they are mixed, inconclusive or hold only under some conditions. Write this one "
            "word in lower case and nothing else."
        ),
    )
    question_generation_with_answer = Task(
        legacy_id="task11",
        category=Category.TEXT_COMPLETION,
        domain=Domain.ACADEMIC_PAPERS,
        must_include=("yes or no", "question mark"),
        definition=(
            "After 'Context:' you find the abstract of a biomedical study without its conclusion, "
            "and after 'Answer:' the conclusion that its authors drew. Recover the research "
            "question to which this conclusion is the answer. Write one question that can be "
            "answered with yes or no and names what was studied, so that it is understood without "
            "the abstract. Write only the question, and end it with a question mark."
        ),
    )
    answer_verification = Task(
        legacy_id="task12",
        benchmark_id="task12",
        category=Category.FACT_VERIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        labels=("yes", "no"),
        must_include=("lower case|lower-case|lowercase",),
        metric="accuracy",
        definition=(
            "After 'Question:' you find a research question, and after 'Answer:' the conclusion of "
            "a study in its authors' words. Decide what this conclusion says to the question: "
            "write 'yes' if it confirms what is asked, and 'no' if it denies it or finds no "
            "evidence for it. Write this one word in lower case and nothing else."
        ),
    )
    question_generation_from_passage = Task(
        legacy_id="task13",
        category=Category.TEXT_COMPLETION,
        domain=Domain.ACADEMIC_PAPERS,
        must_include=("yes or no", "question mark"),
        definition=(
            "You are given the abstract of a biomedical study without its conclusion. Work out "
            "which research question the study set out to settle. Write it as one question that "
            "can be answered with yes or no from these findings and is understood without the "
            "abstract. Write only the question, and end it with a question mark."
        ),
    )
    objective_detection = Task(
        legacy_id="task14",
        category=Category.INTENT_IDENTIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        labels=("0", "1"),
        definition=(
            "You are given the abstract of a biomedical study without its conclusion. Check "
            "whether its authors say outright what the study was meant to find out or achieve. "
            "Write the digit 1 if they state such an aim and the digit 0 if they do not, and "
            "nothing else."
        ),
    )
    long_answer_generation = Task(
        legacy_id="task15",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        must_include=("sentence",),
        definition=(
            "After 'Context:' you find the abstract of a biomedical study without its conclusion, "
            "and after 'Question:' the research question of that study. Write the conclusion that "
            "answers the question on the strength of the reported findings, in one to a few full "
            "sentences, as it would stand at the end of the abstract."
        ),
    )

    def instances_questions(self, record: tuple[str, dict[str, Any]]) -> Examples:
        pmid, article = record
        context = " ".join(article["CONTEXTS"])
        yield self.yes_no_maybe(
            input=f"Context: {context}\nQuestion: {article['QUESTION']}",
            output=article["final_decision"],
            key=pmid,
        )

    def instances_superni(self, record: dict[str, Any]) -> Examples:
        task = self.tasks[f"{self.name}_{SUPERNI[record['task']]}"]
        if task.benchmark_id and record["related"]:
            yield self.skip("its question is in the test set")
            return
        split = "test" if record["held_out"] else "train"
        yield task(
            input=record["input"],
            output=record["output"][0],
            references=record["output"],
            key=record["id"],
            group=record["group"],
            split=split if task.benchmark_id else "",
        )
