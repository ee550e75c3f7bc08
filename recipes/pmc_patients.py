"""PMC-Patients: descriptions of patients from case reports in PubMed Central.

Raw layout (owners' readme and the file on Hugging Face): `PMC-Patients.csv` with `patient_id`,
`patient_uid` ("7665777-1": the PubMed identifier of the article and a number in it), `PMID`,
`file_path`, `title` (of the article), `patient`, `age`, `gender` (M or F), `relevant_articles` and
`similar_patients`. The age is a list such as [[1.0, 'year'], [2.0, 'month']], similar patients
are a dict from identifier to 2 (the same article) or 1 (an article that cites or is cited), both
written as Python has them. Many patients have no similar one; articles have up to dozens.
"""

import ast
from collections.abc import Iterator, Sequence
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

Patient: TypeAlias = dict[str, str]
Record: TypeAlias = tuple[Patient, list[Patient], dict[str, Patient]]
"""A patient, patients drawn by lot, and all patients by identifier."""

UNITS = ("year", "month", "week", "day", "hour")
MOST_CASES = 5
MOST_RELATED = 3
# At most four are needed, and nine of ten can be used.
DRAWS = 8


def parsed(patient: Patient, field: str) -> Any:
    """Return the value of a cell that holds a Python list or dict as text."""
    try:
        return ast.literal_eval(patient[field])
    except (ValueError, SyntaxError) as error:
        raise raw.RecordError("no Python value", field=field, detail=patient[field]) from error


def age_of(patient: Patient) -> list[list[Any]]:
    """Return the age as pairs of a number and its unit."""
    age = [[float(value), unit] for value, unit in parsed(patient, "age")]
    if any(unit not in UNITS for _, unit in age):
        raise raw.RecordError("no such unit", field="age", detail=patient["age"])
    return age


def side(patient: Patient) -> str:
    """Return the split of a patient, which is that of the article: one in ten is for testing."""
    return "test" if text.digest(patient["PMID"]) % 10 == 0 else "train"


def cases_of(record: Record) -> tuple[list[Patient], list[Patient]]:
    """Return the cases of a question in an order drawn by lot, and which of them are related."""
    query, drawn, patients = record
    similar = parsed(query, "similar_patients")
    known = [patients[uid] for uid in similar if uid in patients]
    related = [case for case in known if may_be_shown(case, query)][:MOST_RELATED]
    others = [
        case
        for case in drawn
        if case["patient_uid"] not in similar
        and case["PMID"] != query["PMID"]
        and may_be_shown(case, query)
    ]
    cases = {case["patient_uid"]: case for case in [*related, *others][:MOST_CASES]}
    order = sorted(cases, key=lambda uid: text.digest(f"{query['patient_uid']} {uid}"))
    return [cases[uid] for uid in order], related


def may_be_shown(case: Patient, query: Patient) -> bool:
    """Return whether a patient can be a case of a question about another."""
    return bool(case["patient"].strip()) and (side(case) == "train" or side(query) == "test")


class PMCPatients(Recipe):
    title = "PMC-Patients"
    homepage = "https://github.com/pmc-patients/pmc-patients"
    license = "CC-BY-NC-SA-4.0"
    citation = "Zhao et al., 2023, Scientific Data 10:909, arXiv:2202.13876"
    figure_label = "PMC-Patient"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download PMC-Patients.csv (167,034 patients, no account needed) from "
        "https://huggingface.co/datasets/zhengyun21/PMC-Patients and put it here."
    )
    files = raw.csv(
        "PMC-Patients.csv",
        columns=("patient_uid", "PMID", "title", "patient", "age", "gender", "similar_patients"),
    )
    deviations = (
        (
            "Train and test are drawn by article, because patients of one article share its title "
            "and often their story. The draw does not depend on the seed of a build: training "
            "questions of task75 show no patient of the test set, so it has to be known here."
        ),
        (
            "Questions of task75 have up to five cases, one to three of them related; how many the "
            "published ones have is not known. Patients without a similar patient give none, "
            "because all that is unrelated would be drawn by lot."
        ),
    )

    title_generation = Task(
        legacy_id="task73",
        category=Category.TEXT_COMPLETION,
        domain=Domain.ACADEMIC_PAPERS,
        published_count=150330,
        definition=(
            "You are given the description of a patient from a published case report. Write the "
            "title that the report could bear: the condition, and what makes the case worth "
            "reporting, such as its cause, course, treatment or rarity. Write the title alone."
        ),
    )
    demographics = Task(
        legacy_id="task74",
        benchmark_id="task74",
        category=Category.INFORMATION_EXTRACTION,
        domain=Domain.ACADEMIC_PAPERS,
        published_count=150330,
        metric="accuracy",
        definition=(
            "You are given the description of a patient from a case report. Extract gender and "
            "age. Write 'Gender: ' and M for male or F for female, then an empty line, then "
            "'Age: ' and a list of pairs of a number with a decimal point and one of the units "
            "'year', 'month', 'week', 'day' and 'hour'. A patient of 18 years has the age "
            "[[18.0, 'year']], an infant of one year and two months [[1.0, 'year'], [2.0, "
            "'month']]."
        ),
        must_include=("male", "female", "empty line", "decimal point", "list", "pair"),
    )
    similar_case_retrieval = Task(
        legacy_id="task75",
        category=Category.TEXT_RETRIEVAL,
        domain=Domain.ACADEMIC_PAPERS,
        published_count=150330,
        definition=(
            "You are given the description of a patient after 'Query:', and then those of other "
            "patients after 'Case1:', 'Case2:' and so on. Find the cases that are related to the "
            "query, so that a report on the one would mention the other: alike in their disease, "
            "its signs, its treatment or its course. At least one is. Write their names in "
            "order, with a comma and a blank between two, as in 'Case2, Case5', and nothing else."
        ),
        must_include=("Query:", "Case1:", "at least one|one at least", "comma"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[Record]:
        """Yield each patient, with others where the retrieval task is wanted.

        Any patient may be a case of a question, so all descriptions are held then: about 500 MB.
        """
        del split
        if not self.is_requested(self.similar_case_retrieval):
            yield from ((patient, [], {}) for patient in self.read(files))
            return
        patients = {patient["patient_uid"]: patient for patient in self.read(files)}
        lot = list(patients.values())
        for uid, patient in patients.items():
            drawn = [lot[text.digest(f"{uid} {n}") % len(lot)] for n in range(DRAWS)]
            yield patient, drawn, patients

    def instances(self, record: Record) -> Examples:
        patient = record[0]
        key, split = patient["patient_uid"], side(patient)
        description = patient["patient"].strip()
        if not description:
            yield self.skip("empty description")
            return
        if title := text.one_line(patient["title"]):
            yield self.title_generation(input=description, output=title, key=key, split=split)
        else:
            yield self.skip("no title")
        age, gender = age_of(patient), patient["gender"]
        if age and gender in ("M", "F"):
            yield self.demographics(
                input=description, output=f"Gender: {gender}\n\nAge: {age}", key=key, split=split
            )
        else:
            yield self.skip("no age or no gender")
        if not self.is_requested(self.similar_case_retrieval):
            return
        cases, related = cases_of(record)
        if not related:
            yield self.skip("no similar patient")
            return
        shown = (f"Case{n}: {text.one_line(case['patient'])}" for n, case in enumerate(cases, 1))
        yield self.similar_case_retrieval(
            input="\n".join((f"Query: {text.one_line(description)}", *shown)),
            output=", ".join(f"Case{n}" for n, case in enumerate(cases, 1) if case in related),
            key=key,
            split=split,
        )
