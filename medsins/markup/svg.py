"""SVG: whole pictures and the text in them, made of the elements of `html` and escaped as there."""

from __future__ import annotations

from collections.abc import Iterable

from medsins.markup.html import Attribute, Html, tag, text


def picture(
    body: Iterable[Html],
    width: float,
    height: float,
    title: str,
    *,
    style: Html | None = None,
    **attributes: Attribute,
) -> str:
    """Return a picture on white, as the text of a file.

    Args:
        body: What is in it, in the order in which it is painted.
        width: Its width, in pixels.
        height: Its height.
        title: What it shows, for those who do not see it.
        style: Style sheet of its own.
        attributes: Further attributes of the root.
    """
    lines = (
        Html(""),
        tag("title", text(title)),
        *([] if style is None else [tag("style", style)]),
        tag("rect", width=width, height=height, fill="#ffffff"),
        *body,
        Html(""),
    )
    drawn = tag(
        "svg",
        Html("\n".join(lines)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        **attributes,
        role="img",
    )
    return f"{drawn}\n"


def label(x: float, y: float, said: str, *more: Html, **attributes: Attribute) -> Html:
    """Return text at a place.

    Args:
        x: Where it stands.
        y: Its base line.
        said: The text.
        more: What follows it on the line.
        attributes: Further attributes.
    """
    return tag("text", text(said), *more, x=x, y=y, **attributes)
