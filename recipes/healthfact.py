"""PUBHEALTH: claims on public health, with the article that checks each and its verdict.

Raw layout (owners' readme of the data; BigBIO's loader for the columns): tab separated
`PUBHEALTH/train.tsv`, `dev.tsv` and `test.tsv` with a header row. Nine columns, in front of which
test.tsv has one more; some rows are cut short or shifted, so a row's last nine cells count and
its label is looked at. Cells were written as CSV in part: those may be wrapped in quotes, with
the quotes inside doubled or tripled, while others hold lone quotes, so none is taken as
syntax by the reader. "nan" stands for an empty cell.
"""

import re
from collections.abc import Iterator, Sequence

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

COLUMNS = (
    "claim_id",
    "claim",
    "date_published",
    "explanation",
    "fact_checkers",
    "main_text",
    "sources",
    "label",
    "subjects",
)
VERDICTS = {"false": "0", "mixture": "1", "true": "2", "unproven": ""}
"""The labels of task16 by the owners' labels; it has none for what is unproven."""

LONE_QUOTE = re.compile(r'(?<!")"(?!")')
QUOTES = re.compile(r'""+')


def plain(cell: str) -> str:
    """Return a cell without what is left of its quoting."""
    cell = cell.strip()
    inside = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and not LONE_QUOTE.search(inside):
        cell = QUOTES.sub('"', inside).strip()
    return "" if cell == "nan" else cell


class HealthFact(Recipe):
    title = "PUBHEALTH"
    homepage = "https://github.com/neemakot/Health-Fact-Checking"
    license = "MIT"
    citation = "Kotonya and Toni, 2020, EMNLP, pages 7740-7754, arXiv:2010.09926"
    figure_label = "HealthFact"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link to the data in the readme of github.com/neemakot/Health-Fact-Checking "
        "(Google Drive, no account needed) and unpack PUBHEALTH.zip here, so that the three files "
        "lie in the folder PUBHEALTH."
    )
    files = raw.lines(
        train="PUBHEALTH/train.tsv",
        validation="PUBHEALTH/dev.tsv",
        test="PUBHEALTH/test.tsv",
    )
    deviations = (
        (
            "Built from the owners' files with their splits, because task1366, task1368 and "
            "task1369 of Super-NaturalInstructions, which MedS-Ins trains on, come from all three "
            "of them, and MedS-Bench tests on the official test set."
        ),
        (
            "task17 has true claims only, because a false or doubtful one is not supported by "
            "its article."
        ),
        (
            "task18: the definition asks why the claim is true or not, because the claims of "
            "the test set are of every kind; the published one says that all are supported."
        ),
        (
            "Rows without one of the four labels are left out of all tasks, because their cells "
            "are missing or in the wrong columns; MedS-Bench counts them in task18."
        ),
        "Quotes that are left over from CSV are taken off, because they are no part of the text.",
    )

    claim_verification = Task(
        legacy_id="task16",
        benchmark_id="task16",
        category=Category.FACT_VERIFICATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        labels=("0", "1", "2"),
        metric="accuracy",
        definition=(
            "After 'Paragraph:' you find an article from a news or fact checking site, and after "
            "'Claim:' a statement on health that it examines. Judge the statement by the article "
            "alone. Write the digit 0 if the article shows it to be wrong, 1 if parts of it hold "
            "and parts do not, or the evidence points both ways, and 2 if the article on the "
            "whole bears it out. Write this one digit and nothing else."
        ),
    )
    claim_generation = Task(
        legacy_id="task17",
        category=Category.SENTENCE_COMPOSITION_ANALYSIS,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given an article on a matter of health, medicine or health policy. Put its "
            "main point into one statement of at most a sentence, as a headline would, such that "
            "the article supports it and nothing in it speaks against it. Write only the "
            "statement."
        ),
        must_include=("sentence", "headline|front page"),
    )
    claim_explanation = Task(
        legacy_id="task18",
        benchmark_id="task18",
        category=Category.EXPLANATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=2989,
        metric="bleu_rouge",
        definition=(
            "After 'Paragraph:' you find an article from a news or fact checking site, and after "
            "'Claim:' a statement on health that it examines. Explain in one to twelve sentences "
            "what the article says to the statement: the facts that make it true, false, half "
            "true or impossible to prove. Take them from the article, and do not merely repeat "
            "the statement."
        ),
        must_include=("twelve", "article"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, str]]:
        """Yield the last nine cells of each row under the header, by column."""
        del split
        for line in self.read(files):
            cells = tuple(line.split("\t")[-len(COLUMNS) :])
            if cells != COLUMNS:
                yield dict(zip(COLUMNS, map(plain, cells), strict=False))

    def instances(self, record: dict[str, str]) -> Examples:
        if len(record) < len(COLUMNS):
            yield self.skip("row has fewer than nine cells")
            return
        if record["label"] not in VERDICTS:
            yield self.skip("label is none of the four")
            return
        article, claim, key = record["main_text"], record["claim"], record["claim_id"]
        if not article or not claim:
            yield self.skip("no article or no claim")
            return
        both = f"Paragraph: {article} Claim: {claim}"
        if verdict := VERDICTS[record["label"]]:
            yield self.claim_verification(input=both, output=verdict, key=key)
        else:
            yield self.skip("unproven claim")
        if record["label"] == "true":
            yield self.claim_generation(input=article, output=claim, key=key)
        else:
            yield self.skip("claim that its article does not support")
        if record["explanation"]:
            yield self.claim_explanation(input=both, output=record["explanation"], key=key)
        else:
            yield self.skip("no explanation")
