from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from medsins.markup.markdown import plain, table


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=4))
def test_plain_text_stays_in_its_cell(rows: list[list[str]]) -> None:
    lines = table(("a", "b"), ([plain(cell) for cell in row] for row in rows), numbers=[1]).split(
        "\n"
    )
    assert lines[:2] == ["| a | b |", "| --- | ---: |"]
    assert len(lines) == len(rows) + 2
    for line in lines:
        assert line.replace(r"\\", "").replace(r"\|", "").count("|") == 3
