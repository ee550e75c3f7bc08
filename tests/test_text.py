from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from medsins import text

ANY = st.text(st.characters(exclude_categories=["Cs"]))
# Text in which much looks like the end of a sentence, or nearly so.
PROSE = st.lists(
    st.sampled_from(
        [
            "A",
            "b",
            "mRNA",
            "p53",
            "al",
            "e.g",
            "Fig",
            "3",
            "0",
            "J",
            "et",
            "no",
            "vs",
            "(",
            ")",
            "[",
            "]",
            ".",
            "?",
            "!",
            '"',
            "'",
            ",",
            "=",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\t",
            "\u00a0",
            "É",
            "iv",
        ]
    ),
    max_size=40,
).map("".join)
WORD = st.text("abcdeABCDE019", min_size=1, max_size=4)


# Answers


@given(
    tokens=st.lists(st.sampled_from(["a", "toe", ".", ",", ";", ":", "?", "!", "-", "(", "..."]))
)
def test_joined_tokens_have_no_space_before_punctuation_and_lose_nothing_else(
    tokens: list[str],
) -> None:
    joined = text.join_tokens(tokens)
    assert joined.replace(" ", "") == "".join(tokens)
    assert not re.search(r" [.,;:?!]", joined)
    expected = tokens[0] if tokens else ""
    for token in tokens[1:]:
        expected += token if token[0] in ".,;:?!" else f" {token}"
    assert joined == expected


def test_only_the_published_punctuation_is_drawn_to_the_word_before() -> None:
    tokens = ["Left", "-", "sided", "(", "2", ")", "toes", ",", "cough", ";", "why", "?"]
    assert text.join_tokens(tokens) == "Left - sided ( 2 ) toes, cough; why?"
    assert text.join_tokens([]) == ""


def test_entities_are_listed_as_published_with_the_spaces_between_their_tokens() -> None:
    assert text.entity_list([["Streptococcus", "ursoris", "sp", ".", "nov", "."]]) == (
        "Streptococcus ursoris sp . nov .."
    )
    assert text.entity_list([["a", "b"], ["c"], ("c",)]) == "a b, c, c."
    assert text.entity_list([]) == text.NO_ENTITY == "There is no related enetity."


def test_options_are_written_as_published_with_a_tab_after_the_last_too() -> None:
    assert text.option_lines({"A": "yes", "B": "no."}) == "A: yes\tB: no.\t"
    assert text.option_lines({}) == ""


@given(options=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t"))))
def test_option_lines_can_be_taken_apart_again(options: list[str]) -> None:
    lettered = text.letters(options[:26])
    *lines, last = text.option_lines(lettered).split("\t")
    assert last == ""
    assert dict(line.split(": ", 1) for line in lines) == lettered


def test_options_get_letters_in_order_as_far_as_letters_go() -> None:
    assert text.letters(iter(["x", "y", "x"])) == {"A": "x", "B": "y", "C": "x"}
    assert list(text.letters(map(str, range(26))))[-1] == "Z"
    with pytest.raises(ValueError, match="27 options"):
        text.letters(map(str, range(27)))


def test_items_are_numbered_with_an_empty_line_between_them() -> None:
    assert text.numbered("Answer", ["yes", "no"]) == "Answer 1: yes\n\nAnswer 2: no"
    assert text.numbered("Answer", []) == ""


# White space


@given(value=ANY)
def test_one_line_leaves_single_spaces_between_the_same_words(value: str) -> None:
    line = text.one_line(value)
    assert line.split() == value.split()
    assert line == " ".join(line.split(" "))
    assert not re.search(r"[^\S ]|  |^ | $", line)
    assert text.one_line(line) == line


@given(value=ANY | PROSE)
@example(value="a\n \n\u2028\n\t\nb")
@example(value="\r\n a\r\n\r\n\r\n\r\nb \x1c ")
def test_tidy_lines_keeps_words_and_lines_and_at_most_one_empty_line(value: str) -> None:
    tidy = text.tidy_lines(value)
    assert tidy.split() == value.split()
    assert text.tidy_lines(tidy) == tidy
    assert "\n\n\n" not in tidy
    assert tidy == tidy.strip()
    kept = [line for line in tidy.split("\n") if line]
    assert kept == [text.one_line(line) for line in value.split("\n") if line.strip()]
    assert all(line == text.one_line(line) for line in tidy.split("\n"))


def test_tidy_lines_keeps_paragraphs_apart() -> None:
    assert text.tidy_lines("  a  b \n\n \n\n c\nd\t\n") == "a b\n\nc\nd"


@given(
    words=st.lists(st.sampled_from(["a", "b.", "-", "-c", "1-2", "\n"]), min_size=1, max_size=9),
    spaces=st.lists(st.integers(1, 5), min_size=10, max_size=10),
)
def test_a_flattened_page_gets_its_lines_back_where_spaces_tell(
    words: list[str], spaces: list[int]
) -> None:
    flat = words[0]
    expected = words[0]
    for position, word in enumerate(words[1:], 1):
        count = spaces[position]
        # An item begins with "- ", so something has to follow the hyphen.
        item = word == "-" and position + 1 < len(words)
        broken = count >= 3 or (count == 2 and item)
        if "\n" in (word, words[position - 1]):
            broken = False
        flat += " " * count + word
        expected += "\n" + word if broken else " " * count + word
    assert text.unflatten(flat) == expected


def test_a_flattened_list_gets_its_items_back() -> None:
    flat = "Causes:  - toes  - noon (1 - 2 pm)   See a plumber.  Twice."
    assert text.unflatten(flat) == "Causes:\n- toes\n- noon (1 - 2 pm)\nSee a plumber.  Twice."


# Lists


@given(items=st.lists(st.sampled_from("abcd")))
def test_distinct_items_keep_the_order_of_their_first_appearance(items: list[str]) -> None:
    found = text.distinct(iter(items))
    assert sorted(found) == sorted(set(items))
    assert [items.index(item) for item in found] == sorted(items.index(item) for item in found)


def test_a_digest_is_the_same_in_every_run() -> None:
    # What `b2sum -l 64` says of the same bytes.
    assert text.digest("") == 0xE4A6A0577479B2B4
    assert text.digest("é") == 0xCB1ABF8BEFF3192F


def test_digests_of_like_texts_are_spread_evenly() -> None:
    digests = [text.digest(f"v{number}") for number in range(2000)]
    assert len(set(digests)) == 2000
    assert 0 <= min(digests) < max(digests) < 2**64
    for bit in (0, 31, 63):
        assert 850 < sum(value >> bit & 1 for value in digests) < 1150


# Sentences


@st.composite
def prose_with_mentions(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    prose = draw(PROSE)
    words = [match.span() for match in re.finditer(r"\S+", prose)]
    if not words:
        return prose, []
    ends = st.tuples(st.sampled_from(words), st.sampled_from(words)).map(sorted)
    return prose, draw(st.lists(ends.map(lambda pair: (pair[0][0], pair[1][1])), max_size=4))


@given(document=prose_with_mentions())
@example(document=("A. B", [(0, 4)]))
@example(document=("a\nb\nc", [(0, 3)]))
def test_sentences_cover_the_text_and_cut_through_no_mention(
    document: tuple[str, list[tuple[int, int]]],
) -> None:
    prose, mentions = document
    spans = text.sentence_spans(prose, iter(mentions))
    for start, end in spans:
        assert prose[start:end] == prose[start:end].strip() != ""
    edges = [0, *(edge for span in spans for edge in span), len(prose)]
    assert edges == sorted(edges)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        assert not prose[start:end].strip()
    for start, end in mentions:
        assert sum(first <= start and end <= last for first, last in spans) == 1


@given(document=prose_with_mentions())
def test_every_line_break_ends_a_sentence_unless_a_mention_goes_over_it(
    document: tuple[str, list[tuple[int, int]]],
) -> None:
    prose, mentions = document
    for start, end in text.sentence_spans(prose, mentions):
        for place in range(start, end):
            if prose[place] == "\n":
                assert any(first <= place < last for first, last in mentions)


@given(prose=PROSE, count=st.integers(0, 3))
def test_without_mentions_each_line_is_cut_as_if_it_stood_alone(prose: str, count: int) -> None:
    alone = []
    for match in re.finditer(r"[^\n]+", prose):
        begin = match.start()
        alone += [(begin + s, begin + e) for s, e in text.sentence_spans(match[0])]
    assert text.sentence_spans(prose) == alone


def sentences(prose: str, *kept: str) -> list[str]:
    keep = [(prose.index(mention), prose.index(mention) + len(mention)) for mention in kept]
    return [prose[start:end] for start, end in text.sentence_spans(prose, keep)]


@pytest.mark.parametrize(
    "prose",
    [
        "Toes itch. Plumbers sleep.",
        "Do toes itch? Plumbers sleep.",
        "Toes itch! 12 plumbers sleep.",
        'They said "toes itch." Plumbers sleep.',
        "Toes itch (a lot.) Plumbers sleep.",
        "Toes itch. (Plumbers sleep.)",
        "Toes itch. mRNA sleeps.",
        "Toes itch. p53 sleeps.",
        "Toes itch...  Élan returns.",
        "Toes itch\nplumbers sleep",
    ],
)
def test_two_sentences_are_told_apart(prose: str) -> None:
    assert len(sentences(prose)) == 2


@pytest.mark.parametrize(
    "prose",
    [
        "Toes itch. but plumbers sleep.",
        "Surname et al. Found it.",
        "See Fig. 3 and Refs. 4 to 6.",
        "Plumbers, e.g. Smith, i.e. him, sleep.",
        "Treated by Dr. Smith, Prof. Toe and J. N. Surname.",
        "Toes vs. Noon.",
        "It was 0. 05 in all.",
        "It was significant (P =. 05).",
        "It was there (Smith. Toe 1999) at noon.",
        "1. Itching toes",
        "a. Itching toes",
        "IV. Itching toes",
        "Escherichia coli spp. K12",
    ],
)
def test_one_sentence_is_not_torn(prose: str) -> None:
    assert sentences(prose) == [prose]


def test_a_mention_over_the_end_of_a_sentence_keeps_two_sentences_together() -> None:
    prose = "Toes itch. Plumbers sleep. Noon comes."
    assert sentences(prose, "itch. Plumbers") == ["Toes itch. Plumbers sleep.", "Noon comes."]
    assert sentences(prose, "itch.", "Plumbers") == [
        "Toes itch.",
        "Plumbers sleep.",
        "Noon comes.",
    ]


def test_text_without_words_has_no_sentences() -> None:
    assert text.sentence_spans("") == []
    assert text.sentence_spans(" \n\n ") == []


# Tokens


@st.composite
def tokenised(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text, and its tokens as a tokeniser gives them that adds and drops white space."""
    gaps = st.sampled_from(["", "", " ", "\n  ", "\u00a0"])
    tokens, written = [], draw(gaps)
    for token in draw(st.lists(st.text("ab.(é病", min_size=1, max_size=4), max_size=8)):
        written += token + draw(gaps)
        tokens.append(token)
        tokens += draw(st.sampled_from([[], [], [" "], ["\n", ""]]))
    return written, tokens


@given(document=tokenised())
def test_tokens_are_found_where_they_stand(document: tuple[str, list[str]]) -> None:
    written, tokens = document
    spans = text.token_spans(written, tokens)
    assert len(spans) == len(tokens)
    assert [written[start:end] for start, end in spans] == [token.strip() for token in tokens]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_token_may_hold_white_space_that_the_text_has_not_and_the_reverse() -> None:
    assert text.token_spans("a bc", ["ab", " c "]) == [(0, 3), (3, 4)]


@given(document=tokenised())
def test_tokens_of_another_text_are_refused(document: tuple[str, list[str]]) -> None:
    written, tokens = document
    for others in ([*tokens, "x"], ["x", *tokens]):
        with pytest.raises(ValueError, match="not those of the text"):
            text.token_spans(written, others)
    assume(any(token.strip() for token in tokens))
    with pytest.raises(ValueError, match="not those of the text"):
        text.token_spans(written, [])


# Words


def test_whole_words_are_found_in_any_company_but_letters_and_digits() -> None:
    words = text.whole_words(["CT", "chest x-ray"])
    for found in ("CT", "ct", "CT/CTA", "CT-guided", "(CT)", "_CT_", "of CT.", "Chest\n  X-Ray"):
        assert words.search(found), found
    for not_found in ("fracture", "CTA", "2CT", "CT2", "éct", "", "chest xray"):
        assert not words.search(not_found), not_found


def test_longer_words_win_over_shorter_ones() -> None:
    words = text.whole_words(["ct", "ct angiography", "angiography of the head"])
    assert words.findall("CT Angiography of the head, ct") == ["CT Angiography", "ct"]


def test_no_words_are_found_nowhere() -> None:
    for none in ([], [""]):
        assert not text.whole_words(none).search("any text, and none: ")


def test_signs_in_words_are_no_pattern() -> None:
    words = text.whole_words(["c.t.", "a+b", "(x)"])
    assert words.findall("c.t. cat a+b aab (x) x") == ["c.t.", "a+b", "(x)"]


@given(
    word=WORD,
    before=st.characters(exclude_categories=["Cs"]),
    after=st.characters(exclude_categories=["Cs"]),
)
def test_a_word_is_whole_where_no_letter_or_digit_touches_it(
    word: str, before: str, after: str
) -> None:
    assume(not {before, after} & set("\u0130\u0131\u017f\u212a"))
    touched = before.isalnum() or after.isalnum()
    found = text.whole_words([word]).search(f"{before}{word.swapcase()}{after}")
    assert bool(found) != touched


@given(words=st.lists(WORD, max_size=5), company=st.lists(WORD, max_size=5))
def test_what_is_found_is_one_of_the_words(words: list[str], company: list[str]) -> None:
    known = {word.lower() for word in words}
    found = text.whole_words(words).findall(" ".join(company))
    assert [word.lower() for word in found] == [w.lower() for w in company if w.lower() in known]


# Sections

REPORT = """\
EXAMINATION:  CT head
 findings : No toes.
   Findings: are described
IMPRESSION:
1. Sleepy.  Findings: none here
"""


def test_a_report_is_cut_at_headings_at_the_start_of_its_lines() -> None:
    assert text.sections(REPORT, ["EXAMINATION", "Impression", "HISTORY"]) == {
        "EXAMINATION": "CT head\n findings : No toes.\n   Findings: are described",
        "Impression": "1. Sleepy.  Findings: none here",
    }


def test_of_sections_with_one_heading_the_first_with_text_is_kept() -> None:
    assert text.sections("A: \nB: b\nA: x\na: y", ["A", "B"]) == {"A": "x", "B": "b"}
    assert text.sections("A:\n\n", ["A"]) == {"A": ""}


def test_a_heading_is_known_in_any_case_and_with_any_white_space() -> None:
    found = text.sections("History  of\tpresent illness : itch", ["HISTORY OF PRESENT ILLNESS"])
    assert found == {"HISTORY OF PRESENT ILLNESS": "itch"}
    # These letters are the same in any case to a pattern, but not to str.upper().
    assert text.sections("F\u0130NDINGS: x\n\u212aINK: y", ["findings", "kink"]) == {
        "findings": "x",
        "kink": "y",
    }


def test_a_longer_heading_wins_over_a_shorter_one() -> None:
    report = "HISTORY OF FALLS: two\nHISTORY: one"
    assert text.sections(report, ["HISTORY", "HISTORY OF FALLS"]) == {
        "HISTORY OF FALLS": "two",
        "HISTORY": "one",
    }


def test_signs_in_headings_are_no_pattern() -> None:
    assert text.sections("PLAN (A+B): x\nPLANAB: y", ["PLAN (A+B)"]) == {
        "PLAN (A+B)": "x\nPLANAB: y"
    }


def test_a_report_without_headings_has_no_sections() -> None:
    assert text.sections("no heading: here", ["FINDINGS"]) == {}
    assert text.sections(": a\nFINDINGS: b", []) == {}
    assert text.sections("", ["FINDINGS"]) == {}


HEADINGS = ["FINDINGS", "IMPRESSION", "HISTORY", "HISTORY OF FALLS"]


@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(HEADINGS),
            st.lists(st.sampled_from(["toes", "itch.", "1.", "\n", "findings", "-"])).map(" ".join),
        ),
        max_size=6,
        unique_by=lambda part: part[0],
    ),
    change=st.sampled_from([str.upper, str.lower, str.title]),
)
def test_a_report_put_together_from_sections_is_taken_apart_again(
    parts: list[tuple[str, str]], change: Callable[[str], str]
) -> None:
    report = "".join(f" {change(heading)} : {body}\n" for heading, body in parts)
    assert text.sections(report, HEADINGS) == {heading: body.strip() for heading, body in parts}


@given(ANY)
def test_folded_text_is_the_same_whatever_its_case_and_white_space(given_text: str) -> None:
    folded = text.folded(given_text)
    assert folded == " ".join(given_text.casefold().split())
    assert text.folded(f"\n {given_text}\t ") == folded == text.folded(folded)


def test_casefolded_text_is_one_spelling_of_its_characters() -> None:
    assert text.casefolded("ﬁＸ ß") == "fix ss"
    # Which inputs count as equal does not rest on it.
    assert text.folded("Ｘ") == "ｘ"


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(1, "task", "1 task"), (1234, "task", "1,234 tasks"), (0, "category", "0 categories")],
)
def test_numbers_go_with_their_noun(number: int, noun: str, said: str) -> None:
    assert text.counted(number, noun) == said
