"""In which language a wording is written: by script, and for Latin script by function words.

Made for instructions, not for text in general: it knows the languages of the tasks and those that
models lapse into, and returns nothing for a text that is too short.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_LETTERS = {
    "Kana": re.compile(r"[\u3040-\u30fa\u30fc-\u30ff\uff66-\uff9f]"),
    "Han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    "Cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "Hangul": re.compile(r"[\uac00-\ud7af]"),
    "Arabic": re.compile(r"[\u0600-\u06ff]"),
    "Latin": re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]"),
}
_BY_SCRIPT = {"Kana": "ja", "Han": "zh", "Cyrillic": "ru", "Hangul": "ko", "Arabic": "ar"}

_FUNCTION_WORDS = {
    "en": """a the of and in to is it you that with from for be are this which or not as on by its
        has have what if but into an at your they their was only each other where there when any
        without please must should does give write answer""",
    "fr": """le la les de des du et est une un dans vous que qui pour par sur avec ne pas au aux ce
        cette ces il elle sont ou où votre vos plus rien être chaque sans dont leur ses même""",
    "es": """el la los las de del y es una un en que con por para se su sus al lo como o no más
        este esta estos estas cada sin pero cuando si está son nada""",
    "de": """der die das und ist ein eine einen dem den des zu in von mit für auf nicht sie im wird
        aus oder als auch sich werden nach bei wenn dieser diese nur ihre an""",
    "sv": """och att det som en ett är på av för med den till inte du om har de i från eller ska
        vara du din ditt detta kan vid""",
    "pt": """o os de da dos das e é um uma em na que com por para se não ou mais ao seu sua você
        cada""",
    "it": """il lo la gli le di del della dei e è un una in che con per si non da dal nel nella al
        alla sono o come più""",
    "nl": """de het een en van is in op te dat voor met niet die aan zijn om er of als bij naar uw
        je deze wordt""",
    "ca": """el la els les de del i és una un en que amb per al no o més aquest aquesta si als
        dels""",
}
_KNOWN = {code: frozenset(words.split()) for code, words in _FUNCTION_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_ELISION = re.compile(r"\b(?:l|d|qu|n|s|c|j)['’](?=\w)", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]+")

FEWEST, FEWEST_LETTERS = 3, 3
"""Fewest function words, and letters of another script, that identify a language."""

_LANGUAGES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(code for code, known in _KNOWN.items() if word in known)
    for word in frozenset().union(*_KNOWN.values())
}


@lru_cache(maxsize=4096)
def script(text: str) -> str:
    """Return the script that a text is written in; "" if it has no letters.

    Japanese is written with two: any share of kana above a tenth tells it from Chinese.
    """
    if text.isascii():
        return "Latin" if _LETTERS["Latin"].search(text) else ""
    counts = {name: len(pattern.findall(text)) for name, pattern in _LETTERS.items()}
    if counts["Kana"] > 5 or counts["Kana"] * 10 > counts["Han"] > 0:
        return "Kana"
    most = max(counts, key=lambda name: counts[name])
    return most if counts[most] else ""


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """Return the ISO 639-1 code of the language of a text; "" if it is not recognised.

    Latin text is in the language that most of its function words belong to, French by its elided
    articles too; it has to have `FEWEST` of them, and more than any other language has.
    """
    written = script(text)
    if written != "Latin":
        return _BY_SCRIPT.get(written, "")
    scores = _scores(text)
    (best, most), (_, second) = scores.most_common(2)
    return best if most >= FEWEST and most > second else ""


def _scores(text: str) -> Counter[str]:
    scores = Counter(dict.fromkeys(_KNOWN, 0))
    for word in _WORD.findall(text.lower()):
        for code in _LANGUAGES_OF.get(word, ()):
            scores[code] += 1
    scores["fr"] += len(_ELISION.findall(text))
    return scores


def speaks_against(text: str, code: str) -> str:
    """Return why a text is not, or not all, in a language; "" if it may be.

    Args:
        text: The text, without spans that may be in another language.
        code: The language that it should be in; "" for any.
    """
    if not code:
        return ""
    written = script(text)
    expected = next((name for name, of in _BY_SCRIPT.items() if of == code), "Latin")
    if written and written != expected:
        return f"it is written in {written} script"
    if expected != "Latin":
        return ""
    if not text.isascii():
        foreign = sum(len(_LETTERS[name].findall(text)) for name in _BY_SCRIPT)
        if foreign >= FEWEST_LETTERS:
            return f"{foreign} of its letters are not Latin"
    scores = _scores(text)
    own = scores.pop(code, 0)
    best, most = scores.most_common(1)[0]
    if most < FEWEST:
        return ""
    if most > own:
        return f"its function words are those of {best!r}"
    for sentence in _SENTENCE.findall(text):
        scores = _scores(sentence)
        best, most = scores.most_common(1)[0]
        if most >= FEWEST and scores[code] * 3 <= most:
            return f"function words of a sentence are those of {best!r}"
    return ""
