from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from medsins import errors, raw
from medsins.raw import Document, Mention, Relation, Sentence
from raw_for_tests import read


def put(folder: Path, data: bytes | str, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


# CoNLL

TAGS = st.sampled_from(["O", "B", "I", "E", "S"]).flatmap(
    lambda head: (
        st.just("O")
        if head == "O"
        else st.sampled_from(["", "-Drug", "-Toe-nail"]).map(head.__add__)
    )
)


def tokens_without(characters: str) -> st.SearchStrategy[str]:
    text = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters=characters),
        min_size=1,
        max_size=6,
    )
    return text.filter(lambda token: not token.startswith("-DOCSTART-"))


def conll(folder: Path, text: str, token: int = 0, tag: int = -1) -> list[Sentence]:
    reading = read(raw.conll("t.tsv", token=token, tag=tag), put(folder, text, "t.tsv"))
    assert reading.bad == []
    return reading.records


@given(
    sentences=st.lists(
        st.lists(st.tuples(tokens_without("\t\r\n"), TAGS), min_size=1, max_size=6), max_size=4
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    blank=st.sampled_from(["", "\n", "\n\n"]),
)
@example(sentences=[[("\ufeffa b", "O"), ("\x85", "S-Drug")]], end="\n", blank="")
def test_tokens_and_tags_come_back_as_they_were_written(
    sentences: list[list[tuple[str, str]]], end: str, blank: str, folder: Path
) -> None:
    text = "\n\n".join("\n".join("\t".join(line) for line in lines) for lines in sentences)
    # A byte order mark at the start of a file belongs to no token.
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    found = conll(folder, mark + (text + blank).replace("\n", end))
    assert [list(zip(one.tokens, one.tags, strict=True)) for one in found] == sentences


@given(lines=st.lists(st.tuples(tokens_without("\t\r\n "), TAGS), min_size=1, max_size=6))
@example(lines=[("5\u00a0mg", "S-Drug"), ("\u3000", "O")])
def test_columns_may_be_apart_by_spaces_of_which_tokens_hold_none(
    lines: list[tuple[str, str]], folder: Path
) -> None:
    assume(not lines[0][0].startswith("\ufeff"))
    (sentence,) = conll(folder, "\n".join(f"{token}  {tag} " for token, tag in lines))
    assert sentence.tokens == tuple(token for token, _ in lines)
    assert sentence.tags == tuple(tag for _, tag in lines)


@given(lines=st.lists(st.tuples(st.sampled_from("abcd"), TAGS), max_size=12))
def test_entities_cover_exactly_the_tokens_that_are_not_outside(
    lines: list[tuple[str, str]],
) -> None:
    sentence = Sentence(tuple(t for t, _ in lines), tuple(g for _, g in lines))
    entities = sentence.entities()
    covered = [(kind, token) for kind, tokens in entities for token in tokens]
    assert covered == [(tag.partition("-")[2], t) for t, tag in lines if tag != "O"]
    opened = sum(tag[0] in "BS" for _, tag in lines)
    inside = sum(tag != "O" for _, tag in lines)
    assert opened <= len(entities) <= inside


def entities(*tags: str) -> list[tuple[str, str]]:
    tokens = tuple("abcdefgh"[: len(tags)])
    return [(kind, "".join(found)) for kind, found in Sentence(tokens, tags).entities()]


def test_b_opens_an_entity_even_beside_another_of_its_type() -> None:
    assert entities("B-Drug", "I-Drug", "B-Drug", "O", "B-Toe") == [
        ("Drug", "ab"),
        ("Drug", "c"),
        ("Toe", "e"),
    ]


def test_single_and_end_tags_close_an_entity() -> None:
    found = entities("S-Drug", "B-Drug", "I-Drug", "E-Drug", "S-Drug", "S-Drug", "O")
    assert found == [("Drug", "a"), ("Drug", "bcd"), ("Drug", "e"), ("Drug", "f")]
    assert entities("S-Drug", "I-Drug", "E-Drug", "I-Drug") == [
        ("Drug", "a"),
        ("Drug", "bc"),
        ("Drug", "d"),
    ]


def test_bare_tags_have_no_type() -> None:
    assert entities("B", "I", "O", "B", "B") == [("", "ab"), ("", "d"), ("", "e")]


def test_inside_without_begin_opens_an_entity() -> None:
    assert entities("O", "I-P", "I-P", "I-O", "O", "I-P") == [("P", "bc"), ("O", "d"), ("P", "f")]
    assert entities("B-P", "I-O") == [("P", "a"), ("O", "b")]


def test_a_sentence_without_entities_has_none() -> None:
    assert entities("O", "O") == []
    assert Sentence((), ()).entities() == []


def test_docstart_lines_are_left_out_wherever_they_stand(tmp_path: Path) -> None:
    text = "-DOCSTART- (1)\n\na O\n-DOCSTART- -X- O\nb O\n\n-DOCSTART- (2)\nc O\n"
    assert [one.tokens for one in conll(tmp_path, text)] == [("a", "b"), ("c",)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_end_sentences_whatever_ends_the_lines(end: str, tmp_path: Path) -> None:
    lines = ["", "", "a\tO", "b\tB-Toe", "", "  ", "c\tO", "", "d\tO", ""]
    assert [one.tokens for one in conll(tmp_path, end.join(lines))] == [("a", "b"), ("c",), ("d",)]


def test_other_columns_are_chosen_by_their_number(tmp_path: Path) -> None:
    sentences = conll(tmp_path, "1 a NN O x\n2 b NN I-P y\n", token=1, tag=3)
    assert sentences == [Sentence(("a", "b"), ("O", "I-P"))]


def test_a_sentence_with_a_malformed_line_is_set_aside_with_its_number(tmp_path: Path) -> None:
    blocks = ["a\tO", "b\tO\n\tO", "c", "d\tO\ne\tX-Toe", "f\t", "g\tO", "h\t12\t15", "i\to"]
    reading = read(raw.conll("t.tsv"), put(tmp_path, "\n\n".join(blocks), "t.tsv"))
    assert [sentence.tokens for sentence in reading.records] == [("a",), ("g",)]
    assert reading.rows == ["1", "6"]
    assert reading.bad == [
        ("2", "line lacks its token or tag"),
        ("3", "line lacks its token or tag"),
        ("4", "tag: tag is none of B, I, E, S, O"),
        ("5", "tag: tag is none of B, I, E, S, O"),
        ("7", "tag: tag is none of B, I, E, S, O"),
        ("8", "tag: tag is none of B, I, E, S, O"),
    ]


def test_a_line_without_the_declared_column_sets_its_sentence_aside(tmp_path: Path) -> None:
    reading = read(raw.conll("t.tsv", tag=3), put(tmp_path, "a b O\n\nc d e O\n", "t.tsv"))
    assert [sentence.tokens for sentence in reading.records] == [("c",)]
    assert reading.bad == [("1", "line lacks a column")]


def test_a_file_in_another_encoding_is_an_error_that_says_so(tmp_path: Path) -> None:
    put(tmp_path, b"caf\xe9\tO\n", "t.tsv")
    with pytest.raises(errors.CorruptFileError, match=r"t\.tsv is not UTF-8 text"):
        read(raw.conll("t.tsv"), tmp_path)


# PubTator

TITLE, ABSTRACT = "Sleepy toes after noon.", "A plumber had sleepy toes and a cough."


def pubtator(folder: Path, *rows: str, begin: str = "") -> list[Document]:
    text = f"{begin}7|t|{TITLE}\n7|a|{ABSTRACT}\n" + "".join(f"{row}\n" for row in rows)
    reading = read(raw.pubtator("t.txt"), put(folder, text, "t.txt"))
    assert reading.bad == []
    return reading.records


def test_mentions_stand_at_their_offsets_in_title_space_and_abstract(tmp_path: Path) -> None:
    rows = [
        "7\t0\t11\tSleepy toes\tDisease\tD003110",
        "7\t38\t49\tsleepy toes\tDisease\t D016889|OMIM:1 ",
        "7\t56\t61\tcough\tDisease",
        "7\t38\t61\tsleepy toes and a cough\tDisease\tD1|D2\tsleepy toes|cough",
    ]
    (document,) = pubtator(tmp_path, *rows)
    assert (document.id, document.title) == ("7", TITLE)
    assert document.text == f"{TITLE} {ABSTRACT}"
    assert [document.text[m.start : m.end] for m in document.mentions] == [
        mention.text for mention in document.mentions
    ]
    assert [m.concept for m in document.mentions] == ["D003110", "D016889|OMIM:1", "", "D1|D2"]
    assert document.mentions[0] == Mention(
        0, 11, "Sleepy toes", "Disease", "", "D003110", ((0, 11),)
    )


def test_rows_of_four_fields_are_relations(tmp_path: Path) -> None:
    (document,) = pubtator(tmp_path, "7\tCID\tD1\tD2")
    assert document.relations == [Relation("CID", "D1", "D2")]
    assert document.mentions == []


@pytest.mark.parametrize("begin", ["", "\n", "\n\n \n", "\ufeff", "\ufeff\r\n"])
def test_a_file_may_begin_with_blank_lines(begin: str, tmp_path: Path) -> None:
    assert [document.id for document in pubtator(tmp_path, begin=begin)] == ["7"]


def test_title_and_abstract_may_be_empty_or_hold_bars(tmp_path: Path) -> None:
    put(tmp_path, "1|t|A|t|B\n1|a|\n\n2|t|\n2|a|a|a|b\n", "t.txt")
    documents = read(raw.pubtator("t.txt"), tmp_path).records
    assert [(d.title, d.text) for d in documents] == [("A|t|B", "A|t|B "), ("", " a|a|b")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("7\t0\t999\tSleepy toes\tDisease\tD1", "offset: offsets lie outside the text"),
        ("7\t11\t0\tSleepy toes\tDisease\tD1", "offset: offsets lie outside the text"),
        ("7\t5\t5\t\tDisease\tD1", "offset: offsets lie outside the text"),
        ("7\t-1\t5\tSleep\tDisease\tD1", "offset: offset is not a number"),
        ("7\t²\t5\tSleep\tDisease\tD1", "offset: offset is not a number"),
        (f"7\t{'9' * 5000}\t5\tSleep\tDisease\tD1", "offset: offset is not a number"),
        ("7\tx\t5\tSleep\tDisease\tD1", "offset: offset is not a number"),
        (
            "7\t1\t12\tSleepy toes\tDisease\tD1",
            "offset: text at the offsets differs from the mention",
        ),
        (
            "7\t0\t11\tsleepy toes\tDisease\tD1",
            "offset: text at the offsets differs from the mention",
        ),
        ("7\t0\t11", "annotation row has too few fields"),
        ("7", "annotation row has too few fields"),
        ("8\t0\t11\tSleepy toes\tDisease\tD1", "pmid: row is of another document"),
        ("no row at all", "pmid: row is of another document"),
    ],
)
def test_a_document_with_a_wrong_annotation_is_set_aside_alone(
    row: str, why: str, tmp_path: Path
) -> None:
    text = f"6|t|A\n6|a|B\n\n7|t|{TITLE}\n7|a|{ABSTRACT}\n{row}\n\n8|t|A\n8|a|B\n"
    reading = read(raw.pubtator("t.txt"), put(tmp_path, text, "t.txt"))
    assert [document.id for document in reading.records] == ["6", "8"]
    assert reading.rows == ["1", "3"]
    assert reading.bad == [("2", why)]


@pytest.mark.parametrize("text", ["1|t|only a title\n", "1|a|A\n1|t|T\n", "id\ttext\n1\tx\n"])
def test_a_document_without_title_and_abstract_is_set_aside(text: str, tmp_path: Path) -> None:
    reading = read(raw.pubtator("t.txt"), put(tmp_path, text, "t.txt"))
    assert reading.records == []
    assert reading.bad == [("1", "document does not begin with its title and abstract lines")]


def test_white_space_around_a_mention_is_no_difference(tmp_path: Path) -> None:
    (document,) = pubtator(tmp_path, "7\t0\t11\tSleepy toes  \tDisease\tD1")
    assert document.mentions[0].end == 11


# brat

NOTE = "Sleepy toes\r\nand a cough\nat noon."


def brat(folder: Path, text: str, *lines: str) -> Document:
    put(folder, text, "note.txt")
    put(folder, "".join(f"{line}\n" for line in lines), "note.ann")
    reading = read(raw.brat("*.txt"), folder)
    assert reading.bad == []
    (document,) = reading.records
    assert isinstance(document, Document)
    return document


def brat_errors(folder: Path, *lines: str) -> list[str]:
    put(folder, NOTE, "note.txt")
    put(folder, "\n".join(lines), "note.ann")
    reading = read(raw.brat("*.txt"), folder)
    assert reading.records == []
    return [why for _, why in reading.bad]


def test_offsets_count_every_character_of_the_text_line_breaks_too(tmp_path: Path) -> None:
    document = brat(tmp_path, NOTE, "T1\tSymptom 0 11\tSleepy toes", "T2\tSymptom 19 24\tcough")
    assert document.id == "note"
    assert document.text == NOTE
    assert [m.text for m in document.mentions] == ["Sleepy toes", "cough"]
    assert [document.text[m.start : m.end] for m in document.mentions] == ["Sleepy toes", "cough"]
    assert document.mentions[0].id == "T1"
    assert document.mentions[0].type == "Symptom"


def test_a_mention_over_a_line_break_has_a_space_in_its_place(tmp_path: Path) -> None:
    (mention,) = brat(tmp_path, NOTE, "T1\tSymptom 19 27\tcough at").mentions
    assert (mention.start, mention.end, mention.text) == (19, 27, "cough at")
    (mention,) = brat(tmp_path, NOTE, "T1\tSymptom 7 16\ttoes  and").mentions
    assert (mention.start, mention.end) == (7, 16)


def test_a_discontinuous_mention_has_its_fragments(tmp_path: Path) -> None:
    (mention,) = brat(tmp_path, NOTE, "T1\tSymptom 0 6;19 24\tSleepy cough").mentions
    assert mention == Mention(0, 24, "Sleepy cough", "Symptom", "T1", "", ((0, 6), (19, 24)))
    (mention,) = brat(tmp_path, NOTE, "T1\tSymptom 19 24;0 6\tcough Sleepy").mentions
    assert (mention.start, mention.end) == (0, 24)


def test_relations_and_attributes_refer_to_mentions_by_their_identifiers(tmp_path: Path) -> None:
    document = brat(
        tmp_path,
        NOTE,
        "T1\tSymptom 0 11\tSleepy toes",
        "R1\tfrag Arg1:T1 Arg2:T2\t",
        "A1\tNegation T2",
        "M1\tDegree T1 high",
        "A2\tDocumentLevel",
        "T2\tSymptom 19 24\tcough \t",
        "E1\tEvent:T1 Theme:T2",
        "R2\tcause Arg1:E1 Arg2:T1",
        "#1\tAnnotatorNotes T1\tR, T and A",
        "*\tEquiv T1 T2",
        "",
    )
    assert [mention.id for mention in document.mentions] == ["T1", "T2"]
    assert document.mentions[1].text == "cough"
    assert document.relations == [Relation("frag", "T1", "T2"), Relation("cause", "E1", "T1")]
    assert document.attributes == [("Negation", "T2"), ("Degree", "T1"), ("DocumentLevel", "")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_of_the_annotations_do_not_matter(
    end: str, mark: str, tmp_path: Path
) -> None:
    put(tmp_path, NOTE, "note.txt")
    lines = ["T1\tSymptom 0 6\tSleepy", "T2\tSymptom 19 24\tcough"]
    put(tmp_path, mark + end.join(lines), "note.ann")
    (document,) = read(raw.brat("*.txt"), tmp_path).records
    assert [mention.text for mention in document.mentions] == ["Sleepy", "cough"]


def test_an_empty_annotation_file_gives_a_document_without_mentions(tmp_path: Path) -> None:
    document = brat(tmp_path, NOTE)
    assert (document.text, document.mentions, document.relations) == (NOTE, [], [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("T1", "mention line has too few fields"),
        ("T1\tSymptom 0 6", "mention line has too few fields"),
        ("T1\tSymptom\tSleepy", "offset: offset is not a number"),
        ("T1\tSymptom 0 6;\tSleepy", "offset: offset is not a number"),
        ("T1\tSymptom ² 6\tSleepy", "offset: offset is not a number"),
        ("T1\tSymptom 0 99\tSleepy", "offset: offsets lie outside the text"),
        ("T1\tSymptom 6 0\tSleepy", "offset: offsets lie outside the text"),
        ("T1\tSymptom 0 6;19 99\tSleepy cough", "offset: offsets lie outside the text"),
        ("T1\tSymptom 1 7\tSleepy", "offset: text at the offsets differs from the mention"),
        (
            "T1\tSymptom 0 6;19 24\tSleepy toes",
            "offset: text at the offsets differs from the mention",
        ),
        ("R1", "relation line has not two arguments"),
        ("R1\tcause Arg1:E1", "relation line has not two arguments"),
        ("R1\tcause E1 E2", "relation line has not two arguments"),
        ("R1\tcause Arg1:E1 Arg2:T9", "relation refers to a mention that is not there"),
        ("A1", "attribute line has no name"),
        ("M1\t", "attribute line has no name"),
    ],
)
def test_a_document_with_a_wrong_line_is_set_aside(line: str, why: str, tmp_path: Path) -> None:
    assert brat_errors(tmp_path, line) == [why]
    assert brat_errors(tmp_path, "T7\tSymptom 0 6\tSleepy", line) == [why]


def test_a_missing_annotation_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    put(tmp_path, NOTE, "docs/note.txt")
    with pytest.raises(errors.MissingFilesError, match=r"docs/note\.ann does not exist"):
        read(raw.brat("docs/*.txt"), tmp_path)


def test_text_and_annotations_may_lie_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.writestr("docs/a.txt", NOTE)
        archive.writestr("docs/a.ann", "T1\tSymptom 0 6\tSleepy\n")
        archive.writestr("__MACOSX/docs/._a.txt", "junk")
    (document,) = read(raw.brat("corpus.zip!docs/*.txt"), tmp_path).records
    assert (document.id, document.mentions[0].text) == ("a", "Sleepy")
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.writestr("docs/a.txt", NOTE)
    with pytest.raises(errors.MissingFilesError, match=r"corpus\.zip has no member docs/a\.ann"):
        read(raw.brat("corpus.zip!docs/*.txt"), tmp_path)


@st.composite
def annotated(draw: st.DrawFn) -> tuple[str, list[list[tuple[int, int]]]]:
    text = draw(
        st.text(
            st.characters(exclude_categories=["Cs"]) | st.sampled_from("abc \n\r"),
            min_size=1,
            max_size=40,
        )
    )
    place = st.integers(0, len(text))
    span = st.tuples(place, place).map(lambda ends: (min(ends), max(ends)))
    # A mention begins and ends with what can be seen; white space there is an accident.
    seen = span.filter(lambda s: text[s[0] : s[1]].strip() == text[s[0] : s[1]] != "")
    words = [i for i, character in enumerate(text) if not character.isspace()]
    if not words:
        return text, []
    single = st.sampled_from(words).map(lambda i: (i, i + 1))
    return text, draw(st.lists(st.lists(seen | single, min_size=1, max_size=3), max_size=4))


def mention_text(text: str, fragments: Sequence[tuple[int, int]]) -> str:
    return " ".join(text[start:end].replace("\n", " ") for start, end in fragments)


@given(document=annotated())
def test_mentions_of_any_text_come_back_as_they_were_written(
    document: tuple[str, list[list[tuple[int, int]]]], folder: Path
) -> None:
    text, spans = document
    lines = [
        f"T{number}\tToe {';'.join(f'{start} {end}' for start, end in fragments)}\t"
        f"{mention_text(text, fragments)}"
        for number, fragments in enumerate(spans, 1)
    ]
    found = brat(folder, text, *lines)
    assert found.text == text
    assert [mention.fragments for mention in found.mentions] == [tuple(s) for s in spans]
    assert [mention.text for mention in found.mentions] == [mention_text(text, s) for s in spans]
    for mention in found.mentions:
        starts, ends = zip(*mention.fragments, strict=True)
        assert (mention.start, mention.end) == (min(starts), max(ends))


@given(
    cells=st.lists(
        st.sampled_from(
            [
                "T1",
                "R1",
                "A1",
                "M",
                "\t",
                "\t",
                "\n",
                " ",
                ";",
                ":",
                "0",
                "6",
                "Sleepy",
                "Arg1:T1",
                "²",
                "\r",
            ]
        ),
        max_size=16,
    )
)
def test_annotations_of_any_kind_give_a_document_or_set_it_aside(
    cells: list[str], folder: Path
) -> None:
    put(folder, NOTE, "note.txt")
    put(folder, "".join(cells), "note.ann")
    reading = read(raw.brat("note.txt"), folder)
    assert len(reading.records) + len(reading.bad) == 1


@given(
    cells=st.lists(
        st.sampled_from(
            ["7|t|", "7|a|", "7", "\t", "\t", "\n", "0", "6", "Sleepy", "-1", "²", "Disease", "|"]
        ),
        max_size=20,
    )
)
def test_rows_of_any_kind_give_documents_or_set_them_aside(cells: list[str], folder: Path) -> None:
    text = f"7|t|{TITLE}\n7|a|{ABSTRACT}\n" + "".join(cells)
    reading = read(raw.pubtator("t.txt"), put(folder, text, "t.txt"))
    assert len(reading.records) + len(reading.bad) >= 1
