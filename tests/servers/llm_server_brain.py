"""What the test server's model says: rewrites of a definition, good or bad, and benchmark answers.

The brain keeps nothing between requests, so that the same request has the same answer in every run.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_server_rewrites import KINDS, Data, compose, possible

FORMS = ("fewer-items", "more-items", "code-fence", "tagged-lines", "not-json")
"""Kinds that concern the reply as a whole."""

_FENCE = re.compile(r"<<<DATA (\S+)\n(.*?)\nDATA \1>>>", re.DOTALL)


class UnreadableDataError(ValueError):
    """The fence of a prompt holds something else than the data that it should."""


@dataclass(frozen=True)
class Reply:
    """One choice of an answer.

    Attributes:
        content: What the model says.
        texts: The rewrites in it.
        kinds: What each of them is, "good" or the name of a fault.
        form: What the reply as a whole is: "json", one of `FORMS`, or "answer".
    """

    content: str
    texts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    form: str = "answer"


class Brain:
    """Answers chat requests as a script wants.

    A user message with data between fences is answered with rewrites. Any other is looked up in
    `answer_map`, a dict or the path of one, under the SHA-256 of the last user message, and else
    answered as `answers` says: `{"mode": "echo-last-line"}`, `{"mode": "fixed", "text": …}`, or
    `{"mode": "by-hash", "choices": […]}`.

    Args:
        script: Its `seed`, `brain` (weights of `KINDS` and `FORMS`), `answers` and `answer_map`.
        folder: Where a relative path of `answer_map` starts.

    Raises:
        ValueError: The script names a kind that is not there.
    """

    def __init__(self, script: Mapping[str, Any], folder: Path) -> None:
        weights: dict[str, float] = dict(script.get("brain", {"good": 1.0}))
        unknown = [kind for kind in weights if kind not in (*KINDS, *FORMS)]
        if unknown:
            raise ValueError(f"the brain knows no kind {unknown[0]!r}")
        total = sum(weights.values())
        self._forms = [(kind, weights[kind] / total) for kind in FORMS if kind in weights]
        self._kinds = {kind: weight for kind, weight in weights.items() if kind in KINDS}
        self._seed = script.get("seed", 0)
        self._answers: dict[str, Any] = dict(script.get("answers", {"mode": "echo-last-line"}))
        known = script.get("answer_map", {})
        if isinstance(known, str):
            known = json.loads((folder / known).read_text(encoding="utf-8"))
        self._known: dict[str, str] = known

    def reply(self, body: Mapping[str, Any], choice: int) -> Reply:
        """Return what the model says to a request.

        Args:
            body: The request.
            choice: Which of its choices.

        Raises:
            UnreadableDataError: There is a fence without the data.
        """
        message = _last_user_message(body)
        fenced = _FENCE.findall(message)
        if not fenced:
            return Reply(self._answer(message, choice))
        data = _data(fenced[-1][1])
        key = f"{self._seed}/{body.get('seed')}/{data.definition}/{data.index}/{choice}"
        return self._rewrites(data, choice, random.Random(key))

    def _rewrites(self, data: Data, choice: int, rng: random.Random) -> Reply:
        form, chance = "json", rng.random()
        for kind, share in self._forms:
            chance -= share
            if chance < 0:
                form = kind
                break
        if form == "not-json":
            cut = '{"rewrites": ["' + compose(data, data.index)[:40]
            content = rng.choice((cut, "The wordings have been prepared as requested"))
            return Reply(content, (content,), ("not-json",), form)
        count = data.count
        if form == "fewer-items":
            count = rng.randrange(count)
        elif form == "more-items":
            count += rng.randint(1, 2)
        texts, kinds = [], []
        for position in range(count):
            # Each choice and each text beyond the count has a place of its own in the plan.
            turn, place = divmod(position, data.count)
            ordinal = (data.index + 100_003 * choice + 1_000_003 * turn) * data.count + place
            kind = self._kind(data, rng)
            texts.append(KINDS[kind](data, ordinal, rng))
            kinds.append(kind)
        if form == "tagged-lines":
            texts = [" ".join(text.split("\n")) for text in texts]
            content = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
        else:
            content = json.dumps({"rewrites": texts}, ensure_ascii=False)
        if form == "code-fence":
            content = f"```json\n{content}\n```"
        return Reply(content, tuple(texts), tuple(kinds), form)

    def _kind(self, data: Data, rng: random.Random) -> str:
        """Draw a kind among those that the data allow."""
        weights = {
            kind: weight
            for kind, weight in self._kinds.items()
            if weight > 0 and possible(kind, data)
        }
        return rng.choices([*weights], [*weights.values()])[0] if weights else "good"

    def _answer(self, message: str, choice: int) -> str:
        digest = hashlib.sha256(message.encode()).hexdigest()
        if digest in self._known:
            return self._known[digest]
        if self._answers["mode"] == "fixed":
            return str(self._answers["text"])
        if self._answers["mode"] == "by-hash":
            key = f"{self._seed}/{digest}/{choice}"
            return str(random.Random(key).choice(self._answers["choices"]))
        lines = [line for line in message.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _last_user_message(body: Mapping[str, Any]) -> str:
    for message in reversed(body["messages"]):
        if message.get("role") == "user":
            content = message.get("content") or ""
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""


def _data(text: str) -> Data:
    try:
        value = json.loads(text)
        return Data(
            str(value["definition"]),
            dict(value.get("placeholders", {})),
            tuple(value.get("examples", ())),
            str(value.get("language", "en"))[:2],
            dict(value.get("style", {})),
            int(value.get("count", 1)),
            int(value.get("index", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableDataError(
            f"between the fences stands no object of data: {error!r}"
        ) from error
