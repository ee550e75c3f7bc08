"""MedQA: questions of the licensing examinations of the United States and mainland China.

Raw layout (github.com/jind11/MedQA, as downloaded by its readme): JSON Lines with `question`,
`options` (letter to text) and `answer_idx`; the 4-option files.
"""

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

FORMS = {
    "en": ("Question: {}\nOptions: {}", "The right answer is {}: {}"),
    "zh": ("问题: {}\n选项: {}", "正确答案是 {}: {}"),
}


class MedQA(Recipe):
    title = "MedQA"
    homepage = "https://github.com/jind11/MedQA"
    license = "MIT"
    citation = "Jin et al., 2021, Applied Sciences 11(14):6421, arXiv:2009.13081"
    figure_label = "MedQA"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link to the data in the readme of github.com/jind11/MedQA (Google Drive, no "
        "account needed) and unpack the archive, so that the folder data_clean lies here."
    )
    files = {
        "en": raw.jsonl(
            train="data_clean/questions/US/4_options/phrases_no_exclude_train.jsonl",
            validation="data_clean/questions/US/4_options/phrases_no_exclude_dev.jsonl",
            test="data_clean/questions/US/4_options/phrases_no_exclude_test.jsonl",
        ),
        "zh": raw.jsonl(
            train="data_clean/questions/Mainland/4_options/train.jsonl",
            validation="data_clean/questions/Mainland/4_options/dev.jsonl",
            test="data_clean/questions/Mainland/4_options/test.jsonl",
        ),
    }
    downloads = (
        raw.Download(
            "https://raw.githubusercontent.com/Teddy-XiongGZ/MIRAGE/"
            "392943af99cd94cafd50a0de2e7fca24bbf65494/rawdata/medqa/"
            "data_clean/questions/US/4_options/phrases_no_exclude_test.jsonl",
            "data_clean/questions/US/4_options/phrases_no_exclude_test.jsonl",
            "c3b905ccfa66152dc25afbcb2c10e86c0bdb208824f0658fcdb2c040f60a2beb",
        ),
    )

    mcqa = {
        "en": Task(
            legacy_id="task57",
            benchmark_id="task57",
            category=Category.QUESTION_ANSWERING,
            domain=Domain.EXAMINATIONS,
            published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
            published_count=10178,
            metric="accuracy",
            definition=(
                "You are given a question of the United States Medical Licensing Examination and "
                "its answer options, each marked with a letter. Exactly one option is right. Name "
                "it in the form 'The right answer is LETTER: TEXT', with the letter and the full "
                "text of the option, and write nothing else."
            ),
        ),
        "zh": Task(
            legacy_id="task58",
            benchmark_id="task58",
            category=Category.QUESTION_ANSWERING,
            domain=Domain.EXAMINATIONS,
            published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
            published_count=27400,
            languages="zh",
            metric="accuracy",
            definition=(
                "下面是一道中国执业医师资格考试的选择题，每个选项前标有一个字母，只有一个选项正确。"
                "请按“正确答案是 字母: 选项内容”的格式作答，写出正确选项的字母和完整内容，"
                "不要输出其他文字。"
            ),
        ),
    }

    def instances_en(self, record: dict[str, object]) -> Examples:
        yield from self._question(record, "en")

    def instances_zh(self, record: dict[str, object]) -> Examples:
        yield from self._question(record, "zh")

    def _question(self, record: dict[str, object], language: str) -> Examples:
        options, letter = record["options"], record["answer_idx"]
        if not isinstance(options, dict) or letter not in options:
            raise raw.RecordError("answer is none of the options", field="answer_idx")
        if not str(record["question"]).strip():
            yield self.skip("empty question")
            return
        asked, answered = FORMS[language]
        yield self.mcqa[language](
            input=asked.format(record["question"], text.option_lines(options)),
            output=answered.format(letter, options[letter]),
        )
