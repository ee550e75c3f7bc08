"""The LICENSES.md of a build: what its licences ask for, and which sources are under which."""

from __future__ import annotations

from medsins.cards.contents import Contents, licence_facts

LICENCE_FILE = "LICENSES.md"
"""Name of the file; the front matter of the card links to it."""

_INTRODUCTION = """\
Each row of this build is under the licence of the source that it was made from; the column
`licence` names it. Below, each licence is described in our own words, as the recipes state it.
That is no legal advice: what counts is the licence's own text, and what the owners of a source
say on its homepage.
"""

_SAMPLE = """\
**This build is synthetic.** Its texts were invented for the samples that come with medsins and
are under medsins' own licence, Apache-2.0. What follows holds for builds from the real sources.
"""


def licence_texts(contents: Contents) -> str:
    """Return the LICENSES.md of a build, one section for each licence."""
    lines = ["# Licences", ""]
    if contents.sample:
        lines += [_SAMPLE]
    lines += [_INTRODUCTION]
    for name in contents.licences:
        facts = licence_facts(name)
        lines += [f"## {name}", ""]
        if facts.title != name:
            lines += [f"**{facts.title}.** {facts.terms}", ""]
        else:
            lines += [facts.terms, ""]
        if facts.url:
            lines += [f"Text: <{facts.url}>", ""]
        for source in contents.sources:
            if source.licence == name:
                home = f", <{source.homepage}>" if source.homepage else ""
                lines.append(f"- {source.title} (`{source.name}`){home}")
        lines.append("")
    return "\n".join(lines)
