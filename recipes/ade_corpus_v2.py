"""ADE corpus v2: sentences of MEDLINE case reports about drugs and their adverse effects.

Raw layout: three task files of Super-NaturalInstructions. An input is a sentence; that of the
dose task has a tab, a space and the drug after it. The doses are what was marked in the sentence,
so some are words: "overdose", "high", "low". A sentence that names several drugs occurs several
times, with different answers.
"""

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
)


class ADECorpusV2(Recipe):
    title = "ADE corpus v2"
    homepage = "https://github.com/trunghlt/AdverseDrugReaction"
    license = "unknown"
    citation = (
        "Gurulingappa et al., 2012, Journal of Biomedical Informatics 45(5):885-892; Wang et al., "
        "2022, EMNLP, arXiv:2204.07705"
    )
    figure_label = "ADE Corpus V2"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "The three task files are in the folder tasks/ of github.com/allenai/natural-instructions; "
        "put them in ../superni."
    )
    files = raw.superni(
        "task1447_drug_extraction_ade",
        "task1451_drug_dose_extraction",
        "task1495_adverse_drug_event_classification",
        # Without the drug of the dose task, so that a sentence is on one side in all tasks.
        group=lambda pair: pair.partition("\t")[0].strip(),
    )
    deviations = (
        (
            "task29 leaves out of train what shares its sentence with the published test set, the "
            "last tenth of its file, because some sentences occur there for several drugs."
        ),
    )

    drug_extraction = Task(
        legacy_id="task26",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=2445,
        definition=(
            "You are given one sentence of a published case report. It mentions at least one "
            "drug, by its generic name, its brand name, an abbreviation or the name of its class. "
            "Reply with the name of a drug exactly as the sentence spells it, and with nothing "
            "else. If several drugs are mentioned, choose one of them."
        ),
    )
    drug_dose_extraction = Task(
        legacy_id="task29",
        benchmark_id="task29",
        category=Category.INFORMATION_EXTRACTION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        metric="accuracy",
        definition=(
            "The input is a sentence of a case report, followed by a tab and the name of a drug "
            "in it. Quote from the sentence how much of that drug was taken or given: an amount "
            "or a schedule, or a word that rates it, such as 'high', 'low' or 'overdose'. Reply "
            "with the quoted words only, and with one dose where the sentence has several."
        ),
        must_include=(
            "one of|any one|single|just one|only one|several|more than one|choose one|one dose",
        ),
        ignored_constraints=("high", "low", "overdose"),
    )
    classification = Task(
        legacy_id="task37",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1797,
        labels=("adverse drug event", "non-adverse drug event"),
        definition=(
            "Decide whether a sentence from a case report says that a drug harmed a patient or "
            "caused an unwanted reaction. Answer 'adverse drug event' if it does and "
            "'non-adverse drug event' if it does not, in these words and without quotation marks."
        ),
        must_include=("quotation mark",),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        task = {
            "task1447": self.drug_extraction,
            "task1451": self.drug_dose_extraction,
            "task1495": self.classification,
        }[record["task"].partition("_")[0]]
        answers = [answer for answer in record["output"] if answer.strip()]
        if not answers:
            yield self.skip("no answer")
            return
        if task.benchmark_id and record["related"]:
            yield self.skip("its sentence is in the test set")
            return
        split = "test" if record["held_out"] else "train"
        yield task(
            input=record["input"],
            output=answers[0],
            references=answers,
            key=record["id"],
            group=record["group"],
            split=split if task.benchmark_id else "",
        )
