"""Corrected scores: equal to the libraries they name, and fair to answers however they are put."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sacrebleu
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

import medsins
from medsins.bench.scoring.corrected import choices, entities, labels, text
from medsins.bench.scoring.corrected.labels import LabelReader
from medsins.bench.scoring.corrected.statistics import Measured, compared, interval, resampled
from medsins.bench.scoring.predictions import Answer
from medsins.bench.scoring.task_scores import Score, averages, compare, score_task
from medsins.bench.suite.families import Family, profile
from medsins.errors import InvalidFileError, UnknownNameError
from paths import ROOT, SHARED

PUBLISHED = SHARED / "published" / "rationale_predictions.csv"
GOLDEN = ROOT / "tests" / "golden"
BENCH = [task for task in medsins.tasks() if task.benchmark_id]


class Ours:
    """Our words, as rouge-score takes a tokenizer."""

    def __init__(self, language: str) -> None:
        self.language = language

    def tokenize(self, said: str) -> list[str]:
        return text.words(said, self.language)


sentences = st.lists(
    st.sampled_from(
        ["pain", "Pain", "fever", "the", "a", "a", ",", ".", "\n", "Ø", "x-ray", "3.5"]
    ),
    max_size=25,
).map(" ".join)
pairs = st.lists(
    st.tuples(sentences, st.lists(sentences, min_size=1, max_size=3)), min_size=1, max_size=6
)


@settings(max_examples=80, deadline=None)
@given(pairs)
def test_text_equals_sacrebleu_and_rouge_score(rows: list[tuple[str, list[str]]]) -> None:
    said, references = [row[0] for row in rows], [row[1] for row in rows]
    points = text.measure(said, references, "en").points
    most = max(map(len, references))
    # sacreBLEU leaves out what is None, though its annotations do not say so.
    streams: list[Any] = [
        [row[n] if n < len(row) else None for row in references] for n in range(most)
    ]
    for name, orders in (("bleu", 4), ("bleu1", 1)):
        metric = sacrebleu.BLEU(max_ngram_order=orders)
        expected = metric.corpus_score(said, streams).score / 100
        assert points[name] == pytest.approx(expected, abs=1e-12)
    expected = sacrebleu.CHRF().corpus_score(said, streams).score / 100
    assert points["chrf"] == pytest.approx(expected, abs=1e-12)
    scorer = rouge_scorer.RougeScorer(list(text.ROUGES), tokenizer=Ours("en"))
    for name in text.ROUGES:
        each = [scorer.score_multi(row[1], row[0])[name].fmeasure for row in rows]
        assert points[name] == pytest.approx(np.mean(each), abs=1e-12)


def test_words_of_all_languages() -> None:
    assert text.words("Le Géfitinib — 3,5 mg ﬁn.", "fr") == [
        "le",
        "géfitinib",
        "3",
        "5",
        "mg",
        "fin",
    ]
    assert text.words("Боль, ЖАР", "ru") == ["боль", "жар"]
    assert text.words("患者有发热。", "zh") == ["患者", "有", "发热"]
    assert text.words("水銀は、蒸発する。", "ja") == ["水銀", "は", "蒸発", "する"]


TABLE = {
    "task51": ("zh", 29.05, 61.27, 51.22, 32.63, 26.37),
    "task52": ("en", 15.14, 51.31, 51.60, 29.37, 51.23),
    "task53": ("fr", 17.57, 50.02, 51.53, 31.47, 51.33),
    "task54": ("ja", 20.07, 56.72, 54.66, 31.28, 27.08),
    "task55": ("ru", 9.51, 36.41, 31.38, 20.41, 44.22),
    "task56": ("es", 15.57, 49.99, 49.66, 29.50, 49.02),
}


@pytest.mark.skipif(
    not PUBLISHED.is_file(), reason="the published rows are not beside this checkout"
)
def test_the_published_predictions_score_what_the_libraries_gave() -> None:
    with PUBLISHED.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    name = {task.benchmark_id: task.name for task in BENCH}
    for number, (language, *expected) in TABLE.items():
        answers = [
            Answer(f"{place:03}", number, row["output"], (row["GT"],))
            for place, row in enumerate(rows)
            if row["task_id"] == number
        ]
        score = score_task(name[number], answers)
        assert (score.language, score.n_total) == (language, 50)
        found = [score.values[metric] for metric in ("bleu", "bleu1", "rouge1", "rougeL", "chrf")]
        assert [round(100 * value, 2) for value in found] == expected


LABELS = (
    "Stable angina",
    "Unstable angina",
    "Larygospasm",
    "SLE",
    "Guillain-Barré syndrome",
    "HIV (initial infection)",
)
READER = LabelReader(LABELS, {"Laryngospasm": "Larygospasm", "Systemic lupus erythematosus": "SLE"})


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Unstable angina", "Unstable angina"),
        ("The diagnosis result is unstable angina.", "Unstable angina"),
        ("stable angina", "Stable angina"),
        ("'SLE'", "SLE"),
        ("laryngospasm", "Larygospasm"),
        ("LARYGOSPASM.", "Larygospasm"),
        ("Guillain Barre syndrome", "Guillain-Barré syndrome"),
        ("hiv initial infection", "HIV (initial infection)"),
        ("Systemic lupus erythematosus, I think", "SLE"),
        ("SLE, not stable angina", "SLE"),
        ("Stable angina is unlikely. SLE fits.", "SLE"),
        ("No. SLE", "SLE"),
        ("SLE has been ruled out; unstable angina", "Unstable angina"),
        ("measles", None),
        ("not SLE", None),
        ("It isn't SLE", None),
        ("SLE or stable angina", None),
        ("SLE\nStable angina", None),
        ("", None),
        (".", None),
        (", ".join(LABELS), None),
    ],
)
def test_one_label_is_read(said: str, label: str | None) -> None:
    assert READER.one(said) == label


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("entailment", "Entailment"),
        ("The answer is entailment", "Entailment"),
        ("It is a contradiction, not entailment.", "Contradiction"),
        ("no entailment; neutral", "Neutral"),
        ("I choose: neutral.", "Neutral"),
        ("not entailment", None),
        ("non-neutral", None),
        ("entailment or contradiction", None),
        ("neutral\nentailment", None),
        ("entailed", None),
        ("entail ment", None),
        ("unsure", None),
    ],
)
def test_inference_is_read(said: str, label: str | None) -> None:
    assert LabelReader(("Entailment", "Contradiction", "Neutral")).one(said) == label


@pytest.mark.parametrize(
    ("set_of", "said", "label"),
    [
        (("True", "False"), "TRUE.", "True"),
        (("True", "False"), "It is false.", "False"),
        (("True", "False"), "Not true", None),
        (("True", "False"), "untrue", None),
        (("True", "False"), "true or false", None),
        (("0", "1", "2"), "2.", "2"),
        (("0", "1", "2"), "Class 0", "0"),
        (("0", "1", "2"), "10", None),
        (("0", "1", "2"), "P = 0.05", None),
        (("0", "1", "2"), "1\n2", None),
        (("yes", "no"), "No.", "no"),
        (("yes", "no"), "unknown", None),
        (("yes", "no"), "diagnosis", None),
        (("yes", "no"), "not sure", None),
        (("蕴涵", "矛盾"), "不是蕴涵,是矛盾", "矛盾"),
    ],
)
def test_other_closed_sets_are_read(set_of: Sequence[str], said: str, label: str | None) -> None:
    assert LabelReader(tuple(set_of)).one(said) == label


letters = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", "", "d"])), min_size=1
)


@given(letters)
def test_accuracy_and_macro_f1_equal_scikit_learn(rows: list[tuple[str, str]]) -> None:
    gold, said = [row[0] for row in rows], [row[1] for row in rows]
    measured = labels.measure_one(said, [[one] for one in gold], LabelReader(("a", "b", "c", "d")))
    expected = sklearn.metrics.f1_score(
        gold, said, labels=sorted(set(gold)), average="macro", zero_division=0
    )
    assert measured.points["macro_f1"] == pytest.approx(expected, abs=1e-12)
    assert sum(measured.details["confusion"].values()) == len(rows)
    assert_sums_give_points(measured)


def assert_sums_give_points(measured: Measured) -> None:
    summed = measured.combine(measured.table[measured.codes].sum(axis=0))
    assert {name: float(value) for name, value in summed.items()} == pytest.approx(
        dict(measured.points), abs=1e-12
    )


subsets = st.lists(st.sampled_from(["red", "green-blue", "grey"]), unique=True, max_size=3)


@given(st.lists(st.tuples(subsets.filter(bool), subsets), min_size=1, max_size=12))
def test_several_labels_equal_scikit_learn(rows: list[tuple[list[str], list[str]]]) -> None:
    names = ("red", "green-blue", "grey", "black")
    reader = LabelReader(names, {"gray": "grey"})
    gold = [", ".join(row[0]) for row in rows]
    said = [" and ".join(row[1]).replace("grey", "Gray").replace("-", " ") for row in rows]
    measured = labels.measure_several(said, gold, names, reader)
    true = np.array([[name in row[0] for name in names] for row in rows])
    found = np.array([[name in row[1] for name in names] for row in rows])
    supported = np.flatnonzero(true.any(axis=0))
    for name, chosen, kind, zero in (
        ("macro_f1", supported, "macro", 0),
        ("macro_f1_zero0", None, "macro", 0),
        ("macro_f1_zero1", None, "macro", 1),
        ("micro_f1", None, "micro", 0),
    ):
        expected = sklearn.metrics.f1_score(
            true, found, labels=chosen, average=kind, zero_division=zero
        )
        assert measured.points[name] == pytest.approx(expected, abs=1e-12), name
    exact = sum(set(row[0]) == set(row[1]) for row in rows) / len(rows)
    assert measured.points["subset_accuracy"] == pytest.approx(exact)
    assert_sums_give_points(measured)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("aspirin, ibuprofen.", {"aspirin", "ibuprofen"}),
        ("Ibuprofen,  ASPIRIN", {"aspirin", "ibuprofen"}),
        ("aspirin, aspirin.", {"aspirin"}),
        ("There is no related enetity.", set()),
        ("there is no related entity", set()),
        ("", set()),
        ("p53.", {"p53"}),
        ("E . coli, S. aureus.", {"e . coli", "s. aureus"}),
        ("N , N - dimethylaniline, glucose.", {"n , n - dimethylaniline", "glucose"}),
        ("ﬁbrin", {"fibrin"}),
    ],
)
def test_entities_are_read(said: str, names: set[str]) -> None:
    assert entities.entities(said) == names


def test_entities_of_answers_may_be_put_otherwise() -> None:
    measured = entities.measure_entities(["aspirin , ibuprofen"], [["aspirin, ibuprofen."]])
    assert measured.points["micro_f1"] == 1
    whole = "N , N - dimethylaniline."
    assert entities.measure_entities([whole], [[whole]]).points["micro_f1"] == 1
    loose = ["aspirin;ibuprofen、naproxen"]
    gold = [["aspirin, ibuprofen, naproxen."]]
    assert entities.measure_entities(loose, gold).points["micro_f1"] == 0
    assert entities.measure_entities(loose, gold, wide=True).points["micro_f1"] == 1


def test_entities_are_counted_over_rows() -> None:
    none = "There is no related enetity."
    said = ["a, b, x.", none, "", "", "y."]
    gold = [["a, b, c."], [none], ["d, e."], [none], [none]]
    points = entities.measure_entities(said, gold).points
    assert points["micro_precision"] == pytest.approx(2 / 4)
    assert points["micro_recall"] == pytest.approx(2 / 5)
    assert points["micro_f1"] == pytest.approx(4 / 9)
    assert points["row_f1"] == pytest.approx((2 / 3 + 1 + 0 + 0 + 0) / 5)


def test_phrases() -> None:
    gold = ["42 patients, mean age , 41 years"]
    measured = entities.measure_phrases(
        ["mean age , 41 years, 42 patients.", "142 patients", "'not found'", "Not found.", ""],
        [gold, gold, gold, ["not found"], ["not found"]],
    )
    assert measured.rows.tolist() == [1, 0, 0, 1, 0]
    assert measured.points["exact"] == pytest.approx(2 / 5)
    assert measured.points["token_f1"] == pytest.approx((1 + 2 * 1 / 8 + 0 + 1 + 0) / 5)


@pytest.mark.parametrize(
    ("said", "gold", "exact"),
    [
        ("5mg/kg", "5 mg/kg", 1),
        ("5.0 mg / kg.", "5 mg/kg", 1),
        ("1,000 milligrams", "1000 mg", 1),
        ("5 µg", "5 mcg", 1),
        ("Twice a day", "twice a day", 1),
        ("high", "high", 1),
        ("15 mg", "5 mg", 0),
        ("5 g", "5 mg", 0),
        ("", "5 mg", 0),
        ("²", "5 mg", 0),
    ],
)
def test_doses(said: str, gold: str, exact: int) -> None:
    assert entities.measure_doses([said], [[gold]]).points["exact"] == exact


def test_demographics() -> None:
    gold = ["Gender: M\n\nAge: [[1.0, 'year'], [2.0, 'month']]"]
    said = [
        gold[0],
        'gender: male\nage: [[2, "months"], [1, "year"]]',
        "Gender: F\n\nAge: [[1.0, 'year'], [2.0, 'month']]",
        "Gender: M\n\nAge: [[__import__('os').getpid(), 'year']]",
        "Gender: M\n\nAge: " + "[" * 100_000,
        "a young man",
        "",
    ]
    measured = entities.measure_demographics(said, [gold] * len(said))
    assert measured.rows.tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert measured.points["gender"] == pytest.approx(4 / 7)
    assert measured.points["age"] == pytest.approx(3 / 7)
    assert measured.points["valid_form"] == pytest.approx(2 / 7)
    assert measured.unparsed == 1


def test_every_task_of_the_benchmark_has_a_family() -> None:
    count = dict.fromkeys(Family, 0)
    for task in BENCH:
        count[profile(task).family] += 1
    assert count == {
        Family.TEXT: 27,
        Family.CHOICE: 8,
        Family.LABEL: 8,
        Family.LABELS: 1,
        Family.ENTITIES: 4,
        Family.PHRASES: 3,
        Family.DOSE: 1,
        Family.DEMOGRAPHICS: 1,
    }
    with pytest.raises(UnknownNameError):
        profile(medsins.task("ade_corpus_v2_drug_extraction"))


@pytest.fixture(scope="module")
def built() -> dict[str, list[Answer]]:
    """Right answers to the synthetic samples of all benchmark tasks."""
    found: dict[str, list[Answer]] = {task.name: [] for task in BENCH}
    for path in sorted(GOLDEN.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["task"] in found:
                answer = Answer(
                    row["id"], row["task"], row["output"], tuple(row["references"]), row["input"]
                )
                found[row["task"]].append(answer)
    return found


NAMES = [task.name for task in BENCH]


def quick(name: str, answers: list[Answer]) -> Score:
    return score_task(name, answers, resamples=20)


@pytest.mark.parametrize("name", NAMES)
def test_what_must_hold_for_every_task(name: str, built: dict[str, list[Answer]]) -> None:
    answers = built[name]
    right = quick(name, answers)
    assert right.value == pytest.approx(1)
    assert right.rows.tolist() == [1.0] * len(answers)
    assert (right.n_scored, right.n_empty, right.n_unparsed) == (len(answers), 0, 0)
    spaced = quick(name, [replace(one, prediction=f" {one.prediction}\n") for one in answers])
    assert dict(spaced.values) == pytest.approx(dict(right.values))
    blank = quick(name, [replace(one, prediction=" ") for one in answers])
    assert blank.value == 0
    assert (blank.n_scored, blank.n_empty, blank.n_unparsed) == (0, len(answers), 0)
    missing = quick(name, [replace(one, prediction="", missing=True) for one in answers])
    assert (missing.value, missing.n_missing, missing.n_empty) == (0, len(answers), 0)
    mixed = [
        replace(one, prediction="" if n % 2 else one.prediction) for n, one in enumerate(answers)
    ]
    some = quick(name, mixed)
    random.Random(0).shuffle(mixed)
    again = quick(name, mixed)
    assert (again.values, again.intervals, again.ids) == (some.values, some.intervals, some.ids)
    assert again.rows.tolist() == some.rows.tolist()
    assert all(0 <= value <= 1 for value in some.values.values())
    assert f"task={name}; " in right.signature
    record = right.record()
    assert record["values"] == dict(right.values)


@pytest.mark.parametrize(
    "name", [one for one in NAMES if profile(medsins.task(one)).family is not Family.TEXT]
)
def test_a_full_stop_changes_no_answer(name: str, built: dict[str, list[Answer]]) -> None:
    stopped = [replace(one, prediction=one.prediction.rstrip(".") + ".") for one in built[name]]
    assert quick(name, stopped).value == pytest.approx(1)


@pytest.mark.parametrize(
    "name", [one for one in NAMES if profile(medsins.task(one)).family is Family.LABEL]
)
def test_listing_all_labels_is_no_answer(name: str, built: dict[str, list[Answer]]) -> None:
    every = ", ".join(profile(medsins.task(name)).labels)
    score = quick(name, [replace(one, prediction=every) for one in built[name]])
    assert (score.value, score.n_unparsed) == (0, len(built[name]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=2, max_size=2))
def test_any_text_is_scored_and_never_stops_a_run(said: list[str]) -> None:
    yes, no = "Gender: F\n\nAge: [[3.0, 'day']]", "not found"
    gold = [[yes], [no]]
    measures: list[Callable[[], Measured]] = [
        lambda: text.measure(said, gold, "en"),
        lambda: entities.measure_entities(said, gold),
        lambda: entities.measure_entities(said, gold, wide=True),
        lambda: entities.measure_phrases(said, gold),
        lambda: entities.measure_doses(said, gold),
        lambda: entities.measure_demographics(said, gold),
        lambda: labels.measure_one(said, [["SLE"], ["Stable angina"]], READER),
        lambda: labels.measure_several(said, ["SLE", "SLE"], LABELS, READER),
        lambda: choices.measure(said, [["A"], ["B"]], ["Options: A: x\tB: y\t"] * 2),
    ]
    for measure in measures:
        measured = measure()
        assert all(0 <= value <= 1 + 1e-12 for value in measured.points.values())
        assert 0 <= measured.unparsed <= 2


@pytest.mark.parametrize("name", NAMES)
def test_paper_mode_says_what_the_published_code_gives(
    name: str, built: dict[str, list[Answer]]
) -> None:
    score = score_task(name, built[name], "paper", punkt=False)
    assert (score.mode, score.n_total, score.interval) == ("paper", len(built[name]), None)
    assert 0 <= score.value <= 1 + 1e-9
    assert "medsins-paper" in score.signature


def test_paper_mode_has_the_published_faults() -> None:
    said = [Answer("1", "t", "unstable angina", ("The diagnosis result is Stable angina.",))]
    assert score_task("ddxplus_diagnosis", said, "paper").value == 1
    assert score_task("ddxplus_diagnosis", said).value == 0
    blank = [Answer("1", "t", "", ("A note.",)), Answer("2", "t", "A note.", ("A note.",))]
    details = score_task("meqsum_question_summary", blank, "paper", punkt=False).details
    assert details["crashes"] == 1
    assert details["crash"]


def answers_with(right: int, total: int, seed: int = 0) -> list[Answer]:
    hits = [place < right for place in range(total)]
    random.Random(seed).shuffle(hits)
    return [
        Answer(f"{place:06}", "t", "Neutral" if hit else "Entailment", ("Neutral",))
        for place, hit in enumerate(hits)
    ]


NLI = "mednli_entailment_classification"


def test_the_interval_is_that_of_a_share() -> None:
    score = score_task(NLI, answers_with(700, 1000))
    assert score.value == pytest.approx(0.7)
    assert score.interval is not None
    low, high = score.interval
    assert low == pytest.approx(0.7 - 1.96 * np.sqrt(0.21 / 1000), abs=0.004)
    assert high == pytest.approx(0.7 + 1.96 * np.sqrt(0.21 / 1000), abs=0.004)
    again = score_task(NLI, answers_with(700, 1000))
    assert again.interval == score.interval
    assert score_task(NLI, answers_with(700, 1000), seed=1).interval != score.interval


def test_a_resample_of_any_metric_is_what_the_metric_gives_for_its_rows() -> None:
    said = ["a b c d e", "a b", "", "x y z a b c d"]
    gold = [["a b c d e f"], ["a b"], ["c d e f"], ["x y a b c d"]]
    measured = text.measure(said, gold, "en")
    drawn = resampled(measured, 50, seed=3)
    generator = np.random.default_rng(3)
    for place in range(50):
        rows = generator.integers(0, 4, 4)
        again = text.measure([said[row] for row in rows], [gold[row] for row in rows], "en")
        assert {name: values[place] for name, values in drawn.items()} == pytest.approx(
            dict(again.points)
        )


def test_two_models_are_compared_on_the_same_rows() -> None:
    good, bad = (score_task(NLI, answers_with(right, 500, seed=right)) for right in (400, 300))
    found = compare(good, bad)
    assert found.difference == pytest.approx(0.2)
    assert found.interval[0] < 0.2 < found.interval[1]
    assert found.interval[0] > 0
    assert max(found.p_bootstrap, found.p_randomisation) < 0.01
    back = compare(bad, good)
    assert back.difference == pytest.approx(-0.2)
    same = compare(good, good)
    assert (same.difference, same.interval) == (0, (0, 0))
    assert (same.p_bootstrap, same.p_randomisation) == (1, 1)
    close = compare(good, score_task(NLI, answers_with(398, 500, seed=7)), metric="macro_f1")
    assert min(close.p_bootstrap, close.p_randomisation) > 0.3
    with pytest.raises(InvalidFileError, match="same rows"):
        compare(good, score_task(NLI, answers_with(3, 5)))


def test_by_chance_few_differences_are_significant() -> None:
    generator = np.random.default_rng(1)
    reader = LabelReader(("a", "b"))
    small: list[list[bool]] = [[], []]
    for _ in range(40):
        one, other = (
            labels.measure_one(generator.choice(["a", "b"], 60).tolist(), [["a"]] * 60, reader)
            for _ in range(2)
        )
        found = compared(one, other, "accuracy", resamples=200)
        small[0].append(found.p_bootstrap < 0.05)
        small[1].append(found.p_randomisation < 0.05)
    assert max(map(sum, small)) <= 7


def test_averages_weigh_tasks_alike_and_miss_none(built: dict[str, list[Answer]]) -> None:
    scores = [quick(name, built[name]) for name in NAMES]
    scores[0] = quick(NAMES[0], [replace(one, prediction="") for one in built[NAMES[0]]])
    found = averages(scores, BENCH)
    first = {(one.name, one.metric): one for one in found}
    category = profile(BENCH[0]).category
    own = first[category, "primary"]
    assert own.value == pytest.approx(1 - 1 / len(own.weights))
    assert sum(own.weights.values()) == pytest.approx(1)
    summaries = first["Text Summarization", "primary"].weights
    assert len(summaries) == 16
    assert len({round(weight, 12) for weight in summaries.values()}) == 1
    assert {metric for name, metric in first if name == "Fact Verification"} == {
        *("primary", "accuracy", "rouge1")
    }
    languages = {one.name for one in averages(scores, BENCH, by="language")}
    assert languages == {"en", "zh", "ja", "fr", "ru", "es"}
    with pytest.raises(InvalidFileError, match=f"2 of 53 tasks have no score: {NAMES[0]}"):
        averages(scores[2:], BENCH)
    with pytest.raises(InvalidFileError, match="scored twice"):
        averages([*scores, scores[0]], BENCH)
    assert averages(scores[2:], BENCH, partial=True)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InvalidFileError, match="no answers"):
        score_task(NLI, [])
    odd = [Answer("i1", "t", "Neutral", ("something",))]
    with pytest.raises(InvalidFileError, match="reference of i1"):
        score_task(NLI, odd)
    with pytest.raises(InvalidFileError, match="reference of i1"):
        score_task("medqa_mcqa_en", odd)


def test_many_short_rows_take_seconds() -> None:
    rows = 100_000
    said = [("Neutral", "Entailment", "It is a contradiction", "")[n % 4] for n in range(rows)]
    answers = [Answer(f"{n:06}", "t", one, ("Neutral",)) for n, one in enumerate(said)]
    start = time.perf_counter()
    assert score_task(NLI, answers).value == 0.25
    assert time.perf_counter() - start < 30


def test_only_scoring_loads_what_it_needs() -> None:
    heavy = "{'sklearn', 'sacrebleu', 'rouge_score', 'jieba', 'janome', 'nltk', 'MeCab'}"
    code = (
        "import sys, medsins.bench.scoring.task_scores, medsins.bench.scoring.predictions; "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_package_that_is_not_there_is_named() -> None:
    code = (
        "import sys; sys.modules['sacrebleu.metrics'] = None\n"
        "from medsins.bench.scoring.corrected import text\n"
        "text.measure(['a'], [['a']], 'en')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "needs the package sacrebleu. Run: pip install 'medsins[bench]'" in done.stderr


def test_the_interval_is_of_percentiles() -> None:
    assert interval(np.arange(1001.0)) == pytest.approx((25, 975))
