"""ChatDoctor: what patients write to doctors online, and what they are answered.

Raw layout (github.com/Kent0n-Li/ChatDoctor, readme and public loaders of the files): three JSON
arrays. HealthCareMagic-100k.json and GenMedGPT-5k.json have {instruction, input, output}, with
instructions that are the same but for a word or two; iCliniq.json has `input`, the doctor's
`answer_icliniq` and two answers of language models, which are not used. The owners took names
out: where a doctor signed, "Chat Doctor" stands. GenMedGPT-5k was written by ChatGPT throughout.
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
    text,
)


class ChatDoctor(Recipe):
    title = "ChatDoctor: HealthCareMagic-100k, iCliniq-10k and GenMedGPT-5k"
    homepage = "https://github.com/Kent0n-Li/ChatDoctor"
    # The repository is Apache-2.0; the consultations belong to the two sites.
    license = "unknown"
    citation = "Li et al., 2023, Cureus 15(6):e40895, arXiv:2303.14070"
    figure_label = "ChatDoctor"
    access = Access.OPEN
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Follow the three links to Google Drive in the readme of github.com/Kent0n-Li/ChatDoctor "
        "(no account needed) and save the files here as HealthCareMagic-100k.json, iCliniq.json "
        "(iCliniq-10k.json will do) and GenMedGPT-5k.json."
    )
    files = {
        "healthcaremagic": raw.json("HealthCareMagic-100k.json"),
        "icliniq": raw.json("iCliniq*.json"),
        "genmedgpt": raw.json("GenMedGPT-5k.json"),
    }
    deviations = (
        (
            "Which file has which number is not published; the order is that of the owners' "
            "readme. The sum of the three is certain."
        ),
        "Questions of patients that differ in case or spaces alone are on one side of the split.",
    )

    healthcaremagic = Task(
        legacy_id="task66",
        category=Category.DIALOGUE,
        domain=Domain.DAILY_CONVERSATIONS,
        published_count=100948,
        definition=(
            "You are a doctor on a consultation site. A patient, or someone who cares for one, "
            "describes a complaint in their own words. Reply to them: say what is probably the "
            "matter and why, what can be done about it, and what should be examined or watched. "
            "Be kind and plain, and write to the person, as in a letter."
        ),
        must_include=("letter",),
    )
    icliniq = Task(
        legacy_id="task67",
        category=Category.DIALOGUE,
        domain=Domain.DAILY_CONVERSATIONS,
        published_count=6588,
        definition=(
            "A patient has put a question to a physician over the internet, with their history "
            "and sometimes with results and medicines. Answer it in the physician's place in "
            "one reply: take up what they report, give your opinion of it, and advise on "
            "treatment, further tests or seeing a specialist."
        ),
        must_include=("specialist",),
    )
    genmedgpt = Task(
        legacy_id="task68",
        category=Category.DIALOGUE,
        domain=Domain.DAILY_CONVERSATIONS,
        published_count=4906,
        definition=(
            "A patient tells the doctor in one or two sentences what troubles them. Give the "
            "doctor's answer in a short paragraph: name the condition that this suggests, and "
            "the tests, medicines or other steps that you recommend next."
        ),
        must_include=("paragraph", "test", "medic|drug"),
    )

    def instances_healthcaremagic(self, record: dict[str, Any]) -> Examples:
        yield from self._reply(self.healthcaremagic, record, "output")

    def instances_icliniq(self, record: dict[str, Any]) -> Examples:
        yield from self._reply(self.icliniq, record, "answer_icliniq")

    def instances_genmedgpt(self, record: dict[str, Any]) -> Examples:
        yield from self._reply(self.genmedgpt, record, "output")

    def _reply(self, task: Task, record: dict[str, Any], column: str) -> Examples:
        patient, doctor = record["input"].strip(), record[column].strip()
        if not patient or not doctor:
            yield self.skip("no question or no answer")
            return
        yield task(input=patient, output=doctor, group=text.one_line(patient).casefold())
