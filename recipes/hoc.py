"""Hallmarks of Cancer: PubMed abstracts with the hallmarks that each sentence is evidence for.

Raw layout (github.com/sb895/Hallmarks-of-Cancer): 1,852 pairs of `text/<pmid>.txt`, one sentence a
line with spaces around punctuation, and `labels/<pmid>.txt`, one line without a line break, in
which `<` opens the slot of each sentence. Labels of a slot are joined by " AND" with or without a
blank after it; a label is a hallmark and up to two finer levels, joined by "--", sometimes with
another "--" at the end. A slot is blank, or NULL, where its sentence is evidence for none.

272 abstracts have no label in any slot; the other 1,580 are the document classification corpus of
the owners' paper, of BLUE and of MedS-Bench.
"""

from collections.abc import Iterator, Sequence
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

# In the order in which the answers of MedS-Bench list them.
HALLMARKS = (
    "Sustaining proliferative signaling",
    "Evading growth suppressors",
    "Resisting cell death",
    "Enabling replicative immortality",
    "Inducing angiogenesis",
    "Activating invasion and metastasis",
    "Genomic instability and mutation",
    "Tumor promoting inflammation",
    "Cellular energetics",
    "Avoiding immune destruction",
)
SPELT = {hallmark.lower(): hallmark for hallmark in HALLMARKS}


def hallmarks(slot: str) -> Iterator[str]:
    """Yield the hallmarks in one slot, without their finer levels."""
    for label in slot.split(" AND"):
        name = label.partition("--")[0].strip()
        if name and name != "NULL":
            if name.lower() not in SPELT:
                raise raw.RecordError("no such hallmark", field="labels", detail=repr(name))
            yield SPELT[name.lower()]


class HoC(Recipe):
    title = "Hallmarks of Cancer"
    homepage = "https://github.com/sb895/Hallmarks-of-Cancer"
    license = "GPL-3.0"
    citation = "Baker et al., 2016, Bioinformatics 32(3):432-440"
    figure_label = "HoC"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Clone github.com/sb895/Hallmarks-of-Cancer, and copy or link its folders text and labels "
        "here."
    )
    files = raw.lines("text/*.txt", "labels/*.txt")
    deviations = (
        (
            "Inputs have spaces before brackets and other marks, because the published corpus is "
            "tokenised; the ones before full stops and commas are taken out."
        ),
        (
            "The tenth of the 1,580 abstracts that is tested on is drawn by a digest, because it "
            "is not published which tenth MedS-Bench holds out."
        ),
    )

    hallmark_classification = Task(
        legacy_id="task106",
        benchmark_id="task106",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1422,
        metric="macro_f1",
        definition=(
            "You are given the abstract of an article about cancer. Name every hallmark of cancer "
            "that it reports evidence about; there is at least one. The hallmarks are: "
            f"{'; '.join(HALLMARKS)}. Write them in these words and in this order, with a comma "
            "and a blank between two of them, and nothing else."
        ),
        must_include=(*HALLMARKS, "comma", "order|sequence"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield the sentences of each abstract with the line of its labels."""
        del split
        labels = {file.name.removeprefix("labels/"): file for file in files}
        for file in files:
            name = file.name.removeprefix("text/")
            if name != file.name:
                lines = self.read([labels[name]] if name in labels else [])
                yield {
                    "pmid": name.removesuffix(".txt"),
                    "sentences": list(self.read([file])),
                    "slots": "".join(lines).split("<")[1:],
                }

    def instances(self, record: dict[str, Any]) -> Examples:
        if len(record["slots"]) != len(record["sentences"]):
            raise raw.RecordError("not as many slots as sentences", field="labels")
        found = {hallmark for slot in record["slots"] for hallmark in hallmarks(slot)}
        if not found:
            yield self.skip("no sentence with a hallmark")
            return
        yield self.hallmark_classification(
            input=text.join_tokens(" ".join(record["sentences"]).split()),
            output=", ".join(hallmark for hallmark in HALLMARKS if hallmark in found),
            key=record["pmid"],
        )
