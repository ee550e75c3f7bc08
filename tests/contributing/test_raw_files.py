from __future__ import annotations

import hashlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import medsins
from medsins import errors
from medsins.raw import Download, fetch

DATA = bytes(range(256)) * 12_000
PAGE = b"\n  <!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"

Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers a request that asks for the bytes from some offset on; -1 if it asks for all."""


def whole(data: bytes = DATA) -> Answer:
    def answer(request: BaseHTTPRequestHandler, start: int) -> None:
        if start >= len(data):
            request.send_error(416)
            return
        send(request, 200 if start < 0 else 206, data[max(start, 0) :])

    return answer


def deaf() -> Answer:
    """Sends all bytes, whichever were asked for."""
    return lambda request, start: send(request, 200, DATA)


def status(code: int) -> Answer:
    return lambda request, start: request.send_error(code)


def cut(count: int, data: bytes = DATA) -> Answer:
    """Sends so many of the bytes asked for, and drops the connection."""

    def answer(request: BaseHTTPRequestHandler, start: int) -> None:
        rest = data[max(start, 0) :]
        send(request, 200 if start < 0 else 206, rest[:count], length=len(rest))

    return answer


def cut_chunked(request: BaseHTTPRequestHandler, start: int) -> None:
    """Sends a stream of chunks that never ends."""
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"1000\r\n" + DATA[:4096] + b"\r\n")


def moved(to: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler, start: int) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def send(
    request: BaseHTTPRequestHandler, code: int, body: bytes, length: int | None = None
) -> None:
    request.send_response(code)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    request.end_headers()
    request.wfile.write(body)


@dataclass
class Site:
    """A web server on this machine: what it answers at each path, and what it was asked."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def gives(self, path: str, *answers: Answer) -> str:
        """Answer one request after the other; the last answer stays."""
        self.answers[path] = list(answers)
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            bounds = self.headers.get("Range", "")
            start = int(bounds.removeprefix("bytes=").removesuffix("-")) if bounds else -1
            here.asked.append((self.path, start))
            here.before()
            answers = here.answers.get(self.path, [status(404)])
            (answers.pop(0) if len(answers) > 1 else answers[0])(self, start)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(
            self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
        ) -> None:
            # Who has read enough hangs up.
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    here = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_FIRST_WAIT_SECONDS", 0.01)


def pinned(url: str, *mirrors: str, path: str = "data/f.bin", data: bytes = DATA) -> Download:
    return Download(url, path, hashlib.sha256(data).hexdigest(), mirrors)


def below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_file_is_fetched_into_a_folder_that_is_made_for_it(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    ticks: list[int] = []
    assert fetch.download(pinned(url), tmp_path / "clinic", ticks.append) is True
    assert below(tmp_path) == ["clinic/data/f.bin"]
    assert (tmp_path / "clinic/data/f.bin").read_bytes() == DATA
    assert sum(ticks) == len(DATA)
    assert site.asked == [("/f", -1)]


def test_an_empty_file_is_fetched(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole(b""))
    assert fetch.download(pinned(url, data=b""), tmp_path) is True
    assert (tmp_path / "data/f.bin").read_bytes() == b""


def test_the_right_file_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    assert fetch.download(pinned(url), tmp_path) is True
    assert fetch.download(pinned(url), tmp_path) is False
    assert len(site.asked) == 1


def test_another_file_in_its_place_is_refused_and_left_alone(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    (tmp_path / "f.bin").write_bytes(b"mine")
    with pytest.raises(errors.FetchError, match=r"f\.bin exists, but it is not the pinned file"):
        fetch.download(pinned(url, path="f.bin"), tmp_path)
    assert (tmp_path / "f.bin").read_bytes() == b"mine"
    assert site.asked == []


def test_a_cut_connection_goes_on_where_it_was_cut(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", cut(5000), cut(70_000), whole())
    ticks: list[int] = []
    assert fetch.download(pinned(url), tmp_path, ticks.append) is True
    assert (tmp_path / "data/f.bin").read_bytes() == DATA
    assert site.asked == [("/f", -1), ("/f", 5000), ("/f", 75_000)]
    assert sum(ticks) == len(DATA)


def test_a_cut_stream_of_chunks_goes_on_where_it_was_cut(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", cut_chunked, whole())
    assert fetch.download(pinned(url), tmp_path) is True
    assert (tmp_path / "data/f.bin").read_bytes() == DATA
    assert site.asked == [("/f", -1), ("/f", 4096)]


def test_a_server_that_knows_no_ranges_sends_all_again(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", cut(5000), deaf())
    assert fetch.download(pinned(url), tmp_path) is True
    assert (tmp_path / "data/f.bin").read_bytes() == DATA
    assert site.asked == [("/f", -1), ("/f", 5000)]


def test_what_an_interrupted_run_left_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    tmp_path.joinpath("data").mkdir()
    (tmp_path / "data/.f.bin.part").write_bytes(DATA[:9000])
    assert fetch.download(pinned(url), tmp_path) is True
    assert below(tmp_path) == ["data/f.bin"]
    assert (tmp_path / "data/f.bin").read_bytes() == DATA
    assert site.asked == [("/f", 9000)]


def test_what_an_interrupted_run_left_whole_is_taken_as_it_is(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    tmp_path.joinpath("data").mkdir()
    (tmp_path / "data/.f.bin.part").write_bytes(DATA)
    ticks: list[int] = []
    assert fetch.download(pinned(url), tmp_path, ticks.append) is True
    assert below(tmp_path) == ["data/f.bin"]
    assert sum(ticks) == 0


@pytest.mark.parametrize("left", [b"of another version", DATA + b"more", b"x" * len(DATA)])
def test_what_an_interrupted_run_left_of_another_file_does_no_harm(
    left: bytes, site: Site, tmp_path: Path
) -> None:
    url = site.gives("/f", whole())
    tmp_path.joinpath("data").mkdir()
    (tmp_path / "data/.f.bin.part").write_bytes(left)
    assert fetch.download(pinned(url), tmp_path) is True
    assert below(tmp_path) == ["data/f.bin"]
    assert (tmp_path / "data/f.bin").read_bytes() == DATA


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(code: int, site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", status(code), status(code), whole())
    assert fetch.download(pinned(url), tmp_path) is True
    assert len(site.asked) == 3


def test_a_server_that_stays_in_trouble_is_given_up_with_its_answer(
    site: Site, tmp_path: Path
) -> None:
    url = site.gives("/f", status(503))
    with pytest.raises(errors.FetchError) as caught:
        fetch.download(pinned(url), tmp_path)
    for told in (url, "503", "tried 4 times", "data/f.bin", str(tmp_path / "data/f.bin")):
        assert told in str(caught.value)
    assert len(site.asked) == 4
    assert below(tmp_path) == []


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_not_asked_again(code: int, site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", status(code))
    with pytest.raises(errors.FetchError, match=f"{url} answered {code}"):
        fetch.download(pinned(url), tmp_path)
    assert len(site.asked) == 1
    assert below(tmp_path) == []


def test_a_connection_that_always_ends_early_is_an_error_and_the_next_run_goes_on(
    site: Site, tmp_path: Path
) -> None:
    url = site.gives("/f", cut(1000))
    with pytest.raises(errors.FetchError, match=r"the connection ended after 1,000 of"):
        fetch.download(pinned(url), tmp_path)
    assert [start for _, start in site.asked] == [-1, 1000, 2000, 3000]
    assert below(tmp_path) == ["data/.f.bin.part"]
    site.gives("/f", whole())
    assert fetch.download(pinned(url), tmp_path) is True
    assert site.asked[-1] == ("/f", 4000)
    assert (tmp_path / "data/f.bin").read_bytes() == DATA


def test_nobody_at_the_address_is_an_error_that_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(errors.FetchError, match="the connection failed"):
        fetch.download(pinned(f"http://127.0.0.1:{port}/f"), tmp_path)


def test_mirrors_are_asked_in_turn(site: Site, tmp_path: Path) -> None:
    site.gives("/b", whole(b"something else"))
    site.gives("/c", whole())
    mirrors = [site.url + path for path in ("/b", "/c", "/d")]
    assert fetch.download(pinned(site.url + "/a", *mirrors), tmp_path) is True
    assert [path for path, _ in site.asked] == ["/a", "/b", "/c"]
    assert (tmp_path / "data/f.bin").read_bytes() == DATA


def test_a_mirror_goes_on_with_what_the_first_address_sent(site: Site, tmp_path: Path) -> None:
    url = site.gives("/a", cut(5000), status(404))
    mirror = site.gives("/b", whole())
    assert fetch.download(pinned(url, mirror), tmp_path) is True
    assert site.asked == [("/a", -1), ("/a", 5000), ("/b", 5000)]
    assert (tmp_path / "data/f.bin").read_bytes() == DATA


def test_a_mirror_is_not_spoilt_by_a_page_that_the_first_address_cut_off(
    site: Site, tmp_path: Path
) -> None:
    url = site.gives("/a", cut(20, PAGE), status(404))
    mirror = site.gives("/b", whole())
    assert fetch.download(pinned(url, mirror), tmp_path) is True
    assert (tmp_path / "data/f.bin").read_bytes() == DATA


def test_if_no_address_serves_the_error_tells_of_each(site: Site, tmp_path: Path) -> None:
    url = site.gives("/a", status(404))
    mirror = site.gives("/b", whole(b"something else"))
    with pytest.raises(errors.FetchError) as caught:
        fetch.download(pinned(url, mirror), tmp_path)
    assert f"{url} answered 404" in str(caught.value)
    assert f"{mirror} delivered 14 bytes" in str(caught.value)


@pytest.mark.parametrize(
    "page", [PAGE, b"<HTML>", b'<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="x"></html>']
)
def test_a_web_page_in_place_of_the_file_is_called_one(
    page: bytes, site: Site, tmp_path: Path
) -> None:
    url = site.gives("/f", whole(page))
    with pytest.raises(errors.FetchError, match=f"{url} delivered a web page instead of the file"):
        fetch.download(pinned(url), tmp_path)
    assert below(tmp_path) == []


def test_other_bytes_than_the_pinned_ones_are_not_kept(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole(DATA[:-1] + b"?"))
    with pytest.raises(
        errors.FetchError, match=r"delivered 3,072,000 bytes with SHA-256 .* pinned"
    ):
        fetch.download(pinned(url), tmp_path)
    assert below(tmp_path) == []
    assert len(site.asked) == 1


def test_the_final_name_appears_with_the_last_byte_and_not_before(
    site: Site, tmp_path: Path
) -> None:
    seen: list[bool] = []
    site.before = lambda: seen.append((tmp_path / "data/f.bin").exists())
    url = site.gives("/a", cut(9000), status(503), whole(b"something else"))
    mirror = site.gives("/b", cut(9000), whole())

    def tick(count: int) -> None:
        seen.append((tmp_path / "data/f.bin").exists())

    assert fetch.download(pinned(url, mirror), tmp_path, tick) is True
    assert len(seen) > 5
    assert not any(seen)
    assert below(tmp_path) == ["data/f.bin"]


def test_redirects_are_followed(site: Site, tmp_path: Path) -> None:
    url = site.gives("/old", moved(site.gives("/new", whole())))
    assert fetch.download(pinned(url), tmp_path) is True
    assert [path for path, _ in site.asked] == ["/old", "/new"]


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/f", "/f", ""])
def test_only_web_addresses_are_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(errors.FetchError, match="is not a web address"):
        fetch.download(pinned(url), tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error_of_its_own(site: Site, tmp_path: Path) -> None:
    url = site.gives("/f", whole())
    (tmp_path / "clinic").write_text("a file")
    with pytest.raises(errors.FetchError, match=r"clinic/data cannot be written"):
        fetch.download(pinned(url), tmp_path / "clinic")
    assert site.asked == []


def test_a_file_that_cannot_be_written_is_not_blamed_on_the_connection(
    site: Site, tmp_path: Path
) -> None:
    url = site.gives("/f", whole())
    (tmp_path / "data/.f.bin.part").mkdir(parents=True)
    with pytest.raises(errors.FetchError, match=r"f\.bin\.part cannot be written"):
        fetch.download(pinned(url), tmp_path)
    assert len(site.asked) == 1


# medsins.fetch

RECIPE = """
from medsins import Category, Domain, Recipe, Task, raw


class Ward(Recipe):
    title = "Ward"
    homepage = "https://example.org/ward"
    license = "CC0-1.0"
    citation = "Nobody, 2026"
    files = {{"one": raw.jsonl("a.jsonl"), "superni": raw.superni("task1_x")}}
    downloads = [raw.Download("{url}", "a.jsonl", "{sha256}")]

    answer = Task(
        category=Category.QUESTION_ANSWERING, domain=Domain.CLINICAL_TEXTS, definition="Answer."
    )

    def instances_one(self, record):
        yield self.answer(input=record["q"], output=record["a"])

    instances_superni = instances_one
"""


def test_an_open_source_is_fetched_and_what_is_missing_is_named(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b'{"q": "Why?", "a": "So."}\n'
    url = site.gives("/a.jsonl", whole(data))
    recipe = RECIPE.format(url=url, sha256=hashlib.sha256(data).hexdigest())
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/ward.py").write_text(recipe)
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    raw = tmp_path / "raw"
    (first,) = medsins.fetch("ward", raw, progress=False)
    assert (first.recipe, first.folder) == ("ward", raw / "ward")
    assert (first.fetched, first.present) == (("a.jsonl",), ())
    assert first.missing == ("superni/**/task1_x*.json",)
    assert "superni/**/task1_x*.json" in first.instructions
    assert (raw / "ward/a.jsonl").read_bytes() == data
    (raw / "superni").mkdir()
    (raw / "superni/task1_x.json").write_text('{"Instances": []}')
    (second,) = medsins.fetch("ward", raw, progress=False)
    assert (second.fetched, second.present) == ((), ("a.jsonl",))
    assert (second.missing, second.instructions) == ((), "")


def test_for_a_credentialed_source_it_says_what_to_sign_and_where_to_put_which_file(
    tmp_path: Path,
) -> None:
    (found,) = medsins.fetch("mimic_iv_note", tmp_path, progress=False)
    assert (found.fetched, found.present) == ((), ())
    assert "mimic_iv_note/note/radiology.csv" in found.missing
    for told in (
        "MIMIC-IV-Note (mimic_iv_note)",
        "credentialed",
        "sign a data use agreement",
        "https://physionet.org/content/mimic-iv-note/",
        "PhysioNet-1.5.0",
        f"{tmp_path}/",
        "mimic_iv_note/note/radiology.csv",
        "mimic_iv_note/note/discharge.csv",
    ):
        assert told in found.instructions
    assert below(tmp_path) == []


def test_files_of_a_credentialed_source_that_are_there_are_not_asked_for(tmp_path: Path) -> None:
    note = tmp_path / "mimic_iv_note/note"
    note.mkdir(parents=True)
    (note / "radiology.csv.gz").touch()
    (found,) = medsins.fetch("mimic_iv_note", tmp_path, progress=False)
    assert "mimic_iv_note/note/radiology.csv" not in found.missing
    assert "mimic_iv_note/note/discharge.csv" in found.missing
    (note / "discharge.csv").touch()
    (found,) = medsins.fetch("mimic_iv_note", tmp_path, progress=False)
    assert (found.missing, found.instructions) == ((), "")


def test_files_that_records_are_joined_with_are_missed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPE.format(url="https://example.org/a", sha256="0" * 64)
    recipe = recipe.replace("    downloads", "    _not_downloaded").replace(
        "    files =", '    lookups = {"names": raw.jsonl("names.jsonl")}\n    files ='
    )
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/ward.py").write_text(recipe)
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    raw = tmp_path / "raw"
    (found,) = medsins.fetch("ward", raw, progress=False)
    assert found.missing == ("ward/a.jsonl", "superni/**/task1_x*.json", "ward/names.jsonl")
    (raw / "ward").mkdir(parents=True)
    (raw / "ward/names.jsonl").touch()
    (found,) = medsins.fetch("ward", raw, progress=False)
    assert found.missing == ("ward/a.jsonl", "superni/**/task1_x*.json")
