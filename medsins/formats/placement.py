"""An export appears under its name whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medsins.errors import BuildConflictError, OutputError
from medsins.io.files import writing
from medsins.io.locks import locked

RECORD = "export.json"
"""The file that makes a folder an export."""

_FULL = (
    "Nothing was exported, and what was written is gone again. Make room: an export needs its own "
    "size twice while it is made."
)


@contextmanager
def placed(out: Path, *, overwrite: bool, private: bool) -> Iterator[Path]:
    """Give a folder to write into, and put it in its place when all went well.

    It lies beside `out` under a hidden name. What an earlier run that was killed left there is
    removed; if this one fails, it is removed too.

    Args:
        out: Where the export goes.
        overwrite: Whether an earlier export may be replaced.
        private: Whether only its owner may look into it.

    Raises:
        BuildConflictError: `out` is there already, or another process is exporting to it.
        OutputError: It cannot be written, or is not a place for an export.
    """
    out = out.expanduser().absolute()
    beside = out.with_name(f".{out.name}.exporting")
    replaced = out.with_name(f".{out.name}.replaced")
    with writing(out, full=_FULL):
        out.parent.mkdir(parents=True, exist_ok=True)
        with locked(out.with_name(f".{out.name}.lock"), _taken(out), remove=True):
            try:
                _make_empty(beside, private)
                _restore(replaced, out)
                _refuse_what_is_there(out, overwrite)
                yield beside
                if out.exists() and any(out.iterdir()):
                    shutil.rmtree(replaced, ignore_errors=True)
                    out.rename(replaced)
                beside.rename(out)
            except BaseException:
                shutil.rmtree(beside, ignore_errors=True)
                _restore(replaced, out)
                raise
            shutil.rmtree(replaced, ignore_errors=True)


def _taken(out: Path) -> str:
    return (
        f"another process is exporting to {out}. Wait until it is done, or choose another folder."
    )


def _make_empty(folder: Path, private: bool) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(0o700 if private else 0o777)


def _restore(replaced: Path, out: Path) -> None:
    """Put back an export that was about to be replaced when that was interrupted."""
    if replaced.exists() and not out.exists():
        replaced.rename(out)


def _refuse_what_is_there(out: Path, overwrite: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file, but has to be a folder.")
    if not any(out.iterdir()):
        return
    if not (out / RECORD).is_file():
        raise BuildConflictError(
            f"{out} is there already and holds no export. Choose another folder."
        )
    if not overwrite:
        raise BuildConflictError(
            f"{out} holds an export already. Choose another folder, or replace it with --overwrite."
        )
