"""What machine-made wordings have to pass, each filter by its name, and what they have to keep."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import medsins
from medsins.cli.instructing import RUN, FallingThrough, expand
from medsins.contributing.check import check
from medsins.instructions.constraints import Constraint, protected, violation
from medsins.instructions.languages import language, script, speaks_against
from medsins.instructions.similarity import masked, rouge_l, words
from medsins.instructions.spec import unscorable
from medsins.self_instruct.pool import FILTERS, REASONS, FilterSettings, Pool, Verdict, judge
from recipes_for_tests import TaskFacts, task

WRITTEN = tomllib.loads(Path(__file__).with_name("rejected_wordings.toml").read_text("utf-8"))
TASKS = {
    name: task(text.strip(), labels=("Cough", "No cough") if name == "cough" else ())
    for name, text in WRITTEN["tasks"].items()
}
GOODS = {name: [text.strip() for text in texts] for name, texts in WRITTEN["good"].items()}
FAULTY = [
    (name, text.strip().replace("{good}", GOODS[name][0]), reason)
    for reason, listed in WRITTEN["faulty"].items()
    for name, text in listed
]
COUGH = TASKS["cough"].spec
GOOD = GOODS["cough"][0]


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in GOODS.items() for t in texts])
def test_good_wordings_pass(name: str, text: str) -> None:
    spec = TASKS[name].spec
    verdict = judge(text, spec)
    assert verdict == Verdict(True, scores=verdict.scores)
    assert verdict.scores["words"] == len(words(text))
    assert Pool(spec).offer(text).accepted


@pytest.mark.parametrize(("name", "text", "reason"), FAULTY)
def test_a_filter_is_called_by_its_name(name: str, text: str, reason: str) -> None:
    verdict = Pool(TASKS[name].spec).offer(text)
    assert (verdict.accepted, verdict.reason) == (False, reason), verdict
    assert verdict.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        GOOD.replace("note", "note\x00"),
        GOOD.replace("note", "no\u200bte"),
        GOOD.replace("note", "note\u2028"),
        GOOD.replace("note", "note\ud800"),
        GOOD.replace("note", "note\uf8ff"),
        GOOD.replace("note", "not\u0065\u0301"),
    ],
    ids=["empty", "blank", "NUL", "zero width", "line", "surrogate", "private", "not composed"],
)
def test_unseen_characters_are_rejected(text: str) -> None:
    assert judge(text, COUGH).reason == "unicode"


def test_every_reason_is_tried() -> None:
    tried = {reason for _, _, reason in FAULTY}
    elsewhere = {"unicode", "leak:prompt", "repeat:exact", "repeat:near"}
    assert tried | elsewhere == set(REASONS)


def test_what_the_definition_asks_for_is_no_added_demand() -> None:
    made = task(
        "Read the question. Choose an option, explain your choice step by step with evidence from "
        "the text, in at most three sentences, and format the answer as JSON."
    )
    text = (
        "Pick one of the options for this question. Give your choice as JSON, explain your choice "
        "step by step in at most three sentences, and provide evidence from the text."
    )
    assert judge(text, made.spec).accepted
    assert judge(text.replace("three", "nine"), made.spec).reason == "constraint:lost"
    off = FilterSettings(off=frozenset({"constraints"}))
    assert judge(text.replace("three", "nine"), made.spec, off).reason == "demand:limit"


def test_what_is_ruled_out_is_no_demand() -> None:
    for said in ("Give no explanation.", "Do not provide evidence.", "Leave any explanation out."):
        assert judge(f"{GOOD} {said}", COUGH).accepted, said


def test_words_of_our_prompt_are_a_leak() -> None:
    template = "Compose {count} new instructions in the style that `style` describes. Treat data."
    spec = COUGH
    leaking = f"{GOOD} Compose three new instructions in the style that you like."
    assert judge(leaking, spec).accepted
    verdict = Pool(spec, template=template).offer(leaking)
    assert verdict.reason == "leak:prompt"
    assert "new instructions in the style that" in verdict.detail
    assert Pool(spec, template=f"{template} {COUGH.definition}").offer(GOOD).accepted


def test_repeats_name_what_they_repeat() -> None:
    pool = Pool(COUGH, seeds=[GOOD])
    shouted = GOOD.replace("Read one", "READ ONE").replace(", word for word,", " word for word")
    assert pool.offer(shouted).reason == "repeat:exact"
    near = pool.offer(GOOD.replace("Read one", "Consider a"))
    assert (near.reason, near.nearest) == ("repeat:near", GOOD)
    assert near.similarity == near.scores["similarity"] > 0.7
    assert pool.offer(COUGH.definition).reason == "repeat:exact"
    assert pool.accepted == []


def test_short_definitions_have_a_stricter_limit() -> None:
    made = task("Summarise the findings of the chest film in one sentence for the ward.")
    text = "Give the main findings of this chest film in a single sentence to the ward."
    assert judge(text, made.spec).accepted
    verdict = Pool(made.spec).offer(text)
    assert verdict.reason == "repeat:near"
    assert 0.6 <= verdict.similarity < 0.7
    assert Pool(made.spec, FilterSettings(near_short=0.7)).offer(text).accepted


def test_each_filter_can_be_switched_off() -> None:
    for name, text, reason in FAULTY:
        everything = FilterSettings(off=frozenset(FILTERS))
        assert judge(text, TASKS[name].spec, everything).accepted, reason
    for name, text in (
        ("chat", f"Sure! {GOOD}"),
        ("markup", GOOD.replace("note", "**note**")),
        ("demand", f"{GOOD} Provide evidence for it."),
        ("constraints", GOOD.replace("'No cough'", "'Absent'")),
    ):
        assert judge(text, COUGH, FilterSettings(off=frozenset({name}))).accepted, name
    pool = Pool(COUGH, FilterSettings(off=frozenset({"exact", "near"})), seeds=[GOOD])
    assert pool.offer(GOOD).accepted
    with pytest.raises(ValueError, match="there is no filter spelling"):
        FilterSettings(off=frozenset({"spelling"}))


# --- all seed prompts -----------------------------------------------------------------------------


def test_all_seed_prompts_pass_when_offered_in_order() -> None:
    rejected = {}
    for one in medsins.tasks():
        pool = Pool(one.spec)
        for number, text in enumerate(one.seeds, 1):
            verdict = pool.offer(text)
            if not verdict.accepted:
                rejected[one.name, number] = verdict.reason, verdict.detail
    assert not rejected


def test_faults_put_into_seed_prompts_of_all_tasks_are_found() -> None:
    rng = random.Random(0)
    for one in medsins.tasks():
        spec = one.spec
        first, second = rng.sample(one.seeds, 2)
        wide = spec.language in ("zh", "ja")
        pieces = [re.findall(r"." if wide else r"\s*\S+", text) for text in (first, second)]
        merged = "".join(a + b for a, b in zip(*pieces, strict=False))
        english = [
            (f"Sure, here is one more version:\n{first}", {"leak:chat"}),
            (f"Rewrite the following instruction in other words. {first}", {"leak:meta"}),
            (f"{first} I'll respond with the answer.", {"leak:reversal"}),
        ]
        for text, reasons in (
            (merged, {"interleaved", "constraint:altered", "constraint:lost"}),
            (f"**{first}**", {"markup"}),
            *(english if spec.language == "en" else ()),
        ):
            verdict = judge(text, spec)
            assert verdict.reason in reasons, (one.name, verdict)


# --- properties -----------------------------------------------------------------------------------

SOME = [
    "read",
    "say",
    "write",
    "note",
    "patient",
    "sentence",
    "reply",
    "'Cough'",
    "'No cough'",
    "or",
]
sentences = st.lists(st.sampled_from(SOME), min_size=1, max_size=30).map(" ".join)


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict_and_always_the_same(text: str) -> None:
    spec = COUGH
    verdict = judge(text, spec)
    assert verdict == judge(text, spec)
    assert verdict.accepted is (verdict.reason == "")
    assert verdict.accepted or verdict.reason in REASONS


@given(st.lists(sentences, max_size=12))
def test_no_two_accepted_wordings_are_near_one_another(texts: list[str]) -> None:
    only_repeats = FilterSettings(off=frozenset(FILTERS) - {"exact", "near"})
    pool = Pool(COUGH, only_repeats, seeds=[GOOD])
    verdicts = [pool.offer(text) for text in texts]
    assert pool.accepted == [
        text for text, verdict in zip(texts, verdicts, strict=True) if verdict.accepted
    ]
    bare = [
        words(masked(text, pool.spec.protected))
        for text in (COUGH.definition, GOOD, *pool.accepted)
    ]
    for i in range(2, len(bare)):
        for j in range(i):
            assert rouge_l(bare[i], bare[j]) < 0.7
    for text, verdict in zip(texts, verdicts, strict=True):
        if not verdict.accepted:
            again = pool.offer(text)
            assert again.reason.startswith("repeat:")
            assert again.similarity >= verdict.similarity


@given(st.sampled_from([one.name for one in medsins.tasks()]), st.data())
def test_a_literal_taken_out_of_a_seed_prompt_is_lost(name: str, data: st.DataObject) -> None:
    made = medsins.task(name)
    exact = [one for one in made.constraints if one.match == "exact"]
    if exact:
        one = data.draw(st.sampled_from(exact))
        text = data.draw(st.sampled_from(made.seeds))
        assert violation(one, text) is None
        assert violation(one, text.replace(one.any_of[0], "")) is not None


# --- languages ------------------------------------------------------------------------------------


def test_definitions_are_in_the_languages_they_are_written_in() -> None:
    found = {language(one.definition) for one in medsins.tasks()}
    assert found == {"en", "fr", "es", "ru", "zh", "ja"}
    for one in medsins.tasks():
        if one.languages == "zh":
            assert language(one.definition) == "zh"


@pytest.mark.parametrize(
    ("text", "code", "alphabet"),
    [
        ("Read the sentence and say what it is about.", "en", "Latin"),
        ("Lisez la phrase et dites de quoi elle parle dans le texte.", "fr", "Latin"),
        ("Lea la frase y diga de qué se trata en el texto.", "es", "Latin"),
        ("Lesen Sie den Satz und sagen Sie, was er mit dem Text zu tun hat.", "de", "Latin"),
        ("Läs meningen och säg vad det är som den handlar om.", "sv", "Latin"),
        ("Прочитайте предложение.", "ru", "Cyrillic"),
        ("请阅读这句话。", "zh", "Han"),
        ("この文を読んでください。", "ja", "Kana"),
        ("Chest pain", "", "Latin"),
        ("1 2 3", "", ""),
    ],
)
def test_languages_are_told(text: str, code: str, alphabet: str) -> None:
    assert language(text) == code
    assert script(text) == alphabet
    assert speaks_against(text, code) == ""


def test_a_sentence_in_another_language_speaks_against_a_text() -> None:
    english = "Read the sentence and say what it is about, and write nothing else in the answer."
    assert speaks_against(f"{english} Escriba solo la palabra y no diga nada más en la nota.", "en")
    assert speaks_against(f"{english} α-blockers and β-agonists count too.", "en") == ""
    assert speaks_against(f"{english} 请回答。", "en")


# --- constraints ----------------------------------------------------------------------------------


def kinds(made: medsins.Task) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in made.spec.constraints:
        found.setdefault(one.kind, []).append(one.any_of)
    return found


def only(made: medsins.Task, kind: str) -> Constraint:
    (one,) = (one for one in made.spec.constraints if one.kind == kind)
    return one


def test_violations_tell_what_happened_to_a_literal() -> None:
    one = only(task("If there is none, answer 'There is no related enetity.'."), "literal")
    for text, done in (
        ("Say 'There is no related enetity.' then.", None),
        ("Say 'there is no related enetity.' then.", "case"),
        ("Say 'There is no related entity.' then.", "altered"),
        ("Say that you found nothing.", "lost"),
    ):
        assert violation(one, text) == done, text


def test_the_direction_of_a_translation_may_not_be_turned_round() -> None:
    made = task(
        "Translate the text from English into Swedish.",
        category=medsins.Category.TRANSLATION,
        languages=("en", "sv"),
    )
    one = only(made, "direction")
    assert str(one) == "direction: English → Swedish"
    for text in (
        "Put this English text into good Swedish.",
        "From English to Swedish, please.",
        "Render the text, which is in English, in Swedish, with terms from Swedish authorities.",
    ):
        assert violation(one, text) is None, text
    for text in (
        "Translate the text from Swedish into English.",
        "Put this Swedish text into good English.",
        "Give the English version of the Swedish text.",
        "A Swedish-to-English translation is wanted.",
    ):
        assert violation(one, text) == "altered", text


def test_what_the_definition_rules_out_may_not_be_asked_for() -> None:
    made = task("Write the impression, without headings and bullets, and no explanation.")
    assert kinds(made)["polarity"] == [("heading",), ("bullet",), ("explanation",)]
    first = made.spec.constraints[0]
    for text in ("Leave headings out.", "Use no heading.", "Write prose.", "It's heading-free."):
        assert violation(first, text) is None, text
    assert violation(first, "Write it under a heading. Nothing else.") == "altered"


def test_what_is_to_be_found_may_not_be_taken_away() -> None:
    extraction = medsins.Category.INFORMATION_EXTRACTION
    one = only(task("Extract age and gender from the note.", category=extraction), "purpose")
    assert violation(one, "Get age and gender out of the note.") is None
    assert violation(one, "Copy them with quotation marks removed.") is None
    assert violation(one, "Anonymise age and gender in the note.") == "altered"
    assert violation(one, "Please remove the patient's age and gender.") == "altered"
    assert "purpose" not in kinds(task("Extract the age of the note."))


def test_numbers_and_limits_are_kept_in_figures_or_words() -> None:
    made = task("Will the patient return within 72 hours? Write one to twelve sentences.")
    assert kinds(made)["number"] == [("twelve", "12"), ("72",)]
    assert all(one.kept("In 12 sentences: back in 72 hours?") for one in made.spec.constraints)
    assert not all(
        one.kept("In 12 sentences: back in three days?") for one in made.spec.constraints
    )
    examples = task("Write the age, such as 18 years. 1. Read 10. Write [24, 'year'].")
    assert "number" not in kinds(examples)


def test_separators_and_order_are_those_of_the_language() -> None:
    made = task(
        "Séparez les noms par une virgule, dans l'ordre de la phrase, et rien d'autre, vous."
    )
    assert only(made, "separator").kept("une virgule entre deux")
    assert not only(made, "separator").kept("in a coma")
    assert only(made, "order").any_of == ("ordre",)


def test_declared_strings_are_exact_and_declared_words_are_not() -> None:
    made = task("Name it.", must_include=("There is none.", "Anatomy", "hyphen", "A|B", "[]"))
    matches = {one.any_of: one.match for one in made.spec.constraints}
    assert matches == {
        ("There is none.",): "exact",
        ("Anatomy",): "exact",
        ("hyphen",): "casefold",
        ("A", "B"): "casefold",
        ("[]",): "exact",
    }
    assert protected(made.spec.constraints) == ["There is none.", "Anatomy", "[]"]


def test_single_punctuation_marks_are_kept_but_not_masked() -> None:
    made = task("Put ', ' between two names and '.' behind the last, or write 'x'.")
    assert [one.any_of for one in made.spec.constraints if one.kind == "literal"] == [
        (", ",), (".",), ("x",),
    ]  # fmt: skip
    assert protected(made.spec.constraints) == ["x"]


def test_ignored_constraints_are_listed_and_bind_nobody() -> None:
    made = task("Name a dose, such as 'high', in plain words.", ignored_constraints=("high",))
    assert made.spec.constraints == ()
    (one,) = made.spec.all_constraints
    assert one.ignored
    assert one.any_of == ("high",)


def test_unknown_kinds_of_constraints_are_an_error() -> None:
    with pytest.raises(ValueError, match="no constraint of kind 'smell' by 'exact'"):
        Constraint("smell", ("sweet",), "exact")
    with pytest.raises(ValueError, match="no constraint of kind 'literal' by 'guessing'"):
        Constraint("literal", ("x",), "guessing")


# --- the metric -----------------------------------------------------------------------------------


def test_an_empty_answer_that_the_metric_refuses_is_told() -> None:
    asked = "Find the names. If there are none, answer '{}'."
    for accepted in ("There is no related enetity.", "There is no related entity."):
        assert list(unscorable(task(asked.format(accepted), metric="f1").spec)) == []
    (problem,) = unscorable(task(asked.format("There is no such name."), metric="f1").spec)
    assert "'There is no such name.'" in problem
    assert "'There is no related enetity.'" in problem
    assert list(unscorable(task(asked.format("There is no such name.")).spec)) == []
    declared = task("Find the names.", metric="f1", must_include=("There are no names.",))
    assert len(list(unscorable(declared.spec))) == 1


def test_an_answer_outside_the_closed_set_is_told() -> None:
    facts: TaskFacts = {"labels": ("Cough", "No cough"), "metric": "accuracy"}
    assert list(unscorable(task(TASKS["cough"].definition, **facts).spec)) == []
    wrong = COUGH.definition.replace("'No cough'", "'Neither'")
    (problem,) = unscorable(task(wrong, **facts).spec)
    assert "'Neither', which is none of the outputs" in problem
    templated: TaskFacts = {**facts, "template": "It is {label}."}
    form = "Read it. Answer 'It is LABEL.' with Cough or No cough as the label."
    assert list(unscorable(task(form, **templated).spec)) == []
    assert list(unscorable(task(form.replace("It is", "There is"), **templated).spec))
    marked = "The note stands after 'Neither'. Answer 'Cough' or 'No cough'."
    assert list(unscorable(task(marked, **facts).spec)) == []


def test_the_check_of_a_recipe_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipes_for_tests import write_recipe

    name = f"clinic{abs(hash(tmp_path)) % 10**8}"
    path = write_recipe(tmp_path / "recipes", name)
    text = path.read_text().replace(
        'labels=("yes", "no"),', 'labels=("yes", "no"), metric="accuracy",'
    )
    path.write_text(text.replace("Answer 'yes' or 'no'.", "Answer 'yes' or 'no' or 'perhaps'."))
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    assert any("'perhaps', which is none of the outputs" in one for one in check(name))


# --- the command line -----------------------------------------------------------------------------


def call(group: click.Group, *args: str) -> str:
    result = CliRunner().invoke(group, list(args), catch_exceptions=False)
    return f"{result.exit_code}\n{result.output}"


def test_what_begins_with_no_command_goes_to_run() -> None:
    group = FallingThrough("expand")

    @group.command()
    @click.argument("select")
    def constraints(select: str) -> None:
        click.echo(f"constraints of {select}")

    @group.command(RUN)
    @click.argument("select", nargs=-1)
    @click.option("--target", type=int)
    def run(select: tuple[str, ...], target: int) -> None:
        click.echo(f"run {' '.join(select)} to {target}")

    assert call(group, "mednli", "pico", "--target", "150") == "0\nrun mednli pico to 150\n"
    assert call(group, "--target", "150", "mednli") == "0\nrun mednli to 150\n"
    assert call(group, "constraints", "mednli") == "0\nconstraints of mednli\n"
    assert "Commands:" in call(group, "--help")
    assert "Usage:" in call(group, RUN, "--help")


def test_constraints_are_shown() -> None:
    shown = call(expand, "constraints", "pico_outcome_extraction")
    assert re.search(r"literal +exact +derived +ignored +increased", shown)
    assert re.search(r"literal +exact +derived +not found", shown)
    assert re.search(r"required +casefold +declared +figure \| number", shown)


def test_reports_are_printed_as_tables_and_as_json() -> None:
    shown = call(expand, "report", "meqsum")
    assert re.search(r"exact repeats +0 +ok 0", shown)
    assert '"name": "exact repeats"' in call(expand, "report", "meqsum", "--json")
    assert shown.count("pass every filter") == 1
    assert call(expand, "report", "meqsum", "--tasks").count("pass every filter") == 2
