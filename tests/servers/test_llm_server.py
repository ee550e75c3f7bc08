"""The test server keeps its own promises: it is seen here through the real `openai` client."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

import medsins
from llm_server import LlmServer
from llm_server_brain import FORMS
from llm_server_faults import RETRYABLE
from llm_server_rewrites import KINDS
from medsins.instructions.similarity import NEAR, masked, rouge_l, words

DEFINITION = (
    "You are given a note about a patient. Decide whether it mentions a fall. Answer ⟦P1⟧ if it "
    "does and ⟦P2⟧ if it does not. Write this one word, without quotation marks, and nothing else."
)
EXAMPLE = "Does the note speak of a fall? Say ⟦P1⟧ or ⟦P2⟧, one word and nothing else."


def prompt(
    index: int, definition: str = DEFINITION, language: str = "en", count: int = 5
) -> dict[str, Any]:
    """Return a request for rewrites, laid out as `medsins expand` does."""
    placeholders = Counter(re.findall(r"⟦[^⟧]*⟧", definition))
    data = {
        "definition": definition, "placeholders": placeholders, "examples": [EXAMPLE],
        "language": language, "style": {"avoid_openings": ["You are"]}, "count": count,
        "index": index,
    }  # fmt: skip
    text = f"<<<DATA 1f2e3d4c\n{json.dumps(data, ensure_ascii=False)}\nDATA 1f2e3d4c>>>"
    messages = [{"role": "system", "content": "Rules."}, {"role": "user", "content": text}]
    return {"model": "gpt-test", "messages": messages}


def asked(message: str) -> dict[str, Any]:
    return {"model": "gpt-test", "messages": [{"role": "user", "content": message}]}


def run(
    server: LlmServer, talk: Callable[[AsyncOpenAI], Awaitable[Any]], timeout: float = 5.0
) -> Any:
    """Run a conversation of a client that does not retry."""

    async def main() -> Any:
        async with AsyncOpenAI(
            base_url=server.url, api_key=server.api_key, max_retries=0, timeout=timeout
        ) as client:
            return await talk(client)

    return asyncio.run(main())


def complete(
    server: LlmServer, *bodies: dict[str, Any], at_once: int = 8, **more: Any
) -> list[Any]:
    """Return the answers to some requests, exceptions included."""

    async def talk(client: AsyncOpenAI) -> list[Any]:
        gate = asyncio.Semaphore(at_once)

        async def one(body: dict[str, Any]) -> Any:
            async with gate:
                return await client.chat.completions.create(**body)

        return await asyncio.gather(*map(one, bodies), return_exceptions=True)

    found: list[Any] = run(server, talk, **more)
    return found


def said(answer: Any) -> list[str]:
    rewrites: list[str] = json.loads(answer.choices[0].message.content)["rewrites"]
    return rewrites


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlmServer]:
    with LlmServer({}, tmp_path_factory.mktemp("llm")) as server:
        yield server


# --- rewrites ------------------------------------------------------------------------------------


def test_the_same_request_has_the_same_answer(server: LlmServer) -> None:
    first, again, other = complete(server, prompt(1), prompt(1), prompt(2))
    assert said(first) == said(again) != said(other)
    assert first.id != again.id
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    assert (first.choices[0].finish_reason, first.system_fingerprint) == ("stop", "fp_test")


@pytest.mark.parametrize(
    "name",
    [
        "mednli_entailment_classification",
        "chatdoctor_icliniq",
        "mmedbench_rationale_fr",
        "mmedbench_rationale_zh",
        "mmedbench_rationale_ja",
    ],
)
def test_good_rewrites_are_good(server: LlmServer, name: str) -> None:
    task = medsins.task(name)
    language = name[-2:] if name[-3] == "_" else "en"
    bodies = [prompt(index, task.definition, language) for index in range(30)]
    texts = [text for answer in complete(server, *bodies) for text in said(answer)]
    assert len(set(texts)) == 150
    length = len(words(task.definition))
    assert all(0.5 * length <= len(words(text)) <= 2 * length for text in texts)
    assert not [str(one) for one in task.constraints for text in texts if not one.kept(text)]
    kept = [words(masked(task.definition, ()))]
    for text in texts:
        if max(rouge_l(words(text), other) for other in kept) < NEAR:
            kept.append(words(text))
    assert len(kept) > 75, "a test of 150 accepted rewrites would ask for ever"


BAD: dict[str, Callable[[str], bool]] = {
    "good": lambda text: re.findall("⟦P.⟧", text) == ["⟦P1⟧", "⟦P2⟧"],
    "dropped-literal": lambda text: len(re.findall("⟦P.⟧", text)) == 1,
    "repeated-literal": lambda text: len(re.findall("⟦P.⟧", text)) == 3,
    "corrected-typo": lambda text: len(re.findall("⟦P.⟧", text)) == 1,
    "changed-label": lambda text: re.search(r"\[P.\]", text) is not None,
    "swapped-label": lambda text: 2 in (text.count("⟦P1⟧"), text.count("⟦P2⟧")),
    "exchanged-labels": lambda text: text.index("⟦P2⟧") < text.index("⟦P1⟧"),
    "meta-leak": lambda text: re.match("Rewrite|Reword|Rephrase|Paraphrase", text) is not None,
    "chat-reply": lambda text: re.match("Sure|Certainly|Got it|Of course", text) is not None,
    "role-reversal": lambda text: re.search(r"I will|I'll", text) is not None,
    "executes": lambda text: "Decide" not in text and "⟦P1⟧, ⟦P2⟧" in text,
    "wrong-language": lambda text: "the" not in words(text),
    "interleaved": lambda text: re.search("[a-z]{2}[A-Z][a-z]", text) is not None,
    "demo-contamination": lambda text: re.search("evidence|justif|reasoning", text) is not None,
    "long-2x": lambda text: 2 < len(words(text)) / len(words(DEFINITION)) < 3.2,
    "long-9x": lambda text: len(words(text)) / len(words(DEFINITION)) > 8,
    "exact-duplicate": lambda text: text == EXAMPLE,
    "near-duplicate": lambda text: text != EXAMPLE and text.endswith(EXAMPLE),
    "bold": lambda text: re.search(r"\*\*\w+ \w+\*\*", text) is not None,
}


ABOUT_LITERALS = {
    "dropped-literal", "repeated-literal", "corrected-typo", "changed-label", "swapped-label",
    "exchanged-labels",
}  # fmt: skip


def test_each_bad_kind_has_its_own_fault_and_the_log_names_it(tmp_path: Path) -> None:
    assert set(BAD) == set(KINDS)
    with LlmServer({"brain": dict.fromkeys(KINDS, 1)}, tmp_path) as server:
        answers = complete(server, *(prompt(index) for index in range(80)))
        strings = server.strings()
    found = defaultdict(list)
    for kind, text in strings:
        found[kind].append(text)
    assert set(found) == set(KINDS)
    assert Counter(text for _, text in strings) == Counter(t for a in answers for t in said(a))
    for kind, texts in found.items():
        assert [text for text in texts if not BAD[kind](text)] == [], kind
    # One fault each: what is not about literals keeps them.
    for kind in set(KINDS) - ABOUT_LITERALS:
        assert [text for text in found[kind] if not BAD["good"](text)] == [], kind


def test_replies_come_in_the_wrong_form(tmp_path: Path) -> None:
    with LlmServer({"brain": dict.fromkeys(FORMS, 1)}, tmp_path) as server:
        contents = {
            a.choices[0].message.content: a for a in complete(server, *map(prompt, range(40)))
        }
        forms = defaultdict(list)
        for entry in server.chats():
            forms[entry["forms"][0]].append(entry)
    assert set(forms) == set(FORMS)
    counts = {form: {len(e["texts"]) for e in found} for form, found in forms.items()}
    assert max(counts["fewer-items"]) < 5 < min(counts["more-items"])
    assert sum(content.startswith("```json\n{") for content in contents) == len(forms["code-fence"])
    assert sum(content.startswith("1. ") for content in contents) == len(forms["tagged-lines"])


def test_data_that_are_none_are_an_error(server: LlmServer) -> None:
    (error,) = complete(server, asked("<<<DATA ab\n{]\nDATA ab>>>"))
    assert isinstance(error, openai.BadRequestError)


# --- other answers -------------------------------------------------------------------------------


def test_benchmark_answers_are_scripted(tmp_path: Path) -> None:
    known = {hashlib.sha256(b"Q1").hexdigest(): "A1"}
    (tmp_path / "answers.json").write_text(json.dumps(known))
    fixed = {"mode": "fixed", "text": "B"}
    with LlmServer({"answer_map": "answers.json", "answers": fixed}, tmp_path) as server:
        answers = complete(server, asked("Q1"), asked("Q2"))
        assert [a.choices[0].message.content for a in answers] == ["A1", "B"]
        server.write_script({"answers": {"mode": "by-hash", "choices": ["A", "B", "C"]}})
        server.restart()
        answers = complete(server, *(asked(f"Q{number}") for number in range(40)))
        assert {a.choices[0].message.content for a in answers} == {"A", "B", "C"}
        server.write_script({})
        server.restart()
        (answer,) = complete(server, asked("Read this.\n\nWhat is it?\n"))
        assert answer.choices[0].message.content == "What is it?"


def test_streams_come_in_turns_and_add_up(server: LlmServer) -> None:
    body = prompt(3) | {"n": 2, "seed": 1}

    async def talk(client: AsyncOpenAI) -> tuple[list[int], dict[int, str], Any]:
        order, texts = [], dict.fromkeys(range(2), "")
        usage = None
        options = {"include_usage": True}
        create: Any = client.chat.completions.create
        async for chunk in await create(**body, stream=True, stream_options=options):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                order.append(choice.index)
                texts[choice.index] += choice.delta.content or ""
        return order, texts, usage

    order, texts, usage = run(server, talk)
    (whole,) = complete(server, body)
    assert [texts[0], texts[1]] == [choice.message.content for choice in whole.choices]
    assert texts[0] != texts[1]
    assert usage == whole.usage
    assert len(list(itertools.groupby(order))) > 6


def test_max_tokens_cuts(server: LlmServer) -> None:
    (answer,) = complete(server, prompt(1) | {"max_tokens": 20})
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 20


# --- errors and faults ---------------------------------------------------------------------------


def test_wrong_requests_are_refused_as_openai_does(tmp_path: Path) -> None:
    script = {"unsupported": ["seed", "response_format:json_schema"], "at": {"6": "quota"}}
    with LlmServer(script, tmp_path) as server:
        schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
        errors = complete(
            server,
            asked("?") | {"model": "gpt-none"},
            {"model": "gpt-test", "messages": []},
            asked("?") | {"seed": 1},
            asked("?") | {"response_format": schema},
            at_once=1,
        )
        server.api_key = "sk-wrong-key"
        errors += complete(server, asked("?"))
        server.api_key = "sk-test"
        errors += complete(
            server, asked("?"), asked("?") | {"response_format": {"type": "text"}}, at_once=1
        )
        ok = errors.pop()
        assert list(server.bills().values()) == [1]
    assert [(type(e).__name__, e.code) for e in errors] == [
        ("NotFoundError", "model_not_found"),
        ("BadRequestError", "missing_required_parameter"),
        ("BadRequestError", "unsupported_parameter"),
        ("BadRequestError", None),
        ("AuthenticationError", "invalid_api_key"),
        ("RateLimitError", "insufficient_quota"),
    ]
    assert "sk-wrong-key" not in str(errors[4])
    assert ok.choices[0].message.content == "?"


SEEN: dict[str, str] = {
    "429-retry-after": "RateLimitError", "429-retry-after-ms": "RateLimitError",
    "429-http-date": "RateLimitError", "429-both": "RateLimitError", "429-bare": "RateLimitError",
    "400": "BadRequestError", "401": "AuthenticationError", "403": "PermissionDeniedError",
    "404": "NotFoundError", "409": "ConflictError", "422": "UnprocessableEntityError",
    **dict.fromkeys(("408", "529"), "APIStatusError|InternalServerError"),
    **dict.fromkeys(("500", "502", "503", "504", "should-not-retry"), "InternalServerError"),
    "should-retry": "BadRequestError", "quota": "RateLimitError",
    **dict.fromkeys(
        ("reset-before-headers", "reset-mid-headers", "reset-mid-body", "close-before-headers",
         "close-mid-body", "not-http"), "APIConnectionError",
    ),
    "malformed-json": "JSONDecodeError", "truncated-json": "JSONDecodeError|UnicodeDecodeError",
    "wrong-charset": "UnicodeDecodeError",
    "html": "str", "error-body": "choices", "empty-choices": "choices",
    "null-content": "content", "content-filter": "content_filter", "length": "length",
    "missing-usage": "usage", "wrong-usage": "usage",
    **dict.fromkeys(("slow", "huge-body", "idle-close"), "good"),
}  # fmt: skip
"""What a client that trusts the openai package sees of each fault."""


def seen(answer: Any) -> str:
    if isinstance(answer, BaseException | str):
        return type(answer).__name__
    if not answer.choices:
        return "choices"
    if answer.choices[0].finish_reason != "stop":
        return str(answer.choices[0].finish_reason)
    if answer.choices[0].message.content is None:
        return "content"
    usage = answer.usage
    whole = usage and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    return "good" if whole else "usage"


def test_every_fault_is_what_it_says(tmp_path: Path) -> None:
    assert set(RETRYABLE) <= set(SEEN)
    script = {
        "at": {str(number): kind for number, kind in enumerate(SEEN, 1)},
        "faults": {"huge_bytes": 1 << 20, "slow": 0.05},
    }
    with LlmServer(script, tmp_path) as server:
        answers = complete(server, *(prompt(n) for n in range(len(SEEN))), at_once=1)
    # What became of an answer is written down after it was sent; by now, the server has stopped.
    log = server.chats()
    for (kind, expected), answer, entry in zip(SEEN.items(), answers, log, strict=True):
        assert seen(answer) in expected.split("|"), (kind, answer)
        assert entry["fault"] == kind
        good = expected in ("good", "usage") and kind != "huge-body"
        assert entry["usable"] == good, kind
    billed = {entry["fault"] for entry in log if entry["billed"]}
    assert billed >= {"length", "content-filter", "null-content", "huge-body", "wrong-usage"}
    assert not billed & {"empty-choices", "reset-mid-body", "429-bare", "500"}


@pytest.mark.parametrize("kind", ["silence", "stall"])
def test_some_answers_never_come(tmp_path: Path, kind: str) -> None:
    with LlmServer({"at": {"1": kind}}, tmp_path) as server:
        (error,) = complete(server, asked("?"), timeout=0.3)
        assert isinstance(error, openai.APITimeoutError)
        assert not server.bills()


def test_demanded_waits_are_told_and_watched(tmp_path: Path) -> None:
    kinds = ["429-retry-after", "429-retry-after-ms", "429-both", "429-http-date"]
    script = {"at": dict(zip("1234", kinds, strict=True)), "faults": {"wait": 20}}
    with LlmServer(script, tmp_path) as server:
        asked_again = [asked("?")] * 4
        *errors, ok = complete(server, *asked_again, asked("!"), at_once=1)
        headers = [error.response.headers for error in errors]
        log = server.chats()
    assert seen(ok) == "good"
    assert headers[0]["retry-after"] == "20"
    assert headers[1]["retry-after-ms"] == headers[2]["retry-after-ms"] == "20000"
    assert 20 <= log[3]["wait"] <= 21
    assert headers[3]["retry-after"].endswith("GMT")
    assert [entry["early"] > 0 for entry in log] == [False, True, True, True, False]


def test_faults_do_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    """Every item meets the same faults at any concurrency, and gets through in the end."""
    script = {"faults": {"rate": 0.5}, "latency": {"jitter": 0.002}}

    def faults(name: str, at_once: int) -> dict[str, list[str | None]]:
        with LlmServer(script, tmp_path / name) as server:
            left = [prompt(index, count=1) for index in range(30)]
            for attempt in itertools.count(1):
                answers = complete(server, *left, at_once=at_once)
                left = [
                    body for body, a in zip(left, answers, strict=True) if seen(a) != "good"
                ]  # fmt: skip
                if not left:
                    break
                assert attempt < 4
            assert set(server.bills(usable=True).values()) == {1}
            met = defaultdict(list)
            for entry in server.chats():
                met[entry["identity"]].append(entry["fault"])
            assert server.high_water <= at_once
            return met

    alone, crowd = faults("alone", 1), faults("crowd", 32)
    assert alone == crowd
    assert len({fault for met in alone.values() for fault in met}) > 12


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cut-stream", "no finish"),
        ("truncated-json", "no finish"),
        ("malformed-json", "JSONDecodeError"),
        ("error-body", "APIError"),
        ("reset-mid-body", "APIConnectionError|ReadError"),
        ("stall", "APITimeoutError|ReadTimeout"),
        ("empty-choices", "no finish"),
        ("slow", "stop"),
        ("length", "length"),
    ],
)
def test_streams_break(tmp_path: Path, kind: str, expected: str) -> None:
    async def talk(client: AsyncOpenAI) -> str:
        finish = "no finish"
        try:
            async for chunk in await client.chat.completions.create(**prompt(1), stream=True):
                for choice in chunk.choices:
                    finish = choice.finish_reason or finish
        except Exception as error:  # noqa: BLE001
            return type(error).__name__
        return finish

    script = {"at": {"1": kind}, "faults": {"slow": 0.05}}
    with LlmServer(script, tmp_path) as server:
        assert run(server, talk, timeout=0.4) in expected.split("|")


def test_limits_are_told_and_enforced(tmp_path: Path) -> None:
    async def told(client: AsyncOpenAI, tokens: int) -> Any:
        create = client.chat.completions.with_raw_response.create
        try:
            return (await create(**asked("?"), max_tokens=tokens)).headers
        except openai.RateLimitError as error:
            return error.response.headers

    async def talk(client: AsyncOpenAI) -> list[Any]:
        return [await told(client, tokens) for tokens in (10, 9000, 9000, 10, 10)]

    with LlmServer({"limits": {"rpm": 3, "tpm": 10_000}}, tmp_path / "long") as server:
        headers = run(server, talk)
    left = [one["x-ratelimit-remaining-requests"] for one in headers]
    assert left == ["2", "1", "1", "0", "0"]
    waits = [float(one.get("retry-after", "0")) for one in headers]
    assert [wait > 30 for wait in waits] == [False, False, True, False, True]
    assert int(headers[0]["x-ratelimit-remaining-tokens"]) > 9900

    async def patient(client: AsyncOpenAI) -> None:
        for _ in range(3):
            if wait := (await told(client, 10)).get("retry-after"):
                await asyncio.sleep(float(wait) + 0.01)
                assert "retry-after" not in await told(client, 10)

    with LlmServer({"limits": {"rpm": 1, "window": 0.2}}, tmp_path / "short") as server:
        run(server, patient)


def test_the_log_has_every_byte_and_the_crowd(tmp_path: Path) -> None:
    with LlmServer({"latency": {"fixed": 0.3}}, tmp_path) as server:
        bodies = [asked(f"Größe {number}") for number in range(12)]
        complete(server, *bodies, at_once=6)
        log = server.chats()
        assert 1 < server.high_water <= 6
    assert sorted(entry["body"]["messages"][0]["content"] for entry in log) == sorted(
        body["messages"][0]["content"] for body in bodies
    )
    assert all(entry["answered"] - entry["received"] >= 0.3 for entry in log)
    assert all(entry["authorization"] for entry in log)
    assert server.api_key not in (tmp_path / "log.jsonl").read_text()


def test_a_client_that_leaves_is_not_billed(tmp_path: Path) -> None:
    with LlmServer({"latency": {"fixed": 0.6}}, tmp_path) as server:
        (error,) = complete(server, asked("?"), timeout=0.2)
        assert isinstance(error, openai.APITimeoutError)
        patience = time.monotonic() + 10
        while "answered" not in server.chats()[0] and time.monotonic() < patience:
            time.sleep(0.05)
        assert server.chats()[0]["status"] is None
        assert not server.bills()


def test_a_server_that_was_killed_knows_what_it_did(tmp_path: Path) -> None:
    def keyed(key: str) -> dict[str, Any]:
        return asked("?") | {"extra_headers": {"Idempotency-Key": key}}

    script = {"idempotent": True, "at": {"3": "500"}}
    with LlmServer(script, tmp_path) as server:
        url = server.url
        (first,) = complete(server, keyed("a"))
        server.kill()
        assert isinstance(complete(server, keyed("a"))[0], openai.APIConnectionError)
        server.start()
        again, failed, other = complete(server, *map(keyed, "aab"), at_once=1)
        assert isinstance(failed, openai.InternalServerError)
        assert server.url == url
        assert (first.id, again.id == other.id) == (again.id, False)
        assert server.bills() == {"a": 1, "b": 1}


def test_a_mistake_in_a_script_is_told(tmp_path: Path) -> None:
    for script in (
        {"at": {"1": "quotas"}},
        {"brain": {"goood": 1}},
        {"batch": {"end": "done"}},
        {"faults": {"rates": 0.1}},
    ):
        with pytest.raises(RuntimeError, match=r"quotas|goood|done|rates"):
            LlmServer(script, tmp_path).start()


# --- batches -------------------------------------------------------------------------------------


async def submitted(client: AsyncOpenAI, lines: list[dict[str, Any]]) -> Any:
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file = await client.files.create(file=("in.jsonl", content), purpose="batch")
    assert (await client.files.retrieve(file.id)).bytes == len(content)
    return await client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )


async def ended(client: AsyncOpenAI, batch: Any) -> tuple[list[str], Any]:
    states = [batch.status]
    while states[-1] not in ("completed", "expired", "failed", "cancelled"):
        batch = await client.batches.retrieve(batch.id)
        states.append(batch.status)
    return states, batch


async def rows(client: AsyncOpenAI, name: str | None) -> list[dict[str, Any]]:
    if name is None:
        return []
    return [json.loads(line) for line in (await client.files.content(name)).text.splitlines()]


def lines(count: int) -> list[dict[str, Any]]:
    return [
        {"custom_id": f"item-{n}", "method": "POST", "url": "/v1/chat/completions",
         "body": prompt(n, count=1)}
        for n in range(count)
    ]  # fmt: skip


def test_batches_run_through_their_states_and_end_in_any_order(tmp_path: Path) -> None:
    kinds = ["429-bare", "500", "missing"]
    script = {"batch": {"polls": 3, "line_errors": 0.4, "line_kinds": kinds}}
    with LlmServer(script, tmp_path) as server:

        async def talk(client: AsyncOpenAI) -> None:
            batch = await submitted(client, lines(40))
            batch = await client.batches.retrieve(batch.id)
            counts = batch.request_counts
            assert (batch.status, counts and counts.total) == ("validating", 40)
            await asyncio.to_thread(server.restart)
            states, batch = await ended(client, batch)
            assert states == ["validating", "in_progress", "finalizing", "completed"]
            good, bad = (
                await rows(client, batch.output_file_id),
                await rows(client, batch.error_file_id),
            )
            keys = [row["custom_id"] for row in good]
            assert keys != sorted(keys, key=lambda key: int(key.split("-")[1]))
            assert {row["response"]["status_code"] for row in good} == {200}
            assert {row["response"]["status_code"] for row in bad} == {429, 500}
            assert len(good) + len(bad) < 40
            assert batch.request_counts.completed == len(good)
            text = json.loads(good[0]["response"]["body"]["choices"][0]["message"]["content"])
            assert text["rewrites"]
            assert server.bills() == dict.fromkeys(keys, 1)
            assert {kind for kind, _ in server.strings()} == {"good"}

        run(server, talk)


def test_batches_expire_fail_and_are_cancelled(tmp_path: Path) -> None:
    ends = ["expired", "failed", "completed"]
    with LlmServer({"batch": {"polls": 1, "ends": ends}}, tmp_path) as server:

        async def talk(client: AsyncOpenAI) -> None:
            states, batch = await ended(client, await submitted(client, lines(10)))
            assert states[-1] == "expired"
            late = await rows(client, batch.error_file_id)
            assert len(await rows(client, batch.output_file_id)) == len(late) == 5
            assert {row["error"]["code"] for row in late} == {"batch_expired"}

            states, batch = await ended(client, await submitted(client, lines(3)))
            assert states[-1] == "failed"
            assert batch.errors.data[0].code == "token_limit_exceeded"
            assert batch.output_file_id is None

            batch = await submitted(client, lines(10))
            batch = await client.batches.cancel(batch.id)
            assert batch.status == "cancelling"
            states, batch = await ended(client, batch)
            assert states == ["cancelling", "cancelled"]
            assert len(await rows(client, batch.output_file_id)) == 5
            assert (await client.batches.list(limit=2)).data[0].id == batch.id

            twice = lines(2)[:1] * 2
            states, batch = await ended(client, await submitted(client, twice))
            assert batch.errors.data[0].code == "duplicate_custom_id"
            with pytest.raises(openai.NotFoundError):
                await client.batches.retrieve("batch_none")

        run(server, talk)
