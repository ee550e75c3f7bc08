"""HEAD-QA: questions of the Spanish examinations for specialised posts in healthcare.

Raw layout (owners' readmes and files): the same questions in Spanish (`HEAD/`) and machine
translated to English (`HEAD_EN/`), one JSON document a split: {version, language, exams: {name:
{name, category, year, data: [question]}}}. A question has `qid` (a string, unique in its exam,
with gaps), `qtext`, `ra` (the right `aid`, but a string), `answers` ([{aid, atext}], five in the
training exams, four in the others) and `image` (a path, or "").

The texts are the Spanish Ministry of Health's, which asks to be cited as the source.
"""

from collections.abc import Iterator, Sequence
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

GITHUB = (
    "https://raw.githubusercontent.com/claudiaqw/head-qa-afi/"
    "16614f5983885c62ba9acc0f70648203b72af160/data/"
)
SHA256 = {
    "HEAD/train_HEAD.json": "edf4d2570454d9db7e8d33d4e66e620818996714e589b6cf78f261e9b8b78652",
    "HEAD/dev_HEAD.json": "6b9a6f5d4f301f1a13eeb1bc2f22cfc2f567a280d577409e0ca3e2d67e2fc365",
    "HEAD_EN/train_HEAD_EN.json": (
        "0b9f0e708d6d0dc7a85db19dcb72ece76f61253229eb7bad218ec34f7a215fd1"
    ),
    "HEAD_EN/dev_HEAD_EN.json": "4c1b0588d1e1c4c769accdb6cfa6b4fe85cb032baffa9bc6520a454e7cc9f7f8",
}


def questions(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the questions of all exams, each with what the document and the exam say of it."""
    for exam in document["exams"].values():
        for question in exam["data"]:
            yield {
                **question,
                "key": f"{exam['name']}/{question['qid']}",
                "category": exam["category"],
                "language": document["language"],
            }


class HeadQA(Recipe):
    title = "HEAD-QA"
    homepage = "https://aghie.github.io/head-qa/"
    license = "MIT"
    citation = "Vilares and Gómez-Rodríguez, 2019, ACL, arXiv:1906.04701"
    figure_label = "HeadQA"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the links to the ES_HEAD and EN_HEAD datasets in the readme of "
        "github.com/aghie/head-qa (Google Drive, no account needed), unpack them and put "
        "test_HEAD.json in HEAD and test_HEAD_EN.json in HEAD_EN."
    )
    files = raw.json(
        train=("HEAD/train_HEAD.json", "HEAD_EN/train_HEAD_EN.json"),
        validation=("HEAD/dev_HEAD.json", "HEAD_EN/dev_HEAD_EN.json"),
        test=("HEAD/test_HEAD.json", "HEAD_EN/test_HEAD_EN.json"),
        records=questions,
    )
    downloads = tuple(raw.Download(GITHUB + path, path, sha256) for path, sha256 in SHA256.items())
    deviations = (
        (
            "task22 to task25 are built from the owners' files with their official splits, "
            "because the Super-NaturalInstructions files they were published from have lost "
            "these."
        ),
        (
            "task22 and task129 leave out questions about an image, because the input has no "
            "image (67 of the 2,742 questions of MedS-Bench)."
        ),
        (
            "task22: the definition allows option 5, because the training exams have five "
            "options; the published one ends at 4."
        ),
        (
            "task23 and task24 keep a colon at the end of the question on both sides, because it "
            "is part of the text; the published ones cut it off."
        ),
    )

    option_number = Task(
        legacy_id="task22",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_count=2275,
        labels=("1", "2", "3", "4", "5"),
        definition=(
            "You are given a question of a Spanish examination for healthcare specialists in "
            "English, and four or five options, each behind its number in angle brackets. Exactly "
            "one option is right. Write its number, 1, 2, 3, 4 or 5, and nothing else."
        ),
    )
    en_es_translation = Task(
        legacy_id="task23",
        category=Category.TRANSLATION,
        domain=Domain.EXAMINATIONS,
        languages=("en", "es"),
        must_include=("capital", "options|unfinished|incomplete", "answer|solve|solving"),
        definition=(
            "Translate this question of a healthcare examination from English into Spanish. Keep "
            "all facts, figures, units and emphasis in capitals, and use the terms of Spanish "
            "speaking health professionals. An unfinished sentence that the options would complete "
            "stays unfinished. Write only the Spanish text, and do not answer the question."
        ),
    )
    es_en_translation = Task(
        legacy_id="task24",
        category=Category.TRANSLATION,
        domain=Domain.EXAMINATIONS,
        languages=("es", "en"),
        must_include=("capital", "options|unfinished|incomplete", "answer|solve|solving"),
        definition=(
            "Translate this question of a healthcare examination from Spanish into English. Keep "
            "all facts, figures, units and emphasis in capitals, and use the terms of English "
            "speaking health professionals. An unfinished sentence that the options would complete "
            "stays unfinished. Write only the English text, and do not answer the question."
        ),
    )
    topic_classification = Task(
        legacy_id="task25",
        category=Category.TEXT_CLASSIFICATION,
        domain=Domain.EXAMINATIONS,
        published_count=2275,
        # The owners' spelling: "nursery" is nursing.
        labels=("medicine", "nursery", "psychology", "chemistry", "pharmacology", "biology"),
        must_include=("lower case|lower-case|lowercase",),
        definition=(
            "You are given a question of a Spanish examination for healthcare specialists in "
            "English, with its options, each behind a number in angle brackets. Each profession "
            "has an examination of its own. Say which one the question comes from: medicine, "
            "nursery (that is, nursing), psychology, chemistry, pharmacology or biology. Write "
            "exactly one of these six words in lower case and nothing else."
        ),
    )
    mcq_es = Task(
        legacy_id="task129",
        benchmark_id="task129",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.EXAMINATIONS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=2657,
        languages="es",
        metric="accuracy",
        definition=(
            "A continuación figura una pregunta de las pruebas españolas de acceso a la formación "
            "sanitaria especializada, con cuatro o cinco opciones señaladas con letras. Solo una "
            "es correcta. Responda con la forma 'La respuesta correcta es: LETRA: TEXTO', "
            "copiando la letra y el texto completo de esa opción, sin añadir nada más."
        ),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield the versions of each question by language."""
        joined: dict[str, dict[str, Any]] = {}
        del split
        for question in self.read(files):
            joined.setdefault(question["key"], {})[question["language"]] = question
        yield from joined.values()

    def instances(self, record: dict[str, dict[str, Any]]) -> Examples:
        spanish, english = record.get("es"), record.get("en")
        if spanish and english:
            es, en, key = spanish["qtext"], english["qtext"], spanish["key"]
            yield self.en_es_translation(input=en, output=es, key=key)
            yield self.es_en_translation(input=es, output=en, key=key)
        else:
            yield self.skip("question in one language only")
        if english:
            yield self.topic_classification(
                input=_numbered(english, first=0), output=english["category"], key=english["key"]
            )
        if any(question["image"] for question in record.values()):
            yield self.skip("question about an image, which the input lacks")
            return
        if english:
            yield self.option_number(
                input=_numbered(english, first=1), output=english["ra"], key=english["key"]
            )
        if spanish:
            options = text.letters(_options(spanish))
            letter = list(options)[int(spanish["ra"]) - 1]
            yield self.mcq_es(
                input=f"Pregunta: {spanish['qtext']}\nOpciones: {text.option_lines(options)}",
                output=f"La respuesta correcta es: {letter}: {options[letter]}",
                key=spanish["key"],
            )


def _numbered(question: dict[str, Any], first: int) -> str:
    """Return an English question as the published tasks write it, spaces and all."""
    options = " ".join(f"<{n}> {option}" for n, option in enumerate(_options(question), first))
    return f"Question: {question['qtext']} \n Options:  {options}"


def _options(question: dict[str, Any]) -> list[str]:
    """Return the options in order, after a check that the right one is among them."""
    numbers = [answer["aid"] for answer in question["answers"]]
    if numbers != list(range(1, len(numbers) + 1)) or question["ra"] not in map(str, numbers):
        raise raw.RecordError("answer is none of the options", field="ra")
    return [answer["atext"] for answer in question["answers"]]
