"""HTML and SVG, put together so that text cannot become markup: what is not `Html` is escaped.

The type checker holds it: children of an element are `Html`, and a `str` becomes that only through
`text`, which escapes it. Attributes are always escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import NewType, TypeAlias

Html = NewType("Html", str)
"""Markup that is safe to show."""

Attribute: TypeAlias = str | int | float | bool | None

_VOID = frozenset({"br", "circle", "line", "link", "meta", "path", "rect", "wbr"})

_BREAKS = re.compile(r"([_/-])")

# Characters that neither HTML nor XML may hold become pictures of themselves.
_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {
    127: 0x2421,
    0xFFFE: 0xFFFD,
    0xFFFF: 0xFFFD,
}


def text(value: object) -> Html:
    """Return any value as text that is shown as it is."""
    return Html(escape(str(value).translate(_VISIBLE)))


def joined(parts: Iterable[Html], between: Html | None = None) -> Html:
    """Return markup behind markup."""
    return Html((between or "").join(parts))


def tag(name: str, /, *children: Html, **attributes: Attribute) -> Html:
    """Return an element.

    Args:
        name: Its name.
        children: What is in it.
        attributes: Its attributes; `class_` stands for class, and `_` elsewhere for a hyphen. True
            gives one without a value; None and False none at all.
    """
    written = "".join(
        f" {_attribute(key)}" + ("" if value is True else f'="{text(_plain(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{''.join(children)}</{name}>")


def breakable(name: str) -> Html:
    """Return a name in which lines may break behind each underscore, hyphen or slash."""
    return Html(_BREAKS.sub(r"\1<wbr/>", text(name)))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _plain(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
