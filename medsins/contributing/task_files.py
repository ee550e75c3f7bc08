"""Task files of contributors in the published JSON and Excel forms, built like a source.

The forms are those of the MedS-Ins repository: a JSON object with a task's card and its instances,
or a workbook with the sheets "Basic Information" and "Instances". A recipe is written that reads
the file as it is, so that the build, its checks and its accounting are the same as for any source.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medsins.builds.schemas import json_schemas
from medsins.contributing.scaffold import named
from medsins.engine.runner import BuildResult, build
from medsins.errors import InvalidFileError, OutputError
from medsins.io.files import write_atomically, written_atomically
from medsins.taxonomy import LANGUAGES, Category, Domain

_SHEETS = ("Basic Information", "Instances")
_SHOWN = 25

_CATEGORIES = {
    "qa": Category.QUESTION_ANSWERING,
    "mcqa": Category.QUESTION_ANSWERING,
    "summarization": Category.TEXT_SUMMARIZATION,
    "summarisation": Category.TEXT_SUMMARIZATION,
    "ner": Category.NAMED_ENTITY_RECOGNITION,
    "nli": Category.NATURAL_LANGUAGE_INFERENCE,
    "classification": Category.TEXT_CLASSIFICATION,
    "retrieval": Category.TEXT_RETRIEVAL,
    "dialog": Category.DIALOGUE,
    "fact checking": Category.FACT_VERIFICATION,
}
_DOMAINS = {
    "academic": Domain.ACADEMIC_PAPERS,
    "academical papers": Domain.ACADEMIC_PAPERS,
    "daily conversation": Domain.DAILY_CONVERSATIONS,
    "exam": Domain.EXAMINATIONS,
    "examination": Domain.EXAMINATIONS,
    "clinical text": Domain.CLINICAL_TEXTS,
    "clinical notes": Domain.CLINICAL_TEXTS,
    "knowledge base": Domain.MEDICAL_KNOWLEDGE_BASES,
}
"""What contributors write beside the labels of the paper; the guideline's own examples first."""

_RECIPE = '''"""{title}, contributed by {contributors}.

Raw layout: `{file}`, a contributor's task file of MedS-Ins; an instance has {fields}.
"""

from typing import Any

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw


class {cls}(Recipe):
    title = {title!r}
    homepage = {url!r}
    license = "unknown"
    citation = {citation!r}
    access = Access.REGISTRATION
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = "Ask the contributor for {file}."
    languages = {languages!r}
    files = {files}

    answers = Task(
        category=Category.{category},
        domain=Domain.{domain},
        definition={definition!r},
    )

    def instances(self, record: dict[str, Any]) -> Examples:
{body}'''

_JSON_FILES = 'raw.json({split}"task.json", records=lambda document: document["Instances"])'
_JSON_BODY = """\
        outputs = record["output"]
        if isinstance(outputs, str):
            outputs = [outputs]
        yield self.answers(
            input=record["input"],
            output=outputs[0],
            references=outputs,
            key=str(record.get("id", "")),
            group=record["input"],
        )
"""
_XLSX_FILES = 'raw.xlsx({split}"task.xlsx", sheet="Instances", columns=("Input", "Output"))'
_XLSX_BODY = """\
        yield self.answers(
            input=record["Input"],
            output=record["Output"],
            group=record["Input"],
        )
"""


@dataclass(frozen=True)
class Problem:
    """Something in a task file that has to be corrected.

    Attributes:
        where: The place: "Instances[3].output", or "sheet Instances, row 4, Output".
        what: What is wrong.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Contribution:
    """A task file that passed all checks.

    Attributes:
        path: The file.
        card: Its card: lists of strings by field.
        instances: How many it has.
        category: Its task category.
        domain: Its text domain.
        languages: ISO 639-1 codes of input and output.
        split: "train", "test", or "" for both.
    """

    path: Path
    card: Mapping[str, list[str]]
    instances: int
    category: Category
    domain: Domain
    languages: tuple[str, str]
    split: str


@dataclass(frozen=True)
class Imported:
    """What `import_task_file` made.

    Attributes:
        recipe: The recipe, with the metadata filled in.
        raw: The raw root under which the file was put.
        result: The build.
    """

    recipe: Path
    raw: Path
    result: BuildResult


def import_task_file(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    folder: str | os.PathLike[str] = "medsins-contributed",
    out: str | os.PathLike[str] = "medsins-data",
    progress: bool | None = None,
) -> Imported:
    """Check a contributor's task file, write a recipe for it, and build it.

    Its instances may not be redistributed until somebody has read its license and changed the
    recipe.

    Args:
        path: The file: .json or .xlsx.
        name: Name of the recipe; default: made from the file's name.
        folder: Folder for the recipe (`recipes/`), the raw file (`raw/`) and seed prompts.
        out: Folder of the build.
        progress: Show a progress bar; default: on a terminal only.

    Raises:
        InvalidFileError: The file cannot be used; the message lists every problem with its place.
        OutputError: The name cannot be used or is taken.
    """
    contribution = read_task_file(path)
    name = name or _name_from(contribution.path)
    taken = named(name)
    home = Path(folder).expanduser()
    recipe = home / "recipes" / f"{name}.py"
    if taken is not None and taken.path.resolve() != recipe.resolve():
        raise OutputError(f"there is a recipe {name} already: {taken.path}. Choose another name.")
    raw = home / "raw"
    target = raw / name / f"task{contribution.path.suffix.lower()}"
    for one in (recipe, target):
        one.parent.mkdir(parents=True, exist_ok=True)
    with contribution.path.open("rb") as given, written_atomically(target) as stream:
        shutil.copyfileobj(given, stream)
    write_atomically(recipe, _recipe(contribution, name, target.name))
    with _recipes_in(recipe.parent):
        result = build(name, raw=raw, out=out, progress=progress)
    return Imported(recipe, raw, result)


def read_task_file(path: str | os.PathLike[str]) -> Contribution:
    """Read and check a contributor's task file.

    Args:
        path: The file: .json or .xlsx.

    Raises:
        InvalidFileError: The file cannot be used; the message lists every problem with its place.
    """
    file = Path(path).expanduser()
    readers = {".json": _read_json, ".xlsx": _read_workbook}
    if file.suffix.lower() not in readers:
        raise InvalidFileError(f"{file} is not a task file: it has to be .json or .xlsx.")
    if not file.is_file():
        raise InvalidFileError(f"{file} does not exist.")
    document, place = readers[file.suffix.lower()](file)
    problems = [*_against_schema(document, place)]
    card: dict[str, list[str]] = {}
    facts: tuple[Any, ...] = ()
    if isinstance(document, dict):
        card = {key: _listed(value) for key, value in document.items() if key != "Instances"}
        problems += _against_itself(document, place)
        found, wrong = _facts(card, place)
        problems += wrong
        facts = found
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:_SHOWN])
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise InvalidFileError(
            f"{file} has {len(problems)} problems; correct them and try again.\n{shown}{more}"
        )
    category, domain, languages, split = facts
    return Contribution(file, card, len(document["Instances"]), category, domain, languages, split)


class _Place:
    """Says where in the file a value is, as its author sees it."""

    def __init__(self, workbook: bool) -> None:
        self.workbook = workbook

    def of(self, keys: Sequence[str | int]) -> str:
        if not keys:
            return "the file"
        if not self.workbook:
            first, *rest = keys
            steps = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest)
            return f"{first}{''.join(steps)}"
        if keys[0] == "Instances" and len(keys) > 1:
            # The first row has the names of the columns, and people count from one.
            column = f", {str(keys[2]).capitalize()}" if len(keys) > 2 else ""
            return f"sheet Instances, row {int(keys[1]) + 2}{column}"
        return "sheet Instances" if keys[0] == "Instances" else f"sheet {_SHEETS[0]}, {keys[0]}"


def _read_json(path: Path) -> tuple[Any, _Place]:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig")), _Place(workbook=False)
    except UnicodeDecodeError as error:
        raise InvalidFileError(
            f"{path} is not UTF-8 at byte {error.start}. Save it as UTF-8."
        ) from error
    except ValueError as error:
        raise InvalidFileError(f"{path} is not valid JSON: {error}.") from error


def _read_workbook(path: Path) -> tuple[Any, _Place]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheets = {
            name: workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names
        }
    except (CalamineError, OSError) as error:
        raise InvalidFileError(f"{path} is not a readable Excel workbook: {error}.") from error
    missing = [name for name in _SHEETS if name not in sheets]
    if missing:
        raise InvalidFileError(
            f"{path} has no sheet {' and no sheet '.join(missing)}; it has "
            f"{', '.join(sheets)}. Start from the published template."
        )
    card = {
        str(row[0]).strip(): str(row[1]).strip()
        for row in sheets["Basic Information"]
        if len(row) > 1 and str(row[0]).strip() and str(row[0]).strip() != "Task Card"
    }
    if "Text Domains" in card:
        card["Domains"] = card.pop("Text Domains")
    head, *rows = sheets["Instances"] or [[]]
    columns = [str(cell).strip().casefold() for cell in head]
    instances = [
        {
            name: value if isinstance(value, str) else str(value)
            for name, value in zip(columns, row, strict=False)
            if name and value != ""
        }
        for row in rows
    ]
    while instances and not instances[-1]:
        instances.pop()
    return {**card, "Instances": instances}, _Place(workbook=True)


def _against_schema(document: Any, place: _Place) -> Iterator[Problem]:
    import jsonschema

    schema = json_schemas()["task_file.schema.json"]
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    for error in sorted(errors, key=lambda one: [str(key) for key in one.absolute_path]):
        yield Problem(place.of(list(error.absolute_path)), _said(error))


def _said(error: Any) -> str:
    """Return what is wrong without the value: it may be text of a patient."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"has no {', '.join(missing)}"
    empty = isinstance(error.instance, str) and not error.instance.strip()
    if empty or error.validator in ("minLength", "pattern", "minItems"):
        return "is empty"
    if error.validator == "anyOf":
        return "is neither text nor a list of texts"
    if error.validator == "type":
        return f"is not of type {error.validator_value}"
    return f"does not fit ({error.validator})"


def _against_itself(document: dict[str, Any], place: _Place) -> Iterator[Problem]:
    instances = document.get("Instances")
    if not isinstance(instances, list):
        return
    ids = Counter(
        str(one["id"])
        for one in instances
        if isinstance(one, dict) and one.get("id") not in ("", None)
    )
    for number, one in enumerate(instances):
        if isinstance(one, dict) and ids.get(str(one.get("id")), 0) > 1:
            yield Problem(place.of(["Instances", number, "id"]), "is used more than once")


def _facts(card: Mapping[str, list[str]], place: _Place) -> tuple[tuple[Any, ...], list[Problem]]:
    problems = []

    def known(field: str, labels: Mapping[str, Any]) -> Any:
        said = (card.get(field) or [""])[0]
        found = labels.get(said.casefold().strip())
        if found is None and said:
            close = difflib.get_close_matches(said.casefold(), labels, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            names = ", ".join(dict.fromkeys(str(value) for value in labels.values()))
            problems.append(
                Problem(place.of([field]), f"is not known{hint}. It is one of: {names}")
            )
        return found

    categories = {str(one).casefold(): one for one in Category} | _CATEGORIES
    domains = {str(one).casefold(): one for one in Domain} | _DOMAINS
    codes = {name.casefold(): code for code, name in LANGUAGES.items()}
    codes |= {code: code for code in LANGUAGES}
    splits = {"train": "train", "test": "test", "train/test": "", "": ""}
    category, domain = known("Categories", categories), known("Domains", domains)
    languages = (known("Input_language", codes), known("Output_language", codes))
    split = splits.get((card.get("Split Type") or [""])[0].casefold().replace(" ", ""))
    if split is None:
        problems.append(
            Problem(place.of(["Split Type"]), "is not one of Train, Test and Train/Test")
        )
    return (category, domain, languages, split), problems


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).strip() for one in values if str(one).strip()]


def _recipe(one: Contribution, name: str, file: str) -> str:
    card = one.card
    workbook = file.endswith(".xlsx")
    split = f"{one.split}=" if one.split else ""
    contributors = ", ".join(card["Contributors"])
    return _RECIPE.format(
        title=_plain(card["Source"][0]),
        contributors=_plain(contributors),
        file=file,
        fields="`Input` and `Output`" if workbook else "`input` and `output`",
        cls="".join(part.capitalize() for part in name.split("_")),
        url=card["URL"][0],
        citation=f"{contributors}, {card['URL'][0]}",
        languages=one.languages[0] if len(set(one.languages)) == 1 else one.languages,
        files=(_XLSX_FILES if workbook else _JSON_FILES).format(split=split),
        category=one.category.name,
        domain=one.domain.name,
        definition=card["Definition"][0],
        body=_XLSX_BODY if workbook else _JSON_BODY,
    )


def _plain(text: str) -> str:
    """Return a text that cannot end the docstring it is put into."""
    return " ".join(text.split()).replace("\\", "/").replace('"""', "'''").rstrip('"')


def _name_from(path: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.casefold()).strip("_")
    return name if name[:1].isalpha() else f"task_{name}".rstrip("_")


@contextmanager
def _recipes_in(folder: Path) -> Iterator[None]:
    """Let the registry, and the worker processes that inherit it, find recipes in a folder."""
    before = os.environ.get("MEDSINS_RECIPES")
    os.environ["MEDSINS_RECIPES"] = str(folder.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ["MEDSINS_RECIPES"]
        else:
            os.environ["MEDSINS_RECIPES"] = before
