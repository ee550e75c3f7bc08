"""The words that the published BLEU counts.

English, French, Spanish and Russian: sentences by Punkt with English parameters, then the word
rules of NLTK 3.9.2, frozen here, because later versions split dashes and apostrophes otherwise,
which moves the published score. Chinese: jieba. Japanese: janome.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from medsins.bench.scoring import segmentation
from medsins.bench.scoring.published import punkt
from medsins.bench.scoring.published.crash import (
    PublishedTypeError,
    PublishedUnboundLocalError,
    text_of,
    type_name,
)

NLTK_RULES = "3.9.2"
"""The version of NLTK whose word rules these are."""

SPACED = ("en", "spa", "fra", "ru")
"""The published codes of languages that are read as English; the others are zh and jp."""

_BACKTICKS = re.compile(r"`+")
_OPENING_QUOTE = re.compile(r"([ (\[{<])(\"|'{2})")
_QUOTED_LETTER = re.compile(r"(?i)'(?!re|ve|ll|m|t|s|d|n)(\w)\b")
_LAST_STOP_SPACED = re.compile(r"([^.])(\.)([\])}>\"'»”’ ]*)\s*$")
_LAST_STOP = re.compile(r"([^.])(\.)([\])}>\"']*)\s*$")
_MARK_NOT_BEFORE_DIGIT = re.compile(r"([:,])([^\d])")
_MARK_AT_END = re.compile(r"([:,])$")
_DOTS = re.compile(r"\.{2,}")
_APOSTROPHE_BEFORE_SPACE = re.compile(r"([^'])' ")
_BLANKS = re.compile(r"\s+")
_CLITIC = re.compile(r"([^' ])('[sS]|'[mM]|'[dD]|') ")
_LONG_CLITIC = re.compile(r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")
_CONTRACTED = tuple(
    re.compile(rf"(?i)\b({first})({second}){end}")
    for first, second, end in (
        ("can", "not", r"\b"),
        ("d", "'ye", r"\b"),
        ("gim", "me", r"\b"),
        ("gon", "na", r"\b"),
        ("got", "ta", r"\b"),
        ("lem", "me", r"\b"),
        ("more", "'n", r"\b"),
        ("wan", "na", r"(?=\s)"),
    )
)
_IT_CONTRACTED = tuple(re.compile(rf"(?i) ('t)({verb})\b") for verb in ("is", "was"))
_CONTRACTIONS = ("cannot", "d'ye", "gimme", "gonna", "gotta", "lemme", "more'n", "wanna", " 't")
_FOLDED_TO_ASCII = ("ı", "ſ", "İ")
"""Letters that match an ASCII letter where case is ignored, but do not become it in lower case."""


def _padded(text: str, marks: str) -> str:
    for mark in marks:
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return text


def sentence_words(text: str) -> list[str]:
    """Split one sentence into words by the rules of NLTK's word tokenizer, version 3.9.2.

    The rules are substitutions in a fixed order, each on the result of those before; a rule is
    passed over where what it looks for is not in the text.
    """
    text = _padded(text, "«“‘„")
    if "`" in text:
        text = _BACKTICKS.sub(r" \g<0> ", text)
    if text.startswith('"'):
        text = "``" + text[1:]
    if "``" in text:
        text = text.replace("``", " `` ")
    if '"' in text or "''" in text:
        text = _OPENING_QUOTE.sub(r"\1 `` ", text)
    if "'" in text:
        text = _QUOTED_LETTER.sub(r"' \1", text)
    text = _punctuation(text)
    text = _padded(text, "][(){}<>")
    if "--" in text:
        text = text.replace("--", " -- ")
    text = f" {text} "
    text = _padded(text, "»”’")
    if "''" in text:
        text = text.replace("''", " '' ")
    if '"' in text:
        text = text.replace('"', " '' ")
    if "'" in text:
        text = _BLANKS.sub(" ", text)
        text = _CLITIC.sub(r"\1 \2 ", text)
        text = _LONG_CLITIC.sub(r"\1 \2 ", text)
    lowered = text.lower()
    if any(form in lowered for form in _CONTRACTIONS) or any(c in text for c in _FOLDED_TO_ASCII):
        for pattern in _CONTRACTED + _IT_CONTRACTED:
            text = pattern.sub(r" \1 \2 ", text)
    return text.split()


def _punctuation(text: str) -> str:
    last = text.rfind(".")
    if last >= 0 and not text[last + 1 : last + 2].isalnum():
        text = _LAST_STOP_SPACED.sub(r"\1 \2 \3 ", text)
    if ":" in text or "," in text:
        text = _MARK_NOT_BEFORE_DIGIT.sub(r" \1 \2", text)
        text = _MARK_AT_END.sub(r" \1 ", text)
    if ".." in text:
        text = _DOTS.sub(r" \g<0> ", text)
    text = _padded(text, ";@#$%&")
    last = text.rfind(".")
    if last >= 0 and not text[last + 1 : last + 2].isalnum():
        text = _LAST_STOP.sub(r"\1 \2\3 ", text)
    text = _padded(text, "?!")
    if "' " in text:
        text = _APOSTROPHE_BEFORE_SPACE.sub(r"\1 ' ", text)
    return _padded(text, "*")


def spaced_words(text: str, *, split_sentences: bool = True) -> list[str]:
    """Split a text of a language written with spaces into words.

    Args:
        text: The text.
        split_sentences: Whether to find sentences first, as the published scripts do.

    Raises:
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    if not split_sentences:
        return sentence_words(text)
    words: list[str] = []
    for sentence in punkt.splitter().sentences(text):
        words += sentence_words(sentence)
    return words


@lru_cache(maxsize=512)
def character_words(text: str, language: str) -> tuple[str, ...]:
    """Split a text of a language written without spaces (zh, jp) into words.

    White space and marks are words too; white space around a Japanese text is dropped. BLEU and
    ROUGE need the same words, so the last texts are remembered.
    """
    cut = segmentation.chinese() if language == "zh" else segmentation.japanese()
    return tuple(cut(text))


def bleu_words(text: Any, language: str, *, split_sentences: bool = True) -> list[str]:
    """Split a text into the words that the published BLEU counts.

    Args:
        text: The text; what is not a string stops the published code.
        language: A code of the published scripts: en, zh, jp, fra, spa or ru.
        split_sentences: Whether Punkt finds sentences first.

    Raises:
        PublishedTypeError: No string, in a language written with spaces.
        PublishedAttributeError: No string, in Chinese or Japanese.
        PublishedUnboundLocalError: A language that the published code has no branch for.
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    if language in SPACED:
        if not isinstance(text, str):
            kind = type_name(text)
            if kind.startswith("numpy."):
                # Numbers of numpy pass for bytes.
                raise PublishedTypeError("cannot use a string pattern on a bytes-like object")
            raise PublishedTypeError(f"expected string or bytes-like object, got {kind!r}")
        return spaced_words(text, split_sentences=split_sentences)
    if language in ("zh", "jp"):
        text = text_of(text, "decode" if language == "zh" else "strip")
        return list(character_words(text, language))
    raise PublishedUnboundLocalError(
        "cannot access local variable 'reference_tokenized' where it is not associated with a "
        "value",
        f"Its language codes are en, zh, jp, fra, spa and ru; not {language!r}.",
    )


def rouge_text(text: Any, language: str) -> Any:
    """Return a text as the published code hands it to `rouge`: zh and jp as spaced words.

    Raises:
        PublishedAttributeError: No string, in Chinese or Japanese.
    """
    if language in ("zh", "jp"):
        text = text_of(text, "decode" if language == "zh" else "strip")
        return " ".join(character_words(text, language))
    return text


def signature(*, split_sentences: bool = True) -> str:
    """Return what the words depend on: rules, parameters and versions, for a result's signature.

    Raises:
        MissingFilesError: The parameters of Punkt are not on this machine.
    """
    if split_sentences:
        parameters = punkt.splitter()
        sentences = parameters.sha256[:12] + ("" if parameters.verified else " (unverified)")
    else:
        sentences = "none"
    parts = [f"nltk-rules:{NLTK_RULES}", f"punkt:{sentences}"]
    parts += [f"{package}:{_version(package)}" for package in ("jieba", "janome")]
    return "|".join(parts)


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"
