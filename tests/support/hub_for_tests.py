"""Builds that tests push, and settings under which the Hub's client talks to a Hub of theirs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import medsins
from recipes_for_tests import visits, write_recipe, write_visits

CANARY = "canary-51c7e09b"
"""Stands in every input of the source that may not be passed on."""

OPEN, CLOSED = "ward", "vault"


def make_source(root: Path, name: str, redistribution: str, count: int = 60) -> None:
    """Write a recipe and its raw file below a folder; inputs of closed ones hold the canary."""
    write_recipe(root / "recipes", name, redistribution=redistribution)
    mark = CANARY if redistribution == "NO" else "harmless"
    records = [
        {**record, "question": record["question"] and f"{mark} {name} {record['question']}"}
        for record in visits(count, seed=len(name))
    ]
    write_visits(root / "raw", [*records, {"id": f"broken {mark}", "patient": "p"}], name)


def build(root: Path, *names: str, out: str = "build") -> Path:
    """Build some sources of a folder; every build has rejects."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSINS_RECIPES", str(root / "recipes"))
        medsins.build(
            list(names), raw=root / "raw", out=root / out, progress=False, max_rejects=1.0
        )
    return root / out


def make_builds(root: Path) -> Path:
    """Make a folder with a source that may be passed on, one that may not, and builds of them."""
    make_source(root, OPEN, "YES")
    make_source(root, CLOSED, "NO")
    build(root, OPEN, out="open")
    build(root, OPEN, CLOSED, out="mixed")
    return root


@contextmanager
def client_settings(root: Path) -> Iterator[None]:
    """Let the client know nothing of this user, and the policy nothing of proxies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSINS_RECIPES", str(root / "recipes"))
        for name in ("HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            patch.delenv(name, raising=False)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        patch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(root / "no token"))
        patch.setattr("huggingface_hub.constants.HF_STORED_TOKENS_PATH", str(root / "no tokens"))
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        yield


def environment(root: Path, endpoint: str) -> dict[str, str]:
    """Return the same settings for a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    own = {
        "MEDSINS_RECIPES": str(root / "recipes"),
        "HF_HOME": str(root / "hf_home"),
        "HF_ENDPOINT": endpoint,
        "HF_TOKEN": "hf_write",
        "HF_HUB_DISABLE_XET": "1",
        "HF_DATASETS_CACHE": str(root / "hf_home" / "datasets"),
    }
    return {**kept, **own}


@dataclass(frozen=True)
class Done:
    """What a command line came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """The command line, run in this process, which is quicker than in its own."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def run(self, endpoint: str, *arguments: object, token: str = "hf_write") -> Done:
        """Run a command and return what it came to."""
        from medsins.cli import main

        self.capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["medsins", *map(str, arguments)])
            patch.setenv("HF_ENDPOINT", endpoint)
            patch.setenv("HF_TOKEN", token)
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.capture.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    def says(self, endpoint: str, *arguments: object, token: str = "hf_write") -> str:
        """Run a command that has to succeed, and return what it says."""
        done = self.run(endpoint, *arguments, token=token)
        assert done.code == 0, f"{done.out}\n{done.err}"
        return done.out


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, symlinks=True)
    return to


def travelling(folder: Path) -> dict[str, bytes]:
    """All files of a build that may leave it, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in (".medsins", "rejects")
    }
