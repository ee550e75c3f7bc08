"""An export for Inspect: the benchmark folder, and a file with a task for each of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medsins.bench.harnesses.records import ExportedTask, Options
from medsins.io.files import write_atomically
from medsins.io.version import __version__

HOW = """\
Ask a model, on any machine that has both packages (`pip install 'medsins[inspect]'`):

```sh
inspect eval medsbench.py@task57 --model PROVIDER/MODEL
inspect eval medsbench.py --model PROVIDER/MODEL     # all of them
inspect eval medsins/medsbench -T benchmark=. -T task_id=task57 --model PROVIDER/MODEL
```

The third command works in any folder and with any benchmark folder, exported or not.

- Prompts are those of `medsins bench run`, examples included (`-T num_fewshot=…`, `-T seed=…`).
- All metrics are those of `medsins bench score`, corrected, from 0 to 1, over all answers to a task
  that were scored; `score` is the one that stands for the task. Run one epoch.
- Texts of sources whose terms do not allow models that others run are sent to a model on this
  machine alone: a provider that runs in the process, or an address such as
  `--model-base-url http://localhost:8000/v1`. `-T covered_by="name of the agreement"` declares that
  an agreement covers the endpoint.
- The logs of Inspect hold the questions: what may not be passed on may not be passed on there."""


def write(folder: Path, tasks: Sequence[ExportedTask], options: Options) -> dict[str, str]:
    """Write the file of tasks.

    Args:
        folder: The export; it holds the benchmark already.
        tasks: What is exported.
        options: How to ask.

    Returns:
        Why tasks were left out, by name; Inspect can do all.
    """
    write_atomically(folder / "medsbench.py", _module(tasks, options))
    return {}


def _module(tasks: Sequence[ExportedTask], options: Options) -> str:
    functions = "".join(_function(one, options) for one in tasks)
    return f'''\
"""MedS-Bench for Inspect, written by medsins {__version__}, which makes prompts and scores."""

from pathlib import Path

from inspect_ai import Task, task

from medsins.bench.harnesses.inspect import bench_task

_FOLDER = str(Path(__file__).resolve().parent)
{functions}'''


def _function(one: ExportedTask, options: Options) -> str:
    number = one.profile.benchmark_id
    return f'''

@task
def {number}(
    num_fewshot: int | None = {options.num_fewshot},
    seed: int = {options.seed},
    covered_by: str = "",
) -> Task:
    """{one.name} ({one.profile.category})."""
    return bench_task(
        _FOLDER, "{number}", num_fewshot=num_fewshot, seed=seed, covered_by=covered_by
    )
'''
