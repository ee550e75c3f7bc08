"""The phrases that the filters search for, from `phrases.toml` beside this file."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_LINE_BREAK = re.compile(r"\n\s*")
_NAMED = re.compile(r"<(\w+)>")


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _plain(pattern: str) -> str:
    """Return a pattern on one line, with its named parts filled in."""
    words: dict[str, str] = _document()["words"]

    def meant(match: re.Match[str]) -> str:
        return f"(?:{_LINE_BREAK.sub('', words[match[1]])})" if match[1] in words else match[0]

    return _NAMED.sub(meant, _LINE_BREAK.sub("", pattern))


def _any_of(patterns: list[str], flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(map(_plain, patterns)), flags)


@cache
def by_language(*section: str) -> dict[str, re.Pattern[str]]:
    """Return the patterns of a section by language, for text in lower case.

    Each finds what the English ones find too: models fall back into English.
    """
    found = _document()
    for name in section:
        found = found[name]
    english = found["en"]
    return {code: _any_of(own if code == "en" else [*english, *own]) for code, own in found.items()}


@cache
def demands() -> dict[str, dict[str, re.Pattern[str]]]:
    """Return, for each kind of demand that models add, its patterns by language."""
    return {what: by_language("demands", what) for what in _document()["demands"]}


@cache
def allowed() -> dict[str, re.Pattern[str]]:
    """Return, for kinds of demands, what in a definition allows them."""
    return {what: _any_of(own) for what, own in _document()["allowed"].items()}


@cache
def broken() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return patterns of broken text, and what they show."""
    return tuple((_any_of(own), what) for what, own in _document()["broken"].items())


@cache
def markup() -> re.Pattern[str]:
    """Return a pattern of Markdown and HTML."""
    return _any_of(_document()["markup"]["any"], re.IGNORECASE | re.MULTILINE)


@cache
def negated() -> re.Pattern[str]:
    """Return a pattern of what denies, excludes or limits, in any language."""
    return _any_of([one for own in _document()["negations"].values() for one in own])


@cache
def spelt() -> tuple[str, ...]:
    """Return words that are spelt with a capital inside."""
    return tuple(_document()["spelt"]["words"])


@cache
def imperatives() -> re.Pattern[str]:
    """Return a pattern whose first group is an English verb where an imperative can stand."""
    return re.compile(_plain("<starts>(<verbs>)\\b"))
