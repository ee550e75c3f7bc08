"""Paper mode: the published MedS-Bench scores, bit for bit, by our own code and the same libraries.

crash.py     where the published code stops with a Python error
cells.py     what pandas makes of a prediction file
punkt.py     sentences
tokens.py    words
text.py      BLEU and ROUGE of one answer
labels.py    the accuracies of one answer
entities.py  named entities of one answer
corpus.py    the scores of a file
scoring.py   every published metric by its name
scripts.py   which script scores which task, and the tables they print

The published code is MAGIC-AI4Med/MedS-Ins at 185cfc0 (May 2025), with NLTK 3.9.2, rouge 1.0.1,
jieba 0.42.1, janome 0.5.0 and pandas 2.2.3. Its faults are reproduced here and mended elsewhere.
"""

from __future__ import annotations

from medsins.bench.scoring.published.crash import PublishedCrash
from medsins.bench.scoring.published.scoring import (
    CORPUS_METRICS,
    METRICS,
    paper_corpus_score,
    paper_score,
)
from medsins.bench.scoring.published.scripts import (
    SCRIPTS,
    PaperTable,
    PublishedMetric,
    Script,
    ScriptResult,
    paper_table,
    published_metric,
)

__all__ = [
    "CORPUS_METRICS",
    "METRICS",
    "SCRIPTS",
    "PaperTable",
    "PublishedCrash",
    "PublishedMetric",
    "Script",
    "ScriptResult",
    "paper_corpus_score",
    "paper_score",
    "paper_table",
    "published_metric",
]
