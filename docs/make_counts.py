"""Write docs/counts.md: what real corpora give, from a build of the raw files at hand.

python docs/make_counts.py RAW_ROOT
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import medsins
from medsins.builds.manifest import RecipeFacts

TARGET = Path(__file__).with_name("counts.md")

HEAD = """\
# What real corpora give

Counts of a build of real raw files, as their owners publish them. Where files of a corpus were not
at hand they are named; the counts are those of the files that were. `docs/make_counts.py` builds
them and writes this page.

For every source: records read = records with instances + skipped + rejected, and instances =
written + duplicates. A skip that a record yields beside instances is counted as partly skipped.
"""


def page(raw: Path) -> str:
    """Return the page for the sources that have files under a raw root."""
    with tempfile.TemporaryDirectory() as folder:
        result = medsins.build("access:open", raw=raw, out=folder, progress=False)
    sections = [
        _section(name, facts, result.absent.get(name, ()))
        for name, facts in result.manifest.recipes.items()
    ]
    return "\n".join([HEAD, *sections])


def _section(name: str, facts: RecipeFacts, absent: tuple[str, ...]) -> str:
    recipe = {source.name: source for source in medsins.sources()}[name]
    size = sum(file.bytes for file in facts.files)
    used = facts.records_with_instances
    lines = [
        f"## {recipe.title}",
        "",
        (
            f"`{name}`: {len(facts.files):,} files, {size:,} bytes. {facts.records:,} "
            f"records: {used:,} with instances{_reasons('skipped', facts.skipped)}"
            f"{_reasons('rejected', facts.rejected)}. {facts.instances:,} instances: "
            f"{facts.written:,} written, {facts.duplicates:,} duplicates dropped."
        ),
    ]
    if facts.partly_skipped:
        lines.append(f"Partly skipped: {_listed(facts.partly_skipped)}.")
    if absent:
        lines.append(f"Not at hand: {', '.join(f'`{pattern}`' for pattern in absent)}.")
    lines += [
        "",
        "| task | train | validation | test | in MedS-Ins |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for task, splits in facts.tasks.items():
        counts = " | ".join(f"{splits.get(s, 0):,}" for s in ("train", "validation", "test"))
        published = recipe.tasks[task].published_count
        lines.append(f"| {task} | {counts} | {f'{published:,}' if published else ''} |")
    return "\n".join([*lines, ""])


def _reasons(what: str, counts: dict[str, int]) -> str:
    return f", {sum(counts.values()):,} {what} ({_listed(counts)})" if counts else ""


def _listed(counts: dict[str, int]) -> str:
    return "; ".join(f"{reason}: {count:,}" for reason, count in counts.items())


if __name__ == "__main__":
    TARGET.write_text(page(Path(sys.argv[1])), encoding="utf-8")
