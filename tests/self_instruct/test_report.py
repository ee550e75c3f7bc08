"""The measures of sets of wordings, against plain definitions of them and the published file."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import medsins
from medsins import errors
from medsins.instructions.wordings import instruction_id
from medsins.self_instruct.measures import (
    coded,
    distinct,
    lead_verbs,
    likeness,
    openings,
    rouge_words,
    self_bleu,
    squeezed,
)
from medsins.self_instruct.report import Report, report
from paths import SHARED

PUBLISHED = SHARED / "published/RewriteDefinitions.json"

few_words = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=7)
lists_of_texts = st.lists(few_words, min_size=1, max_size=9)


def rouge(one: str, other: str) -> float:
    from rouge_score.rouge_scorer import RougeScorer

    return float(RougeScorer(["rougeL"]).score(one, other)["rougeL"].fmeasure)


# --- measures -------------------------------------------------------------------------------------


@given(*[st.text("abcdEF éß_.,'-01\n", max_size=60)] * 2)
def test_rouge_l_equals_that_of_the_package(one: str, other: str) -> None:
    ours = likeness(coded([rouge_words(one), rouge_words(other)])).mean
    assert abs(ours - rouge(other, one)) < 1e-12


@given(lists_of_texts)
def test_likeness_is_what_comparing_all_pairs_gives(texts: list[list[str]]) -> None:
    joined = [" ".join(text) for text in texts]
    alike = [[rouge(joined[j], joined[i]) for j in range(i)] for i in range(len(joined))]
    kept: list[int] = []
    for i, row in enumerate(alike):
        if all(row[j] < 0.7 for j in kept):
            kept.append(i)
    measured = likeness(coded(texts))
    assert measured.near == sum(max(row, default=0.0) >= 0.7 for row in alike)
    assert measured.very_near == sum(max(row, default=0.0) >= 0.9 for row in alike)
    assert measured.survivors == len(kept)
    pairs = [value for row in alike for value in row]
    assert measured.mean == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.0, abs=1e-12)


@given(lists_of_texts)
def test_self_bleu_is_bleu_with_all_others_as_references(texts: list[list[str]]) -> None:
    assert self_bleu(coded(texts)) == pytest.approx(
        sum(bleu(text, texts[:i] + texts[i + 1 :]) for i, text in enumerate(texts)) / len(texts)
        if len(texts) > 1
        else 0.0,
        abs=1e-12,
    )


def bleu(text: list[str], references: list[list[str]]) -> float:
    """BLEU-4 as its definition reads, with counts of 0 smoothed to 0.1."""

    def grams(words: list[str], order: int) -> Counter[tuple[str, ...]]:
        return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))

    product = 1.0
    for order in range(1, 5):
        own = grams(text, order)
        hits = sum(min(n, max(grams(r, order)[g] for r in references)) for g, n in own.items())
        product *= ((hits or 0.1) / (own.total() or 1)) ** 0.25
    closest = min((abs(len(r) - len(text)), len(r)) for r in references)[1]
    return product * (1.0 if len(text) >= closest else math.exp(1 - closest / max(1, len(text))))


def test_variety_of_a_few_wordings() -> None:
    texts = coded([["say", "yes", "or", "no"], ["say", "yes", "now"], ["write", "yes"]])
    assert distinct(texts, 1) == 6 / 9
    assert distinct(texts, 2) == 5 / 6
    share, entropy = openings(texts)
    assert share == 2 / 3
    assert entropy == pytest.approx(-(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3)))
    assert distinct([], 1) == 0.0
    assert self_bleu(coded([["one"]])) == 0.0


def test_lead_verbs_are_those_of_imperatives() -> None:
    texts = [
        "Read the sentence and name a drug.",
        "Please read this sentence, and name a drug.",
        "If there is a drug, name the drug.",
        "The drug is wanted.",
    ]
    assert lead_verbs(texts) == (2, 2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Say 'yes', or no!", "say yes or no", True),
        ("X-ray", "xray", True),
        ("ＦＵＬＬ width", "full WIDTH", True),
        ("yes or no", "yes  or\nno", True),
        ("yes or no", "no or yes", False),
    ],
)
def test_squeezed_texts_differ_by_words_alone(one: str, other: str, same: bool) -> None:
    assert (squeezed(one) == squeezed(other)) is same


# --- reports --------------------------------------------------------------------------------------


def published(path: Path, entries: dict[str, tuple[str, list[str]]]) -> Path:
    path.write_text(
        json.dumps(
            {
                name: {"original_def": definition, "auto_rewrite_def": texts}
                for name, (definition, texts) in entries.items()
            }
        )
    )
    return path


SENTINEL = (
    "Given a sentence, name the beverages in it. If there is none, you need to output 'There is no "
    "such tehing.', and nothing else."
)
QUESTION = """\
Which beverages are in the sentence? Name them, and output only 'There is no such tehing.' if you \
find none"""
CORRECTED = """\
From the sentence given, list what one can drink. Output nothing but 'There is no such thing.' \
where no beverage is named."""
CHAT = (
    "Sure, here is a new version: name the beverages, or output 'There is no such tehing.' alone."
)
REWRITES = [
    f"{QUESTION}.",
    QUESTION,
    CORRECTED,
    CHAT,
    "Tea, coffee, and a glass of milk on Sundays.",
]


def test_a_file_laid_out_as_the_published_one_is_counted(tmp_path: Path) -> None:
    path = published(
        tmp_path / "rewrites.json",
        {"task901": (SENTINEL, REWRITES), "task902": (SENTINEL, REWRITES)},
    )
    measured = report(path)
    assert {row.name: row.value for row in measured.rows if isinstance(row.value, int)} == {
        "tasks": 2,
        "wordings": 10,
        "different lists": 1,
        "different wordings": 5,
        "different, squeezed": 4,
        "exact repeats": 0,
        "exact repeats, squeezed": 2,
        "near repeats (ROUGE-L >= 0.7)": 2,
        "near repeats (ROUGE-L >= 0.9)": 2,
        "survive the 0.7 filter": 8,
        "near repeats, masked": 2,
        "survive the 0.7 filter, masked": 8,
        "prompt leaked": 0,
        "chat reply": 2,
        "role reversed": 0,
        "executed": 2,
        "other language": 0,
        "interleaved": 0,
        "any of these six": 4,
        "added demand": 0,
        "markup added": 0,
        "broken text": 0,
        "under a hard constraint": 10,
        "hard constraint broken": 4,
        "hard constraint lost": 2,
        "only its capitals": 0,
        "other constraint broken": 0,
        "more than 2 x the definition": 0,
        "more than 3 x the definition": 0,
        "less than 0.3 x the definition": 0,
        "pass every filter": 2,
    }
    assert not measured.ok
    assert measured.tasks.keys() == {"task901", "task902"}
    (repeats,) = [row for row in measured.tasks["task901"] if row.name == "exact repeats, squeezed"]
    assert (repeats.value, repeats.target, repeats.ok) == (1, "0", False)


def test_a_report_shows_counts_and_no_wording_unless_asked(tmp_path: Path) -> None:
    path = published(tmp_path / "rewrites.json", {"task901": (SENTINEL, REWRITES)})
    plain = report(path)
    assert plain.examples == ()
    for said in (plain.text(by_task=True), json.dumps(plain.as_dict())):
        assert "beverages" not in said
        assert "task901" in said
    shown = report(path, examples=1)
    assert {reason.partition(": ")[0] for _, reason, _ in shown.examples} == {
        "leak:chat", "executed", "length", "constraint:altered", "constraint:lost",
    }  # fmt: skip
    assert CHAT in shown.text()
    assert json.loads(json.dumps(shown.as_dict()))["examples"][0][0] == "task901"


def test_seed_prompts_have_no_fault() -> None:
    measured = report("seeds")
    assert measured["tasks"] == len(medsins.tasks())
    assert measured["wordings"] == sum(len(one.seeds) for one in medsins.tasks())
    wrong = {row.name: row.value for row in measured.rows if row.ok is False}
    assert wrong == {}
    assert measured["pass every filter"] == measured["wordings"]
    assert report("mednli", examples=3).examples == ()


def write_expansions(folder: Path, task: medsins.Task, texts: list[str]) -> None:
    rows = [{"id": instruction_id(task.name, text), "text": text} for text in texts]
    folder.mkdir(exist_ok=True)
    path = folder / f"{task.name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def test_expanded_instructions_are_measured_with_their_seed_prompts(tmp_path: Path) -> None:
    task = medsins.task("meqsum_question_summary")
    fresh = (
        "People write at length to a health information service, at times with a spec line, "
        "often with typos. Boil the message down to one short question that names the condition or "
        "drug and what is asked about it, so that answering it tells the writer what they came "
        "for. Greetings and history are dropped. Only that question, in correct English, is to be "
        "written, with its question mark."
    )
    write_expansions(tmp_path / "out", task, [fresh, task.seeds[0]])
    for source in (tmp_path / "out", tmp_path / "out" / f"{task.name}.jsonl"):
        measured = report(source)
        assert measured["wordings"] == 2
        assert measured["any of these six"] == 0
        assert measured["pass every filter"] == 1
    (tmp_path / "out" / "journal.jsonl").write_text("{}\n")
    assert report(tmp_path / "out")["tasks"] == 1


def test_targets_of_variety_hold_for_full_sets_alone(tmp_path: Path) -> None:
    few = report("meqsum")
    assert {row.name: row.ok for row in few.rows}["commonest opening, share"] is None
    many = [f"Name beverage {number} of the sentence, or write nothing." for number in range(120)]
    full = report(published(tmp_path / "full.json", {"task903": ("Name the beverage.", many)}))
    verdicts = {row.name: row.ok for row in full.rows}
    assert verdicts["commonest opening, share"] is False
    assert verdicts["lead verbs, median"] is False


@pytest.mark.parametrize("text", ["[]", "{", '{"task1": {"original_def": "x"}}', '{"task1": []}'])
def test_another_file_is_no_report(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rewrites.json"
    path.write_text(text)
    with pytest.raises(errors.InvalidFileError, match=r"not laid out as RewriteDefinitions\.json"):
        report(path)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingFilesError, match="is not there"):
        report(tmp_path / "rewrites.json")
    with pytest.raises(errors.MissingFilesError, match="holds no expanded instructions"):
        report(tmp_path)
    with pytest.raises(errors.UnknownNameError):
        report("no_such_task")
    task = medsins.task("meqsum_question_summary")
    write_expansions(tmp_path, task, ["Something to do."])
    path = tmp_path / f"{task.name}.jsonl"
    path.write_text(path.read_text().replace("Something", "Anything"))
    with pytest.raises(errors.InvalidFileError, match="so the text was changed later"):
        report(path)


# --- the published file ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def theirs() -> tuple[Report, float]:
    if not PUBLISHED.is_file():
        pytest.skip("the published rewrites are not beside this checkout")
    start = time.process_time()
    measured = report(PUBLISHED)
    return measured, time.process_time() - start


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tasks", 122),
        ("wordings", 18_996),
        ("different lists", 98),
        ("different wordings", 14_785),
        ("different, squeezed", 14_740),
        ("exact repeats", 1_266),
        ("exact repeats, squeezed", 1_311),
        ("near repeats (ROUGE-L >= 0.7)", 12_791),
        ("near repeats (ROUGE-L >= 0.9)", 3_546),
        ("survive the 0.7 filter", 7_957),
        ("interleaved", 12),
    ],
)
def test_the_published_counts_are_reproduced(
    theirs: tuple[Report, float], name: str, count: int
) -> None:
    assert theirs[0][name] == count


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("mean ROUGE-L of pairs", 0.413),
        ("distinct-1", 0.050),
        ("distinct-2", 0.156),
        ("entropy of openings, bits", 3.48),
        ("commonest opening, share", 0.33),
    ],
)
def test_the_published_variety_is_reproduced(
    theirs: tuple[Report, float], name: str, mean: float
) -> None:
    assert theirs[0][name] == pytest.approx(mean, abs=0.005)


def test_our_detectors_find_as_many_leaks_as_readers_did(theirs: tuple[Report, float]) -> None:
    # 231 were found by eye in a sample of patterns; both are lower bounds of the same thing.
    assert 200 <= theirs[0]["any of these six"] <= 260


def test_the_required_sentinel_is_found_altered(theirs: tuple[Report, float]) -> None:
    broken = 0
    for name in ("task125", "task126", "task128"):
        rows = {row.name: row.value for row in theirs[0].tasks[name]}
        broken += int(rows["hard constraint broken"])
    assert broken == 483


def test_the_report_on_all_published_rewrites_is_quick(theirs: tuple[Report, float]) -> None:
    # Seconds of one core; about 8 on the machine where it was written.
    # About 15 s of CPU when nothing else runs; tests beside it slow the caches down.
    assert theirs[1] < 40
