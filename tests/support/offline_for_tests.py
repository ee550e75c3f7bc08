"""The Hub's libraries without a network, for as long as a test lasts."""

from __future__ import annotations

import pytest


def go_offline(patch: pytest.MonkeyPatch) -> None:
    """Keep `huggingface_hub` and `datasets` from the network, here and in child processes."""
    # Both read the variable once, when they are first imported: set before that, it would outlive
    # the test, and the tests of push and pull in the same process would find no server.
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    patch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    patch.setenv("HF_HUB_OFFLINE", "1")
