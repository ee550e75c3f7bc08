r"""Medical Question Pairs: questions of patients, each rewritten by a doctor in two ways.

Raw layout: the owners' `mqp.csv`, without a header (their readme): number of the doctor, two
questions, and 1 if they are alike, else 0. Or task1645 of Super-NaturalInstructions, whose inputs
are `Sentence1: … \n Sentence2: …`, with whatever spaces the questions have at their ends. Where
both are there, pairs that stand in both are equal to the letter, and count as duplicates. Of each
first question there are two pairs: a rewording, and one that looks like it and asks something else.
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

ANSWERS = {"1": "Similar", "0": "Dissimilar"}


class MQP(Recipe):
    title = "Medical Question Pairs"
    homepage = "https://github.com/curai/medical-question-pair-dataset"
    license = "unknown"
    citation = (
        "McCreery et al., 2020, KDD, arXiv:2008.13546; Wang et al., 2022, EMNLP, arXiv:2204.07705"
    )
    figure_label = "Medical Question Pair Dataset"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take mqp.csv from the homepage and put it here. Or take the task file from the folder "
        "tasks/ of github.com/allenai/natural-instructions and put it in ../superni."
    )
    files = {
        "pairs": raw.csv("mqp.csv", names=("dr_id", "question_1", "question_2", "label")),
        "superni": raw.superni(
            "task1645_medical_question_pair_dataset_text_classification",
            # The questions that were written for one question stay on its side of the split.
            group=lambda pair: pair.partition("\n Sentence2:")[0].strip(),
        ),
    }

    question_similarity = Task(
        legacy_id="task38",
        category=Category.TEXT_RETRIEVAL,
        domain=Domain.DAILY_CONVERSATIONS,
        labels=("Similar", "Dissimilar"),
        definition=(
            "Two health questions of laypeople follow, the first after 'Sentence1:' and the "
            "second after 'Sentence2:'. Judge whether they ask for the same thing, so that one "
            "answer would serve both, however differently they are worded. Reply with one word: "
            "Similar if they do, Dissimilar if they do not."
        ),
        must_include=(
            "one word|single word|only|alone|nothing else|nothing more|the word|bare word",
        ),
    )

    def instances_pairs(self, record: dict[str, str]) -> Examples:
        first, second = record["question_1"], record["question_2"]
        if record["label"] not in ANSWERS:
            raise raw.RecordError("label is neither 0 nor 1", field="label")
        yield self.question_similarity(
            input=f"Sentence1: {first} \n Sentence2: {second}",
            output=ANSWERS[record["label"]],
            group=f"Sentence1: {first}".strip(),
        )

    def instances_superni(self, record: dict[str, Any]) -> Examples:
        _, second, _ = record["input"].partition("\n Sentence2:")
        if not second:
            raise raw.RecordError("input lacks its second question", field="input")
        answers = [answer for answer in record["output"] if answer.strip()]
        if not answers:
            yield self.skip("no answer")
            return
        yield self.question_similarity(
            input=record["input"],
            output=answers[0],
            references=answers,
            key=record["id"],
            group=record["group"],
        )
