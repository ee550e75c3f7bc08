"""SEER: breast cancer records of the United States' cancer registries, a case listing.

Raw layout (a SEER*Stat case listing, joined to five-year survival): `Query_5_years.csv`, one row
a patient and 19 columns, some of them misspelt (`Last_fu _year`, `interva_years`,
`stutus_5_years`); column names and their order are those of the published file. Cells with commas
are quoted, and a value that a registry did not collect reads `Blank(s)`. No column names a patient.
"""

from typing import Any

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw

INPUTS = (
    "Age at diagnosis",
    "Regional nodes positive (1988+)",
    "Total number of in situ/malignant tumors for patient",
    "Chemotherapy recode",
    "ER Status Recode Breast Cancer (1990+)",
    "PR Status Recode Breast Cancer (1990+)",
    "CS tumor size (2004-2015)",
    "Derived HER2 Recode (2010+)",
    "Regional nodes examined (1988+)",
    "Race recode",
    "Sex",
    "Diagnosis_year",
)
SEQUENCE = "Radiation sequence with surgery"
SEQUENCES = (
    "Intraoperative rad with other rad before/after surgery",
    "Intraoperative radiation",
    "No radiation and/or cancer-directed surgery",
    "Radiation after surgery",
    "Radiation before and after surgery",
    "Radiation prior to surgery",
    "Surgery both before and after radiation",
)
BLANK = ("", "Blank(s)")
# SEER's code 9: it tells of both treatments, but not of their order.
UNKNOWN = (*BLANK, "Sequence unknown, but both were given")


class Seer(Recipe):
    title = "SEER (Surveillance, Epidemiology, and End Results)"
    homepage = "https://seer.cancer.gov"
    license = "SEER-DUA"
    citation = "SEER Program, National Cancer Institute, research data 1975-2016"
    figure_label = "SEER"
    access = Access.REGISTRATION
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Ask for access at https://seer.cancer.gov/data/access.html and sign the SEER Research "
        "Data Use Agreement. With SEER*Stat, export a case listing of breast cancer, values as "
        "text, comma separated, with a header row. Its columns must be named "
        f"{', '.join(repr(name) for name in (*INPUTS, SEQUENCE))}; others are not read. "
        "Save it as Query_5_years.csv."
    )
    files = raw.csv("Query_5_years.csv", columns=(*INPUTS, SEQUENCE))
    deviations = (
        (
            "Radiation recode is not in the input: it says whether there was radiation, and so "
            "most of the answer."
        ),
        (
            "Vital status, cause of death, year of last follow-up and years of follow-up are no "
            "input, because they lie in the future of the decision."
        ),
        "A blank value has no line, because 'Blank(s)' and 'nan' read like a finding.",
        (
            "Train and test are drawn by a hash of the whole input, because the file names no "
            "patient, and the published cut after 90 % of the rows may part equal records."
        ),
    )

    treatment_planning = Task(
        legacy_id="task131",
        benchmark_id="task131",
        category=Category.TREATMENT_PLANNING,
        domain=Domain.CLINICAL_TEXTS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=31813,
        labels=SEQUENCES,
        template="The treatment planning is: {label}",
        metric="accuracy",
        definition=(
            "You are given the cancer registry record of a patient with breast cancer: one "
            "variable and its value a line, with an empty line in between. Variables that were "
            "not recorded have no line. Decide in which order radiation and surgery are to be "
            "given, or that one of them is not given. Answer with exactly 'The treatment planning "
            "is: LABEL', where LABEL is one of these seven, and write nothing else: "
            f"{'; '.join(SEQUENCES)}."
        ),
        template_vars={"labels": "; ".join(SEQUENCES)},
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        sequence = record[SEQUENCE].strip()
        if sequence in UNKNOWN:
            yield self.skip("sequence of radiation and surgery is unknown")
            return
        if sequence not in SEQUENCES:
            raise raw.RecordError("no known sequence of radiation and surgery", field=SEQUENCE)
        values = ((name, record[name].strip()) for name in INPUTS)
        patient = "\n\n".join(f"{name}: {value}" for name, value in values if value not in BLANK)
        if not patient:
            yield self.skip("all values are blank")
            return
        yield self.treatment_planning(
            input=patient,
            output=f"The treatment planning is: {sequence}",
            group=patient,
        )
