"""Every exception this library raises.

    MedsinsError
    ├── UnknownNameError (KeyError)              a task, recipe or selector that does not exist
    ├── BrokenRecipeError (ImportError)          a recipe module that cannot be imported
    ├── MissingFilesError (FileNotFoundError)    raw files that are missing
    ├── CorruptFileError (ValueError)            raw files that cannot be read to their end
    ├── RecordError (ValueError)                 one raw record that cannot be used
    ├── RejectedRecordsError (ValueError)        more rejected records than the limit allows
    ├── CheckError (ValueError)                  a recipe that breaks the contract of recipes
    ├── OutputError (OSError)                    an output folder that cannot be written
    ├── BuildConflictError (FileExistsError)     a folder that holds another build, or is in use
    ├── IncompleteBuildError (FileNotFoundError) a folder without a finished build
    ├── CorruptBuildError (ValueError)           a build that differs from its manifest
    │   └── BuildVersionError                    a build that another version of medsins made
    ├── FetchError (OSError)                     a download that failed
    ├── WorkerDiedError (RuntimeError)           a job that kills every worker
    ├── AccessError (PermissionError)            what may not leave this machine
    ├── EndpointError (ConnectionError)          a model endpoint that cannot be used
    ├── BudgetError (RuntimeError)               a budget that is used up, or cannot be kept
    ├── InvalidFileError (ValueError)            a user's file that is not valid
    ├── HubError (OSError)                       a push or pull that failed
    └── MissingExtraError (ImportError)          a package of an extra that is not installed

Messages say what happened, where, and what to do next, in plain sentences.
"""

from __future__ import annotations

from typing import ClassVar


class MedsinsError(Exception):
    """Base of all errors raised on purpose; its text is written for the user.

    Attributes:
        exit_code: What the command line exits with: 2 for wrong usage or data, 1 for failures, 3
            for a budget that is used up.
    """

    exit_code: ClassVar[int] = 2

    def __str__(self) -> str:
        # KeyError would show its message in quotes.
        return str(self.args[0]) if self.args else type(self).__name__


class UnknownNameError(MedsinsError, KeyError):
    """No task, recipe or selector has this name."""


class BrokenRecipeError(MedsinsError, ImportError):
    """A recipe module raised while it was imported, or declares something impossible."""

    exit_code = 1


class MissingFilesError(MedsinsError, FileNotFoundError):
    """Raw files are missing."""


class CorruptFileError(MedsinsError, ValueError):
    """A raw file is truncated, damaged, or not in the format it should be in."""


class RecordError(MedsinsError, ValueError):
    """One raw record cannot be used; it is set aside with this reason and the build goes on.

    Args:
        reason: What is wrong, in words that hold for every such record. It is counted in the
            manifest and shown for every source, so it must never quote the record.
        field: The field the reason is about, if there is one.
        detail: Text of the record, kept beside the reason for sources with open access only.
    """

    def __init__(self, reason: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.reason = reason
        self.field = field
        self.detail = detail


class RejectedRecordsError(MedsinsError, ValueError):
    """More records were rejected than the limit allows."""


class CheckError(MedsinsError, ValueError):
    """A recipe breaks the contract of recipes; see `medsins check`."""


class OutputError(MedsinsError, OSError):
    """The output folder cannot be written: read-only, full, or not a folder."""

    exit_code = 1


class BuildConflictError(MedsinsError, FileExistsError):
    """The output folder holds another build, or another process is building into it."""


class IncompleteBuildError(MedsinsError, FileNotFoundError):
    """The folder holds no finished build."""


class CorruptBuildError(MedsinsError, ValueError):
    """The folder's contents differ from what its manifest says."""


class BuildVersionError(CorruptBuildError):
    """The folder holds a build that another version of this library made."""


class FetchError(MedsinsError, OSError):
    """A download failed or delivered something else than the pinned file."""

    exit_code = 1


class WorkerDiedError(MedsinsError, RuntimeError):
    """A job killed every worker that tried it."""

    exit_code = 1


class AccessError(MedsinsError, PermissionError):
    """Text would leave this machine, which the terms of its source forbid."""


class EndpointError(MedsinsError, ConnectionError):
    """A model endpoint cannot be used: no key, wrong key, unknown model, or invalid answers."""

    exit_code = 1


class BudgetError(MedsinsError, RuntimeError):
    """A budget is used up, or cannot be kept because a price is unknown."""

    exit_code = 3


class InvalidFileError(MedsinsError, ValueError):
    """A file of a user (journal, mixture, task file, predictions) is not valid."""


class HubError(MedsinsError, OSError):
    """A push to the Hub or a pull from it failed, or delivered something else."""

    exit_code = 1


class MissingExtraError(MedsinsError, ImportError):
    """A package that only an extra installs is needed and not there."""
