"""MIMIC-CXR: deidentified reports of chest radiographs.

Raw layout (PhysioNet, version 2.0.0 or 2.1.0, and the owners' documentation of the reports):
`mimic-cxr-reports.zip` with `files/p10/p10000032/s50414267.txt` and so on, one report a study;
the folders name the patient, so that the list of studies adds nothing. A report is wrapped at 79
characters, each line behind a space; `___` stands for what was removed.

A section starts with its heading and a colon at the start of a line: `FINDINGS:`. About 150,000
reports have findings, 188,000 an impression, in either order (the owners' section parser).
Addenda come first, each ended by a line of underscores, and may have sections of their own.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

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

# Where a section ends. Views and regions in capitals ("PA AND LATERAL CHEST:") open no section of
# their own: they stand inside the findings.
SECTIONS = (
    "FINDINGS, IMPRESSION, FINDINGS AND IMPRESSION, FINDINGS/IMPRESSION, CONCLUSION, EXAMINATION, "
    "EXAM, TYPE OF EXAMINATION, STUDY, INDICATION, CLINICAL INDICATION, INDICATIONS, HISTORY, "
    "CLINICAL HISTORY, PATIENT HISTORY, CLINICAL INFORMATION, REASON FOR EXAM, "
    "REASON FOR EXAMINATION, TECHNIQUE, COMPARISON, COMPARISONS, REFERENCE EXAM, WET READ, "
    "RECOMMENDATION, RECOMMENDATIONS, RECOMMENDATION(S), NOTIFICATION, NOTIFICATIONS, ADDENDUM"
)
HEADINGS = tuple(SECTIONS.split(", "))
ADDENDUM_END = re.compile(r"^[ \t]*_{10,}[ \t]*$", re.MULTILINE)
MASK = "_ .\t\n"


class MimicCXR(Recipe):
    title = "MIMIC-CXR"
    homepage = "https://physionet.org/content/mimic-cxr/2.0.0/"
    license = "PhysioNet-1.5.0"
    citation = "Johnson et al., 2019, Scientific Data 6:317, doi:10.13026/C2JT1Q"
    figure_label = "MIMIC-CXR"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = (
        "Become a credentialed user of PhysioNet, finish its training and sign the data use "
        "agreement of https://physionet.org/content/mimic-cxr/2.0.0/. Download "
        "mimic-cxr-reports.zip, which has the reports without the images, and put it here. Do "
        "not unpack it."
    )
    # The archive as a whole: `records` opens it once, not for each of its 227,835 reports.
    files = raw.lines("mimic-cxr-reports.zip")
    deviations = (
        (
            "Findings and impression are found in either order, and end where the next section "
            "starts; the published script cuts everything from the one to the other, and to the "
            "end, so recommendations and notifications are part of its answers and reports with "
            "the impression first go wrong."
        ),
        "Sections are those of the report itself, because an addendum says something else.",
        "Sections that are empty or masked as a whole give nothing, because nothing is to learn.",
        "Train and test are drawn by patient, because reports of one patient repeat each other.",
    )

    impression = Task(
        legacy_id="task112",
        benchmark_id="task112",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.CLINICAL_TEXTS,
        published_count=109119,
        metric="bleu_rouge",
        definition=(
            "You are given the findings of a chest radiograph, as a radiologist dictated them. "
            "Write the impression that concludes the report: in one or a few short sentences, "
            "what matters most about them for the patient. State only what the findings support, "
            "without a heading and without line breaks. '___' stands for text that was removed "
            "to protect the patient."
        ),
        must_include=("heading", "line breaks"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield patient, study and report, in the order of their names."""
        del split
        for file in files:
            with file.reading(), zipfile.ZipFile(file.path) as archive:
                for name in sorted(archive.namelist()):
                    path = PurePosixPath(name)
                    if path.suffix == ".txt" and path.name.startswith("s"):
                        yield path.parent.name[1:], path.stem[1:], archive.read(name)

    def instances(self, record: tuple[str, str, bytes]) -> Examples:
        patient, study, data = record
        report = ADDENDUM_END.split(data.decode().replace("\r\n", "\n"))[-1]
        sections = text.sections(report, HEADINGS)
        if "FINDINGS" not in sections:
            yield self.skip("no FINDINGS section")
            return
        if "IMPRESSION" not in sections:
            yield self.skip("no IMPRESSION section")
            return
        findings = text.one_line(sections["FINDINGS"])
        impression = text.one_line(sections["IMPRESSION"])
        if not findings.strip(MASK) or not impression.strip(MASK):
            yield self.skip("findings or impression is empty")
            return
        yield self.impression(input=findings, output=impression, key=study, group=patient)
