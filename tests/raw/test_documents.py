from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medsins import errors, raw
from medsins.raw import Term
from raw_for_tests import read


def put(folder: Path, data: bytes | str, name: str) -> Path:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


# XML


def test_the_root_of_each_document_is_a_record(tmp_path: Path) -> None:
    put(tmp_path, "<Document id='1'><Answer>It &lt; 5</Answer></Document>", "1.xml")
    put(tmp_path, '<?xml version="1.0"?>\r\n<doc fid="2"/>', "2.xml")
    reading = read(raw.xml("*.xml", roots=("Document", "doc")), tmp_path)
    first, second = reading.records
    assert (first.tag, first.get("id"), first.findtext("Answer")) == ("Document", "1", "It < 5")
    assert (second.tag, second.get("fid")) == ("doc", "2")
    assert reading.rows == ["1", "1"]


def test_an_unknown_root_is_set_aside_with_the_names_that_are_known(tmp_path: Path) -> None:
    put(tmp_path, "<html/>", "1.xml")
    put(tmp_path, "<doc/>", "2.xml")
    reading = read(raw.xml("*.xml", roots=("Document", "doc")), tmp_path)
    assert [root.tag for root in reading.records] == ["doc"]
    assert reading.bad == [("1", "root element is not <Document> or <doc>")]
    assert reading.details == ["it is <html>"]


def test_any_root_will_do_where_none_is_declared(tmp_path: Path) -> None:
    put(tmp_path, "<anything/>", "1.xml")
    assert [root.tag for root in read(raw.xml("1.xml"), tmp_path).records] == ["anything"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<doc>",
        b"<doc><a></doc></a>",
        b"<doc>&nbsp;</doc>",
        b"<doc/><doc/>",
        b"<doc>caf\xe9</doc>",
        b'<?xml version="1.0" encoding="no-such"?><doc/>',
        '<?xml version="1.0" encoding="gbk"?><doc>病</doc>'.encode("gbk"),
    ],
)
def test_a_document_that_is_not_well_formed_is_set_aside_alone(
    document: bytes, tmp_path: Path
) -> None:
    put(tmp_path, document, "1.xml")
    put(tmp_path, "<doc/>", "2.xml")
    reading = read(raw.xml("*.xml", roots=("doc",)), tmp_path)
    assert len(reading.records) == 1
    assert reading.bad == [("1", "XML is not well-formed")]


def test_a_declared_encoding_is_heeded(tmp_path: Path) -> None:
    put(tmp_path, b'<?xml version="1.0" encoding="ISO-8859-1"?><doc>caf\xe9</doc>', "1.xml")
    put(
        tmp_path, '<?xml version="1.0" encoding="UTF-16"?><doc>café</doc>'.encode("utf-16"), "2.xml"
    )
    put(tmp_path, b"\xef\xbb\xbf<doc>caf\xc3\xa9</doc>", "3.xml")
    assert [root.text for root in read(raw.xml("*.xml"), tmp_path).records] == ["café"] * 3


@given(
    text=st.text(
        st.characters(
            exclude_categories=["Cs", "Cc"],
            include_characters="\n\t",
            exclude_characters="\ufffe\uffff",
        )
    )
)
def test_text_and_attributes_come_back_as_they_were_written(text: str, folder: Path) -> None:
    root = ElementTree.Element("doc", {"focus": text})
    ElementTree.SubElement(root, "answer").text = text
    put(folder, ElementTree.tostring(root, encoding="utf-8"), "1.xml")
    (read_back,) = read(raw.xml("1.xml"), folder).records
    assert read_back.get("focus") == text
    assert read_back.findtext("answer") == text


# OBO

HEADER = "format-version: 1.2\nontology: doid\n"


def obo(folder: Path, *stanzas: str, end: str = "\n") -> Path:
    text = "\n".join([HEADER, *stanzas])
    return put(folder, text.replace("\n", end), "t.obo")


def terms(folder: Path) -> list[Term]:
    return read(raw.obo("t.obo"), folder).records


FULL = """\
[Term]
id: DOID:0050001
name: sleepy toe disease
def: "A disease\\, of the \\"left\\" toe.\\nIt itches." [url:https\\://a.example, MESH:D1] {x="y"}
comment: "not a definition"
subset: DO_rare
synonym: "STD" EXACT ABBREVIATION [MESH:D1]
synonym: "toe\\, sleepy" RELATED []
synonym: "drowsy toe" NARROW [ICD10CM:T0, UMLS:C1]
synonym: "foot disease" BROAD OMO:0003000 []
synonym: "without a scope" []
xref: MESH:D000001
is_a: DOID:4 ! disease
is_a: DOID:5 {source="NCI"} ! toe disease
is_a: DOID:6
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_term_has_its_name_definition_synonyms_and_parents(end: str, tmp_path: Path) -> None:
    obo(tmp_path, FULL, end=end)
    (term,) = terms(tmp_path)
    assert term == Term(
        id="DOID:0050001",
        name="sleepy toe disease",
        definition='A disease, of the "left" toe.\nIt itches.',
        synonyms=[
            ("STD", "EXACT"),
            ("toe, sleepy", "RELATED"),
            ("drowsy toe", "NARROW"),
            ("foot disease", "BROAD"),
            ("without a scope", "RELATED"),
        ],
        parents=[("DOID:4", "disease"), ("DOID:5", "toe disease"), ("DOID:6", "")],
        obsolete=False,
    )


def test_obsolete_terms_are_marked(tmp_path: Path) -> None:
    obo(
        tmp_path,
        "[Term]\nid: A:1\nname: obsolete x\nis_obsolete: true\n",
        "[Term]\nid: A:2\nis_obsolete: false\n",
        "[Term]\nid: A:3\n",
    )
    assert [term.obsolete for term in terms(tmp_path)] == [True, False, False]


def test_other_stanzas_than_terms_are_left_out(tmp_path: Path) -> None:
    obo(
        tmp_path,
        "[Typedef]\nid: part_of\nname: part of\n",
        "[Term]\t\nid: A:1\nname: first\n",
        "[Instance]\nid: i\n",
        "[Term]\nid: A:2\nname: second\n",
        "[Typedef]\nid: has\n",
    )
    assert [(term.id, term.name) for term in terms(tmp_path)] == [
        ("A:1", "first"),
        ("A:2", "second"),
    ]


def test_terms_that_cannot_be_read_are_set_aside_with_their_numbers(tmp_path: Path) -> None:
    obo(
        tmp_path,
        "[Term]\nid: A:1\nname: good\n",
        '[Term]\nid: A:2\ndef: "never closed [url:x]\n',
        "[Term]\nname: without an id\n",
        "[Term]\nid: A:4\nsynonym: no quotes EXACT []\n",
        '[Term]\nid: A:5\ndef: "ends in a backslash\\" []\n',
        '[Term]\nid: A:6\ndef: "closed" []\n',
    )
    reading = read(raw.obo("t.obo"), tmp_path)
    assert [term.id for term in reading.records] == ["A:1", "A:6"]
    assert reading.rows == ["1", "6"]
    assert reading.bad == [
        ("2", "def: quoted text is not closed"),
        ("3", "id: term has no id"),
        ("4", "synonym: quoted text is not closed"),
        ("5", "def: quoted text is not closed"),
    ]


def test_an_ontology_without_terms_gives_nothing(tmp_path: Path) -> None:
    obo(tmp_path)
    assert terms(tmp_path) == []


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"id\tname\nA:1\tx\n"])
def test_a_file_that_is_no_ontology_is_an_error_that_says_so(data: bytes, tmp_path: Path) -> None:
    put(tmp_path, data, "t.obo")
    with pytest.raises(errors.CorruptFileError, match=r"t\.obo does not look like an OBO file"):
        terms(tmp_path)


def test_an_ontology_in_another_encoding_is_an_error_that_says_where(tmp_path: Path) -> None:
    put(tmp_path, HEADER.encode() + b"[Term]\nid: A:1\nname: caf\xe9\n", "t.obo")
    with pytest.raises(errors.CorruptFileError, match=r"(?i)t\.obo is not utf-8.* text"):
        terms(tmp_path)


ESCAPES = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\", "!": "\\!", "{": "\\{", ":": "\\:"}

# A carriage return has no escape in this format; it belongs to the end of the line.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1)


def escaped(text: str) -> str:
    written = "".join(ESCAPES.get(character, character) for character in text)
    # White space at the ends would be taken for padding.
    if written.startswith(" "):
        written = "\\W" + written[1:]
    return written[:-1] + "\\W" if written.endswith(" ") and len(written) > 1 else written


@given(
    name=WORDS.filter(lambda text: text.strip(" ") == text.strip() != ""),
    definition=WORDS,
    synonym=WORDS,
    scope=st.sampled_from(["EXACT", "RELATED", "NARROW", "BROAD"]),
)
@example(name='a "b" \\n ! c: {d}', definition='\\" [x]', synonym='EXACT [] "', scope="NARROW")
def test_names_definitions_and_synonyms_come_back_from_their_escapes(
    name: str, definition: str, synonym: str, scope: str, folder: Path
) -> None:
    obo(
        folder,
        f"[Term]\nid: A:1\nname: {escaped(name)}\n"
        f'def: "{escaped(definition)}" [url:https\\://example.org]\n'
        f'synonym: "{escaped(synonym)}" {scope} []\n'
        f"is_a: A:2 ! {escaped(name)}\n",
    )
    (term,) = terms(folder)
    assert term.name == name
    assert term.definition == definition
    assert term.synonyms == [(synonym, scope)]
    assert term.parents == [("A:2", name)]


@given(
    lines=st.lists(
        st.sampled_from(
            [
                "[Term]",
                "[Typedef]",
                "id: A:1",
                "id:",
                "name: x",
                'def: "x" []',
                'def: "x',
                "is_a:",
                "is_a: ! x",
                "synonym: ",
                "is_obsolete: maybe",
                "",
                "  ",
                "\\",
                "!",
                ": ",
            ]
        ),
        max_size=12,
    )
)
def test_lines_of_any_kind_give_terms_or_are_set_aside(lines: list[str], folder: Path) -> None:
    obo(folder, *lines)
    reading = read(raw.obo("t.obo"), folder)
    assert len(reading.records) + len(reading.bad) == lines.count("[Term]")
    assert all(term.id for term in reading.records)
