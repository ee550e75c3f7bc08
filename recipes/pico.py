"""PICO: sentences of trial abstracts with participants, interventions and outcomes marked.

Raw layout: three task files of Super-NaturalInstructions, made from the sentences and the crowd
annotations of github.com/Markus-Zlabinger/pico-annotation. An input is a tokenised sentence. An
output is a list of one string, the phrases joined by ", ", or "not found". All three files have
the same 423 sentences in the same order, so their last tenths, on which MedS-Bench tests, are the
same sentences. Phrases are what the annotators agreed on, some cut inside a bracket.
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

# What the benchmark's gold has where a sentence holds no such phrase.
NOT_FOUND = "not found"

SUPERNI = {
    "task179_participant_extraction": "participant_extraction",
    "task180_intervention_extraction": "intervention_extraction",
    "task181_outcome_extraction": "outcome_extraction",
}


class Pico(Recipe):
    title = "PICO sentence annotations"
    homepage = "https://github.com/Markus-Zlabinger/pico-annotation"
    license = "unknown"
    citation = (
        "Zlabinger et al., 2020, Findings of EMNLP; Nye et al., 2018, ACL, arXiv:1806.04185; Wang "
        "et al., 2022, EMNLP, arXiv:2204.07705"
    )
    figure_label = "PICO"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        f"Take {', '.join(f'{name}.json' for name in SUPERNI)} from the folder tasks/ of "
        "github.com/allenai/natural-instructions and put them in ../superni."
    )
    files = raw.superni(*SUPERNI)
    deviations = (
        (
            "Sentences that stand again among the last tenth of their file are left out of train, "
            "because that is the published test set."
        ),
    )

    participant_extraction = Task(
        legacy_id="task1",
        benchmark_id="task1",
        category=Category.INFORMATION_EXTRACTION,
        domain=Domain.ACADEMIC_PAPERS,
        metric="accuracy",
        definition=(
            "Who took part in this study? From one sentence of a report on a clinical trial, copy "
            "the phrases that say how many people were studied, which disease or condition they "
            "had, their sex or age, or where they came from. Words such as 'patients' or "
            "'participants' do not count if nothing more is said about them. Keep the phrases in "
            "the order of the sentence and join them by a comma and a blank, without a full stop "
            f"at the end. If there are none, answer '{NOT_FOUND}', without quotation marks."
        ),
        must_include=("full stop|period|'.'",),
        ignored_constraints=("only",),
    )
    intervention_extraction = Task(
        legacy_id="task2",
        benchmark_id="task2",
        category=Category.INFORMATION_EXTRACTION,
        domain=Domain.ACADEMIC_PAPERS,
        metric="accuracy",
        definition=(
            "What was tried in this study? From one sentence of a report on a clinical trial, "
            "copy the phrases that name the treatments compared: drugs, operations, talking "
            "therapies, changes of habit, devices, and what the control group got, such as a "
            "placebo. Leave out doses, how often and how long it was given, and other details. "
            "Keep the phrases in the order of the sentence and join them by a comma and a blank, "
            f"without a full stop at the end. If no treatment is named, answer '{NOT_FOUND}', "
            "without quotation marks."
        ),
        must_include=("dose|dosage|dosing", "full stop|period|'.'"),
    )
    outcome_extraction = Task(
        legacy_id="task3",
        benchmark_id="task3",
        category=Category.INFORMATION_EXTRACTION,
        domain=Domain.ACADEMIC_PAPERS,
        metric="accuracy",
        definition=(
            "What was measured in this study? From one sentence of a report on a clinical trial, "
            "copy the phrases that name its outcomes: values measured in patients, scores of "
            "tests and questionnaires, events such as recovery or side effects, and how well a "
            "treatment worked or what it cost. Leave out figures and words that rate the result, "
            "such as 'increased'. Keep the phrases in the order of the sentence and join them by "
            "a comma and a blank, without a full stop at the end. If no outcome is named, answer "
            f"'{NOT_FOUND}', without quotation marks."
        ),
        must_include=("figure|number|numeral", "full stop|period|'.'"),
        ignored_constraints=("increased",),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if record["related"]:
            yield self.skip("its sentence is in the test set")
            return
        yield self.tasks[f"{self.name}_{SUPERNI[record['task']]}"](
            input=record["input"],
            output=record["output"][0],
            references=record["output"],
            key=record["id"],
            group=record["group"],
            split="test" if record["held_out"] else "train",
        )
