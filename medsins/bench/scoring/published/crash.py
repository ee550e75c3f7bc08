"""Where the published scoring code stops with a Python error, and which one.

    PublishedCrash (MedsinsError)
    ├── PublishedAssertionError    a text that is not a string handed to `rouge`
    ├── PublishedAttributeError    a blank cell, which pandas reads as a number
    ├── PublishedImportError       a script that cannot start
    ├── PublishedIndexError        the first character of nothing
    ├── PublishedKeyError          a task that is not in the file
    ├── PublishedRecursionError    a sentence of more than some 10,000 words
    ├── PublishedTypeError         no string where NLTK needs one
    ├── PublishedUnboundLocalError a language code that it does not know
    └── PublishedValueError        nothing left between the full stops

Each is also the builtin exception that the published code raises.
"""

from __future__ import annotations

from typing import Any, ClassVar

from medsins.errors import MedsinsError


class PublishedCrash(MedsinsError):  # noqa: N818 - what it says of the published code
    """The published code raises on this input, and its whole run is lost.

    Args:
        detail: The text of the published exception.
        hint: What a reader should know beside it.

    Attributes:
        published: Class name of the published exception.
        detail: Its text.
        row: Number of the row it is about, from 0, where a file is scored.
        task_id: The task of that row.
    """

    exit_code = 1
    published: ClassVar[str] = "Exception"

    def __init__(self, detail: str, hint: str = "") -> None:
        self.detail = detail
        self.row: int | None = None
        self.task_id = ""
        super().__init__(f"the published code stops here: {self.peer_error}. {hint}".rstrip())

    @property
    def peer_error(self) -> str:
        """The published exception as Python prints it: class, colon, text."""
        return f"{self.published}: {self.detail}".removesuffix(": ")

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would hand the whole message to __init__ as the detail.
        return type(self), (self.detail,), {**self.__dict__, "args": self.args}


class PublishedAssertionError(PublishedCrash, AssertionError):
    """The published code fails an assertion."""

    published = "AssertionError"


class PublishedAttributeError(PublishedCrash, AttributeError):
    """The published code treats what is not a string as one."""

    published = "AttributeError"


class PublishedImportError(PublishedCrash, ImportError):
    """The published script cannot start."""

    published = "ImportError"


class PublishedIndexError(PublishedCrash, IndexError):
    """The published code reads the first character of an empty string."""

    published = "IndexError"


class PublishedKeyError(PublishedCrash, KeyError):
    """The published code looks up what is not there."""

    published = "KeyError"


class PublishedRecursionError(PublishedCrash, RecursionError):
    """The published code recurses deeper than the limit it sets itself."""

    published = "RecursionError"


class PublishedTypeError(PublishedCrash, TypeError):
    """The published code hands a number to a tokenizer."""

    published = "TypeError"


class PublishedUnboundLocalError(PublishedCrash, UnboundLocalError):
    """The published code has no branch for the language."""

    published = "UnboundLocalError"


class PublishedValueError(PublishedCrash, ValueError):
    """The published code has nothing left to compare."""

    published = "ValueError"


def text_of(value: Any, method: str) -> str:
    """Return a value that the published code calls a string method on.

    Raises:
        PublishedAttributeError: It is not a string and has no such method.
    """
    if isinstance(value, str):
        return value
    raise PublishedAttributeError(f"{type_name(value)!r} object has no attribute {method!r}")


def type_name(value: Any) -> str:
    """Return the name of a value's type as Python's messages have it."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
