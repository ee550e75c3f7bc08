"""MedS-Bench: its tasks, a model's answers to them, and their scores.

suite.py          which tasks, and what is published of them
collecting.py     the benchmark folder: items, and candidates for shots
prompting.py      what a model is asked
answering.py      `run`: asking it all
predictions.py    files of predictions, beside the questions
paper/            the published scores, bit for bit, with the faults of the published code
corrected/        the scores as they should be
families.py       which of those a task gets
scoring.py        scores of a task, averages, one model against another
grading.py        `score`: predictions to a results file
results.py        results files
standings.py, page.py, drilling.py, markup.py, markdown.py, plots.py, reporting.py   the report
harnesses/        the benchmark for other harnesses
submission.py     leaderboard submissions
transformers_model.py   a model on this machine

Public names are resolved on first use, because the metrics need packages that few others do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsins.bench.answering import RunResult, run
    from medsins.bench.collecting import Benchmark, collect
    from medsins.bench.grading import score
    from medsins.bench.harnesses import export_benchmark
    from medsins.bench.paper import (
        PaperTable,
        PublishedCrash,
        paper_corpus_score,
        paper_score,
        paper_table,
        published_metric,
    )
    from medsins.bench.predictions import join, read_predictions
    from medsins.bench.reporting import Report, report
    from medsins.bench.results import Results, read_results, write_results
    from medsins.bench.scoring import Score, averages, compare, score_task
    from medsins.bench.submission import check_submission
    from medsins.bench.suite import bench_tasks
    from medsins.bench.transformers_model import local_model

_HOMES = {
    "Benchmark": "collecting",
    "PaperTable": "paper",
    "PublishedCrash": "paper",
    "Report": "reporting",
    "Results": "results",
    "RunResult": "answering",
    "Score": "scoring",
    "averages": "scoring",
    "bench_tasks": "suite",
    "check_submission": "submission",
    "collect": "collecting",
    "compare": "scoring",
    "export_benchmark": "harnesses",
    "join": "predictions",
    "local_model": "transformers_model",
    "paper_corpus_score": "paper",
    "paper_score": "paper",
    "paper_table": "paper",
    "published_metric": "paper",
    "read_predictions": "predictions",
    "read_results": "results",
    "report": "reporting",
    "run": "answering",
    "score": "grading",
    "score_task": "scoring",
    "write_results": "results",
}

__all__ = [
    "Benchmark",
    "PaperTable",
    "PublishedCrash",
    "Report",
    "Results",
    "RunResult",
    "Score",
    "averages",
    "bench_tasks",
    "check_submission",
    "collect",
    "compare",
    "export_benchmark",
    "join",
    "local_model",
    "paper_corpus_score",
    "paper_score",
    "paper_table",
    "published_metric",
    "read_predictions",
    "read_results",
    "report",
    "run",
    "score",
    "score_task",
    "write_results",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
