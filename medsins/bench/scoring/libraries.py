"""The packages of the extra `bench`, loaded where they are first needed."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from medsins.errors import MissingExtraError


def library(module: str, package: str) -> Any:
    """Import a module of a package that the extra `bench` installs.

    Raises:
        MissingExtraError: The package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"scoring this task needs the package {package}. Run: pip install 'medsins[bench]'"
        ) from error


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of installed packages, for signatures."""
    return {package: version(package) for package in packages}
