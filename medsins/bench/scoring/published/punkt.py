"""Sentences as NLTK's Punkt finds them in English (Kiss and Strunk, 2006).

The published scores split every text of a language written with spaces into sentences with the
English parameters before they split it into words. NLTK 3.8.1 to 3.10 find the same sentences. The
parameters (abbreviations, collocations, words that start sentences, and how words are capitalised)
are NLTK's data package `punkt_tab`, which no package index has: `find` looks for a copy on this
machine, and nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from medsins.bench.scoring.libraries import library
from medsins.errors import CorruptFileError, MissingFilesError

FILES = {
    "abbrev_types.txt": "92a3e070f43d9b4c5534758ca40ad7343b04e7e29bfe0c2eb658a39445a4f779",
    "collocations.tab": "8e2da1225e4dd2cc9dba261ee231ccb134859e21b46006e7f472c5ee269af0cf",
    "ortho_context.tab": "4bbcca25ed3d3f06c02402abf8419b9f033b8adc06e7b482eca4e45f81a5dc4c",
    "sent_starters.txt": "f3f8535483e1dba487241b764945168123bca3209a9645e59acd1225dc76edac",
}
"""The four files of the English parameters, and the SHA-256 of those the parity was measured on."""

MENDS = "python -m nltk.downloader punkt_tab"
"""The command that brings the parameters, where there is a network."""


@dataclass(frozen=True)
class Punkt:
    """A sentence splitter.

    Attributes:
        folder: Where the parameters were read from.
        sha256: SHA-256 of the four files, joined in the order of `FILES`.
        verified: Whether they are the ones the parity was measured on.
    """

    folder: Path
    sha256: str
    verified: bool
    _tokenizer: Any

    def sentences(self, text: str) -> list[str]:
        """Split a text into sentences; white space between them goes with neither."""
        sentences: list[str] = self._tokenizer.tokenize(text)
        return sentences


def folders() -> list[Path]:
    """Return where parameters may lie: `NLTK_DATA`, NLTK's own search path, a cached copy."""
    roots = [Path(part) for part in os.environ.get("NLTK_DATA", "").split(os.pathsep) if part]
    roots.append(Path("~/nltk_data").expanduser())
    prefix = Path(sys.prefix)
    roots += [prefix / part for part in ("nltk_data", "share/nltk_data", "lib/nltk_data")]
    if sys.platform == "win32":
        roots.append(Path(os.environ.get("APPDATA", "C:\\")) / "nltk_data")
        roots += [Path(f"{drive}:\\nltk_data") for drive in "CDE"]
    else:
        shared = ("share", "local/share", "lib", "local/lib")
        roots += [Path("/usr") / part / "nltk_data" for part in shared]
    spec = find_spec("llama_index") and find_spec("llama_index.core")
    if spec and spec.origin:
        roots.append(Path(spec.origin).parent / "_static" / "nltk_cache")
    return roots


def find() -> Path:
    """Return the folder with the English parameters of Punkt.

    Raises:
        MissingFilesError: There is none on this machine.
    """
    roots = folders()
    for root in roots:
        folder = root / "tokenizers" / "punkt_tab" / "english"
        if all((folder / name).is_file() for name in FILES):
            return folder
    raise MissingFilesError(
        "The published scores split texts into sentences with NLTK's punkt_tab, which is in none "
        f"of these folders: {', '.join(str(root) for root in roots)}. Run `{MENDS}`, or set "
        "NLTK_DATA to a folder that has tokenizers/punkt_tab/english; or score without it "
        "(--no-punkt, punkt=False): then BLEU is some 1.5 points too low, and the result says so."
    )


def splitter() -> Punkt:
    """Return the splitter with the parameters that `find` finds, read once for each folder.

    Raises:
        MissingFilesError: There are none on this machine.
        CorruptFileError: They cannot be read.
    """
    return _located(os.environ.get("NLTK_DATA", ""))


@lru_cache(maxsize=4)
def _located(_: str) -> Punkt:
    # Kept by the value of NLTK_DATA: looking for the folder takes longer than splitting a text.
    return _read(find())


@lru_cache(maxsize=4)
def _read(folder: Path) -> Punkt:
    punkt = library("nltk.tokenize.punkt", "nltk")
    contents = {name: (folder / name).read_bytes() for name in FILES}
    try:
        lines = {
            name: [line.rstrip("\r") for line in text.decode("utf-8").split("\n") if line]
            for name, text in contents.items()
        }
        # NLTK's own loader takes another kind of path in each version.
        parameters = punkt.PunktParameters()
        parameters.abbrev_types = set(lines["abbrev_types.txt"])
        parameters.sent_starters = set(lines["sent_starters.txt"])
        parameters.collocations = {
            (first, second) for first, second in _pairs(lines["collocations.tab"])
        }
        for word, flags in _pairs(lines["ortho_context.tab"]):
            parameters.ortho_context[word] = int(flags)
    except ValueError as error:
        raise CorruptFileError(
            f"The Punkt parameters in {folder} cannot be read: {error}. Delete the folder and run "
            f"`{MENDS}`."
        ) from error
    return Punkt(
        folder,
        hashlib.sha256(b"".join(contents.values())).hexdigest(),
        all(hashlib.sha256(contents[name]).hexdigest() == sha for name, sha in FILES.items()),
        punkt.PunktSentenceTokenizer(parameters),
    )


def _pairs(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        yield line.split("\t")
