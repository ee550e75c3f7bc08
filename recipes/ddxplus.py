"""DDXPlus: synthetic patients with what they report, and the pathology behind it.

Raw layout (owners' readme): for each split a zip with one CSV file, which has no ending inside
it, of AGE, DIFFERENTIAL_DIAGNOSIS, SEX, PATHOLOGY, EVIDENCES and INITIAL_EVIDENCE; and
`release_evidences.json`, which gives each evidence its question and its values in French and
English. EVIDENCES is a Python list of codes in single quotes: "E_91" for a binary evidence,
"E_54_@_V_161" or "E_56_@_4" for a value of another; one of several values stands in it once for
each. An earlier release with French names and other codes is not read.
"""

from functools import cached_property

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw

# As `condition_name` in release_conditions.json has them, and PATHOLOGY too: "Larygospasm" is the
# owners' spelling.
PATHOLOGIES = (
    "Spontaneous pneumothorax",
    "Cluster headache",
    "Boerhaave",
    "Spontaneous rib fracture",
    "GERD",
    "HIV (initial infection)",
    "Anemia",
    "Viral pharyngitis",
    "Inguinal hernia",
    "Myasthenia gravis",
    "Whooping cough",
    "Anaphylaxis",
    "Epiglottitis",
    "Guillain-Barré syndrome",
    "Acute laryngitis",
    "Croup",
    "PSVT",
    "Atrial fibrillation",
    "Bronchiectasis",
    "Allergic sinusitis",
    "Chagas",
    "Scombroid food poisoning",
    "Myocarditis",
    "Larygospasm",
    "Acute dystonic reactions",
    "Localized edema",
    "SLE",
    "Tuberculosis",
    "Unstable angina",
    "Stable angina",
    "Ebola",
    "Acute otitis media",
    "Panic attack",
    "Bronchospasm / acute asthma exacerbation",
    "Bronchitis",
    "Acute COPD exacerbation / infection",
    "Pulmonary embolism",
    "URTI",
    "Influenza",
    "Pneumonia",
    "Acute rhinosinusitis",
    "Chronic rhinosinusitis",
    "Bronchiolitis",
    "Pulmonary neoplasm",
    "Possible NSTEMI / STEMI",
    "Sarcoidosis",
    "Pancreatic neoplasm",
    "Acute pulmonary edema",
    "Pericarditis",
)
RESULT = "The diagnosis result is {label}."


class DDXPlus(Recipe):
    title = "DDXPlus"
    homepage = "https://github.com/mila-iqia/ddxplus"
    license = "CC-BY-4.0"
    citation = "Fansi Tchango et al., 2022, NeurIPS, arXiv:2205.09148"
    figure_label = "DDXPlus"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download the English version from https://doi.org/10.6084/m9.figshare.22687585 (no "
        "account needed) and put release_train_patients.zip, release_validate_patients.zip, "
        "release_test_patients.zip and release_evidences.json here, the zips as they are."
    )
    files = raw.csv(
        columns=("AGE", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE"),
        train="release_train_patients.zip!*",
        validation="release_validate_patients.zip!*",
        test="release_test_patients.zip!*",
    )
    lookups = {"evidences": raw.json("release_evidences.json")}
    deviations = (
        (
            "Pathologies are written as the owners write them; the published definition has them "
            "in lower case, lacks a comma between two and has one too many in another. The "
            "benchmark compares without case."
        ),
        (
            "'cannot decide', which the published definition offers, is not a label, as no "
            "patient has it; nor is a single word asked for, because most labels have several."
        ),
    )

    diagnosis = Task(
        legacy_id="task130",
        benchmark_id="task130",
        category=Category.DIAGNOSIS,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1025602,
        metric="accuracy",
        labels=PATHOLOGIES,
        template=RESULT,
        definition=(
            "You are given a patient's age and sex, the first thing they reported, and everything "
            "they reported when asked about symptoms and history: questions, each followed by "
            "its answer, with ratings from 0 to 10. Decide which one of these pathologies the "
            "patient has: "
            f"{'; '.join(PATHOLOGIES)}. Answer in the form '{RESULT.format(label='PATHOLOGY')}' "
            "with the pathology spelt as in the list, and write nothing else."
        ),
        template_vars={"pathologies": "; ".join(PATHOLOGIES)},
        must_include=("spelt|spelled|spelling|letter for letter|exactly as",),
    )

    @cached_property
    def answers(self) -> dict[str, str]:
        """Question and answer in English, by code as it stands in a patient's evidences."""
        found = {}
        for code, evidence in self.lookup("evidences"):
            question, meanings = evidence["question_en"], evidence["value_meaning"]
            if evidence["data_type"] == "B":
                found[code] = f"{question} Yes"
            for value in evidence["possible-values"]:
                # Numbers mean themselves.
                meaning = meanings[value]["en"] if value in meanings else value
                found[f"{code}_@_{value}"] = f"{question} {meaning}"
        return found

    def instances(self, record: dict[str, str]) -> Examples:
        try:
            initial = self.answers[record["INITIAL_EVIDENCE"]]
            # Codes hold neither quotes nor commas, so this is what a literal parser would find.
            codes = record["EVIDENCES"][2:-2].split("', '")
            evidences = "; ".join([self.answers[code] for code in codes])
        except KeyError as error:
            raise raw.RecordError("evidence is none of the release", field="EVIDENCES") from error
        yield self.diagnosis(
            input=(
                f"Age: {record['AGE']}\nSex: {record['SEX']}\n"
                f"Initial evidence: {initial}\nEvidence: {evidences}"
            ),
            output=RESULT.format(label=record["PATHOLOGY"]),
        )
