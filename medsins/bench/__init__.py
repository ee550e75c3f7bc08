"""MedS-Bench: its tasks, a model's answers to them, and their scores.

suite/         which tasks, what is published of them, and the benchmark folder
asking/        what a model is asked, and `run`: asking it all
scoring/       predictions to a results file; published/ and corrected/ have the metrics
report/        results files to a page, Markdown and pictures
harnesses/     the benchmark for other harnesses
submission.py  leaderboard submissions

Public names are resolved on first use, because the metrics need packages that few others do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsins.io.lazy import lazy_exports

if TYPE_CHECKING:
    from medsins.bench.asking.runs import RunResult, run
    from medsins.bench.asking.transformers_model import local_model
    from medsins.bench.harnesses import export_benchmark
    from medsins.bench.report.writing import Report, report
    from medsins.bench.scoring.grading import score
    from medsins.bench.scoring.predictions import join, read_predictions
    from medsins.bench.scoring.published import (
        PaperTable,
        PublishedCrash,
        paper_corpus_score,
        paper_score,
        paper_table,
        published_metric,
    )
    from medsins.bench.scoring.results import Results, read_results, write_results
    from medsins.bench.scoring.task_scores import Score, averages, compare, score_task
    from medsins.bench.submission import check_submission
    from medsins.bench.suite.benchmark import Benchmark, collect
    from medsins.bench.suite.tasks import bench_tasks

_HOMES = {
    "Benchmark": "suite.benchmark",
    "PaperTable": "scoring.published",
    "PublishedCrash": "scoring.published",
    "Report": "report.writing",
    "Results": "scoring.results",
    "RunResult": "asking.runs",
    "Score": "scoring.task_scores",
    "averages": "scoring.task_scores",
    "bench_tasks": "suite.tasks",
    "check_submission": "submission",
    "collect": "suite.benchmark",
    "compare": "scoring.task_scores",
    "export_benchmark": "harnesses",
    "join": "scoring.predictions",
    "local_model": "asking.transformers_model",
    "paper_corpus_score": "scoring.published",
    "paper_score": "scoring.published",
    "paper_table": "scoring.published",
    "published_metric": "scoring.published",
    "read_predictions": "scoring.predictions",
    "read_results": "scoring.results",
    "report": "report.writing",
    "run": "asking.runs",
    "score": "scoring.grading",
    "score_task": "scoring.task_scores",
    "write_results": "scoring.results",
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


__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
