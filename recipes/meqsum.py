"""MeQSum: consumer health questions, each with the short question that an expert made of it.

Raw layout (github.com/abachaa/MeQSum): one workbook with one sheet, QS, whose columns are File,
CHQ, Summary and two without a name. Questions that came by e-mail keep their `SUBJECT:` and
`MESSAGE:` lines. License: its readme.
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


class MeQSum(Recipe):
    title = "MeQSum"
    homepage = "https://github.com/abachaa/MeQSum"
    license = "CC-BY-4.0"
    citation = "Ben Abacha and Demner-Fushman, 2019, ACL, P19-1215"
    figure_label = "MeQSum"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    files = raw.xlsx(
        "MeQSum_ACL2019_BenAbacha_Demner-Fushman.xlsx",
        sheet="QS",
        columns=("File", "CHQ", "Summary"),
    )
    downloads = (
        raw.Download(
            "https://raw.githubusercontent.com/abachaa/MeQSum/"
            "51e36cf65c12602333b6fdc3ae8ecf10430529f7/MeQSum_ACL2019_BenAbacha_Demner-Fushman.xlsx",
            "MeQSum_ACL2019_BenAbacha_Demner-Fushman.xlsx",
            "abedd939d5014306ca576522416bf69103e85dc8fcf1668a4099e8b84a39eeea",
        ),
    )
    deviations = (
        (
            "The summary is one line without spaces at its ends, because 24 cells have some and "
            "one has a line break that means nothing."
        ),
    )

    question_summary = Task(
        legacy_id="task114",
        benchmark_id="task114",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.DAILY_CONVERSATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        metric="bleu_rouge",
        definition=(
            "You are given what a member of the public wrote to a health information service, "
            "sometimes with a subject line before the message. It may ramble, repeat itself and "
            "be misspelt. Write the one short question that, if it is answered, gives the writer "
            "what they want to know: name the condition or drug in question and what is asked "
            "about it, and leave out greetings, personal history and all that does not change "
            "the answer. Reply with that question alone, in correct English, ending in a "
            "question mark."
        ),
        must_include=("question mark|'?'", "one short|single|one concise|one question|one brief"),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        for column in ("File", "CHQ", "Summary"):
            if not isinstance(record[column], str):
                raise raw.RecordError("cell holds no text", field=column)
        yield self.question_summary(
            input=record["CHQ"].strip(),
            output=text.one_line(record["Summary"]),
            key=record["File"],
            group=record["File"],
        )
