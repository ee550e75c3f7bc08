"""Paper mode: the published scores, bit for bit, and the published crashes.

The vectors that the published functions gave are not part of the project; the tests that read them
run where they lie beside it. The others stand alone, with parameters of Punkt made up here.
"""

from __future__ import annotations

import csv
import io
import json
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import medsins
from medsins.bench import (
    PublishedCrash,
    paper_corpus_score,
    paper_score,
    paper_table,
    published_metric,
)
from medsins.bench.scoring import segmentation
from medsins.bench.scoring.published import punkt, scripts, tokens
from medsins.bench.scoring.published.cells import column
from medsins.bench.scoring.published.entities import entities
from medsins.bench.scoring.published.labels import HALLMARKS
from medsins.bench.scoring.published.text import DEEPEST, bleu_of_words, rouge_of_texts
from medsins.errors import InvalidFileError, MissingFilesError, UnknownNameError
from paths import ROOT

SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden"
PREDICTIONS = SHARED / "published" / "rationale_predictions.csv"

needs_golden = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason="the golden vectors are not beside this checkout"
)
needs_predictions = pytest.mark.skipif(
    not PREDICTIONS.is_file() or not GOLDEN.is_dir(),
    reason="the published predictions are not beside this checkout",
)

NO_ENTITY = "There is no related enetity."


@pytest.fixture
def parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made-up parameters of Punkt, and nowhere else to find others."""
    folder = tmp_path / "tokenizers" / "punkt_tab" / "english"
    folder.mkdir(parents=True)
    (folder / "abbrev_types.txt").write_text("dr\napprox\ne.g\nvs\n")
    (folder / "collocations.tab").write_text("st\tlouis\n##number##\tmay\n")
    (folder / "sent_starters.txt").write_text("however\nthe\n")
    (folder / "ortho_context.tab").write_text("however\t34\nlungs\t40\nfever\t32\nmay\t4\n")
    monkeypatch.setenv("NLTK_DATA", str(tmp_path))
    return folder


def score(metric: str, prediction: Any, reference: Any, **options: Any) -> Any:
    """The value, or the published error in words."""
    try:
        return paper_score(metric, prediction, reference, **options)
    except PublishedCrash as crash:
        return crash.peer_error


# -- parity ----------------------------------------------------------------------------------------


@needs_golden
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_golden_vector_is_met_bit_for_bit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jieba")
    pytest.importorskip("janome")
    monkeypatch.setenv("NLTK_DATA", str(GOLDEN / "nltk_data"))
    wrong = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for vector in map(json.loads, lines):
        value, error = None, None
        try:
            if "rows" in vector:
                value = paper_corpus_score(vector["metric"], vector["rows"])
            else:
                value = paper_score(
                    vector["metric"],
                    vector["prediction"],
                    vector["reference"],
                    task_id=vector["task_id"],
                    language=vector["language"],
                )
        except PublishedCrash as crash:
            error = crash.peer_error
        # repr: 0 is not 0.0, and no bit may differ.
        if (repr(value), error) != (repr(vector["peer_value"]), vector["peer_error"]):
            wrong.append(vector["id"])
    assert lines
    assert not wrong


@needs_predictions
def test_the_published_predictions_give_the_published_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("jieba")
    pytest.importorskip("janome")
    monkeypatch.setenv("NLTK_DATA", str(GOLDEN / "nltk_data"))
    with PREDICTIONS.open(encoding="utf-8", newline="") as lines:
        table = paper_table(csv.DictReader(lines))
    (rationale,) = table.results
    assert rationale.printed == {
        "task51": "51.50/35.35",
        "task52": "48.54/38.22",
        "task53": "47.64/39.24",
        "task54": "53.31/36.83",
        "task55": "34.91/23.71",
        "task56": "47.08/36.42",
        "Avg.": "47.17/34.96",
    }
    average = rationale.average
    assert isinstance(average, tuple)
    assert [f"{part:.5f}" for part in average] == ["47.16605", "34.96073"]
    assert not table.warnings
    assert "nltk-rules:3.9.2" in table.signature
    assert "unverified" not in table.signature


# -- words and sentences ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Aspirin 81 mg daily.", "Aspirin 81 mg daily ."),
        ("He can't walk; she won't.", "He ca n't walk ; she wo n't ."),
        ("p<0.05, n=1,200: significant", "p < 0.05 , n=1,200 : significant"),
        ('The "acute" phase', "The `` acute '' phase"),
        ('"Acute" phase.', "`` Acute '' phase ."),
        ("(see the note.)", "( see the note . )"),
        ("You gonna cannot wanna rest", "You gon na can not wan na rest"),
        ("wanna", "wan na"),
        ("more'n two; d'ye know; 'tis so", "more 'n two ; d 'ye know ; 't is so"),
        ("Well... no -- yes", "Well ... no -- yes"),
        # What NLTK 3.10 splits and 3.9 leaves: dashes, and an apostrophe before a word.
        ("ages 3–5 and 6—9", "ages 3–5 and 6—9"),
        ("l'hypertension artérielle", "l'hypertension artérielle"),
        ("patients' wishes, a patient's wife", "patients ' wishes , a patient 's wife"),
        ("«oui» “yes” ‘so’", "« oui » “ yes ” ‘ so ’"),
        ("50% of $5 & #2 @home*", "50 % of $ 5 & # 2 @ home *"),
        ("Gimme GOTTA lemme", "Gim me GOT TA lem me"),
        ("", ""),
    ],
)
def test_sentences_fall_into_the_words_of_nltk_3_9(sentence: str, words: str) -> None:
    assert tokens.sentence_words(sentence) == words.split()


@given(st.text(alphabet="ab1 .,:;!?()[]{}<>@#$%&*-–«»“”„…\nÀжß", max_size=60))
def test_words_lose_no_character(text: str) -> None:
    assert "".join(tokens.sentence_words(text)) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Fever and cough. However, no rash.", ["Fever and cough.", "However, no rash."]),
        ("Seen by Dr. Smith today. Well.", ["Seen by Dr. Smith today.", "Well."]),
        # An abbreviation, but the next word starts sentences.
        ("The dose was approx. However it rose.", ["The dose was approx.", "However it rose."]),
        ("It took approx. five days.", ["It took approx. five days."]),
        ("He lives in St. Louis now.", ["He lives in St. Louis now."]),
        ("Given on 5. May again.", ["Given on 5. May again."]),
        ("Stop!!! Now? Yes.", ["Stop!!!", "Now?", "Yes."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("(It was acute.) It healed.", ["(It was acute.)", "It healed."]),
        ("It hurts ... Lungs are clear.", ["It hurts ...", "Lungs are clear."]),
        ("p.o. intake of 2.5 mg", ["p.o.", "intake of 2.5 mg"]),
        ("One.\n\nTwo.\tThree", ["One.", "Two.", "Three"]),
        ("  ", []),
        ("", []),
    ],
)
def test_sentences_end_where_punkt_ends_them(
    text: str, sentences: list[str], parameters: Path
) -> None:
    assert punkt.splitter().sentences(text) == sentences


def test_other_parameters_are_used_and_reported(parameters: Path) -> None:
    assert punkt.find() == parameters
    assert not punkt.splitter().verified
    table = paper_table([{"task_id": "task18", "output": "Mild fever.", "GT": "Fever."}])
    assert "unverified" in table.signature
    assert any("Punkt" in warning for warning in table.warnings)


def test_without_parameters_it_refuses_and_says_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(punkt, "folders", lambda: [tmp_path / "empty"])
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "empty"))
    row = {"task_id": "task18", "output": "One dose. Two doses.", "GT": "Two doses."}
    for run in (lambda: paper_score("BLEU", "a", "a"), lambda: paper_table([row])):
        with pytest.raises(MissingFilesError, match="downloader punkt_tab") as caught:
            run()
        assert "--no-punkt" in str(caught.value)
    # Asked for, it scores, and the result says that it is another number.
    table = paper_table([row], punkt=False)
    assert "not the published" in table.warnings[0]
    assert "punkt:none" in table.signature
    # Labels and ROUGE need no sentences.
    assert paper_score("Rouge", "a", "a") > 0.99
    assert paper_table([{"task_id": "task41", "output": "neutral", "GT": "neutral"}]).results


JAPANESE = "患者は六十二歳の男性です。、発熱と咳がカルテabc12 \n.！？ｱｲ①😀々ー"
CHINESE = "患者男性六十二岁，发热。abc12 \n.%-+#①😀李明我们急性心肌梗死的 \r\n"


def test_japanese_and_chinese_words_are_those_of_the_published_calls() -> None:
    jieba = pytest.importorskip("jieba")
    jieba.setLogLevel("ERROR")
    janome = pytest.importorskip("janome.tokenizer").Tokenizer()
    rng = random.Random(0)
    texts = ["".join(rng.choices(JAPANESE, k=rng.randrange(80))) for _ in range(50)]
    for text in (*texts, "ア" * 1100 + "。", "無" * 600 + "、肺炎"):
        expected = [token.surface for token in janome.tokenize(text)]
        assert tokens.bleu_words(text, "jp") == expected
    for _ in range(100):
        text = "".join(rng.choices(CHINESE, k=rng.randrange(80)))
        assert tokens.bleu_words(text, "zh") == list(jieba.cut(text))


def test_threads_find_the_same_japanese_words() -> None:
    pytest.importorskip("janome")
    rng = random.Random(1)
    texts = ["".join(rng.choices(JAPANESE, k=200)) for _ in range(40)]
    cut = segmentation.japanese()
    expected = [cut(text) for text in texts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(cut, texts)) == expected
    finally:
        sys.setswitchinterval(interval)


def test_words_that_others_add_to_jieba_move_no_score() -> None:
    jieba = pytest.importorskip("jieba")
    before = tokens.bleu_words("急性心肌梗死的患者", "zh")
    jieba.add_word("死的患者", freq=10**9)
    try:
        tokens.character_words.cache_clear()
        assert tokens.bleu_words("急性心肌梗死的患者", "zh") == before
    finally:
        jieba.del_word("死的患者")


# -- BLEU and ROUGE --------------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from("abcde"), max_size=12)
SENTENCES = st.lists(
    st.sampled_from(["a", "b", "c", "d", "e", "f", "g", ".", ". ", ""]), max_size=30
)


@given(WORDS, WORDS)
def test_bleu_is_that_of_nltk(answer: list[str], reference: list[str]) -> None:
    module = pytest.importorskip("nltk.translate.bleu_score")
    smoothing = module.SmoothingFunction().method1
    expected = module.sentence_bleu(
        [reference], answer, weights=(1, 0, 0, 0), smoothing_function=smoothing
    )
    assert repr(bleu_of_words(answer, reference)) == repr(expected)


def plain_rouge(answer: str, reference: str) -> float | str:
    """The definition, with whole tables and the way back step by step."""

    def split(text: str) -> list[list[str]]:
        return [part.split() or [""] for part in text.split(".") if part]

    said, wanted = split(answer), split(reference)
    if not said or not wanted:
        return f"ValueError: {'Hypothesis' if not said else 'Reference'} is empty."
    union: set[str] = set()
    for first in wanted:
        for second in said:
            table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
            for i, left in enumerate(first):
                for j, right in enumerate(second):
                    longest = max(table[i][j + 1], table[i + 1][j])
                    table[i + 1][j + 1] = table[i][j] + 1 if left == right else longest
            i, j = len(first), len(second)
            while i and j:
                if first[i - 1] == second[j - 1]:
                    union.add(first[i - 1])
                    i, j = i - 1, j - 1
                elif table[i - 1][j] > table[i][j - 1]:
                    i -= 1
                else:
                    j -= 1
    recall = len(union) / len({word for words in wanted for word in words})
    precision = len(union) / len({word for words in said for word in words})
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


@settings(max_examples=400)
@given(SENTENCES, SENTENCES)
def test_rouge_follows_the_same_common_subsequence(said: list[str], wanted: list[str]) -> None:
    answer, reference = " ".join(said), " ".join(wanted)
    assert repr(score("Rouge", answer, reference)) == repr(plain_rouge(answer, reference))


def test_rouge_has_the_faults_it_is_known_for() -> None:
    assert paper_score("Rouge", "a a a a b", "a b b b b b b") == pytest.approx(1)
    assert paper_score("Rouge", "Pain", "pain") == 0
    assert paper_score("Rouge", "pain, fever", "pain fever") == pytest.approx(0.5)
    assert score("Rouge", "...", "pain") == "ValueError: Hypothesis is empty."
    assert score("Rouge", "pain", "") == "ValueError: Reference is empty."


def test_rouge_recurses_exactly_as_deep_as_the_published_scripts_can() -> None:
    deep = " ".join(f"w{number}" for number in range(DEEPEST))
    assert rouge_of_texts(deep, "z") == 0
    with pytest.raises(RecursionError) as caught:
        rouge_of_texts(f"{deep} more", "z")
    assert isinstance(caught.value, PublishedCrash)
    assert caught.value.published == "RecursionError"
    # Once the reference is used up, nothing recurses any more.
    assert rouge_of_texts(f"{deep} z", "z") > 0


def test_a_long_answer_takes_no_longer_than_it_must() -> None:
    repeated = "the patient has fever. " * 40_000
    assert 0 < paper_score("Rouge", repeated, "the patient has no fever. " * 10) < 1


def test_languages_are_those_of_the_published_code() -> None:
    assert paper_score("BLEU", "one dose", "one dose", punkt=False) == 1
    assert repr(paper_score("BLEU", "one", "two", punkt=False)) == "0"
    for code in ("fra", "spa", "ru"):
        assert paper_score("BLEU", "l'eau", "l'eau", language=code, punkt=False) == 1
    assert score("BLEU", "水", "水", language="ja").startswith("UnboundLocalError: ")
    # ROUGE reads what it does not know by white space.
    assert paper_score("Rouge", "水 火", "水 火", language="ja") > 0.99


@pytest.mark.parametrize(
    ("metric", "prediction", "reference", "language", "error"),
    [
        (
            "BLEU",
            None,
            "a",
            "en",
            "TypeError: expected string or bytes-like object, got 'NoneType'",
        ),
        ("BLEU", "a", 1.5, "ru", "TypeError: expected string or bytes-like object, got 'float'"),
        ("BLEU", None, "a", "zh", "AttributeError: 'NoneType' object has no attribute 'decode'"),
        ("BLEU", None, "a", "jp", "AttributeError: 'NoneType' object has no attribute 'strip'"),
        ("Rouge", None, "a", "en", "AssertionError"),
        ("Rouge", "a", None, "en", "AttributeError: 'NoneType' object has no attribute 'split'"),
        ("Rouge", "a", 2, "zh", "AttributeError: 'int' object has no attribute 'decode'"),
        (
            "diagnosis_accuracy",
            None,
            "a",
            "",
            "AttributeError: 'NoneType' object has no attribute 'lower'",
        ),
        (
            "diagnosis_accuracy",
            "a",
            1,
            "",
            "AttributeError: 'int' object has no attribute 'replace'",
        ),
        ("mcqa_accuracy", " ", "A", "", "IndexError: string index out of range"),
        ("mcqa_accuracy", "The right answer is", "A", "", "IndexError: string index out of range"),
        ("mcqa_accuracy", "b", "", "", "IndexError: string index out of range"),
        (
            "hard_ner_f1",
            "a",
            None,
            "",
            "AttributeError: 'NoneType' object has no attribute 'replace'",
        ),
        (
            "fact_verification_accuracy",
            "NA",
            "yes",
            "",
            "AttributeError: 'float' object has no attribute 'split'",
        ),
        (
            "fact_verification_accuracy",
            "",
            "null",
            "",
            "AttributeError: 'float' object has no attribute 'replace'",
        ),
        (
            "fact_verification_bleu_rouge",
            "None",
            "a",
            "",
            "AttributeError: 'float' object has no attribute 'strip'",
        ),
    ],
)
def test_it_raises_what_the_published_code_raises(
    metric: str, prediction: Any, reference: Any, language: str, error: str, parameters: Path
) -> None:
    if language in ("zh", "jp"):
        pytest.importorskip("jieba")
        pytest.importorskip("janome")
    with pytest.raises(PublishedCrash) as caught:
        paper_score(metric, prediction, reference, language=language)
    crash = caught.value
    assert crash.peer_error == error
    assert isinstance(crash, getattr(__import__("builtins"), error.split(":")[0]))
    assert isinstance(crash, medsins.bench.scoring.published.PublishedCrash)
    again = pickle.loads(pickle.dumps(crash))
    assert (type(again), again.peer_error, str(again)) == (type(crash), error, str(crash))


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(UnknownNameError, match="parse_entities"):
        paper_score("bertscore", "a", "a")
    with pytest.raises(UnknownNameError, match="reasoning_avg"):
        paper_corpus_score("BLEU", [])


# -- labels and entities ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "prediction", "reference", "value", "options"),
    [
        ("mcqa_accuracy", "B: ibuprofen", "The right answer is B: ibuprofen.", 1, {}),
        ("mcqa_accuracy", "Answer: D", "A", 1, {}),
        ("mcqa_accuracy", "Cannot say", "C", 1, {}),
        ("mcqa_accuracy", "E", "E", 0, {}),
        ("mcqa_accuracy", "**A**", "A", 0, {}),
        ("mcqa_accuracy", "A", "正确答案是 A", 0, {}),
        ("mcqa_accuracy", "A", "", 0, {"task_id": "task123"}),
        ("mcqa_accuracy", "yellow", "yes", 1, {"task_id": "task123"}),
        ("mcqa_accuracy", "maybe", "maybe", 0, {"task_id": "task123"}),
        ("mcqa_accuracy", "yes", "yes", 0, {"task_id": "task124"}),
        ("mcqa_accuracy", None, "no", 1, {"task_id": "task123"}),
        ("nli_accuracy", "not entailment", "Entailment.", 1, {}),
        ("nli_accuracy", "anything", "", 1, {}),
        ("nli_accuracy", 1, "neutral", 0, {}),
        ("diagnosis_accuracy", "Unstable Angina", "The diagnosis result is stable angina.", 1, {}),
        ("diagnosis_accuracy", "measles", "SLE", 1, {}),
        ("diagnosis_accuracy", "measles", "the diagnosis result is sle.", 0, {}),
        (
            "treatment_planning_accuracy",
            "no RADIATION",
            "The treatment planning is: Radiation",
            1,
            {},
        ),
        ("clinical_outcome_accuracy", "untrue", "True", 1, {}),
        ("clinical_outcome_accuracy", "true or false", "True", 0, {}),
        ("clinical_outcome_accuracy", False, " false ", 1, {}),
        ("clinical_outcome_accuracy", "yes", "yes", 0, {}),
        ("information_extraction_accuracy", "142 patients", "42 patients", 1, {}),
        ("information_extraction_accuracy", "\"a\n'b'", "ab", 1, {}),
        ("information_extraction_accuracy", "banana", None, 0, {}),
        ("information_extraction_accuracy", "none", None, 1, {}),
    ],
)
def test_labels_are_found_as_published(
    metric: str, prediction: Any, reference: Any, value: int, options: dict[str, Any]
) -> None:
    assert repr(paper_score(metric, prediction, reference, **options)) == repr(value)


def test_facts_are_scored_as_a_file_of_one_row() -> None:
    assert repr(paper_score("fact_verification_accuracy", "unknown", "no.")) == "100.0"
    assert repr(paper_score("fact_verification_accuracy", "yes\nno", "no")) == "0.0"
    assert paper_score("fact_verification_accuracy", "0.05", "0.05") == 0.0
    pair = paper_score("fact_verification_bleu_rouge", "One Dose", "one dose.", punkt=False)
    assert pair == [100.0, pytest.approx(100)]
    assert paper_score("fact_verification_bleu_rouge", "  ", "a", punkt=False) == [0.0, 0.0]


def test_entities_lose_their_last_character() -> None:
    assert entities("Aspirin, IL-6.") == {"aspirin", "il-"}
    assert entities("E. coli.") == {"e col"}
    assert entities(NO_ENTITY) == frozenset()
    assert entities("There is no related entity.") == {"there is no related entit"}
    assert entities("") == {""}
    assert paper_score("parse_entities", "b, a, c.", "") == ["", "a", "b"]
    assert paper_score("hard_ner_f1", "p53.", "p54.") == 1.0
    assert paper_score("hard_ner_f1", "aspirin, ibuprofen.", "ibuprofen, aspirin.") == 0
    assert paper_score("hard_ner_f1", None, "a, b") == 0
    assert repr(paper_score("hard_ner_f1", NO_ENTITY, NO_ENTITY)) == "0"


# -- files -----------------------------------------------------------------------------------------

CELLS = [
    "",
    "NA",
    "None",
    "1",
    "07",
    "-2",
    "2.5",
    ".5",
    "1e3",
    "True",
    "false",
    "yes",
    "a b",
    "5 mg",
]


@given(st.lists(st.sampled_from(CELLS), min_size=1, max_size=2, unique=True), st.data())
def test_cells_are_read_as_pandas_reads_them(pool: list[str], data: st.DataObject) -> None:
    pandas = pytest.importorskip("pandas")
    cells = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5))
    text = io.StringIO()
    pandas.DataFrame({"task_id": ["t"] * len(cells), "output": cells}).to_csv(text, index=False)
    text.seek(0)
    expected = list(pandas.read_csv(text)["output"])
    found = column(cells)
    assert [str(value) for value in found] == [str(value) for value in expected]
    assert [isinstance(value, str) for value in found] == [
        isinstance(value, str) for value in expected
    ]


def rows(*cells: tuple[str, Any, Any]) -> list[dict[str, Any]]:
    return [{"task_id": task, "output": said, "GT": wanted} for task, said, wanted in cells]


def test_rationales_skip_blanks_and_stop_at_what_pandas_reads_as_a_number() -> None:
    good = rows(("task52", "one dose", "one dose"), ("task52", "  ", "x"), ("task53", "a", "b"))
    assert paper_corpus_score("reasoning_avg", good, punkt=False) == {
        "task51": [0, 0],
        "task52": [100.0, pytest.approx(100)],
        "task53": [0.0, 0.0],
        "task54": [0, 0],
        "task55": [0, 0],
        "task56": [0, 0],
    }
    with pytest.raises(AttributeError, match="'float' object has no attribute 'strip'") as caught:
        paper_corpus_score("reasoning_avg", good + rows(("task55", "None", "x")), punkt=False)
    assert isinstance(caught.value, PublishedCrash)
    assert (caught.value.row, caught.value.task_id) == (3, "task55")
    with pytest.raises(AttributeError, match=r"numpy\.float64"):
        paper_corpus_score("reasoning_avg", rows(("task52", "", "x")), punkt=False)


def test_summaries_pool_by_row_and_average_without_the_pools() -> None:
    table = paper_table(
        rows(
            ("task78", "a", "a"),
            ("task83", "a", "a"),
            ("task84", "a", "b"),
            ("task84", "a", "b"),
            ("task84", "b", "a"),
        ),
        punkt=False,
    )
    (result,) = table.results
    assert result.printed == {
        "task78": "100.00/100.00",
        "task114": "-1.00/-1.00",
        "task112": "-1.00/-1.00",
        "task110": "-1.00/-1.00",
        "CT": "25.00/25.00",
        "MRI": "-1.00/-1.00",
        "Avg.": "24.25/24.25",
    }


def test_a_crash_is_reported_instead_of_numbers() -> None:
    table = paper_table(
        rows(("task42", "a", "a"), ("task41", "", "neutral"), ("task42", "..", "a")), punkt=False
    )
    by_family = {result.script.family: result for result in table.results}
    generation = by_family["Natural language inference, generation"]
    assert generation.crash is not None
    assert (generation.crash.row, generation.n_crashes, generation.n_rows) == (2, 1, 2)
    assert generation.printed == {}
    value = generation.values["task42"]
    assert isinstance(value, tuple)
    assert value[0] == 50.0
    assert value[1] == pytest.approx(50)
    assert by_family["Natural language inference"].printed == {"task41": "0.00", "Avg.": "0.00"}
    text = table.text()
    assert "the published script stops here at row 2 (task42): ValueError: Hypothesis is" in text
    assert "with such rows scored 0: task42 50.00/50.00" in text


def test_explanations_and_entities_leave_blanks_out() -> None:
    table = paper_table(
        rows(
            ("task18", "a", "a"),
            ("task18", "NA", "a"),
            ("task125", "aspirin.", "aspirin."),
            ("task125", "", "ibuprofen."),
        ),
        punkt=False,
    )
    explanation, ner = table.results
    value = explanation.values["task18"]
    assert isinstance(value, tuple)
    assert (explanation.n_skipped, value[0]) == (1, 100.0)
    assert (ner.n_skipped, ner.values["task125"]) == (1, 100.0)
    assert ner.printed["Avg."] == "25.00"


def test_the_multiple_choice_script_cannot_start() -> None:
    table = paper_table(rows(("task123", "", "no"), ("task57", "A", "A"), ("task57", "B", "A")))
    (result,) = table.results
    assert isinstance(result.crash, ImportError)
    assert result.values["task57"] == 50.0
    # The blank is read as "nan", whose first letter says no.
    assert result.values["task123"] == 100.0
    assert "cannot import name 'write_results_to_csv'" in table.text()


def test_numbers_alone_in_a_column_stop_a_script() -> None:
    facts = rows(("task16", "1", "1"), ("task16", "2", "1"))
    (result,) = paper_table(facts).results
    assert result.crash is not None
    assert result.crash.peer_error == "AttributeError: 'int' object has no attribute 'replace'"


def test_hallmarks_are_averaged_over_all_labels() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = random.Random(0)
    made = []
    for _ in range(40):
        said, wanted = ("; ".join(rng.sample(HALLMARKS[:7], rng.randrange(4))) for _ in "ab")
        made.append(("task106", said.title(), wanted))
    found = paper_corpus_score("text_classification_macro", rows(*made))
    given, right = (
        [[int(label in str(row[side]).lower()) for label in HALLMARKS] for row in made]
        for side in (1, 2)
    )
    for name in ("precision", "recall", "f1_score"):
        function = getattr(metrics, name if name == "f1_score" else f"{name}_score")
        expected = 100 * function(right, given, average="macro", zero_division=0)
        assert found[name] == float(expected)
    with pytest.raises(KeyError) as caught:
        paper_corpus_score("text_classification_macro", rows(("task1", "a", "a")))
    assert isinstance(caught.value, PublishedCrash)
    assert caught.value.peer_error == "KeyError: 'precision'"


def test_rows_may_have_our_names_and_our_columns() -> None:
    task = next(task for task in medsins.tasks() if task.benchmark_id == "task41")
    table = paper_table(
        [
            {"task_id": task.name, "prediction": "neutral", "reference": "neutral"},
            {"task_id": "task41", "output": "neutral", "GT": "entailment", "input": "x" * 99},
            {"task_id": "task999", "output": "a", "GT": "a"},
        ]
    )
    assert table.results[0].values == {"task41": 50.0}
    assert table.unscored == 1
    assert table.signature == "medsins-paper|labels"
    with pytest.raises(InvalidFileError, match="Row 1 of the predictions has no column 'GT'"):
        paper_table([{"task_id": "task41", "output": "", "GT": ""}, {"task_id": "t", "output": ""}])


def test_a_metric_of_files_takes_columns_too() -> None:
    value = paper_score("hard_ner_micro_f1", ["a1", "b1"], ["a2", "c2"], task_id="task125")
    assert value == 50.0
    both = paper_score(
        "hard_ner_micro_f1", ["a1", "b1"], ["a2", "c2"], task_id=["task125", "task126"]
    )
    assert both == {"task125": 100.0, "task126": 0}


# -- the map ---------------------------------------------------------------------------------------


def test_every_benchmark_task_of_ours_is_scored_by_a_published_script() -> None:
    fits = {
        "accuracy": {
            *("mcqa_accuracy", "information_extraction_accuracy", "diagnosis_accuracy"),
            *("treatment_planning_accuracy", "clinical_outcome_accuracy", "nli_accuracy"),
            "fact_verification_accuracy",
        },
        "f1": {"hard_ner_f1"},
        "macro_f1": {"text_classification_macro"},
        "bleu_rouge": {"text", "fact_verification_bleu_rouge"},
    }
    codes = {"fr": "fra", "ja": "jp", "es": "spa"}
    benchmark = [task for task in medsins.tasks() if task.benchmark_id]
    assert benchmark
    for task in benchmark:
        published = published_metric(task)
        assert published is not None, task.name
        assert published.metric in fits[task.metric], task.name
        if published.language:
            language = task.output_language
            assert published.language == codes.get(language, language), task.name
    assert published_metric("task999") is None


def test_no_task_is_scored_twice() -> None:
    numbers = [task for script in scripts.SCRIPTS for task in script.tasks]
    assert len(numbers) == len(set(numbers))


@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ is in checkouts only")
def test_the_benchmark_runs() -> None:
    pytest.importorskip("jieba")
    pytest.importorskip("janome")
    command = [sys.executable, str(ROOT / "benchmarks" / "scoring.py"), "--no-published"]
    command += ["--rows", "2", "--runs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jp"]["ours_ms"] > 0
