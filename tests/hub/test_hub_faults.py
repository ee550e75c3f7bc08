"""Push and pull while the Hub, the network or the process itself fails."""

from __future__ import annotations

import fcntl
import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub_for_tests import (
    CLOSED,
    OPEN,
    client_settings,
    environment,
    make_builds,
    travelling,
)
from hub_server import HubServer
from medsins import errors
from medsins.hub import pull, push, pushing
from paths import SHARED

REPO = "alice/data"
STUB = SHARED / "tools" / "hubstub.py"
PLACES = (
    f"/datasets/{REPO}$",
    "/repos/create",
    "/revision/main",
    "/tree/",
    "/validate-yaml",
    "/preupload/",
    "/objects/batch",
    "^/lfs/",
    "/commit/",
)


# What the Hub's client does with small bodies, and nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_builds(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def hub(root: Path) -> Iterator[HubServer]:
    with HubServer() as server, client_settings(root):
        yield server


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for, in seconds, without waiting for it."""
    asked: list[float] = []
    sleep = time.sleep

    def short(seconds: float) -> None:
        asked.append(seconds)
        sleep(min(seconds, 0.001))

    monkeypatch.setattr(time, "sleep", short)
    return asked


def send(hub: HubServer, folder: Path, **options: Any) -> pushing.PushResult:
    return push(folder, REPO, endpoint=hub.url, token="hf_write", **options)


def fetch(hub: HubServer, out: Path) -> Any:
    return pull(REPO, out, endpoint=hub.url, token="hf_write")


def arrived(hub: HubServer, folder: Path) -> bool:
    there = hub.files(REPO)
    there.pop(".gitattributes")
    return there == travelling(folder)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("action", [429, 500, 503, "drop", "lost"])
def test_whatever_fails_once_is_done_once(
    place: str, action: int | str, root: Path, hub: HubServer
) -> None:
    hub.fail(place, action)
    result = send(hub, root / "open")
    assert arrived(hub, root / "open")
    assert set(result.uploaded) == set(travelling(root / "open"))
    assert len(hub.repository(REPO).titles()) == 2
    assert set(Counter(hub.puts).values()) <= {1, 1 + (place == "^/lfs/")}


@pytest.mark.parametrize("places", [PLACES[::2], PLACES[1::2]])
def test_one_failure_after_another(places: tuple[str, ...], root: Path, hub: HubServer) -> None:
    for place in places:
        hub.fail(place, "drop")
    assert send(hub, root / "mixed").uploaded
    assert arrived(hub, root / "mixed")


def test_a_hub_that_asks_to_wait_is_left_alone_for_so_long(
    root: Path, hub: HubServer, waits: list[float]
) -> None:
    hub.retry_after = "40"
    hub.fail("/revision/main", 429)
    hub.fail("/commit/", 429)
    send(hub, root / "open")
    assert [seconds for seconds in waits if seconds >= 40] == [40, 40]


def test_a_lost_answer_opens_no_second_pull_request(root: Path, hub: HubServer) -> None:
    hub.make(REPO)
    hub.fail("/commit/", "lost")
    result = send(hub, root / "open", create_pr=True)
    assert result.revision == "refs/pr/1"
    assert set(hub.repository(REPO).branches) == {"main", "refs/pr/1"}
    assert set(result.uploaded) == set(travelling(root / "open"))


def test_a_hub_that_stays_down_is_given_up_and_later_gets_the_rest(
    root: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "_SHARDS_A_COMMIT", 2)
    hub.fail("/commit/", "ok", *[503] * 5)
    with pytest.raises(errors.HubError, match="it answered 503 scripted; tried 5 times"):
        send(hub, root / "open")
    assert len(hub.repository(REPO).titles()) == 2
    with pytest.raises(errors.HubError, match="holds no medsins build"):
        fetch(hub, tmp_path / "back")
    result = send(hub, root / "open")
    assert len(result.unchanged) == 2
    assert arrived(hub, root / "open")
    assert set(Counter(hub.puts).values()) == {1}


def test_uploads_that_fail_for_good_say_so(root: Path, hub: HubServer) -> None:
    hub.fail("^/lfs/", *["drop"] * 200)
    with pytest.raises(errors.HubError, match=r"the connection failed .* tried 2 times"):
        send(hub, root / "open")
    assert hub.puts == []


def test_no_hub_at_all(root: Path, hub: HubServer, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(errors.HubError, match=r"connection failed .* tried 5 times"):
        push(root / "open", REPO, endpoint=nowhere, token="hf_write")
    with pytest.raises(errors.HubError, match=r"connection failed .* tried 5 times"):
        pull(REPO, tmp_path / "back", endpoint=nowhere)


# Downloads


@pytest.mark.parametrize("action", [429, 503, "drop", "cut"])
@pytest.mark.parametrize("name", ["manifest.json", "README.md", r"train-\d+-of-\d+.parquet"])
def test_a_download_that_fails_once_is_whole_in_the_end(
    action: int | str, name: str, root: Path, hub: HubServer, tmp_path: Path
) -> None:
    send(hub, root / "open")
    hub.fail(f"/resolve/.*{name}", action, method="GET")
    fetch(hub, tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "open")


def test_bytes_that_were_damaged_on_the_way_are_fetched_again(
    root: Path, hub: HubServer, tmp_path: Path
) -> None:
    send(hub, root / "open")
    shard = f"data/{OPEN}_answer/train-00000-of-00001.parquet"
    digest = hub.tree(REPO)[shard].sha256
    whole = hub.blobs[digest]
    damaged = whole[:99] + bytes([whole[99] ^ 1]) + whole[100:]
    times = 1

    def corrupt(method: str, place: str) -> None:
        nonlocal times
        if method == "GET" and place.endswith(shard):
            hub.blobs[digest] = damaged if times > 0 else whole
            times -= 1

    hub.before = corrupt
    fetch(hub, tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "open")
    times = 99
    with pytest.raises(errors.HubError, match="arrived damaged"):
        fetch(hub, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    times = 0
    fetch(hub, tmp_path / "other")
    assert travelling(tmp_path / "other") == travelling(root / "open")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 16 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.filterwarnings("ignore:Not enough free disk space")
def test_a_full_disk_is_said_and_the_pull_goes_on_when_there_is_room(
    small_disk: Path, root: Path, hub: HubServer
) -> None:
    send(hub, root / "mixed")
    remount = ["mount", "-o", "remount,size={}", str(small_disk)]
    for size, said in (("16k", "full|No space"), ("96k", "needs .* bytes more")):
        subprocess.run([part.format(size) for part in remount], check=True)
        with pytest.raises(errors.OutputError, match=said):
            fetch(hub, small_disk / "back")
        assert [path.name for path in small_disk.iterdir()] == [".back.pulling"]
    subprocess.run([part.format("9m") for part in remount], check=True)
    fetch(hub, small_disk / "back")
    assert travelling(small_disk / "back") == travelling(root / "mixed")


def test_two_pulls_to_one_place(root: Path, hub: HubServer, tmp_path: Path) -> None:
    send(hub, root / "open")
    state = tmp_path / ".back.pulling" / ".medsins"
    state.mkdir(parents=True)
    with (state / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(errors.BuildConflictError):
            fetch(hub, tmp_path / "back")
    fetch(hub, tmp_path / "back")


# Kills


def killed(hub: HubServer, root: Path, script: str, after: int) -> bool:
    """Run a script and kill it at a request; return whether it was done before that."""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(root, hub.url),
        stderr=subprocess.DEVNULL,
    )
    seen = 0

    def strike(method: str, place: str) -> None:
        nonlocal seen
        seen += 1
        if seen == after:
            process.send_signal(signal.SIGKILL)
            process.wait()

    hub.before = strike
    code = process.wait(timeout=60)
    hub.before = lambda method, place: None
    assert code in (0, -signal.SIGKILL)
    return code == 0


def test_a_push_that_is_killed_again_and_again_sends_the_rest(root: Path, hub: HubServer) -> None:
    script = (
        "from medsins.hub import push, pushing\n"
        "pushing._SHARDS_A_COMMIT = 3\n"
        f"push({str(root / 'mixed')!r}, {REPO!r})"
    )
    rng = random.Random(7)
    runs = 1
    while not killed(hub, root, script, rng.randint(8, 24)):
        runs += 1
        files = hub.files(REPO) if hub.repositories else {}
        assert "manifest.json" not in files or arrived(hub, root / "mixed")
    assert arrived(hub, root / "mixed")
    assert runs > 2
    # What was under way when the process was killed is all that may be sent twice.
    assert sum(Counter(hub.puts).values()) - len(set(hub.puts)) <= 3 * (runs - 1)
    assert send(hub, root / "mixed").uploaded == ()


def test_a_pull_that_is_killed_goes_on(root: Path, hub: HubServer, tmp_path: Path) -> None:
    send(hub, root / "mixed")
    script = f"from medsins.hub import pull\npull({REPO!r}, {str(tmp_path / 'back')!r})"
    assert not killed(hub, root, script, 16)
    assert not (tmp_path / "back").exists()
    hub.asked.clear()
    assert killed(hub, root, script, 10_000)
    assert travelling(tmp_path / "back") == travelling(root / "mixed")
    assert [path.name for path in tmp_path.iterdir()] == ["back"]


# The full stand-in for the Hub, with Xet


class Stub:
    """The stand-in in a process of its own, and what it can be asked."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_stub/{what}", data)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def repository(self) -> Any:
        (found,) = [one for one in self.ask("state")["repos"] if one["id"] == REPO]
        return found

    def sent(self) -> int:
        """Bytes of large files that arrived, whatever became of them."""
        return sum(
            one["req_bytes"]
            for one in self.ask("log")
            if one["path"].startswith(("/_cas/v1/xorbs", "/_lfs/put", "/_lfs/part"))
        )


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    if not STUB.is_file():
        pytest.skip("the full stand-in for the Hub is not here")
    pytest.importorskip("hf_xet")
    found = tmp_path / "url"
    tokens = ["--token", "hf_write:alice:write", "--url-file", str(found)]
    process = subprocess.Popen(
        [sys.executable, STUB, *tokens, "--data", tmp_path / "hubdata"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    limit = time.monotonic() + 20
    while not found.is_file() or not found.read_text():
        assert time.monotonic() < limit
        assert process.poll() is None
    yield Stub(found.read_text())
    process.terminate()
    process.wait()


def shell(stub: Stub, root: Path, tmp_path: Path, *arguments: object) -> str:
    settings = {**environment(root, stub.url), "HF_HOME": str(tmp_path / "home")}
    settings["HF_DATASETS_CACHE"] = str(tmp_path / "home" / "datasets")
    settings.pop("HF_HUB_DISABLE_XET")
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED = """
import datasets
from pyarrow import parquet
from pathlib import Path
found = datasets.load_dataset({repo!r}, {config!r})
for split, rows in found.items():
    paths = sorted(Path({data!r}).glob(f"{{{config!r}}}/{{split}}-*.parquet"))
    assert rows.to_list() == [r for p in paths for r in parquet.read_table(p).to_pylist()]
print(sorted(found))
"""


def test_through_xet_and_back_through_datasets(stub: Stub, root: Path, tmp_path: Path) -> None:
    cli = ("-m", "medsins.cli")
    shell(stub, root, tmp_path, *cli, "push", root / "mixed", REPO)
    files = stub.repository()["files"]
    assert all(one["xet"] for path, one in files.items() if path.endswith(".parquet"))
    sent = stub.sent()
    assert sent > 0
    said = shell(stub, root, tmp_path, *cli, "push", root / "mixed", REPO)
    assert "0 files (0 B) sent" in said
    assert stub.sent() == sent
    assert len(stub.repository()["commits"]) == 2
    shell(stub, root, tmp_path, *cli, "pull", REPO, "--out", tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "mixed")
    script = LOADED.format(repo=REPO, config=f"{CLOSED}_answer", data=str(root / "mixed" / "data"))
    assert shell(stub, root, tmp_path, "-c", script) == "['test', 'train']\n"


def test_through_xet_while_it_fails(stub: Stub, root: Path, tmp_path: Path) -> None:
    cli = ("-m", "medsins.cli")
    rules = [
        {"path": "/_cas/v1/xorbs", "first": 1, "action": "reset_mid_upload", "after_bytes": 99},
        {"path": "/_cas/v[12]/shards", "first": 1, "action": "status", "status": 503},
        {"path": "/preupload/", "first": 1, "action": "ratelimit", "retry_after": 1},
        {"path": "/commit/", "first": 1, "action": "drop_response"},
        {"path": "/_cdn/", "every": 3, "action": "truncate", "after_bytes": 500, "rst": True},
    ]
    stub.ask("faults", rules)
    shell(stub, root, tmp_path, *cli, "push", root / "open", REPO)
    commits = stub.repository()["commits"]
    assert [one["ops"] for one in commits] == [len(travelling(root / "open")), 0]
    shell(stub, root, tmp_path, *cli, "pull", REPO, "--out", tmp_path / "back")
    assert travelling(tmp_path / "back") == travelling(root / "open")
    assert all(rule["fired"] for rule in stub.ask("faults")[:4])
