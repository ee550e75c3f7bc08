"""Lists of names, phrases, doses and demographics."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from medsins.bench.scoring.corrected.reading import folded, plain
from medsins.bench.scoring.corrected.statistics import Floats, Measured, additive, ratio, row_means
from medsins.text import casefolded

NOTHING = frozenset({"there is no related enetity", "there is no related entity"})
"""Answers that name no entity: the published spelling, and the right one."""

NOT_FOUND = frozenset({"not found"})

_OWN = re.compile(r"(?<!\s), ")
_WIDE = re.compile(r"[,;、，；\n]")
_AROUND = "\"'“”‘’. "


def entities(
    text: str,
    *,
    nothing: Collection[str] = NOTHING,
    known: Collection[str] | None = None,
    wide: bool = False,
) -> frozenset[str]:
    """Return the set of names in a list: one final "." off, NFKC, case folded, spaces collapsed.

    The data sets join names with ", " and set a comma inside a name apart by spaces ("N , N -
    dimethylaniline"). So in references a comma behind a space parts nothing, and in answers it
    does where the whole is not a name of the reference.

    Args:
        text: The list.
        nothing: What an answer without names says.
        known: Names of the reference, if this is an answer.
        wide: Split at semicolons, line breaks, full-width marks and bare commas too.
    """
    low = plain(text).casefold().strip().removesuffix(".").rstrip()
    if " ".join(low.strip(_AROUND).split()) in nothing:
        return frozenset()
    names: set[str] = set()
    for part in (_WIDE if wide else _OWN).split(low):
        name = " ".join(part.split())
        names.update([name] if known is None or name in known else name.split(" , "))
    return frozenset(name.strip() for name in names) - {""}


@dataclass(frozen=True)
class _Row:
    right: int
    found: int
    gold: int
    f1: float


def _matched(prediction: str, reference: str, nothing: Collection[str], wide: bool) -> _Row:
    gold = entities(reference, nothing=nothing)
    if not prediction.strip():
        return _Row(0, 0, len(gold), 0.0)
    found = entities(prediction, nothing=nothing, known=gold, wide=wide)
    right = len(found & gold)
    both = len(found) + len(gold)
    return _Row(right, len(found), len(gold), 2 * right / both if both else 1.0)


def measure_entities(
    predictions: Sequence[str], references: Sequence[Sequence[str]], *, wide: bool = False
) -> Measured:
    """Measure lists of names: micro precision, recall and F1 over sets, and the mean F1 of rows.

    A row in which both sets are empty has F1 1, unless the answer is blank: then all is missed.
    Where there are several references, the one that fits best counts.

    Args:
        predictions: Answers.
        references: For each the acceptable lists.
        wide: Split answers at more marks than the data sets do.
    """
    rows = [
        max((_matched(text, one, NOTHING, wide) for one in targets), key=lambda row: row.f1)
        for text, targets in zip(predictions, references, strict=True)
    ]
    columns = {
        "f1": np.array([row.f1 for row in rows]),
        "right": np.array([row.right for row in rows], np.float64),
        "found": np.array([row.found for row in rows], np.float64),
        "gold": np.array([row.gold for row in rows], np.float64),
    }
    codes, table = additive(columns)
    signature = {"entities": "set|nfkc|casefold|separator:" + ("wide" if wide else "', '")}
    return _measured("micro_f1", columns["f1"], codes, table, _combine_entities, signature)


def _combine_entities(sums: Floats) -> dict[str, Floats]:
    rows, f1, right, found, gold = (sums[..., place] for place in range(5))
    return {
        "micro_f1": ratio(2 * right, found + gold),
        "micro_precision": ratio(right, found),
        "micro_recall": ratio(right, gold),
        "row_f1": f1 / rows,
    }


def _measured(
    primary: str,
    rows: Floats,
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
    table: Floats,
    combine: Callable[[Floats], dict[str, Floats]],
    signature: dict[str, str],
    unparsed: int = 0,
) -> Measured:
    sums = table[codes].sum(axis=0)
    points = {name: float(value) for name, value in combine(sums).items()}
    return Measured(
        primary=primary,
        points=points,
        rows=rows,
        codes=codes,
        table=table,
        combine=combine,
        unparsed=unparsed,
        signature=signature,
    )


def _means(
    primary: str, columns: dict[str, Floats], signature: dict[str, str], unparsed: int = 0
) -> Measured:
    codes, table = additive(columns)
    rows = columns[primary]
    return _measured(primary, rows, codes, table, row_means(columns), signature, unparsed)


def token_f1(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 of two bags of words (Rajpurkar et al. 2016); 1 if both are empty."""
    if not prediction and not reference:
        return 1.0
    right = (Counter(prediction) & Counter(reference)).total()
    return 2 * right / (len(prediction) + len(reference))


def _tokens(text: str) -> list[str]:
    return [token for token in folded(text).split() if token != ","]


def measure_phrases(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Measured:
    """Measure lists of phrases: F1 of the sets, share of equal sets, F1 of the words.

    "not found" is the empty list.

    Args:
        predictions: Answers.
        references: For each the acceptable lists; the best one counts for each metric.
    """
    scores = []
    for text, targets in zip(predictions, references, strict=True):
        pairs = [_phrase_scores(text, target) for target in targets]
        scores.append([max(column) for column in zip(*pairs, strict=True)])
    columns = _columns(("set_f1", "exact", "token_f1"), scores)
    return _means("set_f1", columns, {"phrases": "set|nfkc|casefold|separator:', '"})


def _columns(names: Sequence[str], scores: Sequence[Sequence[float]]) -> dict[str, Floats]:
    stacked = np.array(scores, np.float64)
    return {name: stacked[:, place] for place, name in enumerate(names)}


def _phrase_scores(prediction: str, reference: str) -> tuple[float, float, float]:
    if not prediction.strip():
        return 0.0, 0.0, 0.0
    row = _matched(prediction, reference, NOT_FOUND, wide=False)
    empty = row.gold == 0, row.found == 0
    if any(empty):
        return row.f1, row.f1, row.f1
    f1 = token_f1(_tokens(prediction), _tokens(reference))
    return row.f1, float(row.right == row.found == row.gold), f1


_UNITS = {
    **dict.fromkeys(("milligram", "milligrams", "mgs"), "mg"),
    **dict.fromkeys(("gram", "grams", "gm", "gms"), "g"),
    **dict.fromkeys(("microgram", "micrograms", "mcg", "ug", "μg"), "µg"),
    **dict.fromkeys(("milliliter", "milliliters", "millilitre", "millilitres"), "ml"),
    **dict.fromkeys(("day", "days", "daily"), "day"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("units", "iu"), "unit"),
}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DOSE_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[^\W\d_]+|[%/]")


def dose(text: str) -> list[str]:
    """Return a dose as numbers, units and words: "5.0mg/kg" is 5, mg, /, kg.

    NFKC, case folded; thousands without comma, numbers without zeros that say nothing.
    """
    low = _THOUSANDS.sub("", casefolded(plain(text)))
    return [_same(token) for token in _DOSE_TOKEN.findall(low)]


def _same(token: str) -> str:
    if token[0].isdigit() or token[0] == ".":
        try:
            return f"{float(token):g}" if len(token) < 16 else token
        except ValueError:  # a digit that is not a decimal one, such as a superscript
            return token
    return _UNITS.get(token, token)


def measure_doses(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Measured:
    """Measure doses: share that is equal in numbers, units and words, and F1 of these.

    Args:
        predictions: Answers.
        references: For each the acceptable doses; the best one counts.
    """
    scores = []
    for text, targets in zip(predictions, references, strict=True):
        found = dose(text)
        exact = max(float(bool(found) and found == dose(target)) for target in targets)
        f1 = max(token_f1(found, dose(target)) for target in targets) if found else 0.0
        scores.append([exact, f1])
    columns = _columns(("exact", "token_f1"), scores)
    return _means("exact", columns, {"dose": "numbers and units|nfkc|casefold"})


_FORM = re.compile(r"Gender: [MF]\n\nAge: (\[\[.*\]\])")
_GENDER = re.compile(r"gender\W{0,5}(female|male|f|m)(?![^\W_])", re.IGNORECASE)
_AGE = re.compile(r"age\W{0,5}?(\[.{0,500}\])", re.IGNORECASE | re.DOTALL)
_AGE_UNITS = frozenset(("year", "month", "week", "day", "hour"))


@dataclass(frozen=True)
class Demographics:
    """What an answer says of a patient.

    Attributes:
        gender: "m" or "f"; "" if it is not said.
        age: Numbers with units, sorted by unit; None if no list can be read.
        valid: Whether the answer has the form that is asked for.
    """

    gender: str
    age: tuple[tuple[str, float], ...] | None
    valid: bool


def demographics(text: str) -> Demographics:
    """Read gender and age out of an answer.

    The age is read with `ast.literal_eval`, so nothing of it is run.
    """
    text = plain(text)
    gender = _GENDER.search(text)
    listed = _AGE.search(text)
    age = _age(listed[1]) if listed else None
    form = _FORM.fullmatch(text.strip())
    valid = form is not None and gender is not None and age is not None
    return Demographics(gender[1][0].casefold() if gender else "", age, valid)


def _age(text: str) -> tuple[tuple[str, float], ...] | None:
    try:
        listed = ast.literal_eval(text)
        pairs = [(str(unit).casefold().removesuffix("s"), float(number)) for number, unit in listed]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    known = pairs and all(unit in _AGE_UNITS for unit, _ in pairs)
    return tuple(sorted(pairs)) if known else None


def measure_demographics(
    predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> Measured:
    """Measure gender and age: both right, each of them right, and the share in the form asked for.

    Args:
        predictions: Answers.
        references: For each the acceptable answers; the best one counts.
    """
    scores = []
    unparsed = 0
    for text, targets in zip(predictions, references, strict=True):
        found = demographics(text)
        unparsed += bool(text.strip()) and not found.gender and found.age is None
        pairs = [_demographic_scores(found, demographics(target)) for target in targets]
        scores.append([*max(pairs), float(found.valid)])
    columns = _columns(("accuracy", "gender", "age", "valid_form"), scores)
    signature = {"demographics": "gender and age list"}
    return _means("accuracy", columns, signature, unparsed)


def _demographic_scores(found: Demographics, gold: Demographics) -> tuple[float, float, float]:
    gender = bool(found.gender) and found.gender == gold.gender
    age = found.age is not None and found.age == gold.age
    return float(gender and age), float(gender), float(age)
