"""The plan of the house holds: layers, public names, schemas, sizes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import medsins
from medsins.schema import json_schemas

ROOT = Path(medsins.__file__).resolve().parent
LAYERS = [
    {"errors", "markup", "schema", "taxonomy", "text", "io"},
    {"raw"},
    {"instructions"},
    {"recipe"},
    {"registry"},
    {"builds"},
    {"policy", "quality"},
    {"cards"},
    {"engine"},
    {"contributing", "llm"},
    {"bench", "formats", "hub", "self_instruct"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The first-level modules of medsins that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "medsins" and len(parts) > 1 and parts[1] in LEVEL:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_from_its_own_layer_and_below(path: Path) -> None:
    name = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if name == "__init__":
        return
    assert name in LEVEL, f"{name} has no place in the layers"
    above = {other for other in imported(path) if LEVEL[other] > LEVEL[name]}
    assert not above


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


def test_recipes_import_from_medsins_alone() -> None:
    for path in sorted((ROOT.parent / "recipes").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("medsins"):
                assert node.module == "medsins", path


def test_public_names_are_there_and_no_module_bears_one() -> None:
    for name in medsins.__all__:
        assert getattr(medsins, name) is not None
    stems = {path.stem for path in ROOT.glob("*.py")} | {p.name for p in ROOT.iterdir()}
    functions = {name for name in medsins.__all__ if name.islower()} - {"raw", "text"}
    assert not stems & functions
    with pytest.raises(AttributeError):
        medsins.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", list(json_schemas()))
def test_the_schemas_on_disk_are_current(name: str) -> None:
    path = ROOT.parent / "schemas" / name
    assert json.loads(path.read_text()) == json_schemas()[name], (
        "run: python -m medsins.schema schemas"
    )


def test_the_schema_version_is_the_same_wherever_it_stands() -> None:
    from medsins import schema
    from medsins.engine import runner

    assert schema.SCHEMA_VERSION == runner.SCHEMA_VERSION


def test_a_manifest_fits_its_schema(tmp_path: Path) -> None:
    import jsonschema

    result = medsins.build("meqsum", sample=True, out=tmp_path, progress=False)
    jsonschema.validate(result.manifest, json_schemas()["manifest.schema.json"])
    assert result.manifest == json.loads((tmp_path / "manifest.json").read_text())
    text = (tmp_path / "manifest.json").read_text()
    assert str(tmp_path) not in text
    assert text == json.dumps(result.manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
