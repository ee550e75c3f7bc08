"""What may be in a request: definitions, seed prompts and constraints, never instances.

Requests of the expansion are built from `InstructionSpec`s, which have no way to an instance. This
guard looks for what could have got in all the same: a definition or seed prompt into which
somebody copied text of a patient.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from itertools import chain

from medsins.builds.folder import BuildFolder
from medsins.errors import AccessError

WORDS = 8
"""This many words in a row that stand in an instance too are taken for a copy of it."""

_PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE),
    "a date": re.compile(r"\b(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4})\b"),
    "a telephone number": re.compile(r"(?<!\w)(?:\+\d{1,3}[ -]?)?\(?\d{3}\)?[ -]\d{3}[ -]\d{4}\b"),
    "a long number": re.compile(r"\b\d{6,}\b"),
}
_WORD = re.compile(r"\w+")


def refuse_personal(texts: Mapping[str, str]) -> None:
    """Refuse texts with what looks like a person's data.

    Args:
        texts: What would be sent, by what it is: "definition of mednli".

    Raises:
        AccessError: One has a date, a long number, an e-mail address or a telephone number in it.
    """
    for what, text in texts.items():
        for name, pattern in _PERSONAL.items():
            if pattern.search(text):
                raise AccessError(
                    f"the {what} has what looks like {name} in it. Nothing was sent. Take it out, "
                    "or allow it with --allow-personal if it is nobody's."
                )


def refuse_copies(
    texts: Mapping[str, str], build: str | os.PathLike[str], spans: Iterable[str] = ()
) -> None:
    """Refuse texts that share a run of 8 words with an instance of a build.

    Args:
        texts: What would be sent, by what it is.
        build: A build folder; inputs and outputs of all its instances are looked through.
        spans: What definitions quote on purpose, such as labels; runs within one are no copies.

    Raises:
        AccessError: One shares such a run.
        IncompleteBuildError: There is no finished build.
    """
    from pyarrow import parquet

    folder = BuildFolder(build)
    runs: dict[tuple[str, ...], str] = {}
    for what, text in texts.items():
        runs.update(dict.fromkeys(_runs(text), what))
    for run in chain.from_iterable(map(_runs, spans)):
        runs.pop(run, None)
    for shard in folder.finished().shards:
        file = parquet.ParquetFile(folder.path / shard.path)
        for batch in file.iter_batches(4096, columns=["input", "output"]):
            columns = (batch.column(name).to_pylist() for name in ("input", "output"))
            for run in chain.from_iterable(_runs(text) for text in chain(*columns)):
                if run in runs:
                    raise AccessError(
                        f"the {runs[run]} shares {WORDS} words in a row with an instance in "
                        f"{shard.path}. Nothing was sent. Definitions and seed prompts must not "
                        "quote instances."
                    )


def _runs(text: str) -> Iterable[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[start:] for start in range(WORDS)), strict=False)
