"""MASH-QA: health questions of consumers, answered by the sentences of a WebMD page.

Raw layout (owners' readme and code in github.com/mingzhu0527/MASHQA, and public code that reads
the files): SQuAD-like JSON, {"data": [{"paragraphs": [{"context", "sent_list", "sent_starts",
"qas": [{"id", "question", "is_impossible", "answers": [{"text", "answer_start", "answer_starts",
"answer_span"}]}]}]}]}. A question has one answer, whose `text` joins all its sentences, wherever
they stand on the page. The `…_full` files hold all questions; the `…_consec` files, not read here,
only those whose sentences stand in a row.
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
    """Yield the questions of all pages."""
    for page in document["data"]:
        for paragraph in page["paragraphs"]:
            yield from paragraph["qas"]


class MashQA(Recipe):
    title = "MASH-QA"
    homepage = "https://github.com/mingzhu0527/MASHQA"
    license = "unknown"
    citation = "Zhu et al., 2020, Findings of EMNLP, pages 3840-3849"
    figure_label = "MASHQA"
    access = Access.OPEN
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Follow the link to the dataset in the readme at the homepage (Google Drive, no account "
        "needed), and unpack the archive here; the files may stay in its folder. The texts are "
        "WebMD's."
    )
    files = raw.json(
        train="**/train_webmd_squad_v2_full.json",
        validation="**/val_webmd_squad_v2_full.json",
        test="**/test_webmd_squad_v2_full.json",
        records=questions,
    )
    deviations = (
        (
            "The owners' splits are kept, because a test set is there to be left out of training; "
            "the count of MedS-Ins fits nine tenths of train and validation taken together."
        ),
    )

    question_answering = Task(
        legacy_id="task101",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=28183,
        definition=(
            "You are given a question of the kind people put to a health website, about a "
            "disease, its symptoms and treatment, a medicine, pregnancy, nutrition or healthy "
            "living. Answer it as an article on such a site does: in full sentences that a layman "
            "understands, with every point that belongs to the answer, such as all causes, steps "
            "or options, one after the other, and with what the reader should do or watch out for. "
            "Write running text without headings and bullets."
        ),
        must_include=("full sentences|complete sentences", "heading", "bullet"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        found = [text.one_line(answer["text"]) for answer in record["answers"]]
        answers = [answer for answer in found if answer]
        if record["is_impossible"] or not answers:
            yield self.skip("question without an answer")
            return
        yield self.question_answering(
            input=text.one_line(record["question"]),
            output=answers[0],
            references=answers,
            key=str(record["id"]),
        )
