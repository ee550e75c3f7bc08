"""What a build says of itself, and what is known of a task.

contents.py   what a build holds: its manifest, joined with the recipes
front.py      the front matter of its README.md, which the Hub and `datasets` read
readme.py     the README.md, the dataset card
sources.py    the card's section on sources
statements.py what is said in sentences, there and in croissant.json
terms.py      its LICENSES.md
citations.py  BibTeX of its corpora
pictures.py   its composition.svg
croissant.py  its croissant.json
sizes.py      how large its shards are in memory
pages.py      a task as facts and as a page
"""

from __future__ import annotations

from collections.abc import Mapping

from medsins.builds.manifest import Manifest
from medsins.cards.contents import contents_of
from medsins.cards.croissant import croissant
from medsins.cards.pages import domain, example, facts_of, languages, published, task_page
from medsins.cards.pictures import PICTURE, composition
from medsins.cards.readme import readme
from medsins.cards.sizes import memory_sizes
from medsins.cards.terms import LICENSE_FILE, license_texts

__all__ = [
    "build_card",
    "build_texts",
    "domain",
    "example",
    "facts_of",
    "languages",
    "memory_sizes",
    "published",
    "task_page",
]


def build_texts(manifest: Manifest, sizes: Mapping[str, int] | None = None) -> dict[str, str]:
    """Return the texts that go with a build, by file name; they depend on nothing else.

    README.md is the dataset card, LICENSES.md says what each license asks for, croissant.json
    describes the files for programs (mlcommons.org/croissant, version 1.0), composition.svg is
    the card's picture.

    Args:
        manifest: The build's manifest, or the part of it that is being passed on.
        sizes: Bytes of shards in memory by path, as `memory_sizes` gives them; without them the
            card leaves them out.
    """
    contents = contents_of(manifest, sizes or {})
    return {
        PICTURE: composition(contents),
        LICENSE_FILE: license_texts(contents),
        "croissant.json": croissant(contents),
        "README.md": readme(contents),
    }


def build_card(manifest: Manifest, sizes: Mapping[str, int] | None = None) -> str:
    """Return the README.md of a build; see `build_texts`."""
    return readme(contents_of(manifest, sizes or {}))
