"""Whatever happens to a build, the next call makes it whole: kills, signals, full disks, locks."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import medsins
from builds_for_tests import contents
from medsins import errors
from recipes_for_tests import visits, write_recipe, write_visits

RECORDS = 400
CHUNK_BYTES = 20_000

# Builds in chunks, with two workers or in one process, and ends itself with SIGKILL at the n-th
# rename, removal or write of a file that matters.
SUICIDAL = """
import os, signal, sys
from pathlib import Path
import medsins
from medsins.engine import plan

plan.CHUNK_BYTES, plan._SCAN_BLOCK = {chunk_bytes}, 4_000
left = int(sys.argv[1])

def mortal(name):
    method = getattr(Path, name)
    def wrapped(self, *args, **kwargs):
        global left
        if "medsins-out" in str(self) and left >= 0:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *args, **kwargs)
    setattr(Path, name, wrapped)

for name in ("replace", "unlink", "mkdir", "open", "rmdir", "write_text"):
    mortal(name)
medsins.build({select!r}, raw={raw!r}, out={out!r}, workers=1, progress=False, **{more})
print(int(sys.argv[1]) - left)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("crash")
    write_recipe(home / "recipes")
    write_recipe(home / "recipes", "ward")
    write_visits(home / "raw", visits(RECORDS))
    write_visits(home / "raw", [*visits(60, seed=2), *visits(20, seed=2)], "ward")
    before = os.environ.get("MEDSINS_RECIPES")
    os.environ["MEDSINS_RECIPES"] = str(home / "recipes")
    yield home
    if before is None:
        del os.environ["MEDSINS_RECIPES"]
    else:
        os.environ["MEDSINS_RECIPES"] = before


def build_until_killed(home: Path, out: Path, steps: int, **more: object) -> int:
    return run_until_killed(home, out, steps, **more).returncode


def run_until_killed(
    home: Path, out: Path, steps: int, **more: object
) -> subprocess.CompletedProcess[str]:
    raw = str(home / "raw")
    script = SUICIDAL.format(
        chunk_bytes=CHUNK_BYTES, select="clinic ward", raw=raw, out=str(out), more=more
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(steps)], capture_output=True, check=False, text=True
    )


@dataclass(frozen=True)
class Uninterrupted:
    """A build that nothing disturbed: its files, and how many steps it takes."""

    contents: dict[str, bytes]
    steps: int


@pytest.fixture(scope="module")
def uninterrupted(home: Path) -> Uninterrupted:
    out = home / "medsins-out-whole"
    done = run_until_killed(home, out, 10**6)
    assert done.returncode == 0, done.stderr
    return Uninterrupted(contents(out), int(done.stdout))


MOMENTS = st.one_of(st.floats(0, 1), st.floats(0.8, 1))
"""Shares of a build's steps; the last fifth, where it is published, is looked at more closely."""


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=3))
def test_killed_at_any_step_the_next_call_makes_the_same_bytes(
    home: Path,
    uninterrupted: Uninterrupted,
    moments: list[float],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    out = tmp_path_factory.mktemp("run") / "medsins-out"
    for moment in moments:
        if build_until_killed(home, out, int(moment * uninterrupted.steps)) == 0:
            break
        if (out / "manifest.json").exists() and not (out / ".medsins" / "commit.json").exists():
            medsins.verify(out, progress=False)
    assert build_until_killed(home, out, 10**6) == 0
    assert contents(out) == uninterrupted.contents


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moment=MOMENTS)
def test_killed_while_replacing_a_build_it_is_old_or_resumable(
    home: Path,
    uninterrupted: Uninterrupted,
    moment: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("replace")
    out, raw = folder / "medsins-out", folder / "raw"
    for name, seed in (("clinic", 5), ("ward", 6)):
        write_visits(raw, visits(80, seed=seed), name)
    medsins.build("clinic ward", raw=raw, out=out, workers=1, progress=False)
    old = contents(out)
    code = build_until_killed(home, out, int(moment * uninterrupted.steps))
    if code != 0:
        now = contents(out)
        resumable = (out / ".medsins" / "commit.json").exists()
        assert now == old or resumable
        if resumable:
            with pytest.raises(errors.IncompleteBuildError, match="same build command again"):
                medsins.load(out)
    assert build_until_killed(home, out, 10**6) == 0
    assert contents(out) == uninterrupted.contents


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moment=MOMENTS)
def test_killed_while_overwriting_a_build_it_is_old_or_resumable(
    home: Path,
    uninterrupted: Uninterrupted,
    moment: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("overwrite")
    out, fresh = folder / "medsins-out", folder / "medsins-out-fresh"
    assert build_until_killed(home, out, 10**6) == 0
    other = {"seed": 9, "overwrite": True}
    code = build_until_killed(home, out, int(moment * uninterrupted.steps), **other)
    if code != 0 and not (out / ".medsins" / "commit.json").exists():
        assert contents(out) == uninterrupted.contents
    assert build_until_killed(home, out, 10**6, **other) == 0
    assert build_until_killed(home, fresh, 10**6, seed=9) == 0
    assert contents(out) == contents(fresh)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_with_workers_running_it_resumes(
    tmp_path: Path, stop: signal.Signals
) -> None:
    write_recipe(tmp_path / "recipes")
    write_visits(tmp_path / "raw", visits(40_000))
    environment = {**os.environ, "MEDSINS_RECIPES": str(tmp_path / "recipes")}
    script = (
        "import sys\nfrom medsins.engine import plan\nfrom medsins.cli import main\n"
        "plan.CHUNK_BYTES, plan._SCAN_BLOCK = 400_000, 100_000\nmain()\n"
    )
    (tmp_path / "main.py").write_text(
        script.replace("main()\n", "if __name__ == '__main__':\n    main()\n")
    )

    def start(out: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(tmp_path / "main.py"), "build", "clinic", "--workers", "2",
             "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / out)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    whole = start("whole")
    assert whole.wait(120) == 0, whole.stderr and whole.stderr.read()
    rng = random.Random(stop)
    process = start("out")
    chunks = tmp_path / "out" / ".medsins" / "chunks" / "clinic"
    deadline = time.monotonic() + 60
    while not list(chunks.glob("*.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # An interrupt comes while there is much to do; what cannot be caught comes at any time.
    if stop is not signal.SIGINT:
        time.sleep(rng.random() * 0.5)
    process.send_signal(stop)
    code = process.wait(60)
    said = process.stderr.read().decode() if process.stderr else ""
    if stop is signal.SIGINT:
        assert code == 130, said
        assert "Run the same command again" in said
        assert "Traceback" not in said
    assert start("out").wait(120) == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_finished_chunks_are_not_mapped_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(tmp_path / "recipes")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    home = tmp_path
    write_visits(home / "raw", visits(RECORDS))
    script = SUICIDAL.format(
        chunk_bytes=CHUNK_BYTES,
        select="clinic",
        raw=str(home / "raw"),
        out=str(home / "medsins-out"),
        more={},
    )
    subprocess.run([sys.executable, "-c", script, "30"], capture_output=True, check=False)
    done = {p: p.stat().st_mtime_ns for p in (home / "medsins-out").rglob("chunks/*/*.json")}
    assert done
    subprocess.run([sys.executable, "-c", script, "4"], capture_output=True, check=False)
    after = {p: p.stat().st_mtime_ns for p in (home / "medsins-out").rglob("chunks/*/*.json")}
    assert done.items() <= after.items()


@pytest.mark.parametrize("ending", ["arrow", "ids"])
def test_a_chunk_that_was_damaged_is_mapped_again(
    ending: str, home: Path, uninterrupted: Uninterrupted, tmp_path: Path
) -> None:
    out = tmp_path / "medsins-out"
    build_until_killed(home, out, 30)
    damaged = list(out.rglob(f"chunks/*/*.{ending}"))
    assert damaged
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1])
    assert build_until_killed(home, out, 10**6) == 0
    assert contents(out) == uninterrupted.contents


@pytest.mark.parametrize("content", ["", "[]", "{}", "7", '{"a": 1}', "[" * 100_000])
def test_state_that_another_version_or_hand_wrote_is_made_anew(
    content: str, home: Path, uninterrupted: Uninterrupted, tmp_path: Path
) -> None:
    out = tmp_path / "medsins-out"
    build_until_killed(home, out, uninterrupted.steps * 7 // 10)
    assert not (out / ".medsins/commit.json").exists()
    state = [*out.rglob("chunks/*/*.json"), *out.rglob("receipt.json"), *out.rglob("files.json")]
    assert len(state) > 2
    for path in state:
        path.write_text(content)
    assert build_until_killed(home, out, 10**6) == 0
    assert contents(out) == uninterrupted.contents


@pytest.mark.parametrize("content", ["", "[]", '{"moves": 1}', "[" * 100_000])
def test_a_damaged_journal_of_a_commit_is_refused(content: str, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "medsins-out"
    (out / ".medsins").mkdir(parents=True)
    (out / ".medsins/commit.json").write_text(content)
    with pytest.raises(errors.CorruptBuildError, match="journal of an interrupted commit"):
        medsins.build("clinic", raw=home / "raw", out=out, progress=False)
    assert (out / ".medsins/commit.json").read_text() == content


def test_a_staged_shard_that_was_damaged_is_written_again(
    home: Path, uninterrupted: Uninterrupted, tmp_path: Path
) -> None:
    # Some recipe is staged at one of these moments, and the build not yet published.
    for tenths in range(9, 3, -1):
        out = tmp_path / str(tenths) / "medsins-out"
        build_until_killed(home, out, uninterrupted.steps * tenths // 10)
        committed = any((out / one).exists() for one in ("manifest.json", ".medsins/commit.json"))
        receipts = [] if committed else list(out.rglob("receipt.json"))
        damaged = [path for one in receipts for path in one.parent.rglob("*.parquet")]
        if damaged:
            break
    assert damaged
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1])
    assert build_until_killed(home, out, 10**6) == 0
    assert contents(out) == uninterrupted.contents


def test_a_second_build_into_the_same_folder_is_refused(home: Path, tmp_path: Path) -> None:
    from medsins.builds.folder import BuildFolder

    script = (
        "import sys, time\nfrom medsins.builds.folder import BuildFolder\n"
        f"with BuildFolder({str(tmp_path / 'out')!r}).locked():\n"
        "    print('locked', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(errors.BuildConflictError, match="another process is building"):
            medsins.build("clinic", raw=home / "raw", out=tmp_path / "out", progress=False)
        other.kill()
    medsins.build("clinic", raw=home / "raw", out=tmp_path / "out", progress=False)
    assert BuildFolder(tmp_path / "out").finished()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 600 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_the_build_resumes_when_there_is_room(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(tmp_path / "recipes")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_visits(tmp_path / "raw", visits(4000))
    with pytest.raises(errors.OutputError, match="full"):
        medsins.build("clinic", raw=tmp_path / "raw", out=small_disk / "out", progress=False)
    assert not (small_disk / "out" / "manifest.json").exists()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    medsins.build("clinic", raw=tmp_path / "raw", out=small_disk / "out", progress=False)
    medsins.verify(small_disk / "out", progress=False)


def test_a_folder_that_cannot_be_written_is_said(
    small_disk: Path, home: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(errors.OutputError, match="cannot be written"):
        medsins.build("clinic", raw=home / "raw", out=small_disk / "out", progress=False)


def test_a_file_where_the_folder_is_due_is_said(home: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(errors.OutputError, match="is a file"):
        medsins.build("clinic", raw=home / "raw", out=tmp_path / "out", progress=False)
    with pytest.raises(errors.OutputError, match="is a file"):
        medsins.build("clinic", raw=home / "raw", out=tmp_path / "out" / "below", progress=False)


def test_a_worker_that_is_killed_costs_only_its_chunk(tmp_path: Path) -> None:
    from medsins.engine.local import Local

    marks = tmp_path / "marks"
    marks.mkdir()
    with Local(2) as local:
        found = dict(local.run(dies_once, [(str(marks), number) for number in range(6)]))
    assert found == {number: number * number for number in range(6)}


def test_workers_that_were_started_early_do_the_jobs(tmp_path: Path) -> None:
    from medsins.engine.local import Local

    marks = tmp_path / "marks"
    marks.mkdir()
    with Local(2) as local:
        local.start()
        local.start()
        found = dict(local.run(dies_once, [(str(marks), number) for number in range(6)]))
    assert found == {number: number * number for number in range(6)}


def test_workers_start_one_after_the_other_until_all_are_there() -> None:
    from medsins.engine.local import Local

    with Local(2) as local:
        deadline = time.monotonic() + 60
        while len(multiprocessing.active_children()) < 2:
            assert time.monotonic() < deadline, "the second worker did not start"
            local.start()
            time.sleep(0.01)
        pids = {child.pid for child in multiprocessing.active_children()}
        assert pids >= set(dict(local.run(process_id, [() for _ in range(8)])).values())


def test_a_worker_that_is_killed_before_the_first_job_is_replaced() -> None:
    from medsins.engine.local import Local

    with Local(2) as local:
        local.start()
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        for _ in range(20):
            local.start()
            time.sleep(0.01)
        assert dict(local.run(pow, [(number, 2) for number in range(6)]))[5] == 25


def test_a_single_job_starts_no_worker_but_goes_to_one_that_is_there() -> None:
    from medsins.engine.local import Local

    with Local(2) as local:
        assert local.call(process_id) == os.getpid()
        others = set(dict(local.run(process_id, [() for _ in range(4)])).values())
        assert local.call(process_id) in others - {os.getpid()}


def test_a_process_that_hands_out_work_imports_neither_arrow_nor_pydantic(
    home: Path, tmp_path: Path
) -> None:
    script = f"""
import sys
import medsins
from medsins.engine import plan

plan.CHUNK_BYTES, plan._SCAN_BLOCK = {CHUNK_BYTES}, 4_000
medsins.build("clinic", raw={str(home / "raw")!r}, out={str(tmp_path)!r}, workers=2)
print(sorted({{"pyarrow", "pydantic"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
    medsins.verify(tmp_path, progress=False)


def process_id() -> int:
    return os.getpid()


def dies_once(folder: str, number: int) -> int:
    mark = Path(folder) / str(number)
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_job_that_always_kills_its_worker_is_given_up(tmp_path: Path) -> None:
    from medsins.engine.local import Local

    with (
        Local(2) as local,
        pytest.raises(errors.WorkerDiedError, match="fewer --workers"),
    ):
        list(local.run(always_dies, [(1,), (2,)]))


def always_dies(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
