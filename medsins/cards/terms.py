"""The LICENSES.md of a build: what its licenses ask for, and which sources are under which."""

from __future__ import annotations

from medsins.cards.contents import Contents, license_facts

LICENSE_FILE = "LICENSES.md"
"""Name of the file; the front matter of the card links to it."""

_INTRODUCTION = """\
Each row of this build is under the license of the source that it was made from; the column
`license` names it. Below, each license is described in our own words, as the recipes state it.
That is no legal advice: what counts is the license's own text, and what the owners of a source
say on its homepage.
"""

_SAMPLE = """\
**This build is synthetic.** Its texts were invented for the samples that come with medsins and
are under medsins' own license, Apache-2.0. What follows holds for builds from the real sources.
"""


def license_texts(contents: Contents) -> str:
    """Return the LICENSES.md of a build, one section for each license."""
    lines = ["# Licenses", ""]
    if contents.sample:
        lines += [_SAMPLE]
    lines += [_INTRODUCTION]
    for name in contents.licenses:
        facts = license_facts(name)
        lines += [f"## {name}", ""]
        if facts.title != name:
            lines += [f"**{facts.title}.** {facts.terms}", ""]
        else:
            lines += [facts.terms, ""]
        if facts.url:
            lines += [f"Text: <{facts.url}>", ""]
        for source in contents.sources:
            if source.license == name:
                home = f", <{source.homepage}>" if source.homepage else ""
                lines.append(f"- {source.title} (`{source.name}`){home}")
        lines.append("")
    return "\n".join(lines)
