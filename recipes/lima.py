"""LIMA: a thousand curated prompts and answers for assistants; the medical ones of them.

Raw layout (the dataset's card and public loaders): JSON Lines with `conversations`, a list of
messages that begins with the user's and alternates, and `source`, the community it was taken from.
train.jsonl has 1,030 conversations, 30 of them longer than two messages; test.jsonl has prompts
without answers and is not read.

Which conversations MedS-Ins calls medical is not published. Here it is those whose first message
has one of the words below, unless they are fiction (Reddit's WritingPrompts) or exercises (Natural
Instructions). A longer conversation gives its first question and answer.
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

# Whole words that are hardly said of anything but health: not "virus", "depression" or "pain".
MEDICAL_WORDS = (
    "acne, allergic, allergies, allergy, antibiotic, antibiotics, antidepressant, "
    "antidepressants, arthritis, aspirin, asthma, blood pressure, cancer, cholesterol, "
    "concussion, contraceptive, covid, dentist, dermatologist, diabetes, diabetic, diagnosed, "
    "diagnosis, diarrhea, disease, diseases, eczema, fever, flu, headache, headaches, "
    "hospital, ibuprofen, illness, illnesses, immune system, infection, infections, influenza, "
    "insomnia, insulin, medical, medication, medications, medicine, medicines, migraine, "
    "migraines, nausea, painkiller, painkillers, pharmacist, physician, pneumonia, pregnancy, "
    "pregnant, psychiatrist, sore throat, sprain, stroke, surgeon, surgery, symptom, symptoms, "
    "toothache, vaccinated, vaccination, vaccine, vaccines, vitamin, vitamins"
)
MEDICAL = text.whole_words(MEDICAL_WORDS.split(", "))
NOT_QUESTIONS = ("writing", "instruction")


class LIMA(Recipe):
    title = "LIMA (medical conversations)"
    homepage = "https://huggingface.co/datasets/GAIR/lima"
    # Or stricter, where a community's own license is.
    license = "CC-BY-NC-SA-4.0"
    citation = "Zhou et al., 2023, NeurIPS, arXiv:2305.11206"
    figure_label = "LIMA"
    access = Access.REGISTRATION
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Sign in to the Hugging Face Hub, agree on huggingface.co/datasets/GAIR/lima to share "
        "your contact information with the owners, download train.jsonl and put it here."
    )
    files = raw.jsonl("train.jsonl")
    deviations = (
        (
            "Conversations are chosen by the words in their first message, because how MedS-Ins "
            "chose its 30 or so is not published."
        ),
    )

    medical_qa = Task(
        legacy_id="task40",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.DAILY_CONVERSATIONS,
        definition=(
            "Someone asks you about health: about a complaint, a medicine, a treatment, a rule "
            "of healthy living or how the body works, as people ask on a forum or in a chat. "
            "Give a helpful and well-ordered answer in the tone of the question, with reasons, "
            "steps or examples where they help, as long as the question deserves."
        ),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        question, *answers = record["conversations"]
        if any(word in record["source"].lower() for word in NOT_QUESTIONS):
            yield self.skip("fiction or an exercise")
            return
        if not MEDICAL.search(question):
            yield self.skip("not about health")
            return
        if not answers:
            yield self.skip("prompt without an answer")
            return
        yield self.medical_qa(
            input=question.strip(), output=answers[0].strip(), group=question.strip()
        )
