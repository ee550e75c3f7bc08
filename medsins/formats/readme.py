"""The README.md of an export: what it is, how to load it, and what its sources allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medsins.errors import MedsinsError
from medsins.formats.planning import ExportPlan
from medsins.io.version import __version__
from medsins.markup.markdown import bullets, table
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
    lines += [bullets(f"`{file}`" for file in files), ""]
    samples = ((one.task, f"{one.samples:,}") for one in shown)
    lines += [table(("task", "samples"), samples, numbers=[1]), ""]
    sources = facts_of(planned).items()
    allowed = {name: (facts["redistribution"], facts["llm_api"]) for name, facts in sources}
    lines += [sources_table(allowed), ""]
    return "\n".join(lines)


def sources_table(sources: Mapping[str, tuple[str, str]]) -> str:
    """Return the table of what sources allow; what people may get is not what a service may.

    Args:
        sources: By name, whether they may be passed on, and sent to model services.
    """
    allowed = ("may be passed on", "may be sent to model services")
    rows = []
    for name, said in sources.items():
        title, license, citation = _described(name)
        rows.append((title, license, *said, citation))
    return table(("source", "license", *allowed, "citation"), rows)


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


def _described(name: str) -> tuple[str, str, str]:
    try:
        recipe = find_recipe(name)
    except MedsinsError:
        return name, "", ""
    return recipe.title, recipe.license, recipe.citation
