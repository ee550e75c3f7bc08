"""cMedQA2: questions of a Chinese online health community, with the answers doctors gave.

Raw layout (archives of github.com/zhangsheng93/cMedQA2; columns from public code that reads them,
such as Fengshenbang-LM's process_cmedqa_v2.py): `question.zip` holds question.csv with
`question_id` and `content`, `answer.zip` holds answer.csv with `ans_id`, `question_id` and
`content`. `dev_candidates.zip` and `test_candidates.zip` hold text files whose lines begin with a
`question_id`. The owners' readme calls the tables questions.csv and answers.csv.

The tables have 120,000 questions and 226,266 answers, the owners' splits name 108,000 questions.
What is neither in dev nor in test is for training, so `train_candidates.zip` is not needed. The
readme allows research that is not commercial; the LICENSE file is the GPL.
"""

from functools import cached_property

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


class CMedQA2(Recipe):
    title = "cMedQA v2.0"
    homepage = "https://github.com/zhangsheng93/cMedQA2"
    license = "GPL-3.0-only"
    citation = "Zhang et al., 2018, IEEE Access 6, pages 74061-74071"
    languages = "zh"
    figure_label = "CMedQA2"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take question.zip, answer.zip, dev_candidates.zip and test_candidates.zip from the "
        "repository at the homepage, and leave them packed."
    )
    files = raw.csv("answer.zip!*answer.csv", columns=("ans_id", "question_id", "content"))
    lookups = {
        "questions": raw.csv("question.zip!*question.csv", columns=("question_id", "content")),
        "validation": raw.lines("dev_candidates.zip!*dev_candidates.txt"),
        "test": raw.lines("test_candidates.zip!*test_candidates.txt"),
    }
    deviations = (
        (
            "Questions of the owners' dev and test splits are no training questions, because that "
            "is what these splits are for; MedS-Ins trains on nine tenths of all answers."
        ),
    )

    question_answering = Task(
        legacy_id="task120",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.DAILY_CONVERSATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=203639,
        definition=(
            "下面是一位患者或家属在网络健康社区里提出的问题，语言口语化，可能有错别字或病情描述不全。"
            "请像在线答疑的医生那样用中文认真回答：先针对所问给出判断，说明可能的原因或疾病，"
            "再就检查、治疗、用药或日常护理提出具体建议，需要时提醒对方及时就医。只写回答本身。"
        ),
    )

    @cached_property
    def _questions(self) -> dict[str, str]:
        return {row["question_id"]: row["content"].strip() for row in self.lookup("questions")}

    @cached_property
    def _splits(self) -> dict[str, str]:
        return {
            line.partition(",")[0]: split
            for split in ("validation", "test")
            for line in self.lookup(split)
        }

    def instances(self, record: dict[str, str]) -> Examples:
        question, answer = record["question_id"], record["content"].strip()
        if question not in self._questions:
            raise raw.RecordError("question of the answer is missing", field="question_id")
        if not answer or not self._questions[question]:
            yield self.skip("question or answer is empty")
            return
        yield self.question_answering(
            input=self._questions[question],
            output=answer,
            key=record["ans_id"],
            split=self._splits.get(question, "train"),
        )
