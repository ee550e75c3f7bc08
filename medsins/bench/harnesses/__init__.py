"""MedS-Bench in other harnesses: lm-evaluation-harness, Inspect and HELM.

exporting    what the user calls: policy, the folder, its README
records      what every export holds: a benchmark folder of the tasks that are allowed
lm_eval      task files for lm-evaluation-harness
inspect      the tasks that Inspect finds under `medsins/…`
inspect_files the files that Inspect reads
helm         configurations for MedHELM, which needs no code for them
helm_plugin  the tasks that HELM runs with our scores
scoring      what the harnesses call: our scores of their answers

`inspect` and `helm_plugin` import the packages they are named after, and nothing here imports them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsins.io.lazy import lazy_exports

if TYPE_CHECKING:
    from medsins.bench.harnesses.exporting import export_benchmark

__all__ = ["export_benchmark"]


__getattr__, __dir__ = lazy_exports(__name__, {"export_benchmark": "exporting"})
