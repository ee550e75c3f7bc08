"""What may leave this machine: closed unless everything says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from medsins.builds.manifest import SourceTerms
from medsins.errors import AccessError
from medsins.policy.decisions import Verdict, admitted, is_loopback, model_calls, publication
from recipes_for_tests import write_recipe

OUTSIDE = "https://hub.example.org"
HERE = ("http://localhost:8080", "http://127.0.0.1", "https://LOCALHOST/v1", "http://[::1]:1")
SHARED = {"yes", "derived_only"}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(frozen=True)
class Held:
    """What a build says of one source with two tasks."""

    terms: list[SourceTerms]
    sample: bool = False


def manifest(sample: bool = False, redistribution: Any = "", llm_api: Any = "") -> Held:
    tasks = ("vault_answer", "vault_verdict")
    return Held([SourceTerms("vault", tasks, redistribution, llm_api)], sample)


def may(verdicts: list[Verdict]) -> bool:
    """Whether all may go; both tasks are of one source, so they share its fate."""
    assert [one.task for one in verdicts] == ["vault_answer", "vault_verdict"]
    assert len({one.allowed for one in verdicts}) == 1
    return verdicts[0].allowed


@pytest.mark.parametrize("url", HERE)
def test_this_machine_is_known_by_its_names(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "https://huggingface.co",
        "http://192.0.2.1:8080",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://localhost@example.org",
        "http://example.org@localhost",
        "http://example.org\\@localhost",
        "http://example.org#@localhost",
        "http://local\thost",
        "http://[::1",
        "http://0.0.0.0:80",
        "http://[::ffff:192.0.2.1]",
        "ftp://localhost",
        "s3://localhost/bucket",
    ],
)
def test_no_other_address_passes_for_this_machine(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_behind_a_proxy_localhost_is_another_machine(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://proxy.example.org:3128")
    assert not any(is_loopback(url) for url in HERE if url.startswith("http:"))
    assert not may(publication(manifest(redistribution="no"), endpoint="http://localhost:1"))
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    assert is_loopback("http://localhost:8080")
    assert is_loopback("http://127.0.0.1")
    assert not is_loopback("http://[::1]:1")


def test_a_proxy_for_other_addresses_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    assert is_loopback("http://localhost:8080")
    assert not is_loopback("https://localhost:8080")


@pytest.mark.parametrize("stated", ["yes", "derived_only", "no", "maybe", "", "YES", None, True])
def test_only_what_is_open_to_share_goes_outside(stated: object) -> None:
    for endpoint, name in product(("", OUTSIDE, HERE[0]), ("", "  ", "DUA 7")):
        covered = endpoint == HERE[0] or (endpoint == OUTSIDE and name == "DUA 7")
        found = publication(manifest(redistribution=stated), endpoint=endpoint, covered_by=name)
        assert may(found) == (stated in SHARED or covered)


def test_a_fact_that_is_missing_is_a_no() -> None:
    found = publication(manifest(), endpoint=OUTSIDE)
    assert not may(found)
    assert found[0].reason == "redistribution is not stated"
    assert not may(model_calls(manifest(redistribution="yes"), base_url=OUTSIDE))


@pytest.mark.parametrize("stated", ["allowed", "local_only", "forbidden", "", "perhaps"])
def test_only_what_is_open_to_models_goes_to_models_outside(stated: str) -> None:
    for url, name in product(("", OUTSIDE, HERE[0]), ("", " ", "zero retention, DUA 7")):
        covered = url == HERE[0] or (url == OUTSIDE and name.strip() and stated != "forbidden")
        found = model_calls(manifest(llm_api=stated), base_url=url, covered_by=name)
        assert may(found) == (stated == "allowed" or bool(covered))


def test_a_sample_is_made_up_and_may_go() -> None:
    assert may(publication(manifest(sample=True, redistribution="no"), endpoint=OUTSIDE))
    assert not may(publication(manifest(redistribution="no"), endpoint=OUTSIDE))


@pytest.mark.parametrize(("stated", "installed"), [("yes", "NO"), ("no", "YES"), ("no", "NO")])
def test_the_stricter_of_manifest_and_installed_recipe_counts(
    stated: str, installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(tmp_path, "vault", redistribution=installed)
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path))
    found = publication(manifest(redistribution=stated), endpoint=OUTSIDE)
    assert not may(found)
    assert found[0].reason == "redistribution is no"


def test_a_refusal_names_sources_reasons_and_ways_out() -> None:
    verdicts = [
        Verdict("ward_answer", "ward", True, "redistribution is yes"),
        Verdict("vault_answer", "vault", False, "redistribution is no"),
        Verdict("vault_verdict", "vault", False, "redistribution is no"),
    ]
    with pytest.raises(AccessError) as refused:
        admitted(verdicts, leave_out=False, action="be pushed", advice="--only-some helps.")
    said = str(refused.value)
    assert "2 of 3 tasks may not be pushed" in said
    assert said.count("vault: redistribution is no") == 1
    assert "ward" not in said
    assert "--only-some" in said
    assert admitted(verdicts, leave_out=True, action="") == ["ward_answer"]


def test_leaving_out_everything_is_refused() -> None:
    verdicts = [Verdict("vault_answer", "vault", False, "redistribution is no")]
    with pytest.raises(AccessError, match="none of the 1 tasks may be pushed"):
        admitted(verdicts, leave_out=True, action="be pushed")
