"""From a build to what trainers read: samples, mixtures, and the files of each format.

rows.py       reading a build, and hashes of its ids
samples.py    wordings, few-shot cases, how they are laid out
mixtures.py   how many samples of which tasks
planning.py   `plan`: what an export would hold, and which tasks are allowed
task_samples.py the samples of one task
trainers.py   one row, and the files beside the rows, for each format
shuffling.py  one order for all rows, on disk
writers.py    JSON Lines, Parquet, tar, task files
task_files.py what a published task file says before its instances
readme.py     the README.md of an export
placement.py  whole under its name, or not at all
exporting.py  `export`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsins.io.lazy import lazy_exports

if TYPE_CHECKING:
    from medsins.formats.exporting import ExportResult, export
    from medsins.formats.planning import ExportPlan, Options, plan
    from medsins.formats.trainers import FORMATS

__all__ = ["FORMATS", "ExportPlan", "ExportResult", "Options", "export", "plan"]

_HOMES = {
    "FORMATS": "trainers",
    "ExportPlan": "planning",
    "ExportResult": "exporting",
    "Options": "planning",
    "export": "exporting",
    "plan": "planning",
}


__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
