"""MMedBench: multiple choice questions of six medical examinations with written explanations.

Raw layout (owners' readme on Hugging Face and code in github.com/MAGIC-AI4Med/MMedLM): one zip
with `MMedBench/{Train,Test}/<Language>.jsonl`. A line has `question`, `options` (letter to text),
`answer_idx` (letters, as a list or as a string with commas), `rationale` (written by GPT-4), and
`human_checked` and `human_check_passed`. People checked 1,136 rationales of the test files and
passed them; only these are tested on, by the owners and by MedS-Bench. Lines keep further keys of
the corpora they come from, such as `problem_id` in Japanese.
"""

from collections.abc import Iterator, Sequence
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

LANGUAGES = {
    "Chinese": "zh",
    "English": "en",
    "French": "fr",
    "Japanese": "ja",
    "Russian": "ru",
    "Spanish": "es",
}

FORMS = {
    "zh": "问题: {}\n选项: {}\n正确答案是 {}。",
    "en": "Question: {}\nOptions: {}\nThe right answer is {}.",
    "fr": "Question: {}\nOptions: {}\nLa bonne réponse est {}.",
    "ja": "質問: {}\nオプション: {}\n正しい答えは {} です。",
    "ru": "Вопрос: {}\nВарианты: {}\nПравильный ответ: {}.",
    "es": "Pregunta: {}\nOpciones: {}\nLa respuesta correcta es {}.",
}
# French alone has another wording for several answers.
SEVERAL_ANSWERS = {"fr": "Question: {}\nOptions: {}\nLes bonnes réponses sont {}."}


def rationale_task(
    number: int,
    count: int,
    language: str,
    definition: str,
    must_include: tuple[str, ...],
    ignored_constraints: tuple[str, ...] = (),
) -> Task:
    """Return the task of one language; only what is given here differs between the six."""
    return Task(
        legacy_id=f"task{number}",
        benchmark_id=f"task{number}",
        category=Category.EXPLANATION,
        domain=Domain.EXAMINATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=count,
        languages=language,
        metric="bleu_rouge",
        definition=definition,
        must_include=must_include,
        ignored_constraints=ignored_constraints,
    )


class MMedBench(Recipe):
    title = "MMedBench"
    homepage = "https://huggingface.co/datasets/Henrychur/MMedBench"
    license = "CC-BY-NC-4.0"
    citation = "Qiu et al., 2024, Nature Communications 15:8384, arXiv:2402.13963"
    figure_label = "MMedBench"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download MMedBench.zip from the homepage and put it here, or unpack it so that the folder "
        "MMedBench with Train and Test lies here."
    )
    files = raw.jsonl(
        train=("MMedBench.zip!MMedBench/Train/*.jsonl", "MMedBench/Train/*.jsonl"),
        test=("MMedBench.zip!MMedBench/Test/*.jsonl", "MMedBench/Test/*.jsonl"),
    )

    rationale = {
        "zh": rationale_task(
            51,
            27400,
            "zh",
            "下面给出一道中国执业医师资格考试的选择题、它的各个选项，以及最后一行的正确答案。"
            "请用中文写一段连贯的文字，解释这个答案为什么正确：从题干提供的信息和相关医学知识出发，"
            "一步步推出结论，必要时说明其他选项为何不对。不要更改给出的答案，只写解释。",
            must_include=("中文",),
        ),
        "en": rationale_task(
            52,
            10178,
            "en",
            "You are given a question of the United States Medical Licensing Examination, its "
            "options and, in the last line, the right answer. Explain in English and in connected "
            "prose why this answer is right: go from the findings or facts in the question to the "
            "conclusion and, where it helps, say why the other options do not fit. Take the given "
            "answer as settled, and write nothing but the explanation.",
            must_include=("English",),
        ),
        "fr": rationale_task(
            53,
            2171,
            "fr",
            "Voici une question d'un examen de spécialisation en pharmacie, ses propositions et, "
            "sur la dernière ligne, la ou les bonnes réponses. Expliquez en français, dans un "
            "texte suivi, ce qui les rend exactes : partez des données de la question et des "
            "connaissances qu'elle suppose et, si cela éclaire le choix, dites pourquoi les autres "
            "propositions sont à écarter. Tenez la réponse indiquée pour acquise et n'écrivez rien "
            "d'autre que l'explication.",
            must_include=("français",),
        ),
        "ja": rationale_task(
            54,
            1590,
            "ja",
            "日本の医師国家試験の問題文と選択肢、そして最後の行に正解（複数のこともあります）が"
            "示されています。問題文の情報と医学的知識をもとに、その答えが正しい理由を日本語の"
            "まとまった文章で説明してください。必要に応じて、ほかの選択肢が当てはまらない理由にも"
            "触れてください。示された正解は変えず、説明だけを書いてください。",
            must_include=("日本語",),
        ),
        "ru": rationale_task(
            55,
            1052,
            "ru",
            "Даны медицинский вопрос, варианты ответа «да» и «нет» и в последней строке правильный "
            "ответ. Объясните по-русски связным текстом, почему верен именно он: назовите факты, "
            "на которых он основан, и покажите, как из них следует вывод. Данный ответ не "
            "оспаривайте и ничего, кроме объяснения, не пишите.",
            must_include=("русск",),
            ignored_constraints=("да", "нет"),
        ),
        "es": rationale_task(
            56,
            2657,
            "es",
            "A continuación figuran una pregunta de las pruebas españolas de formación sanitaria "
            "especializada, sus opciones y, en la última línea, la respuesta correcta. Explique en "
            "español, en un texto continuo, por qué es correcta: parta de los datos de la pregunta "
            "y de los conocimientos que exige y, si ayuda a entenderlo, aclare por qué no lo son "
            "las demás opciones. Dé por buena la respuesta indicada y escriba solo la explicación.",
            must_include=("español",),
        ),
    }

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield the lines with their language, which only the file's name tells, and split."""
        for file in files:
            name = file.name.rpartition("/")[2].partition(".")[0]
            for row, record in enumerate(self.read([file]), 1):
                key = f"{split}/{name}/{row}"
                yield {**record, "language": LANGUAGES[name], "split": split, "key": key}

    def instances(self, record: dict[str, Any]) -> Examples:
        letters, language = record["answer_idx"], record["language"]
        if isinstance(letters, str):
            letters = [letter.strip() for letter in letters.split(",")]
        if not letters or not record["options"].keys() >= set(letters):
            raise raw.RecordError("answer is none of the options", field="answer_idx")
        rationale = (record["rationale"] or "").strip()
        if not rationale:
            yield self.skip("no rationale")
        elif record["split"] == "test" and not record["human_check_passed"]:
            yield self.skip("rationale of the test files that did not pass the human check")
        else:
            forms = SEVERAL_ANSWERS if len(letters) > 1 else FORMS
            yield self.rationale[language](
                input=forms.get(language, FORMS[language]).format(
                    record["question"],
                    text.option_lines(record["options"]),
                    ", ".join(f"{letter}: {record['options'][letter]}" for letter in letters),
                ),
                output=rationale,
                key=record["key"],
            )
