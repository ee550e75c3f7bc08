"""Where things lie for tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

SHARED = ROOT.parent / "shared"
"""Real data beside the checkout; tests that need it are skipped where it is not there."""
