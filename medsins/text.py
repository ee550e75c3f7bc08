"""Pure helpers that recipes share. Each is a function of its arguments alone."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

_SPACE_BEFORE = re.compile(r" (?=[.,;:?!])")
_EMPTY_LINES = re.compile(r"\n{3,}")
# Two spaces after a word are found first: a pattern that begins with the word is slow.
_FLATTENED = re.compile(r"  (?<=\S  )(?: +(?=\S)| *(?=- ))")

# A line break, or a stop before something that can begin a sentence: a capital, a digit, or a
# name such as "mRNA" or "p53". "0. 05" is a number in corpora that were tokenised and joined.
_SENTENCE_BREAK = re.compile(
    r"\n|(?!(?<=\d)\.\s+\d)[.!?]+[\"'”’)\]]*\s+"
    r"(?=[\"'“‘(\[]*(?:(?![A-Z]\s?\.)[A-Z0-9À-ÖØ-Þ]|[a-z]+-?[A-Z0-9]))"
)
# What ends in a full stop without ending a sentence: abbreviations, initials ("J. N. Surname"),
# the space-torn start of a decimal ("P =. 05"), and the number or letter of an item of a list.
_NO_SENTENCE_END = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|vs|cf|viz|et|al|ca|approx|[Ff]igs?|[Ee]qs?|[Rr]efs?|Nos?|no|Nr"
    r"|Vol|pp|Dr|Mr|Mrs|Prof|St|spp?|[cp])\.$"
    r"|(?:[,;&]|\band|\b(?:[A-Z]|Dr|Mr|Mrs|Prof)\s?\.)\s*[A-Z]\s?\.$"
    r"|[=<>]\s?\.$"
    r"|^\W*(?:\d+|[A-Za-z]|[IVXivx]+)\.$"
)
_CLOSES_BRACKET = re.compile(r"[^()\[\]\n]*[)\]]")


def join_tokens(tokens: Iterable[str]) -> str:
    """Join tokens with spaces, and take out the space before . , ; : ? and !.

    This is how the sentences of the published named entity tasks are written.
    """
    return _SPACE_BEFORE.sub("", " ".join(tokens))


NO_ENTITY = "There is no related enetity."
"""The answer of the published named entity tasks where there is none; MedS-Bench's gold has it in
this spelling."""


def entity_list(entities: Iterable[Iterable[str]]) -> str:
    """Return entities, given by their tokens, as the published named entity tasks list them.

    Tokens keep the spaces between them, entities are joined by ", " and ended by one full stop.
    An entity that occurs twice is listed twice. Without any, it is `NO_ENTITY`.
    """
    listed = ", ".join(" ".join(tokens) for tokens in entities)
    return f"{listed}." if listed else NO_ENTITY


def option_lines(options: Mapping[str, str]) -> str:
    r"""Return options as the published multiple choice tasks write them.

    Each is "A: text" followed by a tab, the last one too.
    """
    return "".join(f"{letter}: {option}\t" for letter, option in options.items())


def letters(options: Iterable[str]) -> dict[str, str]:
    """Return options by capital letter, in order.

    Raises:
        ValueError: There are more options than letters.
    """
    listed = list(options)
    if len(listed) > 26:
        raise ValueError(f"{len(listed)} options, but there are 26 letters")
    return {chr(65 + i): option for i, option in enumerate(listed)}


def one_line(text: str) -> str:
    """Return text with every run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def folded(text: str) -> str:
    """Return text without case and surplus white space, for finding equal inputs.

    Nothing else is folded: which test inputs are held out of few-shot examples and training rests
    on it. `casefolded` is for texts whose spelling of characters may differ too.
    """
    return one_line(text.casefold())


def casefolded(text: str) -> str:
    """Return text in NFKC and then case folded, for comparing what people and models wrote."""
    return unicodedata.normalize("NFKC", text).casefold()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 task", "1,234 tasks", "7 categories"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def tidy_lines(text: str) -> str:
    """Return text with the white space of each line as in `one_line`, but its lines kept.

    Of several empty lines in a row one is left, and none at the ends: paragraphs stay apart.
    """
    lines = "\n".join(one_line(line) for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip()


def unflatten(text: str) -> str:
    """Return text with the line breaks of a page that was flattened into one line.

    Where lines were joined, runs of spaces are left: two or more before an item of a list, three
    or more before a paragraph. That is how the authors of MedQuAD and LiveQA took in web pages.
    """
    return _FLATTENED.sub("\n", text)


def distinct(items: Iterable[str]) -> list[str]:
    """Return items without repeats, in order of first appearance."""
    return list(dict.fromkeys(items))


def numbered(name: str, items: Iterable[str]) -> str:
    """Return items as "Name 1: text", with an empty line between them."""
    return "\n\n".join(f"{name} {number}: {item}" for number, item in enumerate(items, 1))


def digest(text: str) -> int:
    """Return a 64-bit hash of a text, for choices and orders that look random.

    They are the same in every run.
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def sentence_spans(text: str, keep: Iterable[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a text.

    Every line break ends a sentence, and so does a full stop, question or exclamation mark before
    what looks like the start of another, outside brackets. When in doubt, two sentences stay
    together: a cut inside a sentence does more harm than a missing one.

    Args:
        text: English text.
        keep: (start, end) spans that are not cut, such as those of mentions.

    Returns:
        (start, end) of each sentence, in order, without the white space between them.
    """
    held = list(keep)
    edges = [0]
    for match in _SENTENCE_BREAK.finditer(text):
        cut = match.end()
        if any(start < cut < end for start, end in held):
            continue
        if "\n" not in match[0]:
            before = text[edges[-1] : cut].strip()
            opened = sum(map(before.count, "([")) > sum(map(before.count, ")]"))
            bracketed = opened and _CLOSES_BRACKET.match(text, cut)
            if bracketed or _NO_SENTENCE_END.search(before):
                continue
        edges.append(cut)
    spans: list[tuple[int, int]] = []
    for start, end in pairwise([*edges, len(text)]):
        sentence = text[start:end]
        if stripped := sentence.strip():
            begin = start + len(sentence) - len(sentence.lstrip())
            spans.append((begin, begin + len(stripped)))
    return spans


def token_spans(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Find the tokens of a text in it, wherever the tokeniser added or dropped white space.

    Args:
        text: The text as it was written.
        tokens: All its tokens, in order; some may be white space.

    Returns:
        (start, end) of each token; one of white space has no width.

    Raises:
        ValueError: The tokens are not those of the text.
    """
    places = [i for i, character in enumerate(text) if not character.isspace()]
    packed = ["".join(token.split()) for token in tokens]
    if "".join(packed) != "".join(text.split()):
        raise ValueError("the tokens are not those of the text")
    spans: list[tuple[int, int]] = []
    done = end = 0
    for token in packed:
        start = end
        if token:
            start, end = places[done], places[done + len(token) - 1] + 1
            done += len(token)
        spans.append((start, end))
    return spans


def whole_words(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of the words, as whole words, in any case.

    A word is whole if no letter or digit touches it: "CT" is found in "CT/CTA" and "CT-guided",
    and not in "fracture". Longer words win over shorter ones; a space stands for any white space.
    """
    ordered = sorted(filter(None, set(words)), key=lambda word: (-len(word), word))
    # Without any word it finds nothing.
    choices = "|".join(map(_spaced, ordered)) or "(?!)"
    return re.compile(rf"(?<![^\W_])(?:{choices})(?![^\W_])", re.IGNORECASE)


def sections(text: str, headings: Sequence[str]) -> dict[str, str]:
    """Cut a report into its sections.

    A heading is at the start of a line (spaces before it are allowed) and followed by a colon; case
    does not matter. A section ends where the next one of the headings
    starts. Of sections with the same heading, the first that has text is kept.

    Args:
        text: The report.
        headings: Headings without their colon, such as "FINDINGS".

    Returns:
        Stripped text by heading, spelt as in `headings`; only those that are there.
    """
    if not headings:
        return {}
    pattern, ordered = _heading_pattern(tuple(headings))
    found: dict[str, str] = {}
    matches = list(pattern.finditer(text))
    ends = [*(match.start() for match in matches[1:]), len(text)]
    for match, end in zip(matches, ends, strict=False):
        assert match.lastindex is not None
        name = ordered[match.lastindex - 1]
        body = text[match.end() : end].strip()
        if not found.get(name):
            found[name] = body
    return found


@cache
def _heading_pattern(headings: tuple[str, ...]) -> tuple[re.Pattern[str], list[str]]:
    """Return a pattern with one group for each heading, and the headings in their order."""
    ordered = sorted(headings, key=len, reverse=True)
    choices = "|".join(f"({_spaced(heading)})" for heading in ordered)
    pattern = re.compile(rf"^[ \t]*(?:{choices})[ \t]*:", re.IGNORECASE | re.MULTILINE)
    return pattern, ordered


def _spaced(words: str) -> str:
    """Return a pattern for words with any white space between them."""
    return re.escape(words).replace(r"\ ", r"\s+")
