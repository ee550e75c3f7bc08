"""The phrases of the test server's content brain, read from `llm_server_phrases.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language.

    Attributes:
        openings: Sentences that can only begin an instruction.
        questions: The same, as questions.
        fillers: Sentences that can stand anywhere.
        short: Very short ones.
        metas: Talk of the rewriting.
        chats: How a chat model begins its answer.
        reversals: The assistant asks for the user's part.
        answers: Sentences that answer in place of instructing.
        demands: Demands for reasons or evidence.
        excuses: What a definition says that makes such demands itself, as a pattern.
        please: What turns an instruction into a near repeat.
        leaning: How a sentence begins that leans on the one before it.
        swaps: Phrases that mean the same; the first is looked for.
        frames: What can be put before an imperative.
        imperatives: Verbs before which a frame can stand.
    """

    openings: tuple[str, ...]
    questions: tuple[str, ...]
    fillers: tuple[str, ...]
    short: tuple[str, ...]
    metas: tuple[str, ...]
    chats: tuple[str, ...]
    reversals: tuple[str, ...]
    answers: tuple[str, ...]
    demands: tuple[str, ...]
    excuses: str
    please: str
    leaning: tuple[str, ...]
    swaps: tuple[tuple[str, ...], ...]
    frames: tuple[str, ...] = ()
    imperatives: tuple[str, ...] = ()


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

PHRASES = {
    code: Phrases(**{name: _frozen(value) for name, value in lists.items()})
    for code, lists in _LISTS.items()
}
"""The phrases by language code."""
