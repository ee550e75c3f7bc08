"""IgakuQA: questions of the Japanese national medical licensing examinations, 2018 to 2022.

Raw layout (github.com/jungokasai/IgakuQA, its files): `data/<year>/<exam>-<block>.jsonl`, such as
`data/2018/112-B.jsonl`; the files `…_metadata.jsonl` and `…_translate.jsonl` beside them are not
read. A line has `problem_id`, `problem_text`, `choices` (five; six or eight in four questions; none
where a number is to be worked out), `text_only` (whether no image goes with it), `answer` (small
letters; once "a or d", for an image) and `points` ("0" for what was withdrawn from scoring).

Towards the end of a block, questions in a row share a case, which only the first one tells, after
an opening like "次の文を読み、46、47の問いに答えよ。". Such a row ends at the next opening, or at a
question without exactly five choices: these stand last in a block and by themselves.

The owners have no split. MedS-Bench tests on the 199 questions of MMedBench's Japanese test file,
which are spread over the years without a rule, so that file has to be there as well.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
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

OPENING = re.compile(r"次の文を読み、.{0,20}?問いに答えよ。")
# What a question asks is its last sentence, which "choose two" or a proviso may follow.
ASKED = re.compile(r"[^。]*。(?:\d+つ選べ。|ただし[^。]*。)?$")


def by_case(questions: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield questions that share a case together, and all others alone."""
    shared: list[dict[str, Any]] = []
    for question in questions:
        opens = OPENING.match(question["problem_text"])
        if shared and not opens and len(question["choices"]) == 5:
            shared.append(question)
            continue
        if shared:
            yield shared
        shared = [question] if opens else []
        if not opens:
            yield [question]
    if shared:
        yield shared


class IgakuQA(Recipe):
    title = "IgakuQA"
    homepage = "https://github.com/jungokasai/IgakuQA"
    license = "unknown"
    citation = "Kasai et al., 2023, arXiv:2303.18027"
    languages = "ja"
    figure_label = "IgakuQA"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take the folder data/ of github.com/jungokasai/IgakuQA. The test split is the one of "
        "MMedBench: put MMedBench.zip of huggingface.co/datasets/Henrychur/MMedBench into "
        "../mmedbench."
    )
    files = raw.jsonl("data/*/???-?.jsonl")
    lookups = {
        "tested": replace(
            raw.jsonl(
                "MMedBench.zip!MMedBench/Test/Japanese.jsonl", "MMedBench/Test/Japanese.jsonl"
            ),
            folder="mmedbench",
        )
    }
    deviations = (
        (
            "Built from the owners' files, because MMedBench, from which MedS-Ins took 1,590 "
            "questions, leaves out 211 of the 2,000; its test file still decides on the split."
        ),
        (
            "Questions about an image are left out, because the input has no image (a quarter of "
            "what MedS-Ins and MedS-Bench have), and so are questions withdrawn from scoring, "
            "because their answer does not hold."
        ),
        (
            "A question that continues a case has the case in front of it, because it cannot be "
            "answered without; in MedS-Ins and MedS-Bench it stands alone. Questions for training "
            "that share their case with a test question are left out."
        ),
    )

    mcq_ja = Task(
        legacy_id="task59",
        benchmark_id="task59",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=1590,
        metric="accuracy",
        ignored_constraints=("2つ選べ",),
        definition=(
            "日本の医師国家試験の問題と、アルファベットの付いた選択肢が示されます。「2つ選べ」の"
            "ように数の指定があればその数だけ、なければ一つだけ正解を選んでください。一つの場合は"
            "「正しい答えは 記号: 選択肢 です」、複数の場合は記号の順に「, 」でつないで"
            "「正しい答えは 記号: 選択肢, 記号: 選択肢 です」と答えてください。選択肢は全文を"
            "そのまま書き写し、それ以外は何も書かないでください。"
        ),
    )

    @cached_property
    def _tested(self) -> frozenset[str]:
        return frozenset(record["problem_id"] for record in self.lookup("tested"))

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield each question with what was told before it and whether its case is tested on."""
        del split
        for file in files:
            for questions in by_case(self.read([file])):
                case, related = "", any(q["problem_id"] in self._tested for q in questions)
                for question in questions:
                    yield {**question, "case": case, "related": related}
                    case += ASKED.sub("", OPENING.sub("", question["problem_text"]))

    def instances(self, record: dict[str, Any]) -> Examples:
        options = text.letters(record["choices"])
        tested = record["problem_id"] in self._tested
        if not options:
            yield self.skip("no options: the answer is a number")
        elif record["points"] == "0":
            yield self.skip("withdrawn from scoring")
        elif not record["text_only"]:
            yield self.skip("question about an image, which the input lacks")
        elif not all(options.values()):
            yield self.skip("an option has no text")
        elif record["related"] and not tested:
            yield self.skip("its case is in the test set")
        else:
            right = sorted(letter.upper() for letter in record["answer"])
            if not right or not options.keys() >= set(right):
                raise raw.RecordError("answer is none of the options", field="answer")
            answers = ", ".join(f"{letter}: {options[letter]}" for letter in right)
            asked = f"{record['case']}{record['problem_text']}"
            yield self.mcq_ja(
                input=f"質問: {asked}\nオプション: {text.option_lines(options)}",
                output=f"正しい答えは {answers} です",
                key=record["problem_id"],
                split="test" if tested else "train",
            )
