"""The croissant.json of a build: Croissant metadata, which Hugging Face, Kaggle and Google read.

Written after the format's specification, version 1.0, and the RAI vocabulary for what concerns
responsible use (docs.mlcommons.org/croissant). Paths are relative to the build, which is where
the `mlcroissant` package looks for them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from medsins.cards import statements
from medsins.cards.contents import BuiltTask, Contents, license_facts
from medsins.cards.front import COLUMNS, LISTS, tags, title

_VOCABULARY = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The `@context` of the specification's section on JSON-LD."""

_PARQUET = "application/x-parquet"


def croissant(contents: Contents) -> str:
    """Return the croissant.json of a build.

    It lists every shard with its SHA-256; a file set gathers the shards of a task, and a
    record set reads them. `splits` is the record set of the splits' names.
    """
    description = statements.summary(contents)
    if contents.sample:
        description = f"{statements.SYNTHETIC} {description}"
    document = {
        "@context": _VOCABULARY,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title(contents),
        "description": description,
        "version": _version(contents.manifest.engine_version),
        "license": _licenses(contents),
        "creator": {"@type": "sc:Organization", "name": statements.MAKERS},
        "inLanguage": list(contents.languages),
        "keywords": tags(contents),
        "citeAs": statements.bibtex(contents),
        "isLiveDataset": False,
        **_responsible_use(contents),
        "distribution": [*_shards(contents), *(_file_set(task.name) for task in contents.tasks)],
        "recordSet": [_splits(contents), *(_record_set(task) for task in contents.tasks)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _version(engine: str) -> str:
    """Return the version as Croissant wants it: three numbers."""
    numbers = re.match(r"\d+\.\d+\.\d+", engine)
    return numbers[0] if numbers else "0.0.0"


def _licenses(contents: Contents) -> list[str]:
    if contents.sample:
        return [license_facts("Apache-2.0").url]
    facts = [license_facts(name) for name in contents.licenses]
    return [one.url or one.title for one in facts]


def _responsible_use(contents: Contents) -> dict[str, Any]:
    return {
        "rai:dataCollection": " ".join(statements.processing(contents)),
        "rai:dataPreprocessingProtocol": [
            *statements.instructions(contents),
            *statements.splits(contents),
        ],
        "rai:dataUseCases": [
            *statements.USES,
            *(f"Not for this: {misuse}" for misuse in statements.MISUSES),
        ],
        "rai:dataLimitations": statements.limits(contents),
        "rai:dataBiases": statements.biases(contents),
        "rai:dataSocialImpact": statements.NO_DEVICE,
        "rai:personalSensitiveInformation": [
            *statements.duties(contents),
            *statements.people(contents),
        ],
        "rai:dataReleaseMaintenancePlan": "The same raw files, options and version of medsins give "
        "the same bytes; whoever holds the raw files can build it again.",
    }


def _shards(contents: Contents) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": shard.path,
            "name": shard.path,
            "contentUrl": shard.path,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": _PARQUET,
            "sha256": shard.sha256,
        }
        for shard in contents.manifest.shards
    ]


def _file_set(task: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{task}/shards",
        "name": f"{task}/shards",
        "encodingFormat": _PARQUET,
        "includes": f"data/{task}/*.parquet",
    }


def _splits(contents: Contents) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The splits that there are.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": "splits/name",
                "name": "splits/name",
                "description": "Name of the split.",
                "dataType": "sc:Text",
            }
        ],
        "data": [{"splits/name": split} for split in contents.splits],
    }


def _record_set(task: BuiltTask) -> dict[str, Any]:
    sizes = ", ".join(f"{split} {rows:,}" for split, rows in task.splits.items())
    said = f"{task.task.definition} " if task.task else ""
    return {
        "@type": "cr:RecordSet",
        "@id": task.name,
        "name": task.name,
        "description": f"{said}({task.category}; {task.domain}; instances: {sizes}.)",
        "key": {"@id": f"{task.name}/id"},
        "field": [_field(task.name, column) for column in COLUMNS],
    }


def _field(task: str, column: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{task}/{column}",
        "name": f"{task}/{column}",
        "description": COLUMNS[column],
        "dataType": "sc:Text",
        "source": {"fileSet": {"@id": f"{task}/shards"}, "extract": {"column": column}},
    }
    if column in LISTS:
        field["repeated"] = True
    if column == "split":
        field["references"] = {"field": {"@id": "splits/name"}}
    return field
