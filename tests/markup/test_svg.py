from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from medsins.markup import svg
from medsins.markup.html import tag, text

ANY = st.text(st.characters(exclude_categories=["Cs"]))
SPACE = "{http://www.w3.org/2000/svg}"


@given(ANY)
def test_nothing_that_is_said_becomes_markup(said: str) -> None:
    drawn = svg.picture([svg.label(1, 2.5, said, data_said=said)], 30, 40, said)
    root = ElementTree.fromstring(drawn)
    assert [one.tag for one in root.iter()] == [
        f"{SPACE}{x}" for x in ("svg", "title", "rect", "text")
    ]
    assert root.get("viewBox") == "0 0 30 40"
    # XML reads a line break of any kind as one, and white space in attributes as blanks.
    shown = str(text(said)).replace("\r\n", "\n").replace("\r", "\n")
    for place in (root[0], root[2]):
        assert place.text == (ElementTree.fromstring(f"<a>{shown}</a>").text)


@given(ANY)
def test_attributes_are_escaped(said: str) -> None:
    made = str(tag("rect", fill=said))
    assert made.count("<") == made.count(">") == 1
    assert made.count('"') == 2
    assert list(ElementTree.fromstring(made).attrib) == ["fill"]


def test_shapes_may_hold_a_title_and_are_closed_at_once_without_one() -> None:
    assert tag("rect", tag("title", text("a < b")), x=1.5) == (
        '<rect x="1.5"><title>a &lt; b</title></rect>'
    )
    assert tag("rect", x=1) == '<rect x="1"/>'
