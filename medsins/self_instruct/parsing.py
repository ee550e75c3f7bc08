"""Reading rewrites out of what a model said."""

from __future__ import annotations

import json
import re

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL | re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*(?:\(?\d{1,2}[.):]|[-*•])\s+(\S.*)$")


def rewrites(text: str) -> list[str] | None:
    """Return the rewrites in an answer, or None if it is not in any form that was asked for.

    The form is JSON `{"rewrites": [...]}`; a fence round it, a bare array, and a list with one
    numbered rewrite a line are read too. Anything else, such as prose round the JSON, is not:
    guessing what of it is an instruction is how talk gets into datasets.

    Args:
        text: The answer.
    """
    stripped = text.strip()
    fenced = _FENCED.fullmatch(stripped)
    if fenced:
        stripped = fenced[1].strip()
    try:
        value = json.loads(stripped)
    except ValueError:
        return _numbered(stripped)
    if isinstance(value, dict):
        value = value.get("rewrites")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return [one.strip() for one in value]


def _numbered(text: str) -> list[str] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    matches = [_NUMBERED.match(line) for line in lines]
    if len(lines) < 2 or not all(matches):
        return None
    return [match[1].strip() for match in matches if match]
