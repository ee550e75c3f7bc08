"""Push and pull: what travels, what stays, what is refused, and that it comes back the same."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from pyarrow import parquet

import medsins
from hub_for_tests import (
    CANARY,
    CLOSED,
    OPEN,
    Shell,
    build,
    client_settings,
    copied,
    environment,
    make_builds,
    make_source,
    travelling,
)
from hub_server import Account, HubServer, decoded
from medsins import errors
from medsins.hub import pull, push, pushing
from recipes_for_tests import visits, write_visits

REPO = "alice/data"


# What the Hub's client does with small bodies, and nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_builds(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def hub(root: Path) -> Iterator[HubServer]:
    with HubServer() as server, client_settings(root):
        yield server


@pytest.fixture
def shell(root: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(root, capfd)


def send(hub: HubServer, folder: Path, repo_id: str = REPO, **options: Any) -> pushing.PushResult:
    return push(folder, repo_id, **{"endpoint": hub.url, "token": "hf_write", **options})


def fetch(hub: HubServer, out: Path, repo_id: str = REPO, **options: Any) -> Any:
    return pull(repo_id, out, **{"endpoint": hub.url, "token": "hf_write", **options})


def writes(hub: HubServer) -> list[str]:
    """Requests that change something on the Hub, beside large files."""
    changing = re.compile("/(create|commit|branch)(/|$)")
    return [place for method, place, _ in hub.asked if method == "POST" and changing.search(place)]


def names_reserved_for_tests(host: str) -> Callable[..., Any]:
    """A resolver that also knows a host name which only looks like another machine."""
    known = socket.getaddrinfo

    def resolve(name: Any, *rest: Any, **more: Any) -> Any:
        return known("127.0.0.1" if name == host else name, *rest, **more)

    return resolve


# What travels


def test_a_build_arrives_whole_and_nothing_else_of_its_folder(root: Path, hub: HubServer) -> None:
    folder = root / "open"
    assert (folder / "rejects" / f"{OPEN}.jsonl").is_file()
    result = send(hub, folder)
    there = hub.files(REPO)
    there.pop(".gitattributes")
    assert there == travelling(folder)
    assert hub.repository(REPO).private
    assert set(result.uploaded) == set(there)
    assert result.bytes == sum(map(len, there.values()))
    assert (result.deleted, result.unchanged, result.left_out) == ((), (), ())
    assert result.commit == hub.repository(REPO).branches["main"]
    assert (result.revision, result.url) == ("main", f"{hub.url}/datasets/{REPO}")
    assert [one.task for one in result.verdicts] == [f"{OPEN}_answer", f"{OPEN}_verdict"]


def test_pushing_again_sends_nothing_and_makes_no_commit(root: Path, hub: HubServer) -> None:
    first = send(hub, root / "open")
    titles, puts = hub.repository(REPO).titles(), list(hub.puts)
    hub.asked.clear()
    again = send(hub, root / "open")
    assert (again.uploaded, again.deleted, again.bytes) == ((), (), 0)
    assert set(again.unchanged) == set(first.uploaded)
    assert again.commit == first.commit
    assert (hub.repository(REPO).titles(), hub.puts, writes(hub)) == (titles, puts, [])


def test_a_changed_source_sends_its_own_shards_and_removed_ones_go(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    for name in ("ward", "clinic"):
        make_source(tmp_path, name, "YES")
    send(hub, build(tmp_path, "ward", "clinic"))
    records = [record for record in visits(40, seed=9) if not record["verdict"]]
    write_visits(tmp_path / "raw", records, "clinic")
    hub.puts.clear()
    result = send(hub, build(tmp_path, "ward", "clinic"))
    assert {"README.md", "manifest.json"} <= set(result.uploaded)
    assert {path for path in result.uploaded if path.startswith("data/")} == {
        "data/clinic_answer/test-00000-of-00001.parquet",
        "data/clinic_answer/train-00000-of-00001.parquet",
    }
    assert len(hub.puts) == 2
    assert {path.split("/")[1] for path in result.deleted} == {"clinic_verdict"}
    there = hub.files(REPO)
    there.pop(".gitattributes")
    assert there == travelling(tmp_path / "build")


def test_files_of_its_owner_stay(root: Path, hub: HubServer, tmp_path: Path) -> None:
    folder = copied(root / "open", tmp_path / "build")
    (folder / "croissant.json").unlink(missing_ok=True)
    send(hub, folder)
    stale = "data/gone_task/train-00000-of-00002.parquet"
    theirs = {
        "notes.md": b"mine",
        "data/notes.txt": b"mine",
        "data/train-00000-of-00001.parquet": b"of another library",
        "data/ward_answer/train.parquet": b"mine",
        "rejects/mine.jsonl": b"mine",
    }
    for path, content in {**theirs, stale: b"old", "croissant.json": b"old"}.items():
        hub.edit(REPO, path, content)
    result = send(hub, folder)
    assert set(result.deleted) == {stale, "croissant.json"}
    assert theirs.items() <= hub.files(REPO).items()
    assert ".gitattributes" in hub.files(REPO)


def test_a_file_that_was_damaged_or_removed_there_is_sent_again(root: Path, hub: HubServer) -> None:
    send(hub, root / "open")
    shard = f"data/{OPEN}_answer/train-00000-of-00001.parquet"
    hub.edit(REPO, "README.md", None)
    hub.edit(REPO, shard, b"x" * len(hub.files(REPO)[shard]))
    assert set(send(hub, root / "open").uploaded) == {shard, "README.md"}


def test_one_damaged_shard_is_mended_in_one_commit(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    send(hub, root / "open")
    shard = f"data/{OPEN}_verdict/test-00000-of-00001.parquet"
    hub.edit(REPO, shard, b"damaged")
    assert send(hub, root / "open").uploaded == (shard,)
    assert len(hub.repository(REPO).titles()) == 4
    fetch(hub, tmp_path / "back")


def test_further_texts_of_a_build_travel_with_it(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    folder = copied(root / "open", tmp_path / "build")
    texts = {"croissant.json": b"{}", "LICENSES.md": b"terms", "composition.svg": b"<svg/>"}
    for name, content in {**texts, "private-notes.md": b"mine"}.items():
        (folder / name).write_bytes(content)
    assert texts.keys() <= set(send(hub, folder).uploaded)
    assert texts.items() <= hub.files(REPO).items()
    assert "private-notes.md" not in hub.files(REPO)


def test_many_shards_go_in_several_commits_and_the_manifest_goes_last(
    root: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_SHARDS_A_COMMIT", 3)
    send(hub, root / "open")
    send(hub, build(root, OPEN, CLOSED, out="mixed"))
    repository = hub.repository(REPO)
    assert len(repository.titles()) > 4
    assert repository.titles()[-1].startswith("Push 4 tasks with medsins ")
    for commit in repository.commits.values():
        if "manifest.json" in commit.tree:
            listed = json.loads(hub.blobs[commit.tree["manifest.json"].sha256])["shards"]
            shards = {one["path"]: one["sha256"] for one in listed}
            assert shards.items() <= {k: v.sha256 for k, v in commit.tree.items()}.items()


def test_as_many_shards_as_go_in_one_commit_go_with_the_manifest(
    root: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = json.loads((root / "open" / "manifest.json").read_text())["shards"]
    monkeypatch.setattr(pushing, "_SHARDS_A_COMMIT", len(shards))
    send(hub, root / "open")
    paths = {one["path"] for one in shards}
    # A build that takes its place in one commit is never seen in between.
    for commit in hub.repository(REPO).commits.values():
        assert paths.isdisjoint(commit.tree) or "manifest.json" in commit.tree


def test_branches_and_pull_requests(root: Path, hub: HubServer) -> None:
    send(hub, root / "open", revision="trial")
    assert set(hub.files(REPO)) == {".gitattributes"}
    assert "manifest.json" in hub.files(REPO, "trial")
    result = send(hub, root / "open", create_pr=True, message="Better data")
    assert result.revision == "refs/pr/1"
    assert hub.repository(REPO).titles("refs/pr/1")[-1] == "Better data"
    assert set(hub.files(REPO)) == {".gitattributes"}
    assert send(hub, root / "open", revision="refs/pr/1").uploaded == ()
    assert send(hub, root / "open").commit
    again = send(hub, root / "open", create_pr=True)
    assert (again.revision, again.uploaded) == ("main", ())
    assert "refs/pr/2" not in hub.repository(REPO).branches
    with pytest.raises(ValueError, match="create_pr or revision"):
        send(hub, root / "open", create_pr=True, revision="trial")


def test_a_pull_request_of_several_commits_is_one(
    root: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_SHARDS_A_COMMIT", 2)
    result = send(hub, root / "open", create_pr=True)
    branches = hub.repository(REPO).branches
    assert set(branches) == {"main", "refs/pr/1"}
    assert hub.files(REPO, "refs/pr/1").keys() > travelling(root / "open").keys()
    assert result.commit == branches["refs/pr/1"]


# What may be pushed


def test_a_closed_source_stops_the_whole_push_before_anything_is_asked(
    root: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", names_reserved_for_tests("hub.test"))
    outside = f"http://hub.test:{hub.port}"
    with pytest.raises(errors.AccessError, match="vault: redistribution is no"):
        send(hub, root / "mixed", endpoint=outside)
    assert hub.asked == []
    assert hub.received == []


def test_what_travels_alone_is_described_alone(
    root: Path,
    hub: HubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", names_reserved_for_tests("hub.test"))
    outside = f"http://hub.test:{hub.port}"
    result = send(hub, root / "mixed", endpoint=outside, only_redistributable=True)
    assert result.left_out == (f"{CLOSED}_answer", f"{CLOSED}_verdict")
    assert not any(CLOSED in path for path in hub.files(REPO))
    for name in ("README.md", "manifest.json"):
        assert CLOSED.encode() not in hub.files(REPO)[name]
    assert not any(CANARY.encode() in text for text in decoded(hub.received))
    found = fetch(hub, tmp_path / "back", endpoint=outside)
    assert found == medsins.verify(tmp_path / "back")
    manifest = json.loads((tmp_path / "back" / "manifest.json").read_text())
    whole = json.loads((root / "mixed" / "manifest.json").read_text())
    assert manifest["recipes"] == {OPEN: whole["recipes"][OPEN]}
    assert send(hub, root / "mixed", endpoint=outside, only_redistributable=True).uploaded == ()


def test_a_source_without_tasks_is_not_described_where_others_stay_behind(
    root: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", names_reserved_for_tests("hub.test"))
    folder = copied(root / "mixed", tmp_path / "copy")
    recipes = json.loads((folder / "manifest.json").read_text())["recipes"]
    # Nothing says whether its facts may be passed on.
    empty = {key: 0 if isinstance(value, int) else value for key, value in recipes[CLOSED].items()}
    nothing: dict[str, int] = {}
    counts = ("tasks", "skipped", "partly_skipped", "rejected")
    ghost = {**empty, **dict.fromkeys(counts, nothing)}
    change(folder, recipes={**recipes, "ghost": ghost})
    send(hub, folder, endpoint=f"http://hub.test:{hub.port}", only_redistributable=True)
    assert set(json.loads(hub.files(REPO)["manifest.json"])["recipes"]) == {OPEN}


def test_what_was_pushed_by_agreement_goes_again_when_it_is_left_out(
    root: Path, hub: HubServer
) -> None:
    whole = send(hub, root / "mixed")
    assert any(CANARY.encode() in text for text in decoded(hub.received)), "the search finds it"
    assert sum(CLOSED in path for path in whole.uploaded) == 4
    again = send(hub, root / "open")
    assert len([path for path in again.deleted if CLOSED in path]) == 4


ACCESS = ("OPEN", "REGISTRATION", "CREDENTIALED", "LICENSED")
FLAGS = ("private", "only_redistributable", "dry_run", "create_pr")


@pytest.fixture(scope="module")
def by_terms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds of an open source and one more, by the terms of that one."""
    from recipes_for_tests import write_recipe

    root = tmp_path_factory.mktemp("terms")
    make_source(root, OPEN, "YES", 12)
    made = {}
    for access, terms in product(ACCESS, ("YES", "DERIVED_ONLY", "NO")):
        name = f"x_{access.lower()}_{terms.lower()}"
        make_source(root, name, "NO", 12)
        write_recipe(root / "recipes", name, access=access, redistribution=terms)
        made[name] = build(root, OPEN, name, out=name)
    return made


@pytest.mark.parametrize("terms", ["yes", "derived_only", "no"])
@pytest.mark.parametrize("access", ACCESS)
def test_no_combination_of_flags_lets_out_what_may_not_go(
    access: str, terms: str, by_terms: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"x_{access.lower()}_{terms}"
    folder = by_terms[name]
    monkeypatch.setattr(socket, "getaddrinfo", names_reserved_for_tests("hub.test"))
    with HubServer() as hub, client_settings(folder.parent):
        for number, values in enumerate(product((True, False), repeat=len(FLAGS))):
            flags = dict(zip(FLAGS, values, strict=True))
            for agreement in ("", "  ", "DUA 7"):
                hub.received.clear()
                hub.repositories.clear()
                may = terms != "no" or agreement == "DUA 7"
                try:
                    result = send(
                        hub,
                        folder,
                        f"alice/data{number}",
                        endpoint=f"http://hub.test:{hub.port}",
                        endpoint_covered_by=agreement,
                        **flags,
                    )
                except errors.AccessError:
                    assert not may
                    assert not flags["only_redistributable"]
                    assert not flags["dry_run"]
                    assert hub.received == []
                    continue
                stayed = not may or flags["dry_run"]
                arrived = [text for text in decoded(hub.received) if CANARY.encode() in text]
                assert bool(arrived) != stayed
                assert bool(result.left_out) == (not may)
                assert result.dry_run == flags["dry_run"] == (not hub.repositories)
                assert bool(result.refusal) == (not may and not flags["only_redistributable"])


def test_to_this_machine_everything_may_go(root: Path, hub: HubServer, tmp_path: Path) -> None:
    send(hub, root / "mixed")
    fetch(hub, tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "mixed")


def test_a_dry_run_needs_no_network_and_no_token(root: Path, hub: HubServer) -> None:
    result = push(
        root / "mixed",
        REPO,
        dry_run=True,
        endpoint="https://hub.invalid",
        only_redistributable=True,
    )
    assert (result.dry_run, result.commit, result.refusal) == (True, "", "")
    assert {one.source for one in result.verdicts if not one.allowed} == {CLOSED}
    assert len(result.uploaded) == 4
    assert not any(CLOSED in path for path in result.uploaded)
    refused = push(root / "mixed", REPO, dry_run=True, endpoint="https://hub.invalid")
    assert "vault: redistribution is no" in refused.refusal
    assert refused.uploaded == ()


def test_the_endpoint_that_was_judged_is_the_one_that_is_used(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    """HF_ENDPOINT names another Hub: nothing goes there if the caller says where to."""
    with HubServer() as other:
        script = (
            "from medsins.hub import push, pull\n"
            f"push({str(root / 'mixed')!r}, {REPO!r}, endpoint={hub.url!r})\n"
            f"pull({REPO!r}, {str(tmp_path / 'back')!r}, endpoint={hub.url!r})\n"
        )
        settings = environment(root, other.url)
        subprocess.run([sys.executable, "-c", script], check=True, env=settings)
        assert not any(OPEN in place or REPO in place for _, place, _ in other.asked)
        assert b"".join(other.received) == b""
    assert travelling(tmp_path / "back") == travelling(root / "mixed")


# Builds that are not to be believed


@pytest.mark.parametrize(
    "path",
    [
        "../secret.parquet",
        "data/../../secret.parquet",
        "data/../secret/train-00000-of-00001.parquet",
        "/etc/passwd",
        "data//train-00000-of-00001.parquet",
        "data/ward_answer/train-00000-of-00001.parquet/../x",
        "data/ward_answer/more/train-00000-of-00001.parquet",
        "data\\ward_answer\\train-00000-of-00001.parquet",
        "rejects/ward.jsonl",
        ".medsins/files.json",
        "README.md",
        "data/unheard_of/train-00000-of-00001.parquet",
        "data/ward_answer/train-00000-of-00001.parquet\n",
    ],
)
def test_a_manifest_that_lists_other_files_is_refused(
    path: str, root: Path, hub: HubServer, tmp_path: Path
) -> None:
    folder = copied(root / "open", tmp_path / "build")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][0]["path"] = path
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(errors.CorruptBuildError, match="which is not a shard of a task"):
        send(hub, folder)
    assert hub.asked == []
    hub.make(REPO)
    hub.edit(REPO, "manifest.json", json.dumps(manifest).encode())
    with pytest.raises(errors.CorruptBuildError, match="which is not a shard of a task"):
        fetch(hub, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def change(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_shard_that_is_listed_twice_or_claimed_by_two_is_refused(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    whole = json.loads((root / "open" / "manifest.json").read_text())
    twice = copied(root / "open", tmp_path / "twice")
    change(twice, shards=[*whole["shards"], whole["shards"][0]])
    with pytest.raises(errors.CorruptBuildError, match="lists it twice"):
        send(hub, twice)
    claimed = copied(root / "open", tmp_path / "claimed")
    change(claimed, recipes={**whole["recipes"], "other": whole["recipes"][OPEN]})
    with pytest.raises(errors.CorruptBuildError, match=r"to (ward|other) and to (ward|other)"):
        send(hub, claimed)


@pytest.mark.parametrize("name", ["manifest.json", "README.md", "data", f"data/{OPEN}_answer",
    f"data/{OPEN}_answer/train-00000-of-00001.parquet",
])  # fmt: skip
def test_symbolic_links_are_not_followed(
    name: str, root: Path, hub: HubServer, tmp_path: Path
) -> None:
    folder = copied(root / "open", tmp_path / "build")
    elsewhere = tmp_path / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(errors.CorruptBuildError, match="symbolic link"):
        send(hub, folder)
    assert hub.repositories == {}


def test_rows_of_a_closed_source_do_not_travel_under_an_open_name(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    """A build whose manifest says that the rows of one source are of another."""
    folder = copied(root / "mixed", tmp_path / "build")
    text = (folder / "manifest.json").read_text()
    manifest = json.loads(text.replace('"vault": {', '"harmless": {'))
    manifest["recipes"]["harmless"]["redistribution"] = "yes"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(errors.CorruptBuildError, match="rows of another source than harmless"):
        send(hub, folder)
    assert hub.repositories == {}


def test_unfinished_and_damaged_builds_are_refused(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    with pytest.raises(errors.IncompleteBuildError):
        send(hub, tmp_path / "nothing")
    unfinished = copied(root / "open", tmp_path / "unfinished")
    (unfinished / ".medsins" / "commit.json").write_text("{}")
    with pytest.raises(errors.IncompleteBuildError, match="interrupted"):
        send(hub, unfinished)
    shard = f"data/{OPEN}_answer/train-00000-of-00001.parquet"
    damaged = copied(root / "open", tmp_path / "damaged")
    content = bytearray((damaged / shard).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / shard).write_bytes(content)
    with pytest.raises(errors.CorruptBuildError, match="SHA-256"):
        send(hub, damaged)
    lacking = copied(root / "open", tmp_path / "lacking")
    (lacking / shard).unlink()
    with pytest.raises(errors.CorruptBuildError, match="cannot be read"):
        send(hub, lacking)
    other = copied(root / "open", tmp_path / "other")
    change(other, schema_version="99")
    with pytest.raises(errors.CorruptBuildError, match="schema version 99"):
        send(hub, other)
    change(other, schema_version="2", extra=1)
    with pytest.raises(errors.CorruptBuildError, match="not one that medsins writes"):
        send(hub, other)
    empty = copied(root / "open", tmp_path / "empty")
    change(empty, recipes={}, shards=[])
    with pytest.raises(errors.IncompleteBuildError, match="no instances"):
        send(hub, empty)
    assert hub.repositories == {}


# Users and repositories


def refused(hub: HubServer, folder: Path, repo_id: str = REPO, **options: Any) -> str:
    before = {key: dict(found.branches) for key, found in hub.repositories.items()}
    with pytest.raises(errors.HubError) as caught:
        send(hub, folder, repo_id, **options)
    assert {key: found.branches for key, found in hub.repositories.items()} == before
    assert hub.puts == []
    return str(caught.value)


def test_without_a_token_it_says_how_to_get_one(root: Path, hub: HubServer) -> None:
    said = refused(hub, root / "open", token=None)
    assert "hf auth login" in said
    assert "HF_TOKEN" in said
    assert hub.asked == []


def test_the_token_is_found_where_the_hubs_own_tools_put_it(
    root: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    assert send(hub, root / "open", token=None).uploaded
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text("hf_write\n")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    assert send(hub, root / "open", token=None).unchanged


def test_tokens_that_are_not_enough(root: Path, hub: HubServer) -> None:
    assert "does not accept the token (401" in refused(hub, root / "open", token="hf_unknown")
    said = refused(hub, root / "open", token="hf_read")
    assert "does not let this token make alice/data" in said
    assert "403" in said
    hub.make(REPO)
    said = refused(hub, root / "open", token="hf_read")
    assert "does not let this token write to alice/data" in said


def test_repositories_of_others(root: Path, hub: HubServer) -> None:
    hub.accounts["hf_bob"] = Account("bob")
    hub.make(REPO)
    said = refused(hub, root / "open", token="hf_bob")
    assert "not there or not to be seen, in the name of alice" in said
    hub.make("alice/known", private=False)
    said = refused(hub, root / "open", "alice/known", token="hf_bob", private=False)
    assert "does not let this token write to alice/known" in said


@pytest.mark.parametrize("kind", ["model", "space"])
def test_a_name_that_a_model_bears(kind: str, root: Path, hub: HubServer) -> None:
    hub.make(REPO, kind)
    assert f"is a {kind}, not a dataset" in refused(hub, root / "open")


@pytest.mark.parametrize("name", ["", "data", "a/b/c", "alice/", "/data", "alice/a--b", "alice/ä",
    "alice/data.git", "alice/..", "alice/a b"])  # fmt: skip
def test_names_that_are_none(name: str, root: Path, hub: HubServer, tmp_path: Path) -> None:
    assert "is not the name of a repository" in refused(hub, root / "open", name)
    with pytest.raises(errors.HubError, match="is not the name of a repository"):
        fetch(hub, tmp_path / "back", name)
    assert hub.asked == []


@pytest.mark.parametrize("private", [True, False])
def test_who_sees_a_repository_is_as_said_and_never_changed(
    private: bool, root: Path, hub: HubServer
) -> None:
    send(hub, root / "open", "alice/new", private=private)
    assert hub.repository("alice/new").private == private
    hub.puts.clear()
    hub.make(REPO, private=not private)
    state = "public" if private else "private"
    assert f"alice/data at {hub.url} is {state}" in refused(hub, root / "open", private=private)
    assert hub.repository(REPO).private != private


def test_revisions_that_cannot_be_pushed_to(root: Path, hub: HubServer) -> None:
    repository = hub.make(REPO)
    repository.tags["v1"] = repository.branches["main"]
    assert "is a tag or a commit" in refused(hub, root / "open", revision="v1")
    assert "is a tag or a commit" in refused(hub, root / "open", revision="0" * 40)
    assert "has no refs/pr/8" in refused(hub, root / "open", revision="refs/pr/8")


def test_a_repository_that_someone_else_changes_meanwhile(root: Path, hub: HubServer) -> None:
    def meddle(method: str, place: str) -> None:
        if "/commit/" in place and len(hub.repository(REPO).titles()) == 1:
            hub.edit(REPO, "notes.md", b"mine")

    hub.before = meddle
    with pytest.raises(errors.HubError, match=r"changed by someone else during the push \(412\)"):
        send(hub, root / "open")
    assert set(hub.files(REPO)) == {".gitattributes", "notes.md"}
    assert send(hub, root / "open").uploaded
    assert hub.files(REPO)["notes.md"] == b"mine"


def test_a_repository_that_holds_files_back(root: Path, hub: HubServer) -> None:
    hub.make(REPO)
    hub.edit(REPO, ".gitignore", b"data/*")
    with pytest.raises(errors.HubError) as caught:
        send(hub, root / "open")
    # Before version 1, the client cannot read the answer of a Hub at another address.
    old = huggingface_hub.__version__.startswith("0.")
    assert old or "did not arrive in alice/data as they were sent" in str(caught.value)


def test_a_card_that_the_hub_does_not_take(root: Path, hub: HubServer) -> None:
    hub.make(REPO)
    hub.card_problems = ['"license" must be one of the known ones']
    said = refused(hub, root / "open")
    assert "refuses the dataset card" in said
    assert '"license" must be one of the known ones' in said


@pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://x.org", "https://", "http://x:y",
    "http://a b", "https://x.org?a=b", "http://x\\.localhost"])  # fmt: skip
def test_addresses_that_are_none(endpoint: str, root: Path, hub: HubServer) -> None:
    assert "is not the address of a Hub" in refused(hub, root / "open", endpoint=endpoint)


def test_a_password_in_an_address_is_not_repeated(root: Path, hub: HubServer) -> None:
    said = refused(hub, root / "open", endpoint="https://alice:s3cret@hub.example.org")
    assert "s3cret" not in said


class Babble(BaseHTTPRequestHandler):
    """A web server that is no Hub."""

    page = b"<html>It works!</html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize("page", [b"<html>It works!</html>", b"[1]", b"{}"])
def test_a_server_that_is_no_hub(
    page: bytes, root: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Babble, "page", page)
    server = HTTPServer(("127.0.0.1", 0), Babble)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    said = refused(hub, root / "open", endpoint=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()
    assert "Is it a Hub?" in said


# Pulling


def test_a_build_comes_back_as_it_was(root: Path, hub: HubServer, tmp_path: Path) -> None:
    send(hub, root / "open")
    hub.edit(REPO, "notes.md", b"mine")
    hub.edit(REPO, "data/notes.txt", b"mine")
    found = fetch(hub, tmp_path / "deep" / "back")
    assert travelling(tmp_path / "deep" / "back") == travelling(root / "open")
    assert found == medsins.verify(tmp_path / "deep" / "back")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["back"]
    assert not (tmp_path / "deep" / "back" / ".cache").exists()
    assert set(medsins.load(tmp_path / "deep" / "back")) == {"train", "test"}


def test_an_earlier_commit_and_a_public_repository(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    first = send(hub, root / "open", private=False).commit
    send(hub, root / "mixed", private=False)
    fetch(hub, tmp_path / "back", revision=first, token=None)
    assert travelling(tmp_path / "back") == travelling(root / "open")


def test_what_cannot_be_pulled(root: Path, hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(errors.HubError, match="no such dataset"):
        fetch(hub, tmp_path / "back")
    hub.make(REPO)
    hub.edit(REPO, "data/train-00000-of-00001.parquet", b"of another library")
    with pytest.raises(errors.HubError, match="holds no medsins build"):
        fetch(hub, tmp_path / "back")
    with pytest.raises(errors.HubError, match=r"no such dataset .* it is private"):
        fetch(hub, tmp_path / "back", token=None)
    with pytest.raises(errors.HubError, match="no such revision"):
        fetch(hub, tmp_path / "back", revision="v9")
    hub.edit(REPO, "manifest.json", b'{"not": "ours"}')
    with pytest.raises(errors.CorruptBuildError, match="not one that medsins writes"):
        fetch(hub, tmp_path / "back")
    for content in (b"{", b"[" * 100_000):
        hub.edit(REPO, "manifest.json", content)
        with pytest.raises(errors.CorruptBuildError, match="not valid JSON"):
            fetch(hub, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_half_finished_push_is_not_taken_for_a_build(
    root: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_SHARDS_A_COMMIT", 3)
    send(hub, root / "open")
    hub.fail(f"{REPO}/commit/", "ok", 403)
    with pytest.raises(errors.HubError, match="403"):
        send(hub, root / "mixed")
    with pytest.raises(errors.HubError, match="holds no medsins build"):
        fetch(hub, tmp_path / "back")
    assert send(hub, root / "mixed").unchanged
    fetch(hub, tmp_path / "back")
    shard = f"data/{OPEN}_answer/train-00000-of-00001.parquet"
    hub.edit(REPO, shard, b"another")
    with pytest.raises(errors.HubError, match="does not hold what its manifest"):
        fetch(hub, tmp_path / "other")


def test_a_folder_that_is_taken_stays_as_it_is(root: Path, hub: HubServer, tmp_path: Path) -> None:
    send(hub, root / "open")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(errors.BuildConflictError, match="is there already"):
            fetch(hub, tmp_path / name)
    (tmp_path / "empty").mkdir()
    fetch(hub, tmp_path / "empty")
    medsins.verify(tmp_path / "empty")
    (tmp_path / "shut").mkdir(mode=0o500)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "folder", "shut"]


def test_a_pull_goes_on_with_what_arrived_and_drops_what_is_of_another(
    root: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medsins.hub.connection._FIRST_WAIT_SECONDS", 0.0)
    send(hub, root / "open")
    send(hub, root / "mixed", "alice/mixed")
    hub.fail(f"/{CLOSED}_verdict/train", *[403] * 9)
    with pytest.raises(errors.HubError, match="403"):
        fetch(hub, tmp_path / "back", "alice/mixed")
    gathered = tmp_path / ".back.pulling"
    assert any(gathered.rglob("*.parquet"))
    assert not (tmp_path / "back").exists()
    shard = f"data/{OPEN}_answer/train-00000-of-00001.parquet"
    (gathered / shard).parent.mkdir(parents=True, exist_ok=True)
    (gathered / shard).write_bytes(b"damaged")
    fetch(hub, tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "open")
    assert not gathered.exists()


# The command line, and what others read


def test_the_command_line(root: Path, hub: HubServer, shell: Shell, tmp_path: Path) -> None:
    said = shell.says(hub.url, "push", root / "mixed", REPO, "--public")
    count = len(travelling(root / "mixed"))
    assert re.search(rf"/{REPO} at \w{{12}} of main: {count} files \(.*\) sent, 0 were", said)
    assert not hub.repository(REPO).private
    said = shell.says(hub.url, "pull", REPO, "--out", tmp_path / "back", token="")
    assert "instances in 8 shards" in said


def test_a_dry_run_says_task_by_task_what_may_go_and_why(root: Path, shell: Shell) -> None:
    outside = "https://hub.invalid"
    dry = ("push", root / "mixed", REPO, "--dry-run")
    done = shell.run(outside, *dry, token="")
    assert done.code == 2
    assert re.search(r"vault_answer +vault +refused +redistribution is no", done.out)
    assert re.search(r"ward_answer +ward +allowed +redistribution is yes", done.out)
    assert "--only-redistributable leaves them out" in done.err
    some = shell.says(outside, *dry, "--only-redistributable", token="")
    assert "left out: vault (2 tasks): redistribution is no" in some
    assert "4 shards" in some
    named = shell.says(outside, *dry, "--endpoint-covered-by", "DUA 7")
    assert "declared covered by DUA 7" in named


@pytest.mark.parametrize("place", ["/api/datasets/", "/revision/", "/preupload/", "/commit/"])
@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_the_token_never_shows(
    place: str, status: int, root: Path, hub: HubServer, shell: Shell
) -> None:
    """Not even if the Hub repeats it, and not in tracebacks."""
    secret = "hf_s3cretsecretsecret"
    hub.accounts[secret] = Account("alice")
    hub.message = f"the token {secret} may not do that"
    hub.make(REPO)
    hub.fail(place, status)
    done = shell.run(hub.url, "--debug", "push", root / "open", REPO, token=secret)
    assert done.code == 1
    assert "the token *** may not do that" in done.err
    assert "Traceback" in done.err
    assert secret not in done.out + done.err


def test_logs_stay_free_of_progress_bars(root: Path, hub: HubServer, tmp_path: Path) -> None:
    push, pull = ("push", root / "open", REPO), ("pull", REPO, "--out", tmp_path / "back")
    for arguments in (push, pull):
        done = subprocess.run(
            [sys.executable, "-m", "medsins.cli", *arguments],
            env=environment(root, hub.url),
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_datasets_reads_the_same_rows_from_the_hub(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    send(hub, root / "open")
    script = (
        "import datasets, json, sys\n"
        f"names = [None, '{OPEN}_answer', '{OPEN}_verdict']\n"
        f"found = [datasets.load_dataset({REPO!r}, name) for name in names]\n"
        f"json.dump([{{k: v.to_list() for k, v in one.items()}} for one in found], "
        f"open({str(tmp_path / 'rows')!r}, 'w'))"
    )
    settings = {**environment(root, hub.url), "HF_HOME": str(tmp_path / "home")}
    settings["HF_DATASETS_CACHE"] = str(tmp_path / "home" / "datasets")
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows").read_text())
    for found, tasks in zip(rows, ("*", f"{OPEN}_answer", f"{OPEN}_verdict"), strict=True):
        assert set(found) == {"train", "test"}
        for split, there in found.items():
            paths = sorted((root / "open" / "data").glob(f"{tasks}/{split}-*.parquet"))
            assert there == [row for path in paths for row in parquet.read_table(path).to_pylist()]
