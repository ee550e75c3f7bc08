"""The log is silent until somebody listens."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from medsins.io.logs import logger, shown


def test_nobody_who_does_not_listen_hears_anything() -> None:
    script = "from medsins.io.logs import logger\nlogger('engine').error('heard')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""


def test_it_is_shown_while_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(logging.getLogger("medsins").handlers)
    with shown(logging.INFO):
        logger("engine").info("planned %s", "clinic")
        logger("engine").debug("details")
    logger("engine").info("afterwards")
    said = capsys.readouterr().err
    assert "INFO medsins.engine: planned clinic" in said
    assert "details" not in said
    assert "afterwards" not in said
    assert logging.getLogger("medsins").handlers == before
