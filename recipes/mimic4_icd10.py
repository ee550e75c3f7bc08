"""MIMIC-IV-ICD, ICD-10: discharge summaries with the codes they were billed under.

Raw layout (github.com/thomasnguyen92/MIMIC-IV-ICD-data-processing, its readme and notebook):
running the notebook leaves `disch_{train,dev,test}_split.csv` in `mimicdata/mimic4_icd10/`, split
by patient, with `subject_id`, `hadm_id`, `text` and `labels`. The text is what the pipeline makes
of a note: its words in lower case, without numbers, punctuation or line breaks; several notes of
one admission are joined. The labels are ICD-10-CM diagnoses and then ICD-10-PCS procedures,
without the dot, joined by ";"; a procedure done twice is listed twice.

The readme has MIMIC-IV itself in `mimicdata/physionet.org/`. Its tables `d_icd_diagnoses` and
`d_icd_procedures` (`icd_code`, `icd_version`, `long_title`; the owners' documentation) say what
the codes mean; they have ICD-9 too, where a code may mean something else.
"""

from functools import cached_property
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

MIMIC = "mimicdata/physionet.org/files/mimiciv/2.2/hosp"


class MIMIC4ICD10(Recipe):
    title = "MIMIC-IV-ICD (ICD-10)"
    homepage = "https://github.com/thomasnguyen92/MIMIC-IV-ICD-data-processing"
    license = "PhysioNet-1.5.0"
    citation = "Nguyen et al., 2023, arXiv:2304.13998; Johnson et al., 2023, Scientific Data 10:1"
    figure_label = "MIMIC4 ICD-10"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = (
        "Become a credentialed user of PhysioNet, finish its training and sign the data use "
        "agreements of https://physionet.org/content/mimiciv/2.2/ and "
        "https://physionet.org/content/mimic-iv-note/2.2/. Clone "
        "github.com/thomasnguyen92/MIMIC-IV-ICD-data-processing, download both into its "
        "mimicdata/physionet.org/files/mimiciv/2.2/ (folders hosp and note), run its notebook "
        "dataproc_mimic_IV_exploration_icd10.ipynb, and copy or link the folder mimicdata here."
    )
    files = raw.csv(
        columns=("hadm_id", "text", "labels"),
        train="mimicdata/mimic4_icd10/disch_train_split.csv",
        validation="mimicdata/mimic4_icd10/disch_dev_split.csv",
        test="mimicdata/mimic4_icd10/disch_test_split.csv",
    )
    lookups = {
        "codes": raw.csv(
            f"{MIMIC}/d_icd_diagnoses.csv",
            f"{MIMIC}/d_icd_procedures.csv",
            columns=("icd_code", "icd_version", "long_title"),
        )
    }
    deviations = (
        (
            "A code that the tables do not describe stands without a description, because it is "
            "part of the answer; the published script drops it."
        ),
        (
            "Descriptions are the long titles of MIMIC-IV's own tables, because the files that the "
            "published script reads were never published, and it writes those of procedures over "
            "each other."
        ),
        "A code stands once, because a procedure done twice is still one code.",
        (
            "All of the official train file is training data, because nothing is tested on the "
            "tenth of it that MedS-Ins leaves out."
        ),
    )

    coding = Task(
        legacy_id="task116",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.CLINICAL_TEXTS,
        published_count=99397,
        definition=(
            "You are given the words of a hospital's discharge summary, in lower case and without "
            "numbers and punctuation; '___' stands for what was removed to protect the patient. "
            "Assign all its codes of ICD-10-CM for diagnoses and of ICD-10-PCS for procedures: "
            "diagnoses first, the principal one before the others, then procedures. Write each "
            "code without a dot, then a colon, a blank and the official description, as in "
            "'I10: Essential (primary) hypertension', and put a semicolon and a blank between "
            "two codes."
        ),
        must_include=(
            "ICD-10-CM",
            "ICD-10-PCS",
            "principal",
            "dot",
            "colon",
            "official description",
            "semicolon and a blank|semicolon and blank",
        ),
        ignored_constraints=("I10: Essential (primary) hypertension",),
    )

    @cached_property
    def descriptions(self) -> dict[str, str]:
        """What each ICD-10 code means."""
        return {
            row["icd_code"].strip(): row["long_title"].strip()
            for row in self.lookup("codes")
            if row["icd_version"] == "10"
        }

    def instances(self, record: dict[str, Any]) -> Examples:
        codes = text.distinct(code.strip() for code in record["labels"].split(";") if code.strip())
        if not codes:
            yield self.skip("no codes")
            return
        if not record["text"].strip():
            yield self.skip("empty note")
            return
        known = self.descriptions
        if not all(map(known.get, codes)):
            yield self.skip("a code has no description")
        yield self.coding(
            input=record["text"].strip(),
            output="; ".join(
                f"{code}: {known[code]}" if known.get(code) else code for code in codes
            ),
            key=record["hadm_id"],
        )
