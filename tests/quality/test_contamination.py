"""Contamination: inputs of the benchmark's tests among training inputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import medsins
from medsins.quality.contamination import WORDS, _hashed, find_contamination


def question(number: int, text: str) -> dict[str, object]:
    options = {"A": "yes", "B": "no", "C": "maybe", "D": f"option {number}"}
    return {"question": text, "options": options, "answer_idx": "A", "answer": "yes"}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build whose training inputs hold two of five test questions, one whole, one in part."""
    folder = tmp_path / "raw" / "medqa" / "data_clean" / "questions" / "US" / "4_options"
    folder.mkdir(parents=True)
    shared = " ".join(f"word{n}" for n in range(WORDS))
    train = [question(n, f"Train question {n}, about something else.") for n in range(20)]
    train.append(question(1, "The very  same QUESTION?"))
    train.append(question(3, f"Another beginning, then {shared} and another end."))
    test = [question(n, f"Test question {n}, of its own.") for n in range(3)]
    test.append(question(1, "the very same question?"))
    test.append(question(4, f"One beginning; {shared} one end."))
    for name, rows in (("train", train), ("test", test)):
        path = folder / f"phrases_no_exclude_{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    medsins.build("medqa", raw=tmp_path / "raw", out=tmp_path / "out", progress=False)
    return tmp_path / "out"


def test_equal_inputs_and_shared_runs_of_words_are_found(build: Path) -> None:
    report = find_contamination(build, progress=False)
    assert report.tests == {"medqa_mcqa_en": 5}
    assert report.exact == {"medqa_mcqa_en": 1}
    assert report.overlapping["medqa_mcqa_en"] >= 1
    (found,) = report.examples
    inputs = {row["id"]: row["input"] for split in medsins.load(build).values() for row in split}
    assert " ".join(inputs[found.test].casefold().split()) == " ".join(
        inputs[found.train].casefold().split()
    )


def test_a_run_that_is_one_word_short_is_no_overlap() -> None:
    words = [f"w{n}" for n in range(WORDS)]
    runs = [
        set(_hashed([" ".join(text)])[0].tolist()) for text in (words, words[1:], [*words, "x"])
    ]
    assert [len(found) for found in runs] == [1, 0, 2]
    assert runs[0] < runs[2]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=30).map(" ".join), max_size=6))
def test_texts_hashed_together_give_what_they_give_alone(texts: list[str]) -> None:
    runs, owners, whole = _hashed(texts)
    for number, text in enumerate(texts):
        alone = _hashed([text])
        assert runs[owners == number].tolist() == alone[0].tolist()
        assert whole[number] == alone[2][0]
        assert len(alone[0]) == max(0, len(text.split()) - WORDS + 1)


def test_the_samples_are_not_contaminated(tmp_path: Path) -> None:
    medsins.build("all", sample=True, out=tmp_path, progress=False)
    report = find_contamination(tmp_path, progress=False)
    assert report.exact == {}
    assert sum(report.tests.values()) > 20
