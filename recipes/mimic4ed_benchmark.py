"""MIMIC-IV-ED benchmark: emergency department visits and three outcomes.

Raw layout (owners' extract_master_dataset.py): `master_dataset.csv`, written by pandas, one row a
visit. `subject_id` is the patient, `stay_id` the visit; a missing value is an empty cell, truth
values read `True` and `False`, comorbidities 1 and 0, `ed_los` is a time span ("0 days 04:10:00"),
temperatures are in degrees Fahrenheit. The cohort is that of the owners' paper: adults with a
triage acuity. Their clean-up of outliers is not repeated: values stand as in the file.
"""

from collections.abc import Callable, Iterable
from itertools import compress
from operator import add
from typing import Any, TypeAlias

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw

ADULT = 18


def named(form: str, names: str) -> tuple[str, ...]:
    """Return the columns of which `form` is the pattern."""
    return tuple(form.format(name) for name in names.split())


VITALS = "temperature heartrate resprate o2sat sbp dbp"
DAYS = "30 90 365"
HISTORY = (
    "gender",
    *named("n_ed_{}d", DAYS),
    *named("n_hosp_{}d", DAYS),
    *named("n_icu_{}d", DAYS),
)
TRIAGE_VITALS = named("triage_{}", VITALS)
COMPLAINTS = named(
    "chiefcom_{}",
    "chest_pain abdominal_pain headache shortness_of_breath back_pain cough nausea_vomiting "
    "fever_chills syncope dizziness",
)
CONDITION = (
    *named("triage_{}", "pain acuity"),
    *COMPLAINTS,
    *named(
        "cci_{}",
        "MI CHF PVD Stroke Dementia Pulmonary Rheumatic PUD Liver1 DM1 DM2 Paralysis Renal "
        "Cancer1 Liver2 Cancer2 HIV",
    ),
    *named(
        "eci_{}",
        "Arrhythmia Valvular PHTN HTN1 HTN2 NeuroOther Hypothyroid Lymphoma Coagulopathy Obesity "
        "WeightLoss FluidsLytes BloodLoss Anemia Alcohol Drugs Psychoses Depression",
    ),
)
LAST_VITALS = named("ed_{}_last", VITALS)
STAY = ("ed_los", "n_med", "n_medrecon")
COURSE = (*LAST_VITALS, *STAY)
OUTCOMES = ("outcome_hospitalization", "outcome_critical", "outcome_ed_revisit_3d")

TABLE = "master_dataset.csv"
COLUMNS = ("subject_id", "stay_id", "age", "triage_acuity", *OUTCOMES)
AT_TRIAGE = {"history": HISTORY, "triage_vitals": TRIAGE_VITALS, "condition": CONDITION}

DEFINITION = (
    "You are given what is known of a patient's visit to the emergency department {moment}: one "
    "variable a line, as 'name: value'. {variables} Variables that were not recorded have no line. "
    "Predict {outcome}. Answer with exactly 'True' if so and with exactly 'False' if not."
)
KNOWN = (
    "n_ed_*, n_hosp_* and n_icu_* count earlier emergency visits, admissions and intensive care "
    "stays in the last 30, 90 and 365 days, triage_acuity runs from 1 (most urgent) to 5, "
    "chiefcom_* are chief complaints, cci_* and eci_* are comorbidities of the Charlson and "
    "Elixhauser indices."
)
FAHRENHEIT = "Temperatures are in degrees Fahrenheit."


def lines(variables: tuple[str, ...]) -> Callable[[tuple[str, ...]], str]:
    """Return a function from values to text: a new line for each variable that is not empty."""
    names = [f"\n{variable}: " for variable in variables]
    # Names and values in turn: joined at once, they make the lines of a record that lacks none.
    both = [word for name in names for word in (name, "")]

    def write(values: tuple[str, ...]) -> str:
        if not all(values):
            return "".join(compress(map(add, names, values), values))
        both[1::2] = values
        return "".join(both)

    return write


history, triage_vitals, condition, course = map(lines, (HISTORY, TRIAGE_VITALS, CONDITION, COURSE))


def prediction(number: int, moment: str, variables: str, outcome: str) -> Task:
    """Return the task that predicts an outcome."""
    return Task(
        legacy_id=f"task{number}",
        benchmark_id=f"task{number}",
        category=Category.CLINICAL_OUTCOME_PREDICTION,
        domain=Domain.CLINICAL_TEXTS,
        published_count=382578,
        labels=("True", "False"),
        metric="accuracy",
        definition=DEFINITION.format(moment=moment, variables=variables, outcome=outcome),
        template_vars={
            "moment": moment.replace("it ends", "the visit ends"),
            "outcome": outcome,
            "rest": variables.removeprefix(KNOWN).strip(),
        },
        must_include=(outcome, "triage_acuity", "Charlson", "Elixhauser", "Fahrenheit"),
    )


Outcomes: TypeAlias = tuple[tuple[Task, str], ...]
"""Tasks with the columns of their answers."""


class Mimic4EDBenchmark(Recipe):
    title = "MIMIC-IV-ED Benchmark"
    homepage = "https://github.com/nliulab/mimic4ed-benchmark"
    license = "PhysioNet-1.5.0"
    citation = "Xie et al., 2022, Scientific Data 9:658, doi:10.1038/s41597-022-01782-9"
    figure_label = "MIMIC4ED Benchmark"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = (
        "Become a credentialed user of PhysioNet, finish its training and sign the data use "
        "agreements of https://physionet.org/content/mimiciv/ and "
        "https://physionet.org/content/mimic-iv-ed/. Download both, run the benchmark's "
        "extract_master_dataset.py over them as its readme says, and put the master_dataset.csv "
        "that it writes here."
    )
    files = raw.csv(TABLE, columns=COLUMNS, groups={**AT_TRIAGE, "course": COURSE})
    # A ninth of the cells are known at the end of a visit only.
    begun = raw.csv(TABLE, columns=COLUMNS, groups=AT_TRIAGE)
    deviations = (
        (
            "Visits of patients under 18 and visits without triage acuity are left out, because "
            "the benchmark's owners leave them out."
        ),
        "A missing value has no line, because the published 'nan' is not a value.",
        (
            "Train and test are drawn by patient, because a cut by row puts visits of one patient "
            "on both sides."
        ),
    )

    hospitalization = prediction(
        117,
        "at triage",
        f"{KNOWN} {FAHRENHEIT}",
        "whether the patient will be admitted to the hospital at the end of this visit",
    )
    critical = prediction(
        119,
        "at triage",
        f"{KNOWN} {FAHRENHEIT}",
        "whether the outcome will be critical: death in hospital, or transfer to intensive care "
        "within 12 hours of leaving the department",
    )
    ed_revisit_72h = prediction(
        118,
        "when it ends",
        f"{KNOWN} ed_*_last are the last vital signs, ed_los is the length of the visit, n_med and "
        f"n_medrecon count the medications given and those taken at home. {FAHRENHEIT}",
        "whether the patient will come back to the emergency department within 72 hours",
    )

    # What is predicted from the same variables, and the column that says it.
    at_triage: Outcomes = ((hospitalization, OUTCOMES[0]), (critical, OUTCOMES[1]))
    at_the_end: Outcomes = ((ed_revisit_72h, OUTCOMES[2]),)

    def prepare(self, file_set: str, tasks: Iterable[Task]) -> None:
        super().prepare(file_set, tasks)
        # Asked about every visit, so answered only once.
        self.at_triage = tuple(one for one in type(self).at_triage if self.is_requested(one[0]))
        self.at_the_end = tuple(one for one in type(self).at_the_end if self.is_requested(one[0]))
        if not self.at_the_end:
            self.reader = self.begun.reader

    def instances(self, record: dict[str, Any]) -> Examples:
        if not record["triage_acuity"]:
            yield self.skip("no triage acuity")
            return
        age = record["age"]
        if float(age) < ADULT:
            yield self.skip("patient is under 18")
            return
        visit, patient = record["stay_id"], record["subject_id"]
        past = f"age: {age}{history(record['history'])}"
        present = condition(record["condition"])
        if self.at_triage:
            before = f"{past}{triage_vitals(record['triage_vitals'])}{present}"
            for task, outcome in self.at_triage:
                yield task(input=before, output=record[outcome], key=visit, group=patient)
        if self.at_the_end:
            after = f"{past}{present}{course(record['course'])}"
            for task, outcome in self.at_the_end:
                yield task(input=after, output=record[outcome], key=visit, group=patient)
