"""FrenchMedMCQA: questions of the French specialisation diploma in pharmacy.

Raw layout (owners' readme and files): JSON arrays of records with `id`, `question`, `answers` (the
five options by small letter, once not in order) and `correct_answers`, the one to five letters of
the right ones. The test file lacks the key `type`. Some stems stand in more than one split.
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

# The singular is wrong French, but the wording of the benchmark's gold.
ONE_ANSWER = "Les bonnes réponses est {}"
SEVERAL_ANSWERS = "Les bonnes réponses sont {}"

GITHUB = (
    "https://raw.githubusercontent.com/qanastek/FrenchMedMCQA/"
    "4e36a4055245feec3218573c9f6bb1a9ecb1756b/corpus/"
)
SHA256 = {
    "train.json": "7932ffb982f174980c3545ff220091efcf856be0c946fdf077dea788c35e93a3",
    "dev.json": "ddd64d9218561fed1c2dcd59ca13c39380ba92953aff253f39ebeb187a420a32",
}


class FrenchMedMCQA(Recipe):
    title = "FrenchMedMCQA"
    homepage = "https://github.com/qanastek/FrenchMedMCQA"
    license = "Apache-2.0"
    citation = "Labrak et al., 2022, LOUHI, hal-03824241"
    languages = "fr"
    figure_label = "FrenchMedMCQA"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take test.json from the folder corpus/ of github.com/qanastek/FrenchMedMCQA and put it "
        "here."
    )
    files = raw.json(train="train.json", validation="dev.json", test="test.json")
    downloads = tuple(raw.Download(GITHUB + path, path, sha256) for path, sha256 in SHA256.items())
    deviations = (
        (
            "The options of one question, which its record lists out of order, are sorted by "
            "letter, because the answer refers to them by letter."
        ),
        (
            "Several right options are joined with ', ', as in the published rationales of these "
            "questions, because no published answer line with several is known."
        ),
    )

    mcq_fr = Task(
        legacy_id="task60",
        benchmark_id="task60",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=2171,
        metric="accuracy",
        definition=(
            "Voici une question d'un examen de spécialisation en pharmacie, suivie de cinq "
            "propositions désignées par les lettres A à E, dont une ou plusieurs répondent à la "
            "question. S'il n'y en a qu'une, répondez exactement sous la forme 'Les bonnes "
            "réponses est LETTRE: TEXTE'. S'il y en a plusieurs, répondez sous la forme 'Les "
            "bonnes réponses sont LETTRE: TEXTE, LETTRE: TEXTE', dans l'ordre des lettres et "
            "séparées par une virgule et une espace. Recopiez en entier le texte de chaque "
            "proposition retenue et n'ajoutez rien d'autre."
        ),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        options = {key.upper(): record["answers"][key] for key in sorted(record["answers"])}
        right = sorted(letter.upper() for letter in record["correct_answers"])
        if not right or not options.keys() >= set(right):
            raise raw.RecordError("answer is none of the options", field="correct_answers")
        form = ONE_ANSWER if len(right) == 1 else SEVERAL_ANSWERS
        yield self.mcq_fr(
            input=f"Question: {record['question']}\nOptions: {text.option_lines(options)}",
            output=form.format(", ".join(f"{letter}: {options[letter]}" for letter in right)),
            key=record["id"],
        )
