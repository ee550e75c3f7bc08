"""The plain script: what one writes for a single source, with the standard library alone.

Records are read one by one, instances kept in lists by task, and dumped as JSON at the end, one
file a task. Nothing is validated, hashed, counted or deduplicated.

With `--recipe-mapping`, records are mapped by the recipe's own code instead of the functions
below, so that what is left to compare is everything around the mapping.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Instance = tuple[str, str, str]
"""Task, input and output."""

csv.field_size_limit(1 << 30)

# --- radiology reports: the summary tasks of mimic_iv_note

MODALITIES = {
    "ct": "ct|cta|ctpa|ctu|ctv|c.t.|cat scan|computed tomography",
    "mri": "mr|mri|mra|mrv|mrcp|magnetic resonance",
    "ultrasound": "us|u.s.|ultrasound|ultrasonography|sonogram|sonography|doppler|dopp|duplex",
    "angiography": "angiography|angiogram|angiograms|arteriogram|cta|ctpa|mra",
    "mammogram": "mammogram|mammograms|mammography|mammo|tomosynthesis",
    "pathology": "pathology",
    "fluoroscopy": "fluoroscopy|fluoroscopic|fluoro|esophagram|barium swallow",
}
REGIONS = {
    "chest": "chest|thorax|lung|lungs|pulmonary|mediastinum|cxr|ctpa|torso",
    "head_and_neck": "head|neck|face|facial|maxillofacial|mandible|sinus|sinuses|orbit|orbits|"
    "temporal bone|temporal bones|thyroid|carotid|carotids",
    "brain": "brain|cerebral|intracranial|pituitary|sella",
    "abdomen": "abdomen|abdominal|abd|liver|hepatic|gallbladder|biliary|mrcp|pancreas|pancreatic|"
    "spleen|kidney|kidneys|renal|adrenal|adrenals|kub|torso",
    "pelvis": "pelvis|pelvic|pel|bladder|prostate|uterus|torso",
    "spine": "spine|spinal|lumbar|lumbosacral|sacrum",
}
HEADING = re.compile(
    r"^[ \t]*(?=[A-Z])(EXAM|EXAMINATION|INDICATION|HISTORY|TECHNIQUE|COMPARISON|FINDINGS|"
    r"IMPRESSION|RECOMMENDATIONS?|RECOMMENDATION\(S\)|NOTIFICATION|ADDENDUM)[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
EMPTY = "_ .\t\n"


def whole_words(words: str) -> re.Pattern[str]:
    """Return a pattern for any of the words, with no letter or digit beside it."""
    return re.compile(rf"(?<![^\W_])(?:{words.replace('.', '[.]')})(?![^\W_])")


MODALITY_WORDS = {name: whole_words(words) for name, words in MODALITIES.items()}
REGION_WORDS = {name: whole_words(words) for name, words in REGIONS.items()}


def sections(report: str) -> dict[str, str]:
    """Return the text of each section by heading."""
    found: dict[str, str] = {}
    headings = list(HEADING.finditer(report))
    for i, heading in enumerate(headings):
        end = headings[i + 1].start() if i + 1 < len(headings) else len(report)
        name = heading[1].upper().replace("EXAMINATION", "EXAM")
        found.setdefault(name, report[heading.end() : end].strip())
    return found


def radiology(record: dict[str, str]) -> Iterator[Instance]:
    """Yield the summaries of a radiology report."""
    report = sections(record["text"])
    if "EXAM" not in report:
        return
    examination = " ".join(report["EXAM"].split("\n\n")[0].lower().split())
    tasks = []
    for modality, words in MODALITY_WORDS.items():
        if words.search(examination):
            if modality in ("ct", "mri"):
                for region, region_words in REGION_WORDS.items():
                    if region_words.search(examination):
                        tasks.append(f"{modality}_{region}")
            else:
                tasks.append(modality)
    findings, impression = report.get("FINDINGS", ""), report.get("IMPRESSION", "")
    if findings.strip(EMPTY) and impression.strip(EMPTY):
        for task in tasks:
            yield f"mimic_iv_note_summary_{task}", findings, impression


# --- emergency department visits

ADULT = 18
STAY = ("ed_los", "n_med", "n_medrecon")


def emergency(record: dict[str, str]) -> Iterator[Instance]:
    """Yield the three predictions of a visit."""
    if not record["triage_acuity"] or float(record["age"]) < ADULT:
        return
    at_triage, at_discharge, last = [], [], []
    for name, value in record.items():
        if not value or name.startswith("outcome") or name.endswith("_id"):
            continue
        line = f"{name}: {value}"
        if name.endswith("_last") or name in STAY:
            last.append(line)
            continue
        at_triage.append(line)
        if not name.startswith("triage") or name in ("triage_pain", "triage_acuity"):
            at_discharge.append(line)
    before, after = "\n".join(at_triage), "\n".join(at_discharge + last)
    yield (
        "mimic4ed_benchmark_hospitalization",
        before,
        record["outcome_hospitalization"],
    )
    yield "mimic4ed_benchmark_critical", before, record["outcome_critical"]
    yield "mimic4ed_benchmark_ed_revisit_72h", after, record["outcome_ed_revisit_3d"]


def hospitalization(record: dict[str, str]) -> Iterator[Instance]:
    """Yield the first of the three alone."""
    if not record["triage_acuity"] or float(record["age"]) < ADULT:
        return
    lines = [
        f"{name}: {value}"
        for name, value in record.items()
        if value and not name.startswith("outcome") and not name.endswith(("_id", "_last"))
        if name not in STAY
    ]
    answer = record["outcome_hospitalization"]
    yield "mimic4ed_benchmark_hospitalization", "\n".join(lines), answer


# --- examination questions in JSON Lines


def questions(record: dict[str, Any]) -> Iterator[Instance]:
    """Yield a question with its answer, and with its explanation if there is one."""
    options = [record[name] for name in ("opa", "opb", "opc", "opd")]
    if not all(options):
        return
    listed = "\n".join(
        f"{letter}. {option}" for letter, option in zip("ABCD", options, strict=True)
    )
    question = f"Question: {record['question']}\nOptions:\n{listed}"
    right = record["cop"] - 1
    answer = f"The right answer is {'ABCD'[right]}: {options[right]}"
    yield "medmcqa_mcq", question, answer
    if record["exp"]:
        yield "medmcqa_answer_with_rationale", question, f"{record['exp']}\n{answer}"


# --- question and answer pages in XML

FLATTENED = re.compile(r"(?<=\S)(?: {3,}(?=\S)| {2,}(?=- ))")


def documents(record: ElementTree.Element) -> Iterator[Instance]:
    """Yield the questions of a page."""
    for pair in record.iter("QAPair"):
        question, answer = pair.findtext("Question", ""), pair.findtext("Answer", "")
        if answer.strip():
            lines = [" ".join(line.split()) for line in FLATTENED.sub("\n", answer).split("\n")]
            tidy = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
            yield "medquad_question_answering", f"{question.strip(' ?')}?", tidy


# --- annotated sentences in IOB

Sentence = list[tuple[str, str]]
"""Tokens with their tags."""


def sentences(record: Sentence) -> Iterator[Instance]:
    """Yield a sentence with the chemicals that are marked in it."""
    entities: list[list[str]] = []
    inside = False
    for token, tag in record:
        if tag[0] == "B" or (tag[0] == "I" and not inside):
            entities.append([token])
        elif tag[0] == "I":
            entities[-1].append(token)
        inside = tag[0] != "O"
    listed = ", ".join(" ".join(tokens) for tokens in entities)
    sentence = re.sub(r" (?=[.,;:?!])", "", " ".join(token for token, _ in record))
    yield "bc5cdr_chem_ner", sentence, f"{listed}." if listed else "There is no related enetity."


# --- reading and writing


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the values of a JSON Lines file."""
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def read_documents(folder: Path) -> Iterator[ElementTree.Element]:
    """Yield the roots of the XML files in a folder."""
    for path in sorted(folder.glob("*.xml")):
        yield ElementTree.parse(path).getroot()


def read_sentences(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of an IOB file."""
    sentence: Sentence = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                token, tag = line.rstrip("\n").split("\t")
                sentence.append((token, tag))
            elif sentence:
                yield sentence
                sentence = []


JOBS: dict[str, tuple[Callable[[Any], Iterator[Any]], Callable[[Any], Iterator[Instance]], str]] = {
    "radiology": (read_table, radiology, "mimic_iv_note/note/radiology.csv"),
    "emergency": (read_table, emergency, "mimic4ed_benchmark/master_dataset.csv"),
    "hospitalization": (read_table, hospitalization, "mimic4ed_benchmark/master_dataset.csv"),
    "questions": (read_lines, questions, "medmcqa/train.json"),
    "documents": (read_documents, documents, "medquad/2_GARD_QA"),
    "sentences": (read_sentences, sentences, "bc5cdr_chem/BC5CDR-chem-IOB/train.tsv"),
}


def recipe_mapping(family: str, file_set: str = "") -> Callable[[Any], Iterator[Instance]]:
    """Return the mapping of a recipe's own code to one family of its tasks."""
    from medsins.recipe import method_for
    from medsins.registry import resolve

    tasks = resolve(family).tasks
    recipe = tasks[0].recipe
    assert recipe is not None
    instance = recipe()
    instance.prepare(file_set, tasks)
    method = method_for(instance, file_set)

    def mapped(record: Any) -> Iterator[Instance]:
        for example in method(record):
            if isinstance(example, tuple):
                yield example[0].name, example[1], example[2]

    return mapped


def run(records: Iterable[Any], mapping: Callable[[Any], Iterator[Instance]], target: Path) -> None:
    """Map all records and dump the instances of each task as JSON."""
    tasks: dict[str, list[dict[str, str]]] = {}
    for record in records:
        for task, asked, answer in mapping(record):
            tasks.setdefault(task, []).append({"input": asked, "output": answer})
    target.mkdir(parents=True)
    for task, instances in tasks.items():
        with (target / f"{task}.json").open("w", encoding="utf-8") as stream:
            json.dump(instances, stream, ensure_ascii=False)


def main() -> None:
    """Map one kind of raw files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=JOBS)
    parser.add_argument("raw", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--recipe-mapping", action="store_true", help="radiology only")
    given = parser.parse_args()
    read, mapping, place = JOBS[given.kind]
    if given.recipe_mapping:
        mapping = recipe_mapping("mimic_iv_note_summary", "radiology")
    run(read(given.raw / place), mapping, given.target)


if __name__ == "__main__":
    main()
