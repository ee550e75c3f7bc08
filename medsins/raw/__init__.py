"""Readers of raw files, one function a format; each gives the `files` of a recipe.

raw.csv  raw.tsv  raw.xlsx            tables: dicts from column to cell
raw.json  raw.jsonl  raw.lines        values, as parsed
raw.superni                           Super-NaturalInstructions task files
raw.xml  raw.obo                      root elements; `Term`s
raw.conll  raw.pubtator  raw.brat     `Sentence`s; `Document`s with `Mention`s
"""

from medsins.errors import RecordError
from medsins.raw.annotations import Document, Mention, Relation, Sentence, brat, conll, pubtator
from medsins.raw.documents import Term, obo, xml
from medsins.raw.files import Download, FileSet, RawFile
from medsins.raw.records import json, jsonl, lines, superni
from medsins.raw.tables import csv, tsv
from medsins.raw.workbooks import xlsx

__all__ = [
    "Document",
    "Download",
    "FileSet",
    "Mention",
    "RawFile",
    "RecordError",
    "Relation",
    "Sentence",
    "Term",
    "brat",
    "conll",
    "csv",
    "json",
    "jsonl",
    "lines",
    "obo",
    "pubtator",
    "superni",
    "tsv",
    "xlsx",
    "xml",
]
