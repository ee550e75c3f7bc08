"""Task files for lm-evaluation-harness (0.4.13 or later): `lm-eval run --include_path FOLDER`.

tasks/<task>.yaml    a task: where its rows are, how it is asked, which metrics it has
tasks/group_*.yaml   a group for each category, with the mean over its tasks, and one for all
tasks/utils.py       reads the rows and scores the answers, both by calling medsins

https://github.com/EleutherAI/lm-evaluation-harness, docs/task_guide.md and docs/new_task_guide.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

import yaml

from medsins.bench.harnesses.records import (
    MAX_ANSWER_TOKENS,
    METRICS,
    PRIMARY,
    ExportedTask,
    Options,
)
from medsins.bench.suite.families import Family
from medsins.io.files import write_atomically
from medsins.io.version import __version__

PREFIX = "medsbench"
"""What names of tasks and groups begin with: the harness has thousands of others."""

VERSION = 1.0
"""Version of the tasks, which the harness prints; it goes up when prompts or scores change."""

_OPENS = re.compile(r"\{(?=[{%#])")
_QUESTION = "Input:\n{{input}}\nOutput:\n"
_STOP = "\n\nInput:\n"

HOW = """\
Ask a model, on any machine that has both packages (`pip install 'medsins[lm-eval]'`):

```sh
lm-eval validate --tasks medsbench --include_path .
lm-eval run --model hf --model_args pretrained=MODEL --tasks medsbench --include_path . \\
    --apply_chat_template --log_samples --output_path runs
```

`medsbench` is all of it, `medsbench_mcqa` a category, `medsbench_<task>` a task; its published
number (`medsbench_task57`) and its language (`medsbench_lang_zh`) are tags.

- All metrics are those of `medsins bench score`, corrected, from 0 to 1: `tasks/utils.py` calls
  them. `score` is the metric that stands for a task, and what a category's mean is over. Where the
  harness needs a standard error it has none for them; `medsins bench score` gives intervals.
- There is no mean over everything here, since the harness would take it over tasks: the average of
  MedS-Bench is the plain mean of its categories.
- Examples are drawn by the harness from the training split (`--seed`). So a prompt with examples is
  not word for word that of `medsins bench run`; without examples it is.
- A prompt that is too long is cut by the harness, at its beginning.
- Rows are read into memory and not through the cache of `datasets`, which would keep a copy."""


class _Function(str):
    """A reference to a function of `utils.py`."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes references to functions as the harness reads them."""


def _function(dumper: yaml.SafeDumper, name: _Function) -> yaml.Node:
    return dumper.represent_scalar("!function", str(name))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # In single quotes a line break is written as two, which nobody reads right.
    style = '"' if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(_Function, _function)
_Dumper.add_representer(str, _text)


def write(folder: Path, tasks: Sequence[ExportedTask], options: Options) -> dict[str, str]:
    """Write the task files.

    Args:
        folder: The export; it holds the benchmark already.
        tasks: What is exported.
        options: How to ask.

    Returns:
        Why tasks were left out, by name; the harness can do all.
    """
    (folder / "tasks").mkdir()
    for one in tasks:
        _write(folder / "tasks" / f"{one.name}.yaml", _task(one, options))
    categories = list(dict.fromkeys(one.profile.category for one in tasks))
    for category in categories:
        members = [one.name for one in tasks if one.profile.category == category]
        path = folder / "tasks" / f"group_{_slug(category)}.yaml"
        _write(path, _category(category, members))
    everything = {
        "group": PREFIX,
        "group_alias": "MedS-Bench",
        "task": [f"{PREFIX}_{_slug(category)}" for category in categories],
        "metadata": {"version": VERSION},
    }
    _write(folder / "tasks" / "group_all.yaml", everything)
    write_atomically(folder / "tasks" / "utils.py", _utils())
    return {}


def _write(path: Path, content: dict[str, Any]) -> None:
    text = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**16)
    write_atomically(path, text)


def _slug(category: str) -> str:
    return category.lower().replace(" ", "_")


def _task(one: ExportedTask, options: Options) -> dict[str, Any]:
    num_fewshot = one.num_fewshot(options)
    files = {"test": f"items/{one.name}.jsonl"}
    if one.candidates:
        files["fewshot"] = f"fewshot/{one.name}.jsonl"
    return {
        "task": f"{PREFIX}_{one.name}",
        "task_alias": one.name,
        "tag": [
            f"{PREFIX}_{one.profile.benchmark_id}",
            f"{PREFIX}_lang_{one.profile.language}",
        ],
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "custom_dataset": _Function("utils.documents"),
        "test_split": "test",
        **({"fewshot_split": "fewshot"} if one.candidates else {}),
        "description": escaped(one.definition) + "\n\n",
        "doc_to_text": _QUESTION if num_fewshot else "input",
        "doc_to_target": "references",
        "target_delimiter": "" if num_fewshot else "\n",
        "fewshot_delimiter": "\n\n",
        "num_fewshot": num_fewshot,
        "fewshot_config": {"sampler": "default"},
        "output_type": "generate_until",
        "generation_kwargs": {
            "until": [_STOP],
            "max_gen_toks": MAX_ANSWER_TOKENS,
            "do_sample": False,
            "temperature": 0.0,
        },
        "process_results": _Function(f"utils.{one.profile.family.value}"),
        "metric_list": [
            {
                "metric": name,
                "aggregation": _Function(f"utils.{name}"),
                "higher_is_better": True,
            }
            for name in (PRIMARY, *one.metrics)
        ],
        "metadata": {
            "version": VERSION,
            "items_sha256": one.facts.items,
            "seed": options.seed,
        },
    }


def escaped(text: str) -> str:
    """Return a Jinja template that renders as a text, whatever braces are in it."""
    return _OPENS.sub("{{ '{' }}", text)


def _category(category: str, members: Sequence[str]) -> dict[str, Any]:
    return {
        "group": f"{PREFIX}_{_slug(category)}",
        "group_alias": category,
        "task": [f"{PREFIX}_{name}" for name in members],
        "aggregate_metric_list": [
            {"metric": PRIMARY, "aggregation": "mean", "weight_by_size": False}
        ],
        "metadata": {"version": VERSION},
    }


def _utils() -> str:
    """Return the module that task files refer to; it imports next to nothing."""
    families = "".join(
        f"{family.value} = _answered({', '.join(map(dumps, METRICS[family]))})\n"
        for family in Family
    )
    names = dict.fromkeys(name for family in Family for name in METRICS[family])
    metrics = "".join(f'{name} = _metric("{name}")\n' for name in (PRIMARY, *names))
    return f'''\
"""MedS-Bench for lm-evaluation-harness, written by medsins {__version__}, which scores."""

from pathlib import Path

from medsins.bench.harnesses import scoring

_FOLDER = Path(__file__).resolve().parent.parent


def documents(**options):
    """Return the splits of a task."""
    return scoring.documents(_FOLDER, **options)


def _answered(*metrics):
    def process_results(doc, results):
        return scoring.answered(doc, results[0], metrics)

    return process_results


def _metric(name):
    def aggregation(kept):
        return scoring.value(_FOLDER, name, kept)

    return aggregation


{families}
{metrics}'''
