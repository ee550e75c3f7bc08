"""RuMedBench: RuMedDaNet, its yes/no questions on passages of Russian medical texts.

Raw layout (owners' data/README.md and files): JSON Lines with `pairID`, `context`, `question` and
`answer` ("да" or "нет"); `private_test_v1.jsonl` has no answers and is not read. The test file's
256 questions are those of MMedBench and MedS-Bench.

The published task has the question without its passage, and so has this one: MedS-Bench tests
knowledge with it, not reading, and most questions can be answered that way. A few say "this drug"
of something that only the passage names; the definition says what to do then.
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

OPTIONS = {"A": "да", "B": "нет"}
LABELS = {answer: f"{letter}: {answer}" for letter, answer in OPTIONS.items()}


class RuMedBench(Recipe):
    title = "RuMedBench (RuMedDaNet)"
    homepage = "https://github.com/sberbank-ai-lab/RuMedBench"
    license = "unknown"
    citation = "Blinov et al., 2022, AIME, arXiv:2201.06499"
    languages = "ru"
    figure_label = "RuMedBench"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take the folder data/RuMedDaNet from the repository at the homepage."
    )
    files = raw.jsonl(
        train="data/RuMedDaNet/train_v1.jsonl",
        validation="data/RuMedDaNet/dev_v1.jsonl",
        test="data/RuMedDaNet/test_v1.jsonl",
    )

    mcq_ru = Task(
        legacy_id="task61",
        benchmark_id="task61",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1052,
        labels=tuple(LABELS.values()),
        # "Правильные" is a slip in number, but the wording of the benchmark's gold.
        template="Правильные ответ: {label}",
        metric="accuracy",
        must_include=("вероятн",),
        definition=(
            "Дан вопрос из области медицины, биологии или фармакологии и два варианта ответа, "
            "A: да и B: нет. Ответьте на него, опираясь на свои знания; если не сказано, о каком "
            "именно заболевании или препарате идёт речь, выберите более вероятный ответ. Напишите "
            "ровно одну строку, слово в слово: «Правильные ответ: A: да» или «Правильные ответ: "
            "B: нет». Больше ничего не добавляйте."
        ),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if record["answer"] not in LABELS:
            raise raw.RecordError("answer is neither да nor нет", field="answer")
        yield self.mcq_ru(
            input=f"Вопрос: {record['question']}\nВарианты: {text.option_lines(OPTIONS)}",
            output=self.mcq_ru.template.format(label=LABELS[record["answer"]]),
            key=record["pairID"],
        )
