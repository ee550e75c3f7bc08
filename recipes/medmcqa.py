"""MedMCQA: questions of Indian medical entrance examinations (AIIMS and NEET PG).

Raw layout (owners' readme and files): JSON Lines in spite of their names, `train.json` and
`dev.json` with `question`, options `opa` to `opd`, `cop` (number of the right one, from 1), and
`exp`, the explanation, null in about half of the latter. Each question has one `cop`, those of
`choice_type` "multi" too: their options combine several statements. `test.json` has no answers, so
it is not read; the 4,183 questions of `dev.json` are what everyone tests on, MedS-Bench included.
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


class MedMCQA(Recipe):
    title = "MedMCQA"
    homepage = "https://medmcqa.github.io"
    license = "MIT"
    citation = "Pal et al., 2022, CHIL, PMLR 174, pages 248-260, arXiv:2203.14371"
    figure_label = "MedMCQA"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link to the data in the readme of github.com/medmcqa/medmcqa (Google Drive, no "
        "account needed), unpack the archive and put train.json here. Copies whose options count "
        "from 0, such as those on Hugging Face, are refused."
    )
    files = raw.jsonl(train="train.json", test="dev.json")
    downloads = (
        raw.Download(
            "https://raw.githubusercontent.com/Teddy-XiongGZ/MIRAGE/"
            "392943af99cd94cafd50a0de2e7fca24bbf65494/rawdata/medmcqa/data/dev.json",
            "dev.json",
            "a2b5f53890f4e742b728378fb847bc5338088d48ea01218676379f587270af31",
        ),
    )
    deviations = (
        "dev.json is the test split, because test.json has no answers; MedS-Bench does the same.",
        (
            "task63: the answer line follows the explanation in the form of task64, because the "
            "published layout of its output is not known."
        ),
    )

    answer_with_rationale = Task(
        legacy_id="task63",
        category=Category.EXPLANATION,
        domain=Domain.EXAMINATIONS,
        published_count=160868,
        must_include=("prose",),
        definition=(
            "You are given a question of an Indian medical entrance examination and four options, "
            "marked A to D. First explain in plain prose which facts lead to the right option and, "
            "where it helps, why the others are wrong. Then close with a line of its own in the "
            "form 'The right answer is LETTER: TEXT', with the letter and the full text of the "
            "one right option."
        ),
    )
    mcq = Task(
        legacy_id="task64",
        benchmark_id="task122",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_count=182822,
        metric="accuracy",
        must_include=("explanation|explain|reason|nothing else|only|comment",),
        definition=(
            "You are given a question of an Indian medical entrance examination and four options, "
            "marked A to D. Exactly one option is right. Reply without any explanation in the form "
            "'The right answer is LETTER: TEXT', with the letter and the full text of that option."
        ),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        number = record["cop"]
        if number not in (1, 2, 3, 4):
            raise raw.RecordError("number of the right option is not 1 to 4", field="cop")
        options = text.letters(record[column] for column in ("opa", "opb", "opc", "opd"))
        if not all(options.values()):
            yield self.skip("an option has no text")
            return
        listed = "\n".join(f"{letter}. {option}" for letter, option in options.items())
        question = f"Question: {record['question']}\nOptions:\n{listed}"
        letter = "ABCD"[number - 1]
        answer = f"The right answer is {letter}: {options[letter]}"
        yield self.mcq(input=question, output=answer, key=record["id"])
        if record["exp"]:
            rationale = f"{record['exp']}\n{answer}"
            yield self.answer_with_rationale(input=question, output=rationale, key=record["id"])
        else:
            yield self.skip("no explanation")
