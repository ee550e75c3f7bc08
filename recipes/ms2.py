"""MS^2: the studies of a systematic review, and what the review concluded from them.

Raw layout (readme of github.com/allenai/mslr-shared-task): the archive unpacks into
`mslr_data/ms2/` with `train-inputs.csv`, one row a study (`ReviewID`, `PMID`, `Title`,
`Abstract`), and one row a review in `train-targets.csv` (`ReviewID`, `Target`) and in
`train-reviews-info.csv` (`ReviewID`, `Background`); `dev-` likewise. A column without a name
numbers the rows; the targets have a `Background` too (the loader on Hugging Face). Cells span
several lines, and may be empty. The targets of the official test reviews are not published.

The texts went through a pipeline that puts spaces around punctuation and into words ("pre
clinical"), and a line break after each sentence.
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

Review: TypeAlias = tuple[str, list[dict[str, str]], str, str | None]
"""Its identifier, the rows of its studies, its background and its conclusion."""


class MS2(Recipe):
    title = "MS^2"
    homepage = "https://github.com/allenai/ms2"
    license = "Apache-2.0"
    citation = "DeYoung et al., 2021, EMNLP, arXiv:2104.06486"
    figure_label = "MS2"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download https://ai2-s2-mslr.s3.us-west-2.amazonaws.com/mslr_data.tar.gz (253 MB, no "
        "account needed) and unpack it here, so that the folder mslr_data/ms2 lies here."
    )
    files = raw.csv(
        train=(
            "mslr_data/ms2/train-inputs.csv",
            "mslr_data/ms2/train-targets.csv",
            "mslr_data/ms2/train-reviews-info.csv",
        ),
        validation=(
            "mslr_data/ms2/dev-inputs.csv",
            "mslr_data/ms2/dev-targets.csv",
            "mslr_data/ms2/dev-reviews-info.csv",
        ),
    )
    deviations = (
        (
            "All of the official train reviews are training data, because nothing is tested on the "
            "tenth of them that MedS-Ins leaves out."
        ),
    )

    review_conclusion = Task(
        legacy_id="task109",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=12769,
        definition=(
            "You are given the background of a systematic review, which says what it asks, and "
            "then the studies it includes, each with its number, its title and its abstract. "
            "Write the conclusion of the review in a few sentences: how the studies, taken "
            "together, answer its question, and how strong the evidence is. Do not go through "
            "the studies one by one."
        ),
        must_include=("background", "conclusion|conclude", "sentences"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[Review]:
        """Yield the reviews. The studies of one stand together: no more are held at a time."""
        del split
        inputs = [file for file in files if "-inputs." in file.name]
        targets = [file for file in files if "-targets." in file.name]
        infos = [file for file in files if "-reviews-info." in file.name]
        backgrounds = {row["ReviewID"]: row["Background"] for row in self.read(infos)}
        conclusions = {row["ReviewID"]: row["Target"] for row in self.read(targets)}
        for review, studies in groupby(self.read(inputs), key=itemgetter("ReviewID")):
            background = backgrounds.get(review, "")
            yield review, list(studies), background, conclusions.pop(review, None)
        for review, conclusion in conclusions.items():
            yield review, [], backgrounds.get(review, ""), conclusion

    def instances(self, record: Review) -> Examples:
        review, rows, background, conclusion = record
        if conclusion is None:
            raise raw.RecordError("review without a target, or with studies in several places")
        texts = (f"{text.one_line(row['Title'])}\n{row['Abstract']}" for row in rows)
        studies = [study for study in map(text.tidy_lines, texts) if study]
        if not studies:
            yield self.skip("no studies")
            return
        if not conclusion.strip() or not background.strip():
            yield self.skip("no background or no conclusion")
            return
        yield self.review_conclusion(
            input=f"Background: {text.tidy_lines(background)}\n\n{text.numbered('Study', studies)}",
            output=text.tidy_lines(conclusion),
            key=review,
        )
