"""Every rule of `medsins check`: a recipe that breaks it is told so, and its good twin is not."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import medsins
from medsins import errors
from medsins.contributing import check as check_module
from medsins.contributing.check import check
from medsins.instructions import lint, spec
from paths import ROOT

NAME = "toe_clinic"
RECIPE = '''"""Toe clinic: made-up questions; JSON Lines with id, patient, question, answer."""

from typing import Any

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw


class ToeClinic(Recipe):
    title = "Toe clinic"
    homepage = "https://example.org/"
    license = "CC0-1.0"
    citation = "Nobody, 2026"
    access = Access.OPEN
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = "Sign the form at https://example.org/, put visits.jsonl here."
    files = raw.jsonl("visits.jsonl")

    answer = Task(
        category=Category.QUESTION_ANSWERING,
        domain=Domain.CLINICAL_TEXTS,
        definition="Answer the question about toes in one sentence.",
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if not record["question"]:
            yield self.skip("no question")
            return
        yield self.answer(
            input=record["question"],
            output=record["answer"],
            key=record["id"],
            group=record["patient"],
        )
'''
QUESTIONS = ("Which toe is the hallux?", "How many toes has a foot?", "Why do toes itch?", "")
OPEN, CLOSED = "Access.OPEN", "Access.CREDENTIALED"
DEFINITION = "Answer the question about toes in one sentence."
CATEGORY = "category=Category.QUESTION_ANSWERING,"
SECOND = f"""
    other = Task(
        {CATEGORY}
        domain=Domain.CLINICAL_TEXTS,
        definition="DEFINITION",
    )

    def instances("""
YIELD = "yield self.answer("

Records = list[dict[str, Any]]
Edit = tuple[str, str]


def records() -> Records:
    return [
        {"id": f"v{number}", "patient": f"p{number}", "question": text, "answer": f"So {number}."}
        for number, text in enumerate(QUESTIONS)
    ]


def with_question(text: str, count: int) -> Records:
    """Return the records, and so many further ones that all have one question."""
    more = [
        {"id": f"w{number}", "patient": f"q{number}", "question": text, "answer": f"As {number}."}
        for number in range(count)
    ]
    return records() + more


def seeds() -> list[dict[str, str]]:
    """Return 15 good wordings of a definition of the library's own."""
    import yaml

    text = (ROOT / "seed_prompts" / "meqsum.yaml").read_text(encoding="utf-8")
    found: list[dict[str, str]] = yaml.safe_load(text)["question_summary"]
    return [{**one, "date": str(one["date"])} for one in found[:15]]


def of_seeds() -> Edit:
    """Return the edit that brings the definition which they are wordings of, a little changed."""
    return DEFINITION, medsins.task("meqsum_question_summary").definition.replace("Reply", "Answer")


@dataclass(frozen=True)
class Case:
    """A recipe that breaks one rule.

    Attributes:
        expected: All that `check` says of it.
        broken: What is replaced in the recipe's text.
        good: What its twin has replaced instead.
        sample: The records of its sample; the twin has the usual ones, or `good_sample`.
    """

    expected: tuple[str, ...]
    broken: tuple[Edit, ...] = ()
    good: tuple[Edit, ...] = ()
    sample: Callable[[], Records] = records
    good_sample: Callable[[], Records] = records


def said(*expected: str) -> tuple[str, ...]:
    return expected


def label_edits(answer: str, more: str = "") -> tuple[Edit, ...]:
    return (
        (CATEGORY, f'{CATEGORY} labels=("yes", "no"), {more}'),
        (DEFINITION, f"Is it a question about toes? {answer}"),
        ('output=record["answer"]', 'output="yes"'),
    )


def translation(definition: str) -> tuple[Edit, ...]:
    return (
        (CATEGORY, 'category=Category.TRANSLATION, languages=("en", "sv"),'),
        (DEFINITION, definition),
    )


def second(definition: str) -> tuple[Edit, ...]:
    call = f"{YIELD[:-1]}".replace("answer", "other")
    fields = 'input=record["question"], output=record["answer"], key=record["id"]'
    return (
        ("\n    def instances(", SECOND.replace("DEFINITION", definition)),
        (YIELD, f"{call}({fields})\n        {YIELD}"),
    )


def download(digest: str) -> tuple[Edit, ...]:
    one = f'raw.Download("https://example.org/v", "visits.jsonl", sha256="{digest}")'
    return (("    files =", f"    downloads = ({one},)\n    files ="),)


EMPTY_ANSWER = "If there is none, write '{}'."
F1 = 'metric="f1", category=Category.NAMED_ENTITY_RECOGNITION,'

FACTS = {
    "homepage": Case(
        said("homepage 'example.org' is not a web address"),
        (('https://example.org/"\n    license', 'example.org"\n    license'),),
    ),
    "citation": Case(said("citation has no year"), (("Nobody, 2026", "Nobody, in press"),)),
    "license": Case(
        said("license 'all mine!' is neither an SPDX identifier nor listed in taxonomy"),
        (("CC0-1.0", "all mine!"),),
        (("CC0-1.0", "CC-BY-ND-4.0"),),
    ),
    "instructions": Case(
        said("manual_download_instructions does not say what a user has to do and sign"),
        ((OPEN, CLOSED), ("Sign the form at https://example.org/, put visits.jsonl here.", "")),
        ((OPEN, CLOSED),),
    ),
    "redistribution": Case(
        said("access is credentialed, but redistribution is yes"),
        ((OPEN, CLOSED), ("Redistribution.NO", "Redistribution.YES")),
        (("Redistribution.NO", "Redistribution.YES"),),
    ),
    "llm_api": Case(
        said("access is credentialed, but llm_api is allowed"),
        ((OPEN, CLOSED), ("LlmApi.LOCAL_ONLY", "LlmApi.ALLOWED")),
        (("LlmApi.LOCAL_ONLY", "LlmApi.ALLOWED"),),
    ),
    "no way": Case(
        said("neither downloads nor manual_download_instructions says how to get the files"),
        (("Sign the form at https://example.org/, put visits.jsonl here.", ""),),
        (
            ("Sign the form at https://example.org/, put visits.jsonl here.", ""),
            *download("0" * 64),
        ),
    ),
    "download": Case(
        said("download visits.jsonl is not pinned by a SHA-256"),
        download("ABC"),
        download("a" * 64),
    ),
    "docstring": Case(
        said("the module has no docstring that describes the raw layout"),
        ((RECIPE.splitlines()[0], "# Toe clinic"),),
    ),
}

DEFINITIONS = {
    "full stop": Case(
        said(f"{NAME}_answer: the definition does not end with a full stop"),
        ((DEFINITION, DEFINITION[:-1]),),
    ),
    "space at the end": Case(
        said(f"{NAME}_answer: the definition has spaces at its ends or in a row"),
        ((DEFINITION, f" {DEFINITION}"),),
    ),
    "spaces in a row": Case(
        said(f"{NAME}_answer: the definition has spaces at its ends or in a row"),
        ((DEFINITION, DEFINITION.replace("about toes", "about  toes")),),
    ),
    "language": Case(
        said(f"{NAME}_answer: the definition does not name Swedish"),
        translation("Translate the question about toes from English."),
        translation("Translate the question about toes from English into Swedish."),
    ),
    "labels": Case(
        said(f"{NAME}_answer: the definition does not state the labels no"),
        label_edits("Say yes, or the other."),
        label_edits("Say yes or no."),
    ),
    "definition of the recipe": Case(
        said(f"{NAME}_other: {NAME}_answer has the same definition"),
        second(DEFINITION),
        second("Answer the question about toes in two sentences."),
    ),
    "definition of another recipe": Case(
        said(f"{NAME}_answer: meqsum_question_summary has the same definition"),
        ((DEFINITION, medsins.task("meqsum_question_summary").definition),),
    ),
    "empty answer": Case(
        said(
            f"{NAME}_answer: the definition asks for 'There is no toe.', which its metric does "
            "not take for an empty answer; it takes 'There is no related enetity.' or "
            "'There is no related entity.'"
        ),
        ((CATEGORY, F1), (DEFINITION, f"Name all toes. {EMPTY_ANSWER.format('There is no toe.')}")),
        (
            (CATEGORY, F1),
            (DEFINITION, f"Name all toes. {EMPTY_ANSWER.format('There is no related enetity.')}"),
        ),
    ),
    "output": Case(
        said(
            f"{NAME}_answer: the definition asks for 'perhaps', which is none of the outputs "
            "that its metric knows"
        ),
        label_edits("Answer 'yes' or 'no' or 'perhaps'.", 'metric="accuracy",'),
        label_edits("Answer 'yes' or 'no'.", 'metric="accuracy",'),
    ),
}

TORN = said(f"{NAME}_answer: an input is in several splits; its group does not keep it in one")
JOINS = """
    def records(self, files, split):
        yield from self.read(files)

    def instances("""

SAMPLES = {
    "rejected": Case(
        said("the sample has 1 records that are rejected: KeyError in instances(), line 26"),
        sample=lambda: [*records(), {"id": "x"}],
    ),
    "few": Case(
        said(f"{NAME}_answer: the sample gives 2 instances, fewer than 3"),
        sample=lambda: records()[1:],
    ),
    "file": Case(
        said("the sample has no file more.jsonl"),
        (('"visits.jsonl")', 'train="visits.jsonl", test="more.jsonl")'),),
        # Layouts of one split stand in for each other.
        (('"visits.jsonl")', 'train=("visits.jsonl", "more.jsonl"))'),),
    ),
    "skipped": Case(
        said("the sample has no record that is skipped because: no question"),
        sample=lambda: records()[:3],
    ),
    "silent": Case(
        said("some records of the sample give neither an instance nor a reason"),
        ((YIELD, f'if record["question"] == "?":\n            return\n        {YIELD}'),),
        sample=lambda: with_question("?", 1),
        good_sample=lambda: with_question("?", 1),
    ),
    "torn": Case(
        TORN,
        (),
        (('group=record["patient"]', 'group=record["question"]'),),
        lambda: with_question("Why?", 40),
        lambda: with_question("Why?", 40),
    ),
    "torn, but joined": Case(
        TORN,
        (),
        (("\n    def instances(", JOINS),),
        lambda: with_question("Why?", 40),
        lambda: with_question("Why?", 40),
    ),
}
CASES = {**FACTS, **DEFINITIONS, **SAMPLES}

Change = Callable[[list[dict[str, str]]], object]


def of_third(old: str, new: str) -> Change:
    """Return what replaces words in the third wording."""
    return lambda made: made[2].update(text=made[2]["text"].replace(old, new))


def repeat(of: Callable[[list[dict[str, str]]], str]) -> Change:
    """Return what puts another text in place of the third wording."""
    return lambda made: made[2].update(text=of(made))


SEEDS: dict[str, tuple[str, Change]] = {
    "few": (
        f"{NAME}_answer: there are 14 seed prompts, fewer than 15",
        lambda made: made.pop(),
    ),
    "filter": (
        f"{NAME}_answer, prompt 3: has Markdown or HTML: '**'",
        of_third("correct English", "**correct** English"),
    ),
    "repeat": (
        f"{NAME}_answer, prompt 3: repeats prompt 2",
        repeat(lambda made: made[1]["text"]),
    ),
    "repeat of the definition": (
        f"{NAME}_answer, prompt 3: repeats the definition",
        repeat(lambda _: of_seeds()[1]),
    ),
    "near": (
        f"{NAME}_answer, prompts 2 and 3: nearly the same (ROUGE-L 0.99)",
        repeat(lambda made: made[1]["text"].replace("What does", "What did")),
    ),
    "near the definition": (
        f"{NAME}_answer, prompt 3 and the definition: nearly the same (ROUGE-L 0.99)",
        repeat(lambda _: of_seeds()[1].replace("Write the", "Give the")),
    ),
}

NOT_BUILT = f"the sample does not build: the raw files of {NAME} are missing: tried "
ACCEPT = "look at the change and run `medsins check` with --update to accept it"
MISSING = f"{{path}} is missing; {ACCEPT}"
ORDER = f"{NAME}.jsonl: the same instances in another order; {ACCEPT}"
DIFFERENT = f"{NAME}.jsonl: 1 instances are gone and 1 are new; {ACCEPT}"
NO_FOLDER = "this is not a checkout with tests/golden. Name a folder with --golden to write to."


class Place:
    """A folder with a recipe, its sample and its seed prompts, where the library finds them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        # The first place that has samples counts.
        monkeypatch.setattr(medsins, "__path__", [str(folder), *medsins.__path__])
        monkeypatch.setenv("MEDSINS_RECIPES", str(folder / "private"))

    def sample(self, name: str) -> Path:
        return self.folder / "samples" / NAME / name

    def write(self, edits: tuple[Edit, ...], sample: Records) -> None:
        text = RECIPE
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        for path, content in (
            (self.folder / "private" / f"{NAME}.py", text),
            (
                self.sample("visits.jsonl"),
                "".join(json.dumps(record) + "\n" for record in sample),
            ),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def write_seeds(self, entries: list[dict[str, str]]) -> None:
        path = self.folder / "seed_prompts" / f"{NAME}.yaml"
        path.parent.mkdir(exist_ok=True)
        lines = [
            f"  - {{text: {json.dumps(one['text'])}, author: a, date: 2026-01-01, style: s}}\n"
            for one in entries
        ]
        path.write_text("answer:\n" + "".join(lines), encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_that_breaks_a_rule_is_told_so(name: str, place: Place) -> None:
    case = CASES[name]
    place.write(case.broken, case.sample())
    assert check(NAME) == list(case.expected)


@pytest.mark.parametrize("name", CASES)
def test_its_twin_that_keeps_the_rule_is_not(name: str, place: Place) -> None:
    case = CASES[name]
    place.write(case.good, case.good_sample())
    assert check(NAME) == []


def test_official_splits_may_share_an_input(place: Place) -> None:
    edit = ('"visits.jsonl")', 'train="visits.jsonl", test="more.jsonl")')
    place.write((edit,), records())
    one = {"id": "w", "patient": "q", "question": QUESTIONS[0], "answer": "The first."}
    place.sample("more.jsonl").write_text(json.dumps(one), encoding="utf-8")
    assert check(NAME) == []


@pytest.mark.parametrize("name", SEEDS)
def test_seed_prompts_that_break_a_rule_are_told_so(name: str, place: Place) -> None:
    expected, change = SEEDS[name]
    made = seeds()
    change(made)
    place.write((of_seeds(),), records())
    place.write_seeds(made)
    assert check(NAME) == [expected]


def test_good_seed_prompts_are_not(place: Place) -> None:
    place.write((of_seeds(),), records())
    place.write_seeds(seeds())
    assert check(NAME) == []


def test_a_sample_that_does_not_build_is_said_after_all_else(place: Place) -> None:
    place.write((("Nobody, 2026", "Nobody"),), records())
    place.sample("visits.jsonl").unlink()
    first, second = check(NAME)
    assert first == FACTS["citation"].expected[0]
    assert second.startswith(NOT_BUILT)


def test_what_a_sample_builds_is_held_against_the_golden_file(place: Place) -> None:
    golden = place.folder / "golden"
    path = golden / f"{NAME}.jsonl"
    place.write((), records())
    assert check(NAME, golden=golden) == [MISSING.format(path=path)]
    assert check(NAME, golden=golden, update=True) == []
    assert check(NAME, golden=golden) == []
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert list(json.loads(lines[0])) == [
        "id", "task", "split", "input", "output", "references", "record",
    ]  # fmt: skip
    path.write_text("".join(f"{line}\n" for line in reversed(lines)), encoding="utf-8")
    assert check(NAME, golden=golden) == [ORDER]
    other = lines[1].replace("So 1.", "No.")
    path.write_text("\n".join([lines[0], other, lines[2]]), encoding="utf-8")
    assert check(NAME, golden=golden) == [DIFFERENT, f"- {other}", f"+ {lines[1]}"]


def test_without_a_folder_for_it_a_golden_file_is_not_written(place: Place) -> None:
    place.write((), records())
    with pytest.raises(errors.CheckError, match=re.escape(NO_FOLDER)):
        check(NAME, update=True)
    assert check(NAME) == []


# --- no rule without a test -----------------------------------------------------------------------


def texts(node: ast.AST | None) -> Iterator[ast.JoinedStr | ast.Constant]:
    """Yield the texts that an expression can be."""
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    ):
        yield node


def messages(source: str) -> Iterator[ast.JoinedStr | ast.Constant]:
    """Yield the texts that the functions of a module yield, return in a list, or raise."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Yield):
                found = list(texts(node.value))
                says = function.returns and ast.unparse(function.returns) == "Iterator[str]"
                assert found or not says, f"{function.name}: a text has to be written at its yield"
                yield from found
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.List):
                for one in node.value.elts:
                    yield from texts(one)
            elif isinstance(node, ast.Call):
                raises = isinstance(node.func, ast.Name) and node.func.id.endswith("Error")
                adds = isinstance(node.func, ast.Attribute) and node.func.attr == "append"
                if raises or adds:
                    yield from texts(node.args[0])


def pattern(message: ast.JoinedStr | ast.Constant) -> tuple[str, int]:
    """Return a message as a regular expression, and how many of its characters are fixed."""
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    fixed = [str(one.value) if isinstance(one, ast.Constant) else None for one in parts]
    return (
        "".join(".*" if one is None else re.escape(one) for one in fixed),
        sum(len(one) for one in fixed if one is not None),
    )


def test_every_message_has_a_recipe_that_brings_it_out() -> None:
    sources = [Path(str(one.__file__)).read_text("utf-8") for one in (check_module, lint, spec)]
    patterns = [pattern(one) for source in sources for one in messages(source)]
    assert len(patterns) >= 33
    tested = [
        *(one for case in CASES.values() for one in case.expected),
        *(message for message, _ in SEEDS.values()),
        NOT_BUILT, MISSING, ORDER, DIFFERENT, NO_FOLDER, "- row", "+ row",
    ]  # fmt: skip
    # A text can look like several messages: it is the one that has most words of its own.
    hit = {
        max(((length, one) for one, length in patterns if re.fullmatch(one, text)), default=(0, ""))
        for text in tested
    }
    untested = [one for one, length in patterns if (length, one) not in hit]
    assert not untested, f"write a recipe that breaks them: {untested}"
