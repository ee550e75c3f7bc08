"""MIMIC-IV-Note: deidentified radiology reports and discharge summaries.

Raw layout (PhysioNet, version 2.2, and the owners' documentation of the tables): `note/*.csv.gz`
with `note_id`, `subject_id`, `hadm_id`, `note_type` (RR or AR; DS), `note_seq`, `charttime`,
`storetime` and `text`, which spans many lines and is quoted. `___` stands for what was removed.

A section starts with its heading and a colon at the start of a line, spaces before it allowed:
`FINDINGS:`. Many reports have no EXAMINATION field, or no findings apart from the impression.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias

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

# What an EXAMINATION field says, as whole words in any case; it may name several modalities and
# regions. "Cervical" and "thoracic" decide nothing: they are said of the spine and of vessels.
MODALITIES = {
    "X-ray": "x-ray, x ray, xray, xr, cxr, radiograph, radiographs, radiography",
    "CT": "ct, cta, ctpa, ctu, ctv, c.t., cat scan, computed tomography",
    "MRI": "mr, mri, mra, mrv, mrcp, magnetic resonance",
    "Ultrasound": (
        "us, u.s., ultrasound, ultrasonography, sonogram, sonography, doppler, dopp, duplex"
    ),
    # CTA and MRA are angiography, spelt out or not.
    "Angiography": "angiography, angiogram, angiograms, arteriogram, cta, ctpa, mra",
    "Mammogram": "mammogram, mammograms, mammography, mammo, tomosynthesis",
    "Pathology": "pathology",
    "Fluoroscopy": "fluoroscopy, fluoroscopic, fluoro, esophagram, barium swallow",
}
# Radiographs are often named by their views alone: "CHEST (PA AND LAT)".
VIEWS = "pa, ap, lat, lateral, oblique, view, views, portable, dx, kub"
REGIONS = {
    "Chest": "chest, thorax, lung, lungs, pulmonary, mediastinum, cxr, ctpa, torso",
    "Head_and_neck": (
        "head, neck, face, facial, maxillofacial, mandible, sinus, sinuses, orbit, orbits, "
        "temporal bone, temporal bones, thyroid, carotid, carotids"
    ),
    "Brain": "brain, cerebral, intracranial, pituitary, sella",
    "Abdomen": (
        "abdomen, abdominal, abd, liver, hepatic, gallbladder, biliary, mrcp, pancreas, "
        "pancreatic, spleen, kidney, kidneys, renal, adrenal, adrenals, kub, torso"
    ),
    "Pelvis": "pelvis, pelvic, pel, bladder, prostate, uterus, torso",
    "Spine": "spine, spinal, lumbar, lumbosacral, sacrum",
}
SUMMARISED = {
    "ultrasound": "an ultrasound examination",
    "angiography": "an angiography",
    "mammogram": "a mammogram",
    "pathology": "a pathology examination",
    "fluoroscopy": "a fluoroscopy",
    **{
        f"{modality}_{region}".lower(): f"{scan} that covers the {region.lower().replace('_', ' ')}"
        for modality, scan in (("CT", "a CT scan"), ("MRI", "an MRI scan"))
        for region in REGIONS
    },
}
NOT_BENCHMARKED = ("angiography", "mammogram", "pathology", "fluoroscopy")

# A heading starts with a capital: wrapped prose may put "findings:" at the start of a line too.
# Nothing may stand in front of the line break: it is what makes the search fast.
START = {
    "EXAMINATION": re.compile(r"\n[ \t]*E(?i:XAM(?:INATION)?)[ \t]*:"),
    "FINDINGS": re.compile(r"\n[ \t]*F(?i:INDINGS)[ \t]*:"),
    "IMPRESSION": re.compile(r"\n[ \t]*I(?i:MPRESSION)[ \t]*:"),
}
PLAIN = {heading: f"\n{heading}:" for heading in START}
ENDS = {
    *("EXAM", "INDICATION", "HISTORY", "TECHNIQUE", "COMPARISON", *START),
    *("RECOMMENDATION", "RECOMMENDATIONS", "RECOMMENDATION(S)", "NOTIFICATION", "ADDENDUM"),
}
PARAGRAPH = re.compile(r"\n[ \t]*\n")
INSTRUCTIONS = re.compile(r"\n[ \t]*Discharge Instructions[ \t]*:", re.IGNORECASE)
FOLLOWUP = re.compile(r"\n[ \t]*Follow[- ]?up Instructions[ \t]*:", re.IGNORECASE)
# Where a discharge note was broken at its margin: after a long line that does not end in a colon,
# before a small letter or a mask, which is three underscores. Short lines are those of a list.
BREAK = re.compile(r"\n(?<=[^\n]{50}\n)(?<!:\n)[ \t]*(?=[a-z]|___(?!_))")
MASK = "_ .\t\n"
LINE = 200
"""Most characters of an examination's line that is looked up instead of being read again."""

Answers: TypeAlias = tuple[tuple[str, ...], str, str]
"""Summary tasks of an examination, and what names its modalities and its regions."""


def table(rows: dict[str, str]) -> dict[str, set[str]]:
    """Return the words of a table of rules, by label."""
    return {label: set(words.split(", ")) for label, words in rows.items()}


MODALITY_WORDS, REGION_WORDS = table(MODALITIES), table(REGIONS)
VIEW_WORDS = set(VIEWS.split(", "))
WORD = text.whole_words(VIEW_WORDS.union(*MODALITY_WORDS.values(), *REGION_WORDS.values()))


def named(examination: str) -> tuple[list[str], list[str]]:
    """Return the modalities and the regions that an EXAMINATION field names."""
    # Where an unknown heading follows, the field still ends with its paragraph.
    field = text.one_line(PARAGRAPH.split(examination, maxsplit=1)[0].lower())
    words = set(WORD.findall(field))
    modalities = [label for label, known in MODALITY_WORDS.items() if known & words]
    if not modalities and VIEW_WORDS & words:
        modalities = ["X-ray"]
    return modalities, [label for label, known in REGION_WORDS.items() if known & words]


def sentence(one: str, several: str, labels: list[str]) -> str:
    """Return the answer that names the labels; "" if there is none."""
    return (one if len(labels) == 1 else several).format(", ".join(labels)) if labels else ""


@lru_cache(maxsize=8192)
def answers(examination: str) -> Answers:
    """Return the summary tasks of an examination, and what names its modalities and its regions."""
    modalities, regions = named(examination)
    kinds = [*modalities, *(f"{m}_{region}" for m in modalities for region in regions)]
    return (
        tuple(kind.lower() for kind in kinds if kind.lower() in SUMMARISED),
        sentence(
            "The imaging modality used for the diagnosis is {}.",
            "The imaging modalities used for the diagnosis are {}.",
            modalities,
        ),
        sentence(
            "The anatomical location of the diagnosis is {}.",
            "The anatomical locations of the diagnosis are {}.",
            regions,
        ),
    )


def unix(note: str) -> str:
    """Return a note with Unix line ends."""
    return note.replace("\r\n", "\n") if "\r" in note else note


def section(report: str, heading: str, after: int = 0) -> str | None:
    """Return a section of a report, None if there is none; of several, the first that has text.

    A heading in capitals at the very start of a line, which is the rule, counts before any other,
    because plain text is found much faster than a pattern.
    """
    start = report.find(PLAIN[heading], after)
    if start >= 0:
        start += len(heading) + 2
    elif other := START[heading].search(report, after):
        start = other.end()
    else:
        return None
    body = report[start : end_of_section(report, start)].strip()
    return body or section(report, heading, start) or ""


def end_of_section(report: str, start: int) -> int | None:
    """Return where the line of the next heading begins; None if the section is the last."""
    colon = report.find(":", start)
    while colon >= 0:
        line = report.rfind("\n", start, colon)
        if line >= 0:
            heading = report[line + 1 : colon].strip(" \t")
            if heading.upper() in ENDS and heading[0].isupper():
                return line
        colon = report.find(":", colon + 1)
    return None


@lru_cache(maxsize=8192)
def opening(paragraph: str) -> Answers | None:
    """Return the answers to a report that begins with this paragraph, if it is an EXAMINATION.

    It mostly is, and a single line: it alone is looked at in reports that no task wants.
    """
    line = paragraph.removeprefix("EXAMINATION:")
    if line == paragraph or len(line.splitlines()) > 1 or not line.strip():
        return None
    return answers(line)


def examined(note: str) -> Answers | None:
    """Return the answers to the EXAMINATION section of a report; None if there is none."""
    end = note.find("\n\n", 0, LINE)
    if end >= 0 and (found := opening(note[:end])):
        return found
    examination = section(f"\n{unix(note)}", "EXAMINATION")
    return answers(examination) if examination is not None else None


class MimicIVNote(Recipe):
    title = "MIMIC-IV-Note"
    homepage = "https://physionet.org/content/mimic-iv-note/2.2/"
    license = "PhysioNet-1.5.0"
    citation = "Johnson et al., 2023, MIMIC-IV-Note 2.2, doi:10.13026/1n74-ne17"
    figure_label = "MIMIC-IV, MIMIC-IV-Notes"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = (
        "Become a credentialed user of PhysioNet, finish its training and sign the data use "
        "agreement of https://physionet.org/content/mimic-iv-note/2.2/. Download the folder note/ "
        "and put radiology.csv.gz and discharge.csv.gz into note/ here, unpacked or not."
    )
    files = {
        "radiology": raw.csv("note/radiology.csv", columns=("note_id", "subject_id", "text")),
        "discharge": raw.csv("note/discharge.csv", columns=("note_id", "subject_id", "text")),
    }
    deviations = (
        (
            "Modalities and regions are whole words and their synonyms, because the published "
            "script finds 'ct' in 'fracture', 'tract' and 'duct', misses 'MR', and looks for "
            "'head_and_neck' as it stands, which no report writes."
        ),
        (
            "A CT or MRI report that names several regions is in the task of each, not of the "
            "first alone, because the pelvis is seldom scanned without the abdomen."
        ),
        (
            "The answer to the anatomy task names all regions, in the plural form of the modality "
            "task, because the first of several is only part of the truth."
        ),
        "CTA and MRA count as angiography, because 'CT angiography' does.",
        "Radiographs named by their views are X-ray, because few say the word.",
        (
            "The impression ends where the next section starts, because who telephoned whom does "
            "not follow from the findings; it may stand before the findings, and an INDICATION "
            "is not required."
        ),
        "Sections that are empty or masked as a whole give nothing, because nothing is to learn.",
        "Classes are not cut at 10,000, because sampling is the exporter's business.",
        (
            "Broken lines of discharge notes are joined with a space, which the published script "
            "lost, and only long ones, because short lines are lists."
        ),
        "Followup Instructions are no part of the output, because they are the next section.",
        "Train and test are drawn by patient, because notes of one patient repeat each other.",
    )

    summary = {
        key: Task(
            legacy_id=f"task{number}",
            benchmark_id="" if key in NOT_BENCHMARKED else f"task{number}",
            category=Category.TEXT_SUMMARIZATION,
            domain=Domain.CLINICAL_TEXTS,
            metric="" if key in NOT_BENCHMARKED else "bleu_rouge",
            definition=(
                f"You are given the findings of {examination}, as a radiologist dictated them. "
                "Write the impression that concludes the report: what the findings mean for the "
                "diagnosis, the most important first, in a few short sentences or numbered "
                "points. State only what the findings support, and write no heading. '___' "
                "stands for text that was removed to protect the patient."
            ),
            template_vars={"examination": examination},
            must_include=(examination, "heading"),
        )
        for number, (key, examination) in enumerate(SUMMARISED.items(), 78)
    }
    modality = Task(
        legacy_id="task95",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.CLINICAL_TEXTS,
        definition=(
            "You are given the findings and then the impression of a radiology report. Name the "
            f"imaging modality they come from. The labels are: {', '.join(MODALITIES)}. Answer "
            "with exactly 'The imaging modality used for the diagnosis is LABEL.' If there are "
            "several, answer with exactly 'The imaging modalities used for the diagnosis are "
            "LABEL, LABEL.', in the order of this list. A CT or MR angiography has two labels."
        ),
        template_vars={"labels": ", ".join(MODALITIES)},
        must_include=(", ".join(MODALITIES), "two labels|both labels"),
    )
    anatomy = Task(
        legacy_id="task96",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.CLINICAL_TEXTS,
        definition=(
            "You are given the findings and then the impression of a radiology report. Name the "
            f"body region that was examined. The labels are: {', '.join(REGIONS)}. Answer with "
            "exactly 'The anatomical location of the diagnosis is LABEL.' If there are several, "
            "answer with exactly 'The anatomical locations of the diagnosis are LABEL, LABEL.', "
            "in the order of this list. An examination of the head is Head_and_neck unless it "
            "was ordered for the brain."
        ),
        template_vars={"labels": ", ".join(REGIONS)},
        must_include=(", ".join(REGIONS), "ordered"),
    )
    discharge_instructions = Task(
        legacy_id="task76",
        category=Category.TEXT_COMPLETION,
        domain=Domain.CLINICAL_TEXTS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=296188,
        definition=(
            "You are given a hospital's discharge summary without its last sections. Write the "
            "section 'Discharge Instructions', which is a letter to the patient in plain words: "
            "why they were in hospital, what was done, what to do and to watch for at home, and "
            "which medicines changed. Begin with the line 'Discharge Instructions:'. Use only "
            "what the summary says. '___' stands for text that was removed to protect the patient."
        ),
    )

    classify = True

    def prepare(self, file_set: str, tasks: Iterable[Task]) -> None:
        super().prepare(file_set, tasks)
        # Asked about every report, so answered only once.
        self.classify = self.is_requested(self.modality, self.anatomy)

    def instances_radiology(self, record: dict[str, Any]) -> Examples:
        note = record["text"]
        answered = examined(note)
        if answered is None:
            yield self.skip("no EXAMINATION section")
            return
        summaries, modality, region = answered
        if not modality and not region:
            yield self.skip("examination names no known modality or region")
            return
        if not summaries and not self.classify:
            return
        report = f"\n{unix(note)}"
        findings = section(report, "FINDINGS")
        if findings is None:
            yield self.skip("no FINDINGS section")
            return
        impression = section(report, "IMPRESSION")
        if impression is None:
            yield self.skip("no IMPRESSION section")
            return
        # Stripped on the left alone, what has text there is not copied.
        if not findings.lstrip(MASK) or not impression.lstrip(MASK):
            yield self.skip("findings or impression is empty")
            return
        key, patient = record["note_id"], record["subject_id"]
        for kind in summaries:
            yield self.summary[kind](input=findings, output=impression, key=key, group=patient)
        if not self.classify:
            return
        both = f"{findings}\n{impression}"
        if modality:
            yield self.modality(input=both, output=modality, key=key, group=patient)
        if region:
            yield self.anatomy(input=both, output=region, key=key, group=patient)

    def instances_discharge(self, record: dict[str, Any]) -> Examples:
        note = unix(record["text"])
        start = INSTRUCTIONS.search(note)
        if not start:
            yield self.skip("no discharge instructions")
            return
        end = FOLLOWUP.search(note, start.end())
        before = BREAK.sub(" ", note[: start.start()]).strip()
        letter = BREAK.sub(" ", note[start.end() : end.start() if end else None]).strip()
        if not before.strip(MASK) or not letter.strip(MASK):
            yield self.skip("discharge instructions, or all before them, are empty")
            return
        yield self.discharge_instructions(
            input=before,
            output=f"Discharge Instructions:\n{letter}",
            key=record["note_id"],
            group=record["subject_id"],
        )
