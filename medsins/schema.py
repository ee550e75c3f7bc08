"""The shapes of the data: `Instance`, the Arrow schema of shards, mixtures and task files.

One set of field types serves single instances, the batches that the engine validates, and the
JSON Schemas in `schemas/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import xxhash
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

if TYPE_CHECKING:
    import pyarrow as pa

    ARROW: pa.Schema

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
"""Text with at least one character that is not white space, and without lone surrogates."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Split = Literal["train", "validation", "test"]


class Instance(BaseModel):
    """One example of a task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Hex of a 128-bit hash of task, input and output; see `instance_id`."""
    task: Text
    """Full name of the task."""
    source: Text
    """Name of the recipe."""
    definition: Text
    """The instruction that goes with this instance."""
    input: Text
    """What the model reads."""
    output: Text
    """What it should answer."""
    references: Annotated[list[Text], Field(min_length=1)]
    """Acceptable outputs; the first is `output`."""
    text_domain: Text
    """One of the 5 text domains."""
    task_category: Text
    """One of the 19 task categories."""
    split: Split
    """The split it belongs to."""
    input_language: Language
    """ISO 639-1 code."""
    output_language: Language
    """ISO 639-1 code."""
    license: Text
    """SPDX identifier of the source's license, or a name of `medsins.taxonomy.LICENSES`."""
    record: Text
    """Raw file and key of the record it was made from, as `file#key`."""


@with_config(ConfigDict(strict=True))
class Columns(TypedDict):
    """What varies between the instances of a task, as columns: the engine validates these."""

    input: list[Text]
    output: list[Text]
    references: list[list[Text] | None]
    record: list[Text]


COLUMNS: TypeAdapter[Columns] = TypeAdapter(Columns)

CONSTANT = (
    "task",
    "source",
    "definition",
    "text_domain",
    "task_category",
    "split",
    "input_language",
    "output_language",
    "license",
)
"""Columns with few distinct values; shards store them as dictionaries."""


def instance_id(task: str, input: str, output: str) -> str:
    """Return the id of an instance: hex of XXH3-128 over task, length of input, input, output.

    The length keeps ("ab", "c") and ("a", "bc") apart. XXH3 is not a cryptographic hash: ids
    find duplicates and name instances, checksums of files are SHA-256.
    """
    return xxhash.xxh3_128_hexdigest(f"{task}\0{len(input)}\0{input}{output}".encode())


class Share(BaseModel):
    """How much of a mixture the tasks of a selector make up."""

    model_config = ConfigDict(extra="forbid", strict=True)

    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Factor on the share of each of the tasks."""
    cap: Annotated[int, Field(ge=1)] | None = None
    """Most samples of each of the tasks; a larger task counts as one of this size."""
    repeat: bool = False
    """Whether samples may be used more than once where more are asked for than there are."""


class Mixture(BaseModel):
    """The contents of `mixture.yaml`: how many samples of which tasks an export has."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """Name of the dataset in configurations of trainers."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """T in n^(1/T), n the size of a task: 1 keeps sizes, more evens them out, .inf wholly."""
    total: Annotated[int, Field(ge=1)] | None = None
    """Samples in all; default: the largest number at which every task has its share."""
    tasks: Annotated[dict[str, Share], Field(min_length=1)]
    """Shares by selector; if two match the same task, the later one counts."""


Texts = Text | Annotated[list[Text], Field(min_length=1)]
"""One text or several: the published form has lists, the published files mostly have texts."""


class ContributedInstance(BaseModel):
    """An instance in a contributor's task file."""

    id: str | int | None = None
    input: Text
    output: Texts
    """The answer, or all acceptable answers."""


class TaskFile(BaseModel):
    """A contributor's task file, in the form of the MedS-Ins repository; other fields are kept."""

    Contributors: Texts
    Source: Texts
    """Name of the dataset."""
    URL: Texts
    Categories: Texts
    Definition: Texts
    Input_language: Texts
    Output_language: Texts
    Instruction_language: Texts | None = None
    Domains: Texts
    split_type: Annotated[str | None, Field(alias="Split Type")] = None
    """Train, Test or Train/Test."""
    Instances: Annotated[list[ContributedInstance], Field(min_length=1)]


def _arrow_schema() -> pa.Schema:
    import pyarrow as pa

    def column(name: str) -> pa.Field:
        if name == "references":
            return pa.field(name, pa.list_(pa.field("element", pa.string())))
        if name in CONSTANT:
            return pa.field(name, pa.dictionary(pa.int32(), pa.string()))
        return pa.field(name, pa.string())

    return pa.schema([column(name) for name in Instance.model_fields])


def __getattr__(name: str) -> Any:
    if name == "ARROW":
        # Arrow takes a while to import, and only what touches shards needs it.
        schema = _arrow_schema()
        globals()["ARROW"] = schema
        return schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
