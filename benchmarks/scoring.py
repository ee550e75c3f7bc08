"""Scoring of Japanese and Chinese answers: paper mode against the published way.

    python benchmarks/scoring.py [--file predictions.csv] [--rows 50] [--no-published]

The published way is a new janome `Tokenizer` for each call, jieba, `sentence_bleu` of NLTK and the
package `rouge`, row by row, each metric from the text again. Both give the same values, which is
checked. Needs `pip install 'medsins[bench]' rouge`. Without --file, the rows are made up here from
phrases; with it, they are those of task51 and task54 of a prediction file with the published
columns. Each side scores one row first, which loads its dictionaries.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

JAPANESE = (
    "患者は六十二歳の男性で、三日前から発熱と咳が続いている",
    "胸部エックス線写真では右下肺野に浸潤影を認めた",
    "したがって、選択肢の中では細菌性肺炎が最も考えられる",
    "血液検査では白血球数の増加とＣＲＰの上昇がみられる",
    "糖尿病の既往があり、インスリンによる治療を受けている",
    "心電図に異常はなく、心筋梗塞は否定的である",
    "抗菌薬の投与を開始し、経過を観察することが適切である",
    "高齢者では症状が軽くても重症化することがある",
    "この薬剤は腎機能が低下した患者には慎重に用いる",
    "手術の適応は腫瘍の大きさと全身状態によって決まる",
)
CHINESE = (
    "患者男性，六十二岁，发热伴咳嗽三天",
    "胸部X线检查显示右下肺野有片状阴影",
    "因此，各选项中最可能的诊断是细菌性肺炎",
    "血常规检查提示白细胞计数升高",
    "患者有糖尿病病史，长期使用胰岛素治疗",
    "心电图未见异常，可以排除急性心肌梗死",
    "应当首先给予抗生素治疗，并观察病情变化",
    "老年患者的症状往往不典型，容易被忽视",
    "肾功能不全的患者应慎用该药物",
    "是否手术取决于肿瘤的大小和全身状况",
)
CODES = {"zh": "task51", "jp": "task54"}

Pair = tuple[str, str]
Score = Callable[[str, str, str], tuple[float, float]]


def made_up(language: str, count: int, seed: int = 0) -> list[Pair]:
    """Return answers and references of some 270 characters, as long as the published ones."""
    rng = random.Random(seed)
    phrases = JAPANESE if language == "jp" else CHINESE
    parts = 10 if language == "jp" else 13

    def text() -> str:
        numbered = (f"{rng.choice(phrases)}（{rng.randrange(200)}）" for _ in range(parts))
        return "。".join(numbered) + "。"

    return [(text(), text()) for _ in range(count)]


def from_file(path: Path, language: str) -> list[Pair]:
    """Return answers and references of a prediction file with the published columns."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            (row["output"].strip(), row["GT"].strip())
            for row in csv.DictReader(lines)
            if row["task_id"] == CODES[language]
        ]


def published(answer: str, reference: str, language: str) -> tuple[float, float]:
    """Score one row as the published scripts do it."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
    from rouge import Rouge

    words = _tokenizer(language)
    wanted, said = words(reference), words(answer)
    smoothing = SmoothingFunction().method1
    bleu = sentence_bleu([wanted], said, weights=(1, 0, 0, 0), smoothing_function=smoothing)
    words = _tokenizer(language)
    scores = Rouge().get_scores(" ".join(words(answer)), " ".join(words(reference)))
    return bleu, scores[0]["rouge-l"]["f"]


def _tokenizer(language: str) -> Callable[[str], list[str]]:
    """Return a tokenizer as the published code makes one in every call."""
    if language == "zh":
        import jieba

        return lambda text: list(jieba.cut(text))
    from janome.tokenizer import Tokenizer

    tokenizer = Tokenizer()
    return lambda text: [token.surface for token in tokenizer.tokenize(text)]


def ours(answer: str, reference: str, language: str) -> tuple[float, float]:
    """Score one row in paper mode."""
    from medsins.bench.scoring.published.text import bleu, rouge

    return bleu(answer, reference, language), rouge(answer, reference, language)


def timed(score: Score, rows: list[Pair], language: str) -> tuple[float, list[tuple[float, float]]]:
    """Return CPU seconds for each row, and the scores."""
    start = time.process_time()
    scores = [score(answer, reference, language) for answer, reference in rows]
    return (time.process_time() - start) / len(rows), scores


def measure(language: str, rows: list[Pair], *, peer: bool, runs: int) -> dict[str, float]:
    """Measure one language: the least CPU milliseconds a row of some runs."""
    from medsins.bench.scoring.published import tokens

    def least(score: Score) -> tuple[float, list[tuple[float, float]]]:
        score(*rows[0], language)
        seconds = []
        for _ in range(runs):
            # Paper mode remembers the words of the last texts.
            tokens.character_words.cache_clear()
            taken, scores = timed(score, rows, language)
            seconds.append(taken)
        return min(seconds) * 1e3, scores

    own, scores = least(ours)
    result = {"rows": len(rows), "ours_ms": own}
    if peer:
        theirs, expected = least(published)
        if scores != expected:
            raise SystemExit(f"{language}: the values differ")
        result |= {"published_ms": theirs, "ratio": theirs / own}
    return result


def main() -> None:
    """Measure both languages and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-published", action="store_true", help="measure our side alone")
    options = parser.parse_args()
    results = {}
    for language in CODES:
        rows = (
            from_file(options.file, language) if options.file else made_up(language, options.rows)
        )
        results[language] = measure(
            language, rows[: options.rows], peer=not options.no_published, runs=options.runs
        )
    json.dump(results, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
