"""The radiology mapping as hand-tuned polars expressions, streamed from CSV to Parquet.

No instance is validated, hashed or deduplicated, and it does a little less than the recipe: a
section that is empty is not looked for again further down. Tuned: reports are thrown away by
their short EXAMINATION field first, section ends are found without capture groups, and text is
cut by byte offsets.
"""

from __future__ import annotations

import argparse

import polars as pl
from plain import EMPTY, MODALITIES, REGIONS

END = (
    r"\n[ \t]*(?:E(?i:XAM|XAMINATION)|I(?i:NDICATION|MPRESSION)|H(?i:ISTORY)|T(?i:ECHNIQUE)|"
    r"C(?i:OMPARISON)|F(?i:INDINGS)|R(?i:ECOMMENDATIONS?|ECOMMENDATION\(S\))|"
    r"N(?i:OTIFICATION)|A(?i:DDENDUM))[ \t]*:"
)
OWN_HEADINGS = {
    "\nFINDINGS:": r"\n[ \t]*F(?i:INDINGS)[ \t]*:",
    "\nIMPRESSION:": r"\n[ \t]*I(?i:MPRESSION)[ \t]*:",
}


def names(field: pl.Expr, words: str) -> pl.Expr:
    """Return whether a field in small letters has any of the words as a whole word."""
    choices = words.replace(".", "[.]")
    return field.str.contains(rf"(?:^|[^0-9a-z])(?:{choices})(?:$|[^0-9a-z])")


def section(report: pl.Expr, heading: str) -> pl.Expr:
    """Return the text from a heading to the next one, null if the heading is not there."""
    # Headings spelt in another way are rare: they are respelt, and then found as plain text.
    plain = report.str.replace(OWN_HEADINGS[heading], heading)
    after = plain.str.splitn(heading, 2).struct[1]
    end = after.str.find(END)
    return after.cast(pl.Binary).bin.slice(0, end).cast(pl.String).str.strip_chars()


def tasks(examination: pl.Expr) -> pl.Expr:
    """Return the list of summary tasks that an EXAMINATION field calls for."""
    region_is = {region: names(examination, words) for region, words in REGIONS.items()}
    chosen = []
    for modality, words in MODALITIES.items():
        is_modality = names(examination, words)
        kinds = (
            {f"{modality}_{region}": is_modality & there for region, there in region_is.items()}
            if modality in ("ct", "mri")
            else {modality: is_modality}
        )
        chosen += [
            pl.when(there).then(pl.lit(f"mimic_iv_note_summary_{kind}"))
            for kind, there in kinds.items()
        ]
    return pl.concat_list(chosen).list.drop_nulls()


def run(source: str, target: str) -> None:
    """Map a file of radiology reports."""
    examination, text = pl.col("examination"), pl.col("text")
    any_modality = "|".join(MODALITIES.values())
    findings, impression = pl.col("input"), pl.col("output")
    (
        pl.scan_csv(source, infer_schema=False)
        .select(
            "note_id",
            "text",
            examination=text.str.extract(
                r"(?m)^[ \t]*E(?i:XAM(?:INATION)?)[ \t]*:([^\n]*)"
            ).str.to_lowercase(),
        )
        .filter(names(examination, any_modality))
        .select("note_id", "text", task=tasks(examination))
        .filter(pl.col("task").list.len() > 0)
        .select(
            "task",
            input=section(text, "\nFINDINGS:"),
            output=section(text, "\nIMPRESSION:"),
            record="note_id",
        )
        .filter(findings.str.strip_chars(EMPTY) != "", impression.str.strip_chars(EMPTY) != "")
        .explode("task")
        .sink_parquet(target, compression="zstd", compression_level=2)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args()
    run(given.source, given.target)
