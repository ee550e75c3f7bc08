"""Made-up raw files of any size, from a seed: the same call writes the same bytes.

    python benchmarks/inputs.py radiology 1000000 FOLDER

Texts are random words, laid out as the real sources lay out theirs; nothing is taken from them.
Like real reports, made-up ones are not all alike: some lack a section, spell a heading in their
own way, go on after the impression, or repeat an earlier report word for word.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

WORDS = [
    f"{onset}{vowel}{coda}"
    for onset in ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "st", "pr", "tr"]
    for vowel in ["a", "e", "i", "o", "u", "ia"]
    for coda in ["l", "n", "r", "s", "t", "x", "sis", "ter", "mal", "dium"]
]

EXAMINATIONS = {
    # What stands under EXAMINATION, and how often. About a third are summarised: those that name
    # a region and CT or MRI, and ultrasounds and mammograms.
    "CHEST (PORTABLE AP)": 30,
    "CHEST (PA AND LAT)": 22,
    "KNEE (AP, LAT AND OBLIQUE) LEFT": 6,
    "ABDOMEN (SUPINE AND ERECT)": 5,
    "PORTABLE HAND FRACTURE SERIES": 4,
    "CT HEAD W/O CONTRAST": 9,
    "CT CHEST W/CONTRAST": 7,
    "CT ABD W&W/O C": 4,
    "CT C-SPINE W/O CONTRAST": 3,
    "MR HEAD W/O CONTRAST": 2,
    "MRI L SPINE W/O CONTRAST": 1,
    "RENAL U.S.": 4,
    "LIVER OR GALLBLADDER US": 2,
    "BILAT DIGITAL MAMMOGRAM": 1,
}

AFTER = {
    # What follows the impression, and how often.
    "": 90,
    "\n\nNOTIFICATION:  The findings were discussed with ___ by telephone at the time.": 6,
    "\n\nRECOMMENDATION(S):  As clinically indicated.": 4,
}

REPORT_FACTS = ("subject_id", "hadm_id", "note_type", "note_seq", "charttime", "storetime")

NO_EXAMINATION, NO_FINDINGS, OWN_HEADINGS, MASKED, REPEATED = 0.03, 0.04, 0.01, 0.005, 0.002


def radiology(rows: int, folder: Path, seed: int = 0) -> Path:
    """Write `note/radiology.csv` in the layout of MIMIC-IV-Note, about 1.08 KB a row.

    About 31 % of the rows give an instance of a summary task.
    """
    rng = random.Random(seed)
    path = folder / "mimic_iv_note" / "note" / "radiology.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        write = csv.writer(stream, lineterminator="\n").writerow
        write(("note_id", *REPORT_FACTS, "text"))
        for row, report in enumerate(islice(_reports(rng), rows)):
            patient, number = 10_000_000 + row // 7, row % 7
            write(
                (
                    f"{patient}-RR-{number}",
                    patient,
                    "",
                    "RR",
                    number,
                    "2150-01-01 00:00:00",
                    "2150-01-01 01:00:00",
                    report,
                )
            )
    return path


def _reports(rng: random.Random) -> Iterator[str]:
    names, name_weights = list(EXAMINATIONS), list(EXAMINATIONS.values())
    ends, end_weights = list(AFTER), list(AFTER.values())
    lines = [_text(rng, 72) for _ in range(20_000)]
    report = ""
    while True:
        if report and rng.random() < REPEATED:
            yield report
            continue
        own = rng.random() < OWN_HEADINGS
        sections = []
        if rng.random() >= NO_EXAMINATION:
            sections.append(f"EXAMINATION:  {rng.choices(names, name_weights)[0]}")
        sections.append(f"INDICATION:  ___ year old with {rng.choice(lines)}")
        sections.append("TECHNIQUE:  As usual.\n\nCOMPARISON:  None.")
        if rng.random() >= NO_FINDINGS:
            heading = " Findings:" if own else "FINDINGS:"
            sections.append("\n".join([heading, "", *rng.choices(lines, k=9)]))
        impression = ["___"] if rng.random() < MASKED else rng.choices(lines, k=rng.randint(1, 3))
        heading = "Impression:" if own else "IMPRESSION:"
        sections.append("\n".join([heading, "", *impression]))
        report = "\n\n".join(sections) + rng.choices(ends, end_weights)[0]
        yield report


def emergency(rows: int, folder: Path, seed: int = 0) -> Path:
    """Write `master_dataset.csv` with the columns that the recipe reads, about 240 B a row."""
    from medsins.raw.tables import TableReader
    from medsins.registry import recipe

    rng = random.Random(seed)
    reader = recipe("mimic4ed_benchmark").file_sets()[""].reader
    assert isinstance(reader, TableReader)
    assert reader.layout is not None
    grouped = [name for _, group in reader.layout.groups for name in group]
    alone = [name for name in reader.layout.columns if name not in grouped]
    columns = [
        *(name for name in alone if not name.startswith("outcome")),
        *grouped,
        *(name for name in alone if name.startswith("outcome")),
    ]
    cells = [_cells(name, rng) for name in columns]
    path = folder / "mimic4ed_benchmark" / "master_dataset.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(columns) + "\n")
        for start in range(0, rows, 1000):
            count = min(1000, rows - start)
            drawn: list[list[str]] = [
                [str(10_000_000 + (start + i) // 3) for i in range(count)]
                if name == "subject_id"
                else [str(30_000_000 + start + i) for i in range(count)]
                if name == "stay_id"
                else rng.choices(values, k=count)
                for name, values in zip(columns, cells, strict=True)
            ]
            stream.writelines(f"{','.join(row)}\n" for row in zip(*drawn, strict=True))
    return path


def _cells(name: str, rng: random.Random) -> list[str]:
    """Return what the cells of a column are drawn from."""
    if name.startswith("outcome"):
        return ["True", "False", "False"]
    if name == "gender":
        return ["F", "M"]
    if name == "age":
        return [str(age) for age in range(18, 95)]
    if name.startswith(("chiefcom", "cci", "eci")):
        return ["1", *["0"] * 9]
    if name.startswith("n_"):
        return ["0", "0", "0", "1", "2", "5"]
    if name == "triage_acuity":
        return ["1.0", "2.0", "3.0", "3.0", "4.0", "5.0"]
    if name == "ed_los":
        return [f"0 days {rng.randrange(24):02d}:{rng.randrange(60):02d}:00" for _ in range(500)]
    measured = [f"{rng.uniform(30, 180):.1f}" for _ in range(500)]
    return ["" if rng.random() < 0.05 else value for value in measured]


def questions(rows: int, folder: Path, seed: int = 0) -> Path:
    """Write MedMCQA's `train.json` (JSON Lines); half of the questions have an explanation."""
    rng = random.Random(seed)
    sentences = [_text(rng, 80) for _ in range(2000)]
    path = folder / "medmcqa" / "train.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for row in range(rows):
            record = {
                "id": f"{row:08x}-made-up",
                "question": f"{rng.choice(sentences)} {row}?",
                "opa": rng.choice(WORDS),
                "opb": f"{rng.choice(WORDS)} {rng.choice(WORDS)}",
                "opc": f"not {rng.choice(WORDS)}",
                "opd": f"both {rng.choice(WORDS)}",
                "cop": rng.randint(1, 4),
                "choice_type": "single",
                "exp": " ".join(rng.choices(sentences, k=6)) if rng.random() < 0.5 else None,
                "subject_name": "Anatomy",
                "topic_name": None,
            }
            stream.write(json.dumps(record) + "\n")
    return path


def documents(files: int, folder: Path, seed: int = 0) -> Path:
    """Write MedQuAD's folder of many small XML files, five questions each."""
    rng = random.Random(seed)
    sentences = [_text(rng, 90) for _ in range(2000)]
    home = folder / "medquad" / "2_GARD_QA"
    home.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        pairs = "".join(
            f'<QAPair pid="{pair}"><Question qid="{number:07d}-{pair}" qtype="information">'
            f"{rng.choice(sentences)} {number} ?</Question>"
            f"<Answer>{' '.join(rng.choices(sentences, k=8))}</Answer></QAPair>\n"
            for pair in range(1, 6)
        )
        (home / f"{number:07d}.xml").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document id="{number:07d}" source="GARD" '
            f'url="https://example.org/{number}"><Focus>{rng.choice(WORDS)}</Focus>'
            f"<QAPairs>{pairs}</QAPairs></Document>\n"
        )
    return home


def sentences(rows: int, folder: Path, seed: int = 0) -> Path:
    """Write BC5CDR-chem's training file: annotated sentences in IOB."""
    rng = random.Random(seed)
    tags = ["B-Chemical"] * 6 + ["O"] * 94
    path = folder / "bc5cdr_chem" / "BC5CDR-chem-IOB" / "train.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for _ in range(rows):
            length = rng.randint(8, 30)
            before = "O"
            for token, tag in zip(
                rng.choices(WORDS, k=length), rng.choices(tags, k=length), strict=True
            ):
                if before != "O" and rng.random() < 0.3:
                    tag = "I-Chemical"
                stream.write(f"{token}\t{tag}\n")
                before = tag
            stream.write(".\tO\n\n")
    return path


def _text(rng: random.Random, length: int) -> str:
    """Return random words that fill a line of about this length, with a capital and a full stop."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(rng.choice(WORDS))
    return " ".join(words).capitalize() + "."


KINDS = {
    "radiology": radiology,
    "emergency": emergency,
    "questions": questions,
    "documents": documents,
    "sentences": sentences,
}


def main() -> None:
    """Write the raw files of one kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("size", type=int, help="rows, documents or sentences")
    parser.add_argument("folder", type=Path, help="raw root to write into")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    KINDS[given.kind](given.size, given.folder, given.seed)


if __name__ == "__main__":
    main()
