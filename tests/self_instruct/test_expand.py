"""Expansion against a model server on loopback: good, bad, broken, and killed in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import medsins
from llm_server import LlmServer
from medsins.errors import (
    AccessError,
    BudgetError,
    CheckError,
    EndpointError,
    InvalidFileError,
)
from medsins.instructions.spec import InstructionSpec
from medsins.llm.batches import Batching
from medsins.llm.online import Pace
from medsins.llm.requests import Response
from medsins.self_instruct.masking import Mask
from medsins.self_instruct.plan import Expansion
from medsins.self_instruct.pool import FILTERS, FilterSettings, Pool
from medsins.self_instruct.prompts import Asking

TASKS = ["task83", "task41", "task1", "task131", "task125", "task59"]
QUICK = Pace(8, read=20.0, total=40.0, first_wait=0.02)
VOLATILE = ("receipts", "journal.jsonl")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def expand(server: LlmServer, out: Path, select: Any = TASKS, target: int = 15, **more: Any) -> Any:
    return medsins.expand(
        select,
        target,
        **{
            "model": "gpt-test",
            "base_url": server.url,
            "out": out,
            "pace": QUICK,
            "progress": False,
            "tell": lambda _: None,
            **more,
        },
    )


def files(out: Path) -> dict[str, bytes]:
    """What has to be the same however the result came about."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in VOLATILE
    }


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expansion of 20 tasks by a model that does what it is asked."""
    folder = tmp_path_factory.mktemp("good")
    names = [task.name for task in medsins.tasks()][::6][:20]
    os.environ["OPENAI_API_KEY"] = "sk-test"
    with LlmServer({}, folder / "server") as server:
        result = expand(server, folder / "out", names, 10, pace=Pace(16))
    assert {one.state for one in result.tasks.values()} == {"done"}
    assert {one.accepted for one in result.tasks.values()} == {10}
    return folder / "out"


def test_an_expansion_of_twenty_tasks_has_no_fault_in_the_report(good: Path) -> None:
    from medsins.self_instruct.report import report

    found = report(good)
    assert found["wordings"] == 200
    # The measures of variety are a matter of the model; those of faults have to be met.
    faults = [row for row in found.rows if row.target in ("0", "all", "one a task")]
    assert len(faults) > 20
    assert not [row for row in faults if not row.ok]


def test_instructions_load_without_the_journal_and_say_what_they_came_from(good: Path) -> None:
    from medsins.instructions.wordings import wordings

    for path in sorted(good.glob("[!j]*.jsonl")):
        task = medsins.task(path.stem)
        loaded = wordings(task, "expanded", good)
        found = rows(path)
        assert [one.id for one in loaded] == [row["id"] for row in found]
        seeds = {one.id for one in wordings(task, "seeds")}
        assert {row["parent_seed"] for row in found} <= seeds
        receipts = {row["request"]: row for row in rows(good / "receipts" / path.name)}
        for row in found:
            assert receipts[row["request"]]["response_id"]
            assert row["model"] == "gpt-test"
            assert row["similarity"] < 0.7


def test_a_build_takes_expanded_instructions(good: Path, tmp_path: Path) -> None:
    name = sorted(good.glob("[!j]*.jsonl"))[0].stem
    result = medsins.build(
        name,
        sample=True,
        out=tmp_path / "data",
        instructions="expanded",
        instructions_from=good,
        progress=False,
    )
    texts = {row["text"] for row in rows(good / f"{name}.jsonl")}
    built = result.load()
    used = {row["definition"] for split in built.values() for row in split}
    assert used <= texts
    again = medsins.build(
        name,
        sample=True,
        out=tmp_path / "data",
        instructions="expanded",
        instructions_from=good,
        progress=False,
    )
    assert not again.built


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_faults_and_concurrency_change_nothing_and_nothing_is_billed_twice(
    tmp_path: Path, rate: float
) -> None:
    script = {
        "faults": {"rate": rate, "wait": 0.02},
        "brain": {"good": 0.8, "dropped-literal": 0.2},
    }
    with LlmServer({"brain": script["brain"]}, tmp_path / "s0") as server:
        expand(server, tmp_path / "calm")
    for width in (1, 32):
        with LlmServer(script, tmp_path / f"s{width}") as server:
            pace = Pace(width, read=20.0, total=40.0, first_wait=0.01)
            expand(server, tmp_path / f"out{width}", pace=pace)
            assert max(server.bills(usable=True).values()) == 1
            assert server.high_water <= width
        assert files(tmp_path / f"out{width}") == files(tmp_path / "calm")


DRIVER = """
import os, random, signal, sys, time
import openai
import medsins
from medsins.llm.online import Pace

url, out, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
tasks = sys.argv[5:]
rng = random.Random(seed)

def work():
    medsins.expand(tasks, 15, model="gpt-test", base_url=url, out=out, progress=False,
                   pace=Pace(8, read=20.0, total=40.0, first_wait=0.02), tell=lambda _: None)

medsins.expand(tasks, 15, model="gpt-test", base_url=url, out=out, dry_run=True)
for _ in range(kills):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    time.sleep(rng.uniform(0.05, 0.6))
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
work()
"""


def test_twenty_kills_change_nothing_and_cost_at_most_what_was_under_way(tmp_path: Path) -> None:
    script = {
        "faults": {"rate": 0.2, "wait": 0.02},
        "latency": {"fixed": 0.02, "jitter": 0.03},
        "brain": {"good": 0.8, "dropped-literal": 0.2},
    }
    with LlmServer({"brain": script["brain"]}, tmp_path / "s0") as server:
        expand(server, tmp_path / "calm")
    out = tmp_path / "killed"
    with LlmServer(script, tmp_path / "s1") as server:
        subprocess.run(
            [sys.executable, "-c", DRIVER, server.url, str(out), "20", "7", *TASKS],
            check=True,
            timeout=120,
        )
        bills = server.bills(usable=True)
    assert files(out) == files(tmp_path / "calm")
    # An answer that was on its way when the process died is the only thing that is paid again.
    assert sum(count - 1 for count in bills.values()) <= 20 * 8
    journal = (json.loads(line)["event"] for line in (out / "journal.jsonl").open())
    answers = Counter(event["key"] for event in journal if event.get("event") == "answer")
    assert set(answers.values()) == {1}
    assert set(answers) <= set(bills)


REASONS = {
    "dropped-literal": {"constraint:lost", "constraint:altered", "constraint:case", "placeholder"},
    "repeated-literal": {"placeholder"},
    "corrected-typo": {"constraint:lost", "constraint:altered", "placeholder"},
    "meta-leak": {"leak:meta"},
    "chat-reply": {"leak:chat"},
    "role-reversal": {"leak:reversal"},
    "executes": {"executed", "constraint:lost"},
    "wrong-language": {"language"},
    "interleaved": {"interleaved", "garbled"},
    "demo-contamination": {"demand:evidence", "demand:explanation", "demand:account"},
    "long-2x": {"length"},
    "long-9x": {"length", "finish:length"},
    "exact-duplicate": {"repeat:exact"},
    "near-duplicate": {"repeat:near"},
    "bold": {"markup"},
}


@pytest.mark.parametrize("kind", REASONS)
def test_no_faulty_string_is_accepted_and_the_reason_is_the_right_one(
    tmp_path: Path, kind: str
) -> None:
    with LlmServer({"brain": {"good": 0.4, kind: 0.6}}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", ["task41", "task131", "task1"], 12)
        said = server.strings()
    sound = {text for one, text in said if one == "good"}
    faulty = {text for one, text in said if one == kind} - sound
    assert faulty
    for name in result.tasks:
        mask = Mask.of(medsins.task(name).spec)
        shown = {mask.show(text).strip() for text in faulty}
        path = tmp_path / "out" / f"{name}.jsonl"
        accepted = {row["text"] for row in rows(path)} if path.exists() else set()
        assert not accepted & (shown - {mask.show(text).strip() for text in sound})
        for row in rows(tmp_path / "out" / "rejects" / f"{name}.jsonl"):
            if row["text"] in shown:
                # A fault can make another one on its way, such as a seed prompt that is repeated
                # and names a label more often than the definition: then the first one counts.
                others = {"repeat:near", "repeat:exact", "placeholder", "order"}
                assert row["reason"] in REASONS[kind] | others


def test_labels_that_change_places_are_rejected() -> None:
    spec = medsins.task("task16").spec
    mask = Mask.of(spec)
    hidden = mask.hide(spec.definition)
    assert mask.ordered
    assert not mask.swapped(hidden)
    one, other = sorted(mask.ordered)[0]
    assert mask.swapped(hidden.replace(one, "⟦x⟧").replace(other, one).replace("⟦x⟧", other))


def test_labels_that_stand_both_ways_round_may_change_places() -> None:
    made = medsins.Task(
        category=medsins.Category.TEXT_CLASSIFICATION,
        domain=medsins.Domain.CLINICAL_TEXTS,
        labels=("yes", "no", "maybe"),
        definition="Answer 'yes' or 'no' or 'maybe'. Where it is 'no' and not 'yes', write 'no'.",
        languages="en",
    )
    mask = Mask.of(made.spec)
    assert set(mask.spans) == {"yes", "no", "maybe"}
    name = dict(zip(mask.spans, mask.placeholders, strict=True))
    assert mask.ordered == {(name["yes"], name["maybe"]), (name["no"], name["maybe"])}
    assert not mask.swapped(mask.hide(made.definition))
    assert not mask.swapped(f"Say {name['no']} or {name['yes']} or {name['maybe']}.")
    assert mask.swapped(f"Say {name['maybe']} or {name['yes']} or {name['no']}.")


@pytest.mark.parametrize(
    ("good", "target", "rounds"),
    # Prompts ask for five each, and the first round counts on three.
    [(5, 120, [16, 8]), (2, 60, [16, 14])],
)
def test_later_rounds_ask_for_as_much_as_the_earlier_ones_gave(
    good: int, target: int, rounds: list[int]
) -> None:
    spec = medsins.task("task41").spec
    off = FilterSettings(off=frozenset(FILTERS))
    expansion = Expansion(spec, spec.definition.split("@"), target, Asking(), off, "m")
    hidden = expansion.mask.hide(spec.definition)
    made = []
    number = 0
    while expansion.state == "open":
        asked = list(iter(expansion.next_request, None))
        made.append(len(asked))
        for request in asked:
            number += 1
            texts = [f"{hidden} {number}-{one}." for one in range(good)]
            texts += ["no placeholder"] * (5 - good)
            expansion.on_response(request, Response(json.dumps({"rewrites": texts})))
    assert (expansion.state, len(expansion.accepted)) == ("done", target)
    assert made == rounds


@pytest.mark.parametrize("kind", ["code-fence", "tagged-lines", "fewer-items", "more-items"])
def test_other_forms_of_an_answer_are_read(tmp_path: Path, kind: str) -> None:
    with LlmServer({"brain": {kind: 1.0}}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", "task41", 12)
    (one,) = result.tasks.values()
    assert (one.state, one.accepted) == ("done", 12)


def test_answers_in_no_form_are_asked_again_twice_and_then_count_as_rejected(
    tmp_path: Path,
) -> None:
    with LlmServer({"brain": {"not-json": 1.0}}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", "task41", 12)
        asked = len(server.chats())
    (one,) = result.tasks.values()
    assert (one.state, one.accepted) == ("saturated", 0)
    assert set(one.rejected) == {"unreadable"}
    assert asked == 3 * one.rejected["unreadable"]
    assert not (tmp_path / "out" / "mednli_entailment_classification.jsonl").exists()


def test_a_model_that_repeats_itself_saturates_and_nothing_is_padded(tmp_path: Path) -> None:
    with LlmServer({"brain": {"exact-duplicate": 1.0}}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", "task41", 12)
    (one,) = result.tasks.values()
    assert one.state == "saturated"
    assert one.accepted < 12
    assert one.candidates <= 100


def test_a_filter_can_be_switched_off(tmp_path: Path) -> None:
    with LlmServer({"brain": {"bold": 1.0}}, tmp_path / "server") as server:
        filters = FilterSettings(off=frozenset({"markup"}))
        result = expand(server, tmp_path / "out", "task41", 6, filters=filters)
        # The same answers, judged anew by other filters: none is asked again.
        asked = len(server.chats())
        again = expand(server, tmp_path / "out", "task41", 6)
        assert again.tasks != result.tasks
        bodies = [entry["raw"] for entry in server.chats()]
        assert len(bodies) == len(set(bodies)) >= asked
    assert next(iter(result.tasks.values())).accepted == 6


@pytest.mark.parametrize("cap", [{"max_requests": 15}, {"max_tokens": 60_000}])
def test_a_budget_is_never_passed_and_a_raised_one_goes_on(
    tmp_path: Path, cap: dict[str, int]
) -> None:
    script = {"faults": {"rate": 0.2, "wait": 0.02}}
    with LlmServer(script, tmp_path / "server") as server:
        for _ in range(2):
            with pytest.raises(BudgetError, match="used up"):
                expand(server, tmp_path / "out", **cap)
        seen = server.chats()
        assert len(seen) <= cap.get("max_requests", 10**9)
        used = sum(entry["usage"]["total_tokens"] for entry in seen if entry.get("usage"))
        assert used <= cap.get("max_tokens", 10**9)
        result = expand(server, tmp_path / "out")
        assert max(server.bills(usable=True).values()) == 1
    assert {one.state for one in result.tasks.values()} == {"done"}


def test_a_budget_that_is_nearly_used_is_said_once(tmp_path: Path) -> None:
    told: list[str] = []
    with LlmServer({}, tmp_path / "server") as server, pytest.raises(BudgetError):
        expand(server, tmp_path / "out", max_requests=5, pace=Pace(1), tell=told.append)
    assert [one for one in told if "80 %" in one] == ["80 % of the budget is used."]


def test_a_budget_in_dollars_needs_a_price_and_is_kept(tmp_path: Path) -> None:
    with LlmServer({}, tmp_path / "server") as server:
        with pytest.raises(BudgetError, match="price"):
            expand(server, tmp_path / "out", budget_usd=1)
        assert not server.chats()
        with pytest.raises(BudgetError, match="used up"):
            expand(server, tmp_path / "out", budget_usd=0.05, price="2.50/10")
        result = expand(server, tmp_path / "out", budget_usd=9, price="2.50/10")
    usage = [row for path in (tmp_path / "out/receipts").iterdir() for row in rows(path)]
    total = sum(2.5e-6 * row["input_tokens"] + 1e-5 * row["output_tokens"] for row in usage)
    assert abs(total - sum(row["usd"] for row in usage)) < 1e-6
    assert result.spent.usd >= total - 1e-9


def test_nothing_of_an_instance_is_ever_sent(tmp_path: Path) -> None:
    data = tmp_path / "data"
    medsins.build(TASKS, sample=True, out=data, progress=False)
    texts = {
        text
        for split in medsins.load(data).values()
        for row in split
        for text in (row["input"], *row["references"])
        if len(text) > 40
    }
    with LlmServer({}, tmp_path / "server") as server:
        expand(server, tmp_path / "out", guard=data)
        sent = "\n".join(
            message["content"] for entry in server.chats() for message in entry["body"]["messages"]
        )
    assert "⟦P1⟧" in sent
    assert not [text for text in texts if json.dumps(text, ensure_ascii=False)[1:-1] in sent]


def test_the_request_builder_takes_no_instance() -> None:
    from inspect import signature

    from medsins.self_instruct.prompts import compose

    kinds = {str(one.annotation) for one in signature(compose).parameters.values()}
    assert not {kind for kind in kinds if "Instance" in kind or "Task" in kind}
    fields = {name: str(kind) for name, kind in InstructionSpec.__annotations__.items()}
    assert set(fields) == {
        "name", "definition", "source", "seed_file", "template_vars", "labels", "template",
        "metric", "translation", "finds", "must_include", "ignored_constraints", "given",
    }  # fmt: skip


def test_the_literals_that_others_lost_survive(tmp_path: Path) -> None:
    literals = {"task125": "There is no related", "task130": "larygospasm", "task131": "adiation"}
    with LlmServer({}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", list(literals), 15)
    for name in result.tasks:
        task = medsins.task(name)
        exact = [span for one in task.constraints if one.exact for span in one.any_of]
        for row in rows(tmp_path / "out" / f"{name}.jsonl"):
            assert all(span in row["text"] for span in exact if span in task.definition)


def test_a_dry_run_sends_nothing_and_says_what_it_would_take(tmp_path: Path) -> None:
    result = medsins.expand(
        TASKS, 150, model="gpt-test", out=tmp_path / "out", dry_run=True, price="2.50/10"
    )
    for one in result.estimates.values():
        assert one.requests == (30, 150)
        assert one.usd is not None
        assert 0 < one.usd[0] < one.usd[1]
        assert one.bodies[0]["messages"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ({"api_key": "sk-other"}, r"does not accept the key in \$OPENAI_API_KEY \(HTTP 401\)"),
        ({"models": ["another"]}, "has no model 'gpt-test'"),
        ({"at": {"3+": "quota"}}, "no quota left"),
    ],
)
def test_what_cannot_get_better_ends_the_run_at_once(
    tmp_path: Path, script: dict[str, Any], error: str
) -> None:
    with LlmServer(script, tmp_path / "server") as server:
        with pytest.raises(EndpointError, match=error) as caught:
            expand(server, tmp_path / "out", "task41", pace=Pace(1))
        assert len(server.chats()) <= 3
    assert "sk-test" not in str(caught.value)
    assert "sk-test" not in (tmp_path / "out" / "journal.jsonl").read_text()


def test_a_server_that_speaks_something_else_is_given_up(tmp_path: Path) -> None:
    script = {"faults": {"rate": 1.0, "kinds": ["html"], "max_consecutive": 1000}}
    with (
        LlmServer(script, tmp_path / "server") as server,
        pytest.raises(EndpointError, match="failed on 5 questions in a row"),
    ):
        expand(server, tmp_path / "out", "task41")


def test_answers_that_never_come_or_never_end_are_asked_for_again(tmp_path: Path) -> None:
    kinds = ["silence", "stall", "huge-body"]
    script = {"faults": {"rate": 0.4, "kinds": kinds, "max_consecutive": 2}}
    with LlmServer(script, tmp_path / "server") as server:
        pace = Pace(16, read=0.5, total=3.0, first_wait=0.02)
        result = expand(server, tmp_path / "out", "task41", 12, pace=pace)
        seen = {entry["fault"] for entry in server.chats()}
    assert seen & set(kinds)
    assert next(iter(result.tasks.values())).state == "done"


def test_an_endpoint_that_knows_no_schema_is_asked_without(tmp_path: Path) -> None:
    script = {"unsupported": ["response_format:json_schema"]}
    with LlmServer(script, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", "task41", 12)
    assert next(iter(result.tasks.values())).state == "done"


def test_a_key_that_is_missing_is_said_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(EndpointError, match=r"\$OPENAI_API_KEY is not set"):
        medsins.expand("task41", model="gpt-test", out=tmp_path / "out")


def test_a_damaged_journal_is_refused_and_a_cut_one_is_mended(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with LlmServer({}, tmp_path / "server") as server:
        expand(server, out, "task41", 8)
        first = files(out)
        journal = out / "journal.jsonl"
        whole = journal.read_bytes()
        journal.write_bytes(whole[:-30])
        expand(server, out, "task41", 8)
        assert files(out) == first
        journal.write_bytes(whole.replace(b'"answer"', b'"answEr"', 1))
        with pytest.raises(InvalidFileError, match="is damaged"):
            expand(server, out, "task41", 8)
        journal.write_bytes(whole.replace(b"version", b"Version", 1))
        with pytest.raises(InvalidFileError, match="line 1, is damaged"):
            expand(server, out, "task41", 8)


def test_seed_prompts_that_break_the_rules_are_not_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipes_for_tests import write_recipe

    write_recipe(tmp_path / "mine" / "recipes")
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "mine" / "recipes"))
    with pytest.raises(CheckError, match="there are 0 seed prompts, fewer than 15"):
        medsins.expand("clinic_verdict", model="gpt-test", out=tmp_path / "out")


def test_a_function_can_stand_in_for_an_endpoint(tmp_path: Path) -> None:
    from llm_server_brain import Brain

    brain = Brain({"brain": {"good": 1.0}}, tmp_path)
    asked = []

    def local_model(system: str, user: str) -> str:
        asked.append(user)
        return brain.reply({"messages": [{"role": "user", "content": user}]}, 0).content

    result = medsins.expand("task41", 10, model=local_model, out=tmp_path / "o", progress=False)
    assert next(iter(result.tasks.values())).state == "done"
    count = len(asked)
    medsins.expand("task41", 10, model=local_model, out=tmp_path / "o", progress=False)
    assert len(asked) == count


def test_rate_limited_endpoints_are_asked_more_slowly(tmp_path: Path) -> None:
    with LlmServer({"limits": {"rpm": 20, "window": 0.5}}, tmp_path / "server") as server:
        result = expand(server, tmp_path / "out", pace=Pace(16, first_wait=0.05))
    assert {one.state for one in result.tasks.values()} == {"done"}


def test_an_endpoint_that_has_too_many_requests_gets_half_as_many_at_once(tmp_path: Path) -> None:
    script = {"latency": {"fixed": 0.2}, "at": {"1-8": "429"}, "faults": {"wait": 0.1}}
    with LlmServer(script, tmp_path / "server") as server:
        expand(server, tmp_path / "out", pace=Pace(8, first_wait=0.02))
        at_once = [entry["in_flight"] for entry in server.chats()]
    # Those that were turned down are asked again; then four at once, and one more for each four.
    assert max(at_once[:16]) == 8
    assert len(at_once) > 24
    assert max(at_once[18:24]) <= 6


def test_ctrl_c_waits_for_what_is_under_way(tmp_path: Path) -> None:
    code = (
        "import sys, medsins\n"
        "url, out, *tasks = sys.argv[1:]\n"
        "medsins.expand(tasks, 15, model='gpt-test', base_url=url, out=out)\n"
    )
    with LlmServer({"latency": {"fixed": 0.3}}, tmp_path / "server") as server:
        process = subprocess.Popen(
            [sys.executable, "-c", code, server.url, str(tmp_path / "out"), *TASKS],
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(server.chats()) < 4:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        bills = server.bills()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said
    journal = (json.loads(line)["event"] for line in (tmp_path / "out/journal.jsonl").open())
    answered = {event["key"] for event in journal if event.get("event") == "answer"}
    assert answered == set(bills)


# Batch files


def batched(server: LlmServer, out: Path, **more: Any) -> Any:
    return expand(server, out, batch=Batching(lines=6, poll=0.01), **more)


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"polls": 3, "line_errors": 0.3},
        {"ends": ["expired", "cancelled", "completed"], "partial": 0.5},
        {"ends": ["failed", "completed"]},
    ],
)
def test_batch_files_give_the_same_result(tmp_path: Path, batch: dict[str, Any]) -> None:
    with LlmServer({}, tmp_path / "s0") as server:
        expand(server, tmp_path / "calm")
    with LlmServer({"batch": batch}, tmp_path / "s1") as server:
        batched(server, tmp_path / "out")
        assert max(server.bills(usable=True).values()) == 1
        assert not server.chats()
    assert files(tmp_path / "out") == files(tmp_path / "calm")


def test_a_batch_is_found_again_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, medsins\n"
        "from medsins.llm.batches import Batching\n"
        "url, out, *tasks = sys.argv[1:]\n"
        "medsins.expand(tasks, 15, model='gpt-test', base_url=url, out=out,\n"
        "               batch=Batching(lines=6, poll=0.05), tell=lambda _: None, progress=False)\n"
    )
    rng = random.Random(3)
    out = tmp_path / "out"
    with LlmServer({}, tmp_path / "s0") as server:
        expand(server, tmp_path / "calm")
    with LlmServer({"batch": {"polls": 3}}, tmp_path / "s1") as server:
        for _ in range(4):
            before = len(server.log())
            process = subprocess.Popen(
                [sys.executable, "-c", code, server.url, str(out), *TASKS],
                stdout=subprocess.DEVNULL,
            )
            while len(server.log()) < before + rng.randint(1, 9) and process.poll() is None:
                time.sleep(0.01)
            process.kill()
            process.wait()
        batched(server, out)
        assert max(server.bills(usable=True).values()) == 1
    assert files(out) == files(tmp_path / "calm")


def test_a_seed_prompt_that_quotes_a_person_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipes_for_tests import write_recipe

    folder = tmp_path / "mine" / "recipes"
    path = write_recipe(folder)
    path.write_text(
        path.read_text().replace("Is there a visit?", "Is there a visit on 2026-03-04?")
    )
    texts = [f"Number {n}: on 2026-03-04, say 'yes' or 'no' {'x' * n}" for n in range(15)]
    seeds = "verdict:\n" + "".join(
        f"- {{text: {json.dumps(text)}, author: me, date: 2026-01-01, style: s}}\n"
        for text in texts
    )
    (tmp_path / "mine" / "seed_prompts").mkdir()
    (tmp_path / "mine" / "seed_prompts" / "clinic.yaml").write_text(seeds)
    monkeypatch.setenv("MEDSINS_RECIPES", str(folder))
    with pytest.raises((AccessError, CheckError)):
        medsins.expand("clinic_verdict", model="gpt-test", out=tmp_path / "out")


def test_pools_are_the_same_whoever_fills_them() -> None:
    task = medsins.task("task41")
    spec = task.spec
    pools = [Pool(spec, FilterSettings(), ()) for _ in range(2)]
    for text in task.seeds:
        assert pools[0].offer(text) == pools[1].offer(text)


def test_other_questions_give_other_requests(tmp_path: Path) -> None:
    bodies = [
        medsins.expand("task41", 20, model=name, out=tmp_path, dry_run=True, asking=asking)
        .estimates["mednli_entailment_classification"]
        .bodies
        for name in ("a", "b")
        for asking in (Asking(), Asking(seed=1), Asking(count=3))
    ]
    first = {json.dumps(one[0], sort_keys=True) for one in bodies}
    assert len(first) == 6


def test_a_second_judge_finds_the_client_well_behaved(llmock: Any, tmp_path: Path) -> None:
    """llmock, a server of other authors, judges retries by rules of its own."""
    from llm_server_brain import Brain

    task = "task41"
    (estimate,) = medsins.expand(
        task, 5, model="gpt-test", out=tmp_path, dry_run=True
    ).estimates.values()
    content = Brain({"brain": {"good": 1.0}}, tmp_path).reply(estimate.bodies[0], 0).content
    llmock.reply(content, times=None)
    llmock.rate_limit(times=2, retry_after=0.1)
    llmock.fail(500, times=1)
    result = medsins.expand(
        task,
        5,
        model="gpt-test",
        base_url=llmock.base_url("openai"),
        out=tmp_path / "out",
        pace=Pace(4),
        progress=False,
        tell=lambda _: None,
    )
    assert next(iter(result.tasks.values())).accepted == 5
    llmock.assert_resilient(strict=True)


def test_the_command_estimates_stops_at_a_budget_and_goes_on(tmp_path: Path) -> None:
    def medsins_command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "medsins.cli", "expand", "task41", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    out = str(tmp_path / "out")
    planned = medsins_command(
        "--model", "m", "--dry-run", "--price", "2.50/10", "--target", "50", "--out", out
    )
    assert planned.returncode == 0, planned.stderr
    assert "10 to 50 requests; nothing was sent" in planned.stdout
    printed = medsins_command("--model", "m", "--dry-run", "--print-requests", "--out", out)
    assert json.loads(printed.stdout.splitlines()[0])["model"] == "m"
    with LlmServer({}, tmp_path / "server") as server:
        there = ("--model", "gpt-test", "--base-url", server.url, "--out", out, "--target", "10")
        stopped = medsins_command(*there, "--max-requests", "1")
        assert (stopped.returncode, len(server.chats())) == (3, 1)
        assert "budget is used up" in stopped.stderr
        done = medsins_command(*there, "--header-env", "X-One=OPENAI_API_KEY")
    assert done.returncode == 0, done.stderr
    unset = medsins_command("--model", "m", "--header-env", "X-One=NOT_THERE")
    assert (unset.returncode, "set that environment variable" in unset.stderr) == (2, True)
    assert "mednli_entailment_classification            10" in done.stdout
    wrong = medsins_command("--model", "m", "--off", "sense")
    assert wrong.returncode == 2
    assert "there is no filter sense" in wrong.stderr
