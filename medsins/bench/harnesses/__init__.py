"""MedS-Bench in other harnesses: lm-evaluation-harness, Inspect and HELM.

exporting    what the user calls: the gate, the folder, its README
records      what every export holds: a benchmark folder of the tasks that may go
lm_eval      task files for lm-evaluation-harness
inspect      the tasks that Inspect finds under `medsins/…`
helm         configurations for MedHELM, which needs no code for them
helm_plugin  the tasks that HELM runs with our scores
scoring      what the harnesses call: our scores of their answers

`inspect` and `helm_plugin` import the packages they are named after, and nothing here imports them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsins.bench.harnesses.exporting import export_benchmark

__all__ = ["export_benchmark"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.exporting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
