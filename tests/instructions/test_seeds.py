"""Constraints, seed prompts, and how they are held to one another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import medsins
from medsins import errors
from medsins.instructions.lint import FEWEST, seed_problems
from medsins.instructions.similarity import masked, normalised, rouge_l, words
from recipes_for_tests import task, visits, write_recipe, write_visits


def values(made: medsins.Task) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in made.constraints:
        found.setdefault(one.kind, []).append(one.any_of)
    return found


def test_quoted_text_is_a_literal_and_marks_of_the_input_are_not() -> None:
    found = values(task("After 'Claim:' stands a claim. If none, answer 'There is no enetity.'."))
    assert found["literal"] == [("There is no enetity.",)]
    assert values(task("Begin with the line 'Plan:'."))["literal"] == [("Plan:",)]
    assert values(task("按“正确答案是 X”的格式作答。"))["literal"] == [("正确答案是 X",)]
    assert "literal" not in values(task("Keep the patient's own words, and the authors' too."))


def test_labels_languages_and_forms_are_constraints() -> None:
    made = task("Is it so? Answer yes or no.", labels=("yes", "no"))
    assert values(made)["label"] == [("yes",), ("no",)]
    made = task("Translate.", languages=("en", "sv"), category=medsins.Category.TRANSLATION)
    assert values(made)["language"] == [("English",), ("Swedish",)]
    made = task("List them as JSON, in the order of the text, separated by commas, nothing else.")
    assert set(values(made)) == {"format", "order", "separator", "only"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Say yes or no.", True),
        ("Say 'yes', else 'no'!", True),
        ("Say Yes or No.", False),
        ("Say yes or nothing.", False),
        ("I know: yes.", False),
    ],
)
def test_a_label_has_to_stand_as_a_word_of_its_own(text: str, kept: bool) -> None:
    made = task("Answer yes or no.", labels=("yes", "no"))
    assert all(one.kept(text) for one in made.constraints) is kept


def test_tasks_declare_what_rules_miss_and_ignore_what_they_see_wrongly() -> None:
    made = task(
        "Write 'x' or give a dose.", must_include=("mg|milligram",), ignored_constraints=("x",)
    )
    assert values(made) == {"required": [("mg", "milligram")]}
    (one,) = made.constraints
    assert one.kept("in MILLIGRAMS")
    assert not one.kept("in grams")
    assert str(one) == "required: mg | milligram"


@given(*[st.text("abcdef .,'-01\n", max_size=60)] * 2)
def test_rouge_l_equals_the_reference_implementation(one: str, other: str) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    reference = RougeScorer(["rougeL"]).score(one, other)["rougeL"].fmeasure
    assert abs(rouge_l(words(one), words(other)) - reference) < 1e-12


@given(st.text(max_size=80))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_masking_leaves_out_what_all_wordings_repeat() -> None:
    assert words(masked("Say 'There is none.' or name it", ["There is none."])) == [
        "say", "or", "name", "it",
    ]  # fmt: skip
    assert words("中文 and Latin") == ["中", "文", "and", "latin"]


STARTS = """\
Read what the visitor asks and
Somebody has a question;
With the help of a doctor's mind,
Your job for today:
Think it over, then
In plain language,
Look at the question below, and
What would a nurse say?
As the clinic's voice,
Before anything else,
People write to us; please
From the message alone,
Being brief and kind,
Take one question at a time and
For the person who asks,
""".splitlines()
ENDS = """\
write a reply
reply to it
give the answer it wants
respond to this
state the answer
explain what is so
offer your reply
put the answer down
say what helps
settle the matter
tell them what they want to know
find the right reply
compose an answer
supply the facts
clear things up
""".splitlines()


def seed_file(home: Path, change: Callable[[list[str]], list[str]] = lambda texts: texts) -> None:
    texts = change([f"{start} {end}." for start, end in zip(STARTS, ENDS, strict=True)])
    entries = "".join(
        f"  - text: {text!r}\n    author: nobody\n    date: 2026-01-01\n    style: plain\n"
        for text in texts
    )
    (home / "seed_prompts").mkdir(exist_ok=True)
    (home / "seed_prompts" / f"{home.name}.yaml").write_text(f"answer:\n{entries}")


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder of recipes with one, whose name is that of the folder."""
    home = tmp_path / f"clinic{abs(hash(request.node.name)) % 10**8}"
    path = write_recipe(home / "recipes", home.name)
    longer = "Answer the question in a few words that a patient understands."
    path.write_text(path.read_text().replace("Answer the question.", longer))
    monkeypatch.setenv("MEDSINS_RECIPES", str(home / "recipes"))
    return home


def wrong(home: Path) -> list[str]:
    return list(seed_problems(medsins.task(f"{home.name}_answer").spec))


def test_good_prompts_have_no_problem(clinic: Path) -> None:
    seed_file(clinic)
    assert wrong(clinic) == []
    assert len(medsins.task(f"{clinic.name}_answer").seeds) == FEWEST


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda texts: texts[:14], "there are 14 seed prompts"),
        (lambda texts: [*texts[:14], texts[0].upper() + "!"], "repeats prompt 1"),
        (lambda texts: [*texts[:14], texts[0].replace("visitor", "guest")], "nearly the same"),
        (lambda texts: [*texts[:14], "Sure, here is what to do with it."], "not an instruction"),
        (
            lambda texts: [*texts[:14], "Reword the instruction in other words."],
            "not an instruction",
        ),
        (lambda texts: [*texts[:14], "Answer."], "has 1 words"),
        (lambda texts: [*texts[:14], "and so on, " * 20], "has 60 words"),
        (
            lambda texts: [*texts[:14], "请回答下面这个问题并说明理由。"],
            "language of the definition",
        ),
        (
            lambda texts: [
                *texts[:14],
                "Répondez à la question que vous pose un patient dans la salle.",
            ],
            "language of the definition",
        ),
    ],
)
def test_bad_prompts_are_told(
    clinic: Path, change: Callable[[list[str]], list[str]], said: str
) -> None:
    seed_file(clinic, change)
    assert any(said in problem for problem in wrong(clinic)), wrong(clinic)


def test_a_prompt_that_breaks_a_constraint_is_told(clinic: Path) -> None:
    path = clinic / "recipes" / f"{clinic.name}.py"
    path.write_text(path.read_text().replace("Answer the question", "Answer 'yes' to the question"))
    seed_file(clinic)
    assert sum("does not keep literal: yes" in problem for problem in wrong(clinic)) == FEWEST


def test_a_file_that_is_no_list_of_prompts_is_an_error(clinic: Path) -> None:
    seed_file(clinic)
    path = clinic / "seed_prompts" / f"{clinic.name}.yaml"
    path.write_text(
        "answer:\n  - text: only {this}\n    author: a\n    date: 2026-01-01\n    style: s\n"
    )
    with pytest.raises(errors.CheckError, match="'this' is missing"):
        wrong(clinic)


def test_a_build_gives_each_instance_one_of_its_seed_prompts(clinic: Path, tmp_path: Path) -> None:
    seed_file(clinic)
    write_visits(tmp_path / "raw", visits(600), clinic.name)
    name = f"{clinic.name}_answer"
    build = partial(medsins.build, raw=tmp_path / "raw", progress=False)
    plain = build(name, out=tmp_path / "plain")
    seeded = build(name, out=tmp_path / "seeded", instructions="seeds")
    assert seeded.counts == plain.counts
    medsins.verify(seeded.path, progress=False)
    rows = [
        row
        for path in sorted((tmp_path / "seeded" / "data" / name).glob("*.parquet"))
        for row in parquet.read_table(path).to_pylist()
    ]
    used = [row["definition"] for row in rows]
    assert set(used) == set(medsins.task(name).seeds)
    assert max(map(used.count, set(used))) < 3 * len(used) / FEWEST
    again = build(name, out=tmp_path / "again", instructions="seeds", workers=2)
    assert again.manifest.shards == seeded.manifest.shards
    with pytest.raises(errors.CheckError, match="no seed prompts"):
        build(f"{clinic.name}_verdict", out=tmp_path / "none", instructions="seeds")


@pytest.mark.parametrize("recipe", [source.name for source in medsins.sources()])
def test_every_task_has_its_seed_prompts(recipe: str) -> None:
    for one in medsins.tasks(recipe):
        assert len(one.seeds) >= FEWEST, one.name
