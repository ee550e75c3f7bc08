"""Dataclasses out of JSON, checked field by field.

Pydantic does the same and more, but a process that only hands out work starts without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class MalformedError(ValueError):
    """A value that is not what a dataclass takes.

    Args:
        where: The way to it, such as "recipes.medqa.records".
        expected: The type that is needed there.
    """

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where or 'the document'} is not {expected}")
        self.where = where
        self.expected = expected


@cache
def _types(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def from_json(cls: type[T], value: Any, where: str = "") -> T:
    """Return a dataclass made from what `json.loads` gives.

    Fields may be str, int, float, bool, None, lists, tuples, dicts with string keys and other
    dataclasses, in any combination; `Any` takes what is there.

    Args:
        cls: The dataclass.
        value: The object.
        where: The way to it, for messages.

    Raises:
        MalformedError: A field is missing, unknown, or of another type.
    """
    if not isinstance(value, Mapping):
        raise MalformedError(where, "an object")
    types = _types(cls)  # type: ignore[arg-type]
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(value) - set(known)):
        raise MalformedError(_join(where, unknown[0]), "a field that is known here")
    given = {name: _read(types[name], one, _join(where, name)) for name, one in value.items()}
    for name, field in known.items():
        due = field.default is MISSING and field.default_factory is MISSING
        if due and name not in given:
            raise MalformedError(_join(where, name), "there")
    return cls(**given)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _read(kind: Any, value: Any, where: str) -> Any:
    if kind is Any or type(value) is kind:
        return value
    origin = get_origin(kind)
    if origin is Annotated:
        return _read(get_args(kind)[0], value, where)
    if origin in (Union, UnionType):
        return _either(get_args(kind), value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise MalformedError(where, f"one of {', '.join(map(repr, get_args(kind)))}")
        return value
    if origin in (list, tuple):
        if not isinstance(value, list):
            raise MalformedError(where, "a list")
        inner = get_args(kind)[0]
        items = [_read(inner, one, f"{where}[{place}]") for place, one in enumerate(value)]
        return items if origin is list else tuple(items)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise MalformedError(where, "an object")
        inner = get_args(kind)[1]
        return {name: _read(inner, one, _join(where, name)) for name, one in value.items()}
    if is_dataclass(kind):
        return from_json(kind, value, where)  # type: ignore[arg-type]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise MalformedError(where, "null" if kind is NoneType else f"of type {kind.__name__}")
    return value


def _either(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    rest = [kind for kind in kinds if kind is not NoneType]
    for kind in rest[:-1]:
        try:
            return _read(kind, value, where)
        except MalformedError:
            continue
    return _read(rest[-1], value, where)
