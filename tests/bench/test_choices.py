"""Which option an answer settles on: phrasings in six languages, and what holds for any text."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsins.bench.scoring.corrected.choices import LETTERS, Choices, measure, parse_options
from paths import ROOT

QUESTIONS = {
    "en": "Question: Which drug lowers fever?\nOptions: A: Aspirin\tB: Gefitinib\tC: Vitamin D\t"
    "D: Atrial fibrillation\tE: E. coli\t",
    "zh": "问题: 下列哪项能退热?\n选项: A: 阿司匹林\tB: 吉非替尼\tC: 维生素D\t"
    "D: 心房颤动\tE: 以上都不是\t",
    "ja": "質問: 解熱に用いるのはどれか。\nオプション: A: アスピリン\tB: ゲフィチニブ\t"
    "C: ビタミンD\tD: 心房細動\tE: 大腸菌\t",
    "fr": "Question: Quels médicaments font baisser la fièvre ?\nOptions: A: Aspirine\t"
    "B: Le géfitinib\tC: La vitamine D\tD: Fibrillation auriculaire\tE: Paracétamol\t",
    "es": "Pregunta: ¿Qué baja la fiebre?\nOpciones: A: Aspirina.\tB: Gefitinib.\tC: Vitamina D.\t"
    "D: Fibrilación auricular.\tE: Ninguno.\t",
    "ru": "Вопрос: Аспирин снижает температуру?\nВарианты: A: да\tB: нет\t",
}

PHRASINGS = {
    "en": [
        ("A", "A"),
        ("b", "B"),
        ("(b)", "B"),
        ("[C]", "C"),
        ("C.", "C"),
        ("d)", "D"),
        ("B:", "B"),
        ("B: Gefitinib.", "B"),
        ("The right answer is B: Gefitinib", "B"),
        ("THE RIGHT ANSWER IS A", "A"),
        ("The Right Answer Is  b", "B"),
        ("the right answer is: C", "C"),
        ("The right answer is The right answer is B", "B"),
        ("The answer is (D) Atrial fibrillation", "D"),
        ("Answer: D", "D"),
        ("Answer\nA", "A"),
        ("Ans. c. Vitamin D", "C"),
        ("Final answer: C.", "C"),
        ("**B**", "B"),
        ("**Answer: D**", "D"),
        ("Aspirin does not fit.\n\n**B. Gefitinib**", "B"),
        ("Option B", "B"),
        ("option c", "C"),
        ("Choice D", "D"),
        ("I think the correct option is D", "D"),
        ("Definitely C", "C"),
        ("I would go with B.", "B"),
        ("B is the correct answer.", "B"),
        ("It must be B", "B"),
        ("C is incorrect, so A", "A"),
        ("The answer is not A but C", "C"),
        ("The correct answer is C, not B", "C"),
        ("The answer is A. Wait, on reflection the answer is C.", "C"),
        ("A\n\nExplanation: it lowers fever", "A"),
        ("B because it fits", "B"),
        ("B, since it fits", "B"),
        ("B - Gefitinib", "B"),
        ("ＡＮＳＷＥＲ：Ｂ", "B"),
        ("\u200bA", "A"),
        ("<answer>A</answer>", "A"),
        ('{"answer":"C"}', "C"),
        ('```json\n{"reasoning": "fever", "answer": "A"}\n```', "A"),
        (r"So $\boxed{D}$", "D"),
        (r"$\boxed{\text{B}}$", "B"),
        ("<think>The answer is A? No.</think>The answer is B", "B"),
        ("Aspirin is what lowers fever", "A"),
        ("Vitamin D", "C"),
        ("The answer is E. coli", "E"),
        ("It is not gefitinib, it is aspirin", "A"),
        ("Option A is wrong. Option B is right.", "B"),
        ("Both A and B", "AB"),
        ("A and C", "AC"),
        ("A, C", "AC"),
        ("A,B,D", "ABD"),
        ("ABD", "ABD"),
        ("A\nB", "AB"),
        ("The answers are A: Aspirin, C: Vitamin D", "AC"),
        ("", ""),
        (" ", ""),
        (".", ""),
        ("All of the above", ""),
        ("None of the above", ""),
        ("Cannot be determined", ""),
        ("Because the patient has a fever", ""),
        ("Better ask a colleague", ""),
        ("Doxycycline", ""),
        ("The answer is A or B", ""),
        ("The answer is not B", ""),
        ("B is not correct", ""),
        ("A patient with fever was seen", ""),
        ("I am not sure", ""),
        ("E coli causes fever", ""),
        ("Hepatitis B and vitamin K matter here", ""),
        ("Aspirin or gefitinib", ""),
        ("Aspirin, gefitinib, vitamin D, atrial fibrillation, E. coli", ""),
        ("H", ""),
        ("The right answer is G", ""),
        ("bb", ""),
        ("dAy", ""),
        ("1", ""),
    ],
    "zh": [
        ("A", "A"),
        ("Ｃ", "C"),
        ("正确答案是 B: 吉非替尼", "B"),
        ("正确答案是B", "B"),
        ("正确答案是：A：阿司匹林。", "A"),
        ("答案：C", "C"),
        ("答案是D。", "D"),
        ("答案为A", "A"),
        ("答案选B", "B"),
        ("本题选C", "C"),
        ("故选A。", "A"),
        ("因此应选择D。", "D"),
        ("选项B正确。", "B"),
        ("选项A错误,选项C正确", "C"),
        ("B项是正确的", "B"),
        ("正确选项是D", "D"),
        ("最佳答案应该是A。", "A"),
        ("答案不是A,而是C。", "C"),
        ("阿司匹林", "A"),
        ("能退热的是阿司匹林。", "A"),
        ("以上都不是", "E"),
        ("A、C", "AC"),
        ("答案是A和C", "AC"),
        ("【答案】B", "B"),
        ("无法确定", ""),
        ("不选B", ""),
        ("患者发热,原因不明", ""),
        ("阿司匹林和吉非替尼都可以", ""),
        ("答案是A或B", ""),
    ],
    "ja": [
        ("A", "A"),
        ("正しい答えは C: ビタミンD です", "C"),
        ("正しい答えは C です", "C"),
        ("正しい答えはBです。", "B"),
        ("正解はD", "D"),
        ("正解：A", "A"),
        ("答えはBです", "B"),
        ("解答：E", "E"),
        ("正答はA。", "A"),
        ("Bが正解です。", "B"),
        ("Cが正しい。", "C"),
        ("Dを選びます。", "D"),
        ("よってA。", "A"),
        ("したがって、Bです。", "B"),
        ("「A」です", "A"),
        ("アスピリン", "A"),
        ("アスピリンを用いる。", "A"),
        ("正しい答えは A: アスピリン, C: ビタミンD です", "AC"),
        ("AとC", "AC"),
        ("最終回答: D", "D"),
        ("正解はBではない", ""),
        ("Aは誤り。したがって、C", "C"),
        ("わかりません", ""),
        ("アスピリンまたはゲフィチニブ", ""),
    ],
    "fr": [
        ("A", "A"),
        ("a)", "A"),
        ("Les bonnes réponses est B: Le géfitinib", "B"),
        ("La bonne réponse est D: Fibrillation auriculaire", "D"),
        ("La réponse correcte est la C.", "C"),
        ("La réponse est « A »", "A"),
        ("Réponse : E", "E"),
        ("Réponse finale : B", "B"),
        ("Les bonnes réponses sont A: Aspirine, E: Paracétamol", "AE"),
        ("Réponses : A, C et D", "ACD"),
        ("Les réponses sont A et E.", "AE"),
        ("La proposition correcte est B", "B"),
        ("Je choisis C.", "C"),
        ("C'est donc A.", "A"),
        ("B est la bonne réponse.", "B"),
        ("La bonne réponse n'est pas A mais C.", "C"),
        ("L'aspirine fait baisser la fièvre.", "A"),
        ("Paracétamol", "E"),
        ("La bonne réponse n'est pas B.", ""),
        ("Il y a un doute", ""),
        ("À discuter avec un collègue", ""),
        ("Aucune", ""),
        ("A ou B", ""),
    ],
    "es": [
        ("A", "A"),
        ("b)", "B"),
        ("La respuesta correcta es: B: Gefitinib.", "B"),
        ("La respuesta correcta es B", "B"),
        ("La respuesta correcta es la C.", "C"),
        ("Respuesta: D", "D"),
        ("Respuesta final: A", "A"),
        ("La opción correcta es E", "E"),
        ("La correcta es la B.", "B"),
        ("Elijo C.", "C"),
        ("Por lo tanto, la D.", "D"),
        ("B es la respuesta correcta.", "B"),
        ("La opción B es correcta", "B"),
        ("No es A, sino C.", "C"),
        ("Aspirina", "A"),
        ("La aspirina baja la fiebre", "A"),
        ("Ninguno.", "E"),
        ("Respuestas: A y C", "AC"),
        ("La respuesta no es B", ""),
        ("A un paciente con fiebre se le da agua", ""),
        ("E incluso así no se sabe", ""),
        ("No se puede determinar", ""),
        ("La respuesta es A o B", ""),
    ],
    "ru": [
        ("A", "A"),
        ("А", "A"),
        ("Правильные ответ: A: да", "A"),
        ("Правильные ответ: B: нет", "B"),
        ("Правильный ответ: B", "B"),
        ("Правильный ответ — A.", "A"),
        ("Ответ: А", "A"),
        ("Ответ: В: нет", "B"),
        ("Ответ: да", "A"),
        ("Ответ: нет.", "B"),
        ("да", "A"),
        ("Нет.", "B"),
        ("Да, снижает.", "A"),
        ("Нет, не снижает.", "B"),
        ("Да, у него нет жара.", "A"),
        ("Я выбираю B.", "B"),
        ("Следовательно, A.", "A"),
        ("A — правильный ответ", "A"),
        ("Верный вариант B", "B"),
        ("Ответ не A", ""),
        ("В данном случае неясно", ""),
        ("А также другие причины", ""),
        ("да или нет", ""),
        ("У него нет данных об этом", ""),
        ("Не знаю", ""),
    ],
}


@pytest.mark.parametrize(
    ("language", "said", "letters"),
    [(language, *row) for language, rows in PHRASINGS.items() for row in rows],
)
def test_what_an_answer_settles_on(language: str, said: str, letters: str) -> None:
    choices = Choices(parse_options(QUESTIONS[language]))
    assert "".join(sorted(choices.read(said))) == letters


@pytest.mark.parametrize("language", PHRASINGS)
def test_there_are_enough_phrasings_of_each_language(language: str) -> None:
    assert len(PHRASINGS[language]) >= 15


YES_NO_MAYBE = [
    ("yes", "yes"),
    ("YES.", "yes"),
    ("No", "no"),
    ("no, because", "no"),
    ("maybe", "maybe"),
    ("May be", "maybe"),
    ("y", "yes"),
    ("The answer is no.", "no"),
    ("Answer: maybe", "maybe"),
    ("Yes, there is no doubt", "yes"),
    ("From these findings I would say yes", "yes"),
    ("I'd say no", "no"),
    ("No. There was no difference between the groups.", "no"),
    ("", ""),
    ("nope", ""),
    ("Not enough information", ""),
    ("There is no evidence", ""),
    ("No evidence was found", ""),
    ("Yes/No", ""),
    ("yes or no", ""),
    ("yes, no, maybe", ""),
    ("Maybe yes", ""),
    ("May be yes", ""),
    ("unknown", ""),
    ("True", ""),
]


@pytest.mark.parametrize(("said", "word"), YES_NO_MAYBE)
def test_yes_no_and_maybe(said: str, word: str) -> None:
    read = Choices({}, ("yes", "no", "maybe")).read(said)
    assert "".join(read) == word


def test_options_of_both_layouts() -> None:
    lines = "Question: Which?\nOptions:\nA. one\nB. two: 2\nC. E. coli\n"
    assert parse_options(lines) == {"A": "one", "B": "two: 2", "C": "E. coli"}
    row = "Question: Which? Options: A: no\nOptions: A: one\tB: A: x\tC: three\t"
    assert parse_options(row) == {"A": "one", "B": "A: x", "C": "three"}
    assert parse_options("Context: no options here") == {}


def test_an_option_may_speak_of_options() -> None:
    choices = Choices({"A": "B is correct", "B": "A and C", "C": "All of the above", "D": "AB"})
    assert choices.read("The right answer is A: B is correct") == {"A"}
    assert choices.read("A and C") == {"B"}
    assert choices.read("All of the above") == {"C"}
    assert choices.read("AB") == {"D"}


def test_several_letters_are_right_only_as_a_whole() -> None:
    question = QUESTIONS["fr"]
    right = "Les bonnes réponses sont A: Aspirine, E: Paracétamol"
    measured = measure([right, "A", "A, B, C, D, E", ""], [[right]] * 4, [question] * 4)
    assert measured.points["accuracy"] == 0.25
    assert measured.points["set_f1"] == pytest.approx((1 + 2 / 3 + 4 / 7 + 0) / 4)
    assert measured.unparsed == 0


def test_a_reference_without_a_letter_is_an_error() -> None:
    with pytest.raises(ValueError, match="row 0"):
        measure(["A"], [["who knows"]], [QUESTIONS["en"]])


texts = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            [
                "the answer is",
                "A",
                "B",
                "not",
                "or",
                "and",
                ",",
                ".",
                "(",
                "C)",
                "答案",
                "正解は",
                "**",
                "\n",
                "ответ",
                "réponse",
                "so",
                "yes",
                "no",
                "Aspirin",
                "option",
                "\\boxed{",
                "</think>",
            ]
        ),
        max_size=20,
    ).map(" ".join),
)


@given(texts, st.sampled_from(list(QUESTIONS)))
def test_any_text_gives_letters_of_the_options_or_none(said: str, language: str) -> None:
    options = parse_options(QUESTIONS[language])
    found = Choices(options).read(said)
    assert found <= options.keys()
    assert Choices(options).read(f"  {said}\n ") == found


option = st.text(
    st.characters(
        exclude_characters="\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029",
        exclude_categories=("Cs", "Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Lm", "Sk"),
    ),
    min_size=1,
    max_size=30,
)
FORMS = (
    ("Question: q\nOptions: ", "The right answer is {}"),
    ("问题: q\n选项: ", "正确答案是 {}"),
    ("質問: q\nオプション: ", "正しい答えは {} です"),
    ("Question: q\nOptions: ", "Les bonnes réponses est {}"),
    ("Pregunta: q\nOpciones: ", "La respuesta correcta es: {}"),
)


@given(st.lists(option, min_size=2, max_size=5, unique=True), st.data())
def test_a_reference_names_its_letter_whatever_the_options_say(
    listed: list[str], data: st.DataObject
) -> None:
    heading, form = data.draw(st.sampled_from(FORMS))
    letter = data.draw(st.sampled_from(LETTERS[: len(listed)]))
    options = dict(zip(LETTERS, listed, strict=False))
    question = heading + "".join(f"{key}: {text}\t" for key, text in options.items())
    said = form.format(f"{letter}: {options[letter]}")
    assert Choices(parse_options(question)).read(said) == {letter}


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "golden").glob("*.jsonl")))
def test_the_references_of_the_samples_name_their_options(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        options = parse_options(row["input"])
        if "mcq" in row["task"] and options:
            found = Choices(options).read(row["output"])
            said = " ".join(unicodedata.normalize("NFKC", row["output"]).split())
            stated = [letter for letter in options if f"{letter}: {options[letter]}" in said]
            assert found == set(stated)


def test_a_very_long_answer_takes_no_time() -> None:
    import time

    choices = Choices(parse_options(QUESTIONS["en"]))
    start = time.perf_counter()
    for filling in (
        "so the answer is ",
        "A, ",
        "option ( ",
        "答案是",
        "(((((((((",
        "      ",
        "answer: A: x ",
    ):
        choices.read(filling * (100_000 // len(filling)) + "The answer is B")
    assert time.perf_counter() - start < 20
