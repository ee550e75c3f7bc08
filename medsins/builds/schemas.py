"""The JSON Schemas in `schemas/`; `python -m medsins.builds.schemas schemas` writes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from medsins.builds.manifest import Manifest
from medsins.schema import Instance, Mixture, TaskFile

_SHAPES: dict[str, type] = {
    "instance": Instance,
    "manifest": Manifest,
    "mixture": Mixture,
    "task_file": TaskFile,
}


def json_schemas() -> Mapping[str, dict[str, Any]]:
    """Return the JSON Schemas in `schemas/`, by file name."""
    return {
        f"{name}.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **TypeAdapter(shape).json_schema(),
        }
        for name, shape in _SHAPES.items()
    }


if __name__ == "__main__":
    for file, schema in json_schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (Path(sys.argv[1]) / file).write_text(text, encoding="utf-8")
