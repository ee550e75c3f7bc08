"""The architecture holds: layers, public names, schemas, sizes."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

import medsins
from medsins.builds.manifest import Manifest
from medsins.builds.schemas import json_schemas

ROOT = Path(medsins.__file__).resolve().parent
LAYERS = [
    {"errors", "io", "markup", "schema", "taxonomy", "text"},
    {"raw"},
    {"instructions"},
    {"recipe", "registry"},
    {"builds"},
    {"policy", "quality"},
    {"cards"},
    {"engine"},
    {"contributing", "llm"},
    {"bench", "formats", "hub", "self_instruct"},
    {"cli"},
]
"""Modules and subpackages of the package, layer by layer: a module imports from its own layer
and those before it. `docs/design.md` says why."""

LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MOST_LOOSE_FILES = 8


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted(path): path for path in modules()}


def imported(tree: ast.AST) -> set[str]:
    """The modules of the package that a module imports, wherever in it, for type checkers too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else str(node.module) for name in whole}
    return found & NAMES.keys()


def circles(imports: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The groups of modules that import one another, directly or through others."""
    reached: dict[str, set[str]] = {}
    for start in imports:
        seen, todo = set[str](), list(imports[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(imports.get(name, ()))
        reached[start] = seen
    groups = {
        frozenset(other for other in reached[name] if name in reached.get(other, ()))
        for name in imports
        if name in reached[name]
    }
    return sorted(sorted(group) for group in groups)


IMPORTS = {
    name: imported(ast.parse(path.read_text(encoding="utf-8"))) - {"medsins"}
    for name, path in NAMES.items()
    if name != "medsins"
}
"""What each module imports; the front door, which resolves names on first use, is left out."""


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_a_module_imports_only_from_its_own_layer_and_those_before(name: str) -> None:
    place = name.split(".")[1]
    assert place in LEVEL, f"{place} has no place in the layers"
    assert not {other for other in IMPORTS[name] if LEVEL[other.split(".")[1]] > LEVEL[place]}


def test_no_files_import_one_another() -> None:
    assert circles(IMPORTS) == []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": ()}) == [["a", "b", "c"]]
    in_a_function = "def f():\n    from medsins.recipe import Task\n"
    for_checkers = "if TYPE_CHECKING:\n    import medsins.registry\n"
    assert imported(ast.parse(in_a_function)) == {"medsins.recipe"}
    assert imported(ast.parse(for_checkers)) == {"medsins.registry"}


def test_few_files_lie_loose() -> None:
    for package in (ROOT, ROOT / "bench"):
        loose = list(package.glob("*.py"))
        assert len(loose) <= MOST_LOOSE_FILES


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
    functions = {name for name in medsins.__all__ if name.islower()} - {"errors", "raw", "text"}
    assert not stems & functions
    assert dir(medsins) == sorted(medsins.__all__)
    with pytest.raises(AttributeError):
        medsins.no_such_name  # noqa: B018


def test_errors_are_there_in_a_fresh_process() -> None:
    said = "import medsins; print(medsins.errors.MedsinsError.exit_code)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


@pytest.mark.parametrize("name", list(json_schemas()))
def test_the_schemas_on_disk_are_current(name: str) -> None:
    path = ROOT.parent / "schemas" / name
    assert json.loads(path.read_text()) == json_schemas()[name], (
        "run: python -m medsins.builds.schemas schemas"
    )


def test_a_manifest_fits_its_schema(tmp_path: Path) -> None:
    import jsonschema

    result = medsins.build("meqsum", sample=True, out=tmp_path, progress=False)
    jsonschema.validate(result.manifest.to_json(), json_schemas()["manifest.schema.json"])
    text = (tmp_path / "manifest.json").read_text()
    assert str(tmp_path) not in text
    written = json.loads(text)
    assert Manifest.from_json(written, "here") == result.manifest
    assert text == json.dumps(written, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    "room", sorted(ROOT.rglob("__init__.py")), ids=lambda path: path.parent.name
)
def test_a_room_that_lists_its_files_lists_them_all_and_no_others(room: Path) -> None:
    purpose = ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))) or ""
    if re.search(r"^\w+\.py +\S", purpose, re.MULTILINE):
        modules = {path.stem for path in room.parent.glob("*.py")} - {"__init__", "__main__"}
        assert set(re.findall(r"(\w+)\.py\b", purpose)) == modules
