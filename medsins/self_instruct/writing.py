"""The folder of expanded instructions: what is in it, and how it is written.

README.md              counts by task and by reason of rejection, and how it was made
<task>.jsonl           the instructions, each with its provenance; read by `medsins.instructions`
rejects/<task>.jsonl   candidates that did not pass, each with its reason
receipts/<task>.jsonl  what each answer was and cost; differs from run to run, unlike the others
journal.jsonl          everything asked and answered; needed to go on, not to use the result
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medsins.instructions.wordings import instruction_id
from medsins.io.files import write_atomically
from medsins.io.version import __version__
from medsins.llm.budget import Price
from medsins.markup.markdown import table
from medsins.self_instruct.plan import Accepted, Expansion
from medsins.self_instruct.prompts import VERSION

JOURNAL = "journal.jsonl"

LICENSE_NOTE = (
    "Made by a language model from seed prompts under Apache-2.0; the terms of the model's "
    "provider apply."
)

_CARD = """\
# Expanded instructions

Wordings of task definitions, made by a language model from seed prompts \
(Self-Instruct, arXiv:2212.10560) and checked one by one. No person wrote or reviewed them.

Each `<task>.jsonl` has a row for each instruction, with what it was made from and by."""


def write_task(folder: Path, expansion: Expansion, price: Price | None) -> None:
    """Write the files of one task, each of them whole or not at all.

    Args:
        folder: The folder of expanded instructions.
        expansion: The finished expansion.
        price: What tokens cost, for the receipts.

    Raises:
        OSError: The folder cannot be written.
    """
    task = expansion.spec.name
    for name in ("rejects", "receipts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rejects = (
        {"index": one.index, "reason": one.reason, "detail": one.detail, "text": one.text}
        for one in expansion.rejected
    )
    _write(folder / "rejects" / f"{task}.jsonl", rejects)
    _write(folder / "receipts" / f"{task}.jsonl", _receipts(expansion, price))
    target = folder / f"{task}.jsonl"
    if expansion.accepted:
        rows = (_row(expansion, one, number) for number, one in enumerate(expansion.accepted))
        _write(target, rows)
    else:
        target.unlink(missing_ok=True)


def _row(expansion: Expansion, one: Accepted, number: int) -> dict[str, Any]:
    spec = expansion.spec
    return {
        "id": instruction_id(spec.name, one.text),
        "text": one.text,
        "task": spec.name,
        "number": number,
        "language": spec.language,
        "parent_seed": instruction_id(spec.name, one.parent),
        "prompt": one.index,
        "request": one.key,
        "template": VERSION,
        "model": expansion.model,
        "temperature": expansion.asking.temperature,
        "seed": expansion.asking.seed,
        "nearest": instruction_id(spec.name, one.verdict.nearest) if one.verdict.nearest else "",
        "similarity": round(one.verdict.similarity, 6),
        "checks": dict(one.verdict.scores),
        "constraints_kept": [str(constraint) for constraint in spec.constraints],
        "made_with": f"medsins {__version__}",
        "license_note": LICENSE_NOTE,
    }


def _receipts(expansion: Expansion, price: Price | None) -> Iterable[dict[str, Any]]:
    for receipt in expansion.receipts:
        response = receipt.response
        used = (response.input_tokens or 0, response.output_tokens or 0)
        yield {
            "prompt": receipt.index,
            "request": receipt.key,
            "response_id": response.response_id,
            "model": response.model,
            "fingerprint": response.fingerprint,
            "date": response.date,
            "finish": response.finish,
            "input_tokens": response.input_tokens,
            "output_tokens": response.output_tokens,
            "usd": round(price.of(*used), 8) if price else None,
        }


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    write_atomically(path, "".join(f"{line}\n" for line in lines))


def write_card(folder: Path, expansions: Sequence[Expansion]) -> None:
    """Write the README.md of the folder, from the tasks of this run and what is in it."""
    here = {expansion.spec.name: expansion for expansion in expansions}
    rows = []
    total: Counter[str] = Counter()
    for task, expansion in sorted(here.items()):
        if expansion.state in ("open", "unfinished"):
            continue
        reasons = expansion.reasons()
        total.update(reasons)
        said = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        counts = (str(len(expansion.accepted)), str(expansion.offered))
        rows.append((task, *counts, expansion.state, said))
    for path in sorted(folder.glob("*.jsonl")):
        if path.stem not in here and path.name != JOURNAL:
            count = len(path.read_text(encoding="utf-8").splitlines())
            rows.append((path.stem, str(count), "", "made before", ""))
    heads = ("task", "instructions", "candidates", "state", "rejected")
    parts = [_CARD, table(heads, rows, numbers=(1, 2))]
    if total:
        parts.append("Rejected in all: " + ", ".join(f"{r} {n}" for r, n in sorted(total.items())))
    write_atomically(folder / "README.md", "\n\n".join(parts) + "\n")
