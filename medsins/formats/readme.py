"""The README.md of an export: what it is, how to load it, and what its sources allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medsins.errors import MedsinsError
from medsins.formats.planning import ExportPlan
from medsins.io.version import __version__
from medsins.registry import recipe as find_recipe

_CLOSED = """\
**This folder may not be passed on.** It holds samples of sources whose terms forbid that
({sources}), exported under the declaration that it stays where the agreements with their owners
hold. Do not upload it, send it to a service, or give it to anyone whom they do not cover. What is
trained on it may fall under the same terms."""


def readme(planned: ExportPlan, files: Sequence[str]) -> str:
    """Return the README.md of an export; `datasets.load_dataset` reads its front matter.

    Args:
        planned: The export.
        files: Its data files, relative to the folder.
    """
    options = planned.options
    lines: list[str] = []
    if not planned.format.whole_tasks:
        lines += ["---", "configs:", "- config_name: default", "  data_files:"]
        lines += [f"  - split: {options.split}", f"    path: data/{options.split}-*", "---", ""]
    shown = [one for one in planned.tasks if one.samples]
    said = (
        f"{planned.samples:,} samples of {len(shown)} tasks, exported by medsins {__version__} "
        f"from the {options.split} split of a build, in the format `{planned.format.name}`: read "
        f"by {planned.format.reads}. `instructions.jsonl` has the text behind each "
        "`instruction_id`, `export.json` the options, counts and checksums."
    )
    lines += ["# Training samples", "", said, ""]
    if planned.closed:
        names = ", ".join(dict.fromkeys(one.source for one in planned.closed))
        lines += [_CLOSED.format(sources=names), ""]
    lines += ["Data files, in the order in which their rows were shuffled:", ""]
    lines += [f"- `{file}`" for file in files]
    lines += ["", "| task | samples |", "| --- | ---: |"]
    lines += [f"| {one.task} | {one.samples:,} |" for one in shown]
    lines += [
        "",
        "| source | license | may be passed on | may be sent to model services | citation |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [_source(name, facts) for name, facts in facts_of(planned).items()]
    return "\n".join([*lines, ""])


def facts_of(planned: ExportPlan) -> dict[str, dict[str, str]]:
    """Return the facts of every source that an export has samples of, as in the manifest."""
    names = dict.fromkeys(one.source for one in planned.tasks if one.samples)
    recipes = planned.build.manifest.recipes
    return {
        name: {
            fact: getattr(recipes[name], fact) for fact in ("access", "redistribution", "llm_api")
        }
        for name in names
    }


def _source(name: str, facts: Mapping[str, str]) -> str:
    try:
        recipe = find_recipe(name)
        title, license, citation = recipe.title, recipe.license, recipe.citation
    except MedsinsError:
        title, license, citation = name, "", ""
    cells = (title, license, facts["redistribution"], facts["llm_api"], citation)
    return f"| {' | '.join(cells)} |"
