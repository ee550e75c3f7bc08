"""The modules of medsins.llm that need no server: journal, budget, failures, egress."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import AsyncRetrying, Future, RetryCallState

import medsins
from medsins.errors import (
    AccessError,
    BudgetError,
    BuildConflictError,
    EndpointError,
    InvalidFileError,
)
from medsins.io.retries import retry_after
from medsins.llm.budget import Budget, Caps, Price
from medsins.llm.endpoint import Endpoint
from medsins.llm.failures import RequestError, of_status, retries
from medsins.llm.journal import Journal
from medsins.llm.ledger import Ledger
from medsins.llm.requests import Request, Response
from medsins.llm.responses import read_response
from medsins.policy.personal import refuse_copies, refuse_personal

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def events(path: Path) -> list[dict[str, object]]:
    with Journal(path, "test") as journal:
        return list(journal.events())


@given(values=st.lists(st.dictionaries(TEXT, TEXT, max_size=3), max_size=8), cut=st.integers(0))
def test_a_journal_that_was_cut_anywhere_gives_the_whole_events_before_the_cut(
    folder: Path, values: list[dict[str, str]], cut: int
) -> None:
    path = folder / "journal.jsonl"
    path.unlink(missing_ok=True)
    with Journal(path, "test") as journal:
        journal.append(*({"value": value} for value in values))
    whole = path.read_bytes()
    kept = cut % (len(whole) + 1)
    path.write_bytes(whole[:kept])
    found = [event["value"] for event in events(path)[1:]]
    lines = max(0, whole[:kept].count(b"\n") - 1)
    assert found == values[:lines]
    with Journal(path, "test") as journal:
        journal.append({"value": "more"})
    assert [event["value"] for event in events(path)[1:]] == [*values[:lines], "more"]


def test_a_journal_with_a_changed_byte_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, "test") as journal:
        journal.append({"value": "one"}, {"value": "two"})
    path.write_bytes(path.read_bytes().replace(b'"one"', b'"0ne"'))
    with pytest.raises(InvalidFileError, match="line 2, is damaged"):
        events(path)


def test_a_journal_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, "other"):
        pass
    with pytest.raises(InvalidFileError, match="journal of 'other', version 2; this is 'test'"):
        events(path)


def test_a_journal_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr("medsins.llm.journal.VERSION", 0)
        with Journal(path, "test"):
            pass
    with pytest.raises(InvalidFileError, match="version 0; this is 'test', version 2"):
        events(path)


def test_a_journal_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, "test"), pytest.raises(BuildConflictError), Journal(path, "test"):
        pass


def test_what_was_appended_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = (
        "import sys, pathlib, itertools\n"
        "from medsins.llm.journal import Journal\n"
        "with Journal(pathlib.Path(sys.argv[1]), 'test') as journal:\n"
        "    for number in itertools.count():\n"
        "        journal.append({'value': number})\n"
        "        print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    while process.stdout.readline() != b"20\n":
        pass
    process.send_signal(signal.SIGKILL)
    said = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    last = int(said[-1]) if said else 20
    values = [event["value"] for event in events(path)[1:]]
    assert values == list(range(len(values)))
    assert len(values) > last


@given(
    requests=st.lists(
        st.tuples(st.integers(1, 1000), st.integers(1, 1000), st.floats(0, 1), st.booleans()),
        max_size=30,
    ),
    tokens=st.integers(0, 20_000),
    usd=st.floats(0, 0.05),
    most=st.integers(0, 20),
)
def test_no_sequence_of_calls_passes_a_cap(
    requests: list[tuple[int, int, float, bool]], tokens: int, usd: float, most: int
) -> None:
    budget = Budget(Caps(usd, most, tokens), Price(2.5, 10))
    for most_in, most_out, share, answered in requests:
        reserved = budget.reserve(most_in, most_out)
        if reserved is not None and answered:
            budget.settle(reserved, int(most_in * share), int(most_out * share))
        spent = budget.spent
        assert spent.requests <= most
        assert spent.input_tokens + spent.output_tokens <= tokens
        assert spent.usd <= usd + 1e-12


def test_a_cap_in_dollars_without_a_price_is_refused() -> None:
    with pytest.raises(BudgetError, match="--price"):
        Budget(Caps(usd=5))


@pytest.mark.parametrize("text", ["2.5", "a/b", "-1/2", "nan/1", "1/inf", "1/2/3", ""])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BudgetError, match="is not a price"):
        Price.parse(text)


def test_what_earlier_runs_spent_counts(tmp_path: Path) -> None:
    request, other = (Request("s", text, 10) for text in ("one", "two"))
    for _ in range(3):
        with Journal(tmp_path / "journal.jsonl", "test") as journal:
            budget = Budget(Caps(requests=2))
            ledger = Ledger(journal, budget, "m", audit=True)
            if ledger.answered(request) is None:
                assert ledger.begin(request)
                ledger.answer(request, Response("said", input_tokens=3, output_tokens=1))
            else:
                # Sent and never answered, as when the process is killed: counted at its most.
                ledger.begin(other)
    assert (budget.spent.requests, budget.spent.output_tokens) == (2, 1 + 10)
    assert ledger.answered(request) == Response("said", input_tokens=3, output_tokens=1)
    assert ledger.answered(other) is None


@given(st.floats(0, 5000), st.sampled_from(["ms", "s", "date"]))
def test_every_way_to_say_when_to_come_back_is_read(seconds: float, way: str) -> None:
    said = {
        "ms": {"retry-after-ms": str(seconds * 1000), "retry-after": "9999"},
        "s": {"retry-after": str(seconds)},
        "date": {"retry-after": formatdate(time.time() + seconds, usegmt=True)},
    }[way]
    wait = retry_after(said)
    assert wait is not None
    assert abs(wait - seconds) < 2


@pytest.mark.parametrize("value", ["", "soon", "Mon, 99 Foo 2026"])
def test_a_senseless_retry_after_is_no_answer(value: str) -> None:
    assert retry_after({"retry-after": value}) is None


@pytest.mark.parametrize(
    ("status", "error", "again", "fatal"),
    [
        (400, {}, False, False),
        (401, {}, False, True),
        (403, {}, False, True),
        (404, {}, False, True),
        (408, {}, True, False),
        (422, {}, False, False),
        (429, {}, True, False),
        (429, {"code": "insufficient_quota"}, False, True),
        (307, {}, False, True),
        (500, {}, True, False),
        (529, {}, True, False),
    ],
)
def test_a_status_says_whether_to_ask_again(
    status: int, error: dict[str, str], again: bool, fatal: bool
) -> None:
    endpoint = Endpoint("m", "http://localhost/v1", "SOME_KEY", "secret")
    failure = of_status(status, {}, error, endpoint)
    assert (failure.retryable, bool(failure.fatal)) == (again, fatal)
    assert "secret" not in failure.fatal
    if status == 401:
        assert "$SOME_KEY" in failure.fatal


@pytest.mark.parametrize("caps", [Caps(requests=2), Caps(tokens=60), Caps(usd=6)])
def test_a_cap_may_be_reached_and_not_passed(caps: Caps) -> None:
    budget = Budget(caps, Price(100_000, 100_000))
    assert budget.reserve(10, 20) is not None
    assert budget.reserve(10, 20) is not None
    assert budget.share_used() == 1
    assert budget.reserve(0, 1) is None
    assert budget.spent.requests == 2


def test_a_cap_on_time_counts_from_the_start_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: started)
    budget = Budget(Caps(seconds=10))
    monkeypatch.setattr("time.monotonic", lambda: started + 9)
    assert budget.reserve(1, 1) is not None
    monkeypatch.setattr("time.monotonic", lambda: started + 11)
    assert budget.reserve(1, 1) is None


def test_what_an_endpoint_does_not_count_stays_counted_at_its_most() -> None:
    budget = Budget(Caps(), Price(1, 2))
    for used in ((None, None), (4, None), (None, 5), (4, 5)):
        reserved = budget.reserve(10, 20)
        assert reserved is not None
        budget.settle(reserved, *used)
    assert (budget.spent.input_tokens, budget.spent.output_tokens) == (28, 50)
    assert budget.spent.usd == pytest.approx((28 * 1 + 50 * 2) / 1e6)


def test_in_a_batch_tokens_cost_half() -> None:
    price = Price(2, 4)
    at_once, batch = (Budget(Caps(), price, batch=batch) for batch in (False, True))
    assert batch.reservation(10, 20).usd == at_once.reservation(10, 20).usd / 2 > 0


@pytest.mark.parametrize("billed", [True, False])
def test_a_failure_is_counted_if_it_may_have_been_billed(billed: bool, tmp_path: Path) -> None:
    request = Request("System.", "User.", max_tokens=10)
    for _ in range(2):
        with Journal(tmp_path / "journal.jsonl", "test") as journal:
            budget = Budget(Caps())
            ledger = Ledger(journal, budget, "m", audit=False)
            if not budget.spent.requests:
                assert ledger.begin(request)
                ledger.fail(request, "timeout", billed=billed)
        assert budget.spent.requests == 1
        assert budget.spent.output_tokens == (10 if billed else 0)
        assert bool(budget.spent.input_tokens) is billed


@pytest.mark.parametrize(("status", "said", "again"), [(500, "false", False), (422, "true", True)])
def test_an_endpoint_that_says_whether_to_ask_again_is_heeded(
    status: int, said: str, again: bool
) -> None:
    endpoint = Endpoint("m", "http://localhost/v1", "SOME_KEY", "secret")
    assert of_status(status, {"x-should-retry": said}, {}, endpoint).retryable is again


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (RequestError("429", retryable=True, wait=7.0), 7.0),
        (RequestError("no schema", retryable=True, wait=0.0, without_schema=True), 0.0),
    ],
)
def test_what_the_endpoint_says_of_waiting_counts(error: RequestError, wait: float) -> None:
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.outcome = Future.construct(1, error, True)
    assert {retries("asking", 5.0)["wait"](state) for _ in range(20)} == {wait}


@pytest.mark.parametrize(("said", "counted"), [(0, None), (True, None), ("3", None), (3, 3)])
def test_tokens_that_are_not_counted_are_unknown(said: object, counted: int | None) -> None:
    message = {"finish_reason": "stop", "message": {"content": "So."}}
    body = {"choices": [message], "usage": {"prompt_tokens": said, "completion_tokens": said}}
    response = read_response(json.dumps(body).encode())
    assert (response.input_tokens, response.output_tokens) == (counted, counted)


@pytest.mark.parametrize("first", [0.5, 2.0])
def test_every_attempt_may_wait_twice_as_long_up_to_a_minute(
    first: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: (least, most))
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.outcome = Future.construct(1, RequestError("500", retryable=True), True)
    for number in range(1, 12):
        state.attempt_number = number
        assert retries("asking", first)["wait"](state) == (0, min(60, first * 2 ** (number - 1)))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_completion_are_told_so(body: bytes) -> None:
    with pytest.raises(RequestError):
        read_response(body)


def test_an_endpoint_needs_a_key_unless_it_is_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.example/v1")
    with pytest.raises(EndpointError, match=r"\$OPENAI_API_KEY is not set"):
        Endpoint.at("gpt")
    assert Endpoint.at("gpt", "http://localhost:8000/v1").key == "none"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    endpoint = Endpoint.at("gpt")
    assert endpoint.base_url == "https://api.openai.com/v1"
    assert "sk-secret" not in repr(endpoint)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://u:p@x/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(EndpointError):
        Endpoint.at("gpt", url)


@pytest.mark.parametrize(
    "text",
    [
        "seen on 2026-03-01",
        "on 3/14/26",
        "MRN 12345678",
        "write to a.b@c.org",
        "request 555-123-4567",
    ],
)
def test_what_looks_like_a_person_is_not_sent(text: str) -> None:
    with pytest.raises(AccessError, match="definition of x"):
        refuse_personal({"definition of x": text})


def test_no_definition_or_seed_prompt_of_ours_looks_like_a_person() -> None:
    for task in medsins.tasks():
        refuse_personal({"definition": task.definition} | {s: s for s in task.seeds})


def test_a_seed_prompt_that_quotes_an_instance_is_not_sent(tmp_path: Path) -> None:
    medsins.build("meqsum", sample=True, out=tmp_path, progress=False)
    instance = medsins.load(tmp_path, "train")[0]
    task = medsins.task("meqsum")
    refuse_copies({"definition": task.definition}, tmp_path)
    quoted = " ".join(instance["input"].split()[:12])
    with pytest.raises(AccessError, match="seed prompt 3 shares 8 words") as caught:
        refuse_copies({"seed prompt 3": f"Summarise, for example: {quoted}"}, tmp_path)
    assert quoted not in str(caught.value)


def test_a_call_is_known_by_all_that_shapes_its_answer() -> None:
    request = Request("s", "u", 5, 0.5, 1, {"type": "object"}, "x")
    same = Request("s", "u", 5, 0.5, 1, {"type": "object"}, "another label")
    others = [
        Request("S", "u", 5, 0.5, 1, {"type": "object"}),
        Request("s", "U", 5, 0.5, 1, {"type": "object"}),
        Request("s", "u", 6, 0.5, 1, {"type": "object"}),
        Request("s", "u", 5, 0.6, 1, {"type": "object"}),
        Request("s", "u", 5, 0.5, 2, {"type": "object"}),
        Request("s", "u", 5, 0.5, 1, None),
    ]
    assert request.key("m") == same.key("m") != request.key("n")
    assert len({request.key("m"), *(other.key("m") for other in others)}) == 7


def test_importing_medsins_does_not_import_openai() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, medsins.cli; print('openai' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout == "False\n"
