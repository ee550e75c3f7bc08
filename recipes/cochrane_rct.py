"""Cochrane: the trials of a systematic review, and what its authors concluded from them.

Raw layout (readme of github.com/allenai/mslr-shared-task): the archive unpacks into
`mslr_data/cochrane/` with `train-inputs.csv`, one row a trial (`ReviewID`, `PMID`, `Title`,
`Abstract`), and `train-targets.csv`, one row a review (`ReviewID`, `Target`); `dev-` likewise. A
column without a name numbers the rows. Cells span several lines, and may be empty. The targets of
the official test reviews are not published.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

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

Review: TypeAlias = tuple[str, list[dict[str, str]], str | None]
"""Its identifier, the rows of its trials, and its conclusion."""


class CochraneRCT(Recipe):
    title = "Cochrane review conclusions (MSLR2022)"
    homepage = "https://github.com/allenai/mslr-shared-task"
    license = "Apache-2.0"
    citation = "Wallace et al., 2021, AMIA Summits on Translational Science, arXiv:2008.11293"
    figure_label = "RCT"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download https://ai2-s2-mslr.s3.us-west-2.amazonaws.com/mslr_data.tar.gz (253 MB, no "
        "account needed) and unpack it here, so that the folder mslr_data/cochrane lies here."
    )
    files = raw.csv(
        "mslr_data/cochrane/train-inputs.csv",
        "mslr_data/cochrane/train-targets.csv",
        validation=(
            "mslr_data/cochrane/dev-inputs.csv",
            "mslr_data/cochrane/dev-targets.csv",
        ),
    )
    deviations = (
        (
            "The tenth of the official train reviews that is tested on is drawn by a digest of the "
            "review, because the test targets are not published, and which tenth MedS-Bench holds "
            "out is not either."
        ),
    )

    conclusion = Task(
        legacy_id="task110",
        benchmark_id="task110",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=3376,
        metric="bleu_rouge",
        definition=(
            "You are given the clinical trials that a systematic review includes, each with its "
            "number, its title and its abstract. Write the authors' conclusion of the review, in "
            "a few sentences: what the trials together show about the effects of the treatment, "
            "and how certain that is. Do not report the trials one by one."
        ),
        must_include=("conclusion|conclude", "sentences"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[Review]:
        """Yield the reviews. The trials of one stand together: no more are held at a time."""
        del split
        inputs = [file for file in files if "-inputs." in file.name]
        targets = [file for file in files if "-targets." in file.name]
        conclusions = {row["ReviewID"]: row["Target"] for row in self.read(targets)}
        for review, trials in groupby(self.read(inputs), key=itemgetter("ReviewID")):
            yield review, list(trials), conclusions.pop(review, None)
        for review, conclusion in conclusions.items():
            yield review, [], conclusion

    def instances(self, record: Review) -> Examples:
        review, rows, conclusion = record
        if conclusion is None:
            raise raw.RecordError("review without a target, or with trials in several places")
        texts = (f"{text.one_line(row['Title'])}\n{row['Abstract']}" for row in rows)
        trials = [trial for trial in map(text.tidy_lines, texts) if trial]
        if not trials:
            yield self.skip("no trials")
            return
        if not conclusion.strip():
            yield self.skip("no conclusion")
            return
        yield self.conclusion(
            input=text.numbered("Study", trials),
            output=text.tidy_lines(conclusion),
            key=review,
        )
