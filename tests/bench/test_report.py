"""Results files and the report of MedS-Bench: what is refused, what is averaged, what is shown."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser_for_tests import Browser, browser, colours, missing_browser
from medsins.bench.report.leaderboard import MISSES, Leaderboard, leaderboard, scale
from medsins.bench.report.markdown import markdown
from medsins.bench.report.page import page
from medsins.bench.report.task_details import LONGEST
from medsins.bench.report.writing import Report, report
from medsins.bench.scoring.results import (
    Miss,
    Results,
    TaskResult,
    category_mean,
    overall_mean,
    read_results,
    write_results,
)
from medsins.bench.suite.tasks import CATEGORIES
from medsins.errors import InvalidFileError, OutputError

HOSTILE = "</span><script>document.title='owned'</script>&amp;<b>\u202e\x00\ud83d\"'"
NAMES = (
    "open/large-70B",
    "open/small-7B",
    "twin-a",
    "twin-b",
    "acme/<b>7B</b> 🩺 | v2",
    "half a model",
)
SKILL = (70.0, 48.0, 60.0, 60.0, 66.0, 80.0)
TASKS = {
    "exam_en": ("task57", "MCQA", "en", "accuracy"),
    "exam_zh": ("task58", "MCQA", "zh", "accuracy"),
    "summary_ct": ("task83", "Text Summarization", "en", "rouge1"),
    "pico": ("task1", "Information Extraction", "en", "set_f1"),
    "rationale_ja": ("task54", "Explanation", "ja", "rouge1"),
    "chemicals": ("task126", "Named Entity Recognition", "en", "micro_f1"),
    "diagnosis": ("task130", "Diagnosis", "en", "accuracy"),
    "treatment": ("task131", "Treatment Planning", "en", "accuracy"),
    "outcome": ("task117", "Clinical Outcome Prediction", "en", "accuracy"),
    "hallmarks": ("task106", "Text Classification", "en", "macro_f1"),
    "claims": ("task16", "Fact Verification", "en", "accuracy"),
    "nli": ("task41", "Natural Language Inference", "en", "accuracy"),
}


def result(task: str, value: float = 50.0, **changed: Any) -> TaskResult:
    number, category, language, metric = TASKS[task]
    made: dict[str, Any] = {
        "benchmark_id": number,
        "category": category,
        "language": language,
        "metric": metric,
        "value": value,
        "low": max(0.0, value - 3),
        "high": min(100.0, value + 3),
        "n": 200,
        "metrics": {metric: value},
        "paper": {"value": value - 1},
        "items": hashlib.sha256(task.encode()).hexdigest(),
        "may_be_shown": True,
    }
    return TaskResult(**(made | changed))


def results(tasks: dict[str, TaskResult], model: str = "model", **changed: Any) -> Results:
    made: dict[str, Any] = {
        "model": model,
        "benchmark": "b" * 64,
        "subset": "full",
        "medsins": "0.1.0",
        "mode": "corrected",
        "num_fewshot": "none for multiple choice, else 3",
        "complete": True,
        "tasks": tasks,
        "signatures": {"choice": "letters|last statement"},
    }
    return Results(**(made | changed))


def six() -> list[Results]:
    """Made-up models: two are tied, one has markup in its name, the best one lacks half."""
    made = []
    for place, (model, skill) in enumerate(zip(NAMES, SKILL, strict=True)):
        tasks = {}
        for number, task in enumerate(TASKS):
            if model == "half a model" and number % 2:
                continue
            # The twins are equal on average, and not on every task.
            tilt = {"outcome": 2, "claims": -2}.get(task, 0) if model == "twin-a" else 0
            said = HOSTILE if number == 0 else f"answer {place} of a model"
            misses = [
                Miss(id=f"{task}-{k}", score=float(k), input="asked", prediction=said)
                for k in range(MISSES + 3)
            ]
            tasks[task] = result(task, skill - number + tilt, misses=misses, n_missing=place)
        made.append(results(tasks, model, complete=model != "half a model"))
    return made


def put(found: list[Results], folder: Path) -> list[Path]:
    paths = [folder / f"run{place}" / "results.json" for place in range(len(found))]
    for path, one in zip(paths, found, strict=True):
        write_results(path, one)
    return paths


def shown(*found: Results) -> Leaderboard:
    return Leaderboard({Path(f"{place}.json"): one for place, one in enumerate(found)})


def write(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


# Results files


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    for one, path in zip(six(), put(six(), tmp_path), strict=True):
        assert read_results(path) == one
        assert [each.name for each in path.parent.iterdir()] == ["results.json"]


def test_half_surrogates_in_answers_are_replaced_not_fatal(tmp_path: Path) -> None:
    said = result("pico", misses=[Miss(id="1", score=0, prediction="a\ud800b")])
    write_results(tmp_path / "r.json", results({"pico": said}))
    assert read_results(tmp_path / "r.json").tasks["pico"].misses[0].prediction == "a\ufffdb"
    loaded = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    loaded["model"] = "m\udfff"
    assert read_results(write(tmp_path / "r.json", loaded)).model == "m\ufffd"


def test_every_problem_is_listed_with_its_place_and_no_text_of_an_answer(tmp_path: Path) -> None:
    loaded = results({"pico": result("pico"), "nli": result("nli")}).model_dump()
    loaded["tasks"]["pico"] |= {"n": "SECRET", "category": "Astrology", "value": 101}
    loaded["tasks"]["nli"]["misses"] = [{"id": "1", "score": 0, "input": ["SECRET"], "more": 1}]
    loaded |= {"mode": "SECRET", "extra": "SECRET"}
    with pytest.raises(InvalidFileError) as caught:
        read_results(write(tmp_path / "r.json", loaded))
    said = str(caught.value)
    for place in (
        *("tasks.pico.n:", "tasks.pico.category: is none of", "tasks.pico.value:"),
        *("tasks.nli.misses.0.input:", "tasks.nli.misses.0.more:", "mode:", "extra:"),
    ):
        assert f"- {place}" in said
    assert "SECRET" not in said
    assert str(tmp_path / "r.json") in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"low": 60.0, "high": 50.0}, "low is above high"),
        ({"high": None}, "neither is"),
        ({"n_empty": 150, "n_missing": 51}, "more than n"),
        ({"metrics": {"set_f1": 49.0}}, "not what metrics has"),
        ({"may_be_shown": False, "misses": [{"id": "1", "score": 0, "input": "x"}]}, "have texts"),
        ({"items": "abc"}, "items"),
        ({"value": "50"}, "value"),
        ({"weight": 0}, "weight"),
    ],
)
def test_what_contradicts_itself_is_refused(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    loaded = results({"pico": result("pico")}).model_dump()
    loaded["tasks"]["pico"] |= change
    with pytest.raises(InvalidFileError, match=said):
        read_results(write(tmp_path / "r.json", loaded))


def test_files_that_are_no_results_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with pytest.raises(InvalidFileError, match="cannot be read"):
        read_results(path)
    for content, said in (
        ("", "line 1 is not valid JSON"),
        ("<html>", "line 1 is not valid JSON"),
        ('{\n"a": NaN}', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "the whole"),
        ('{"version": "1"}', "results of version 1; this medsins reads 2"),
        ('{"model": "a", "model": "b"}', "model: stands twice"),
    ):
        with pytest.raises(InvalidFileError, match=re.escape(said)):
            read_results(write(path, content))
    path.write_bytes(b'{"model": "\xff"}')
    with pytest.raises(InvalidFileError, match="not UTF-8 from byte 11 on"):
        read_results(path)
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(results({"pico": result("pico")}).model_dump()).encode()
    )
    assert read_results(path).model == "model"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.data(), _JSON)
def test_any_wrong_value_anywhere_gives_one_kind_of_error(
    folder: Path, data: st.DataObject, value: Any
) -> None:
    misses = [Miss(id="1", score=0)]
    place = loaded = results({"pico": result("pico", misses=misses)}).model_dump()
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = value
    # Some changes are valid.
    with contextlib.suppress(InvalidFileError):
        read_results(write(folder / "r.json", loaded))


def test_results_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        write_results(tmp_path / "file" / "r.json", results({"pico": result("pico")}))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# What may stand in one report


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (results({"pico": result("pico")}, benchmark="c" * 64), "benchmark: bbbbbbbbbbbb in"),
        (results({"pico": result("pico")}, mode="paper"), "mode: corrected in"),
        (results({"pico": result("pico", items="0" * 64)}), "items of pico:"),
        (results({"pico": result("pico", weight=2.0)}), "weight of pico: 1 in"),
        (results({"pico": result("pico", metric="exact")}), "metric of pico: set_f1 in"),
    ],
)
def test_results_of_other_benchmarks_are_refused_with_the_files(
    other: Results, said: str, tmp_path: Path
) -> None:
    paths = put([results({"pico": result("pico")}), other], tmp_path)
    with pytest.raises(InvalidFileError) as caught:
        report(paths, tmp_path / "out")
    message = str(caught.value)
    assert said in message
    assert all(str(path) in message for path in paths)
    assert not (tmp_path / "out").exists()


def test_no_file_and_the_same_file_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="no results"):
        report([], tmp_path)
    (path,) = put([results({"pico": result("pico")})], tmp_path)
    with pytest.raises(InvalidFileError, match="given twice"):
        report([path, path.parent / ".." / path.parent.name / path.name], tmp_path)


# Means and ranks


def test_a_mean_is_weighted_and_its_interval_adds_squares() -> None:
    run = results(
        {
            "exam_en": result("exam_en", 40.0, low=36.0, high=46.0, weight=3.0),
            "exam_zh": result("exam_zh", 80.0, low=72.0, high=84.0),
        }
    )
    mean = category_mean(run, ["exam_en", "exam_zh"])
    assert mean is not None
    assert mean.value == pytest.approx(50)
    assert mean.low == pytest.approx(50 - math.hypot(0.75 * 4, 0.25 * 8))
    assert mean.high == pytest.approx(50 + math.hypot(0.75 * 6, 0.25 * 4))
    assert not mean.partial
    alone = category_mean(run, ["exam_en"])
    assert alone is not None
    assert (alone.low, alone.high) == pytest.approx((36, 46))


def test_what_is_absent_makes_a_mean_partial_and_is_never_counted() -> None:
    run = results({"exam_en": result("exam_en", 40.0)})
    mean = category_mean(run, ["exam_en", "exam_zh"])
    assert mean is not None
    assert (mean.value, mean.partial) == (40, True)
    assert category_mean(run, ["nli"]) is None
    whole = replace(mean, partial=False)
    for means, partial in (([whole], False), ([whole, None], True), ([mean], True)):
        average = overall_mean(means)
        assert average is not None
        assert (average.value, average.partial) == (40, partial)
    assert overall_mean([None]) is None


def test_a_mean_without_all_intervals_has_none() -> None:
    bare = result("exam_zh", 40.0, low=None, high=None)
    mean = category_mean(
        results({"exam_en": result("exam_en"), "exam_zh": bare}), ["exam_en", "exam_zh"]
    )
    assert mean is not None
    assert (mean.value, mean.low, mean.high) == (45, None, None)


@given(
    st.lists(
        st.tuples(*[st.floats(0, 100)] * 3, st.floats(0.01, 100)).map(
            lambda t: (*sorted(t[:3]), t[3])
        ),
        min_size=1,
        max_size=2,
    )
)
def test_a_mean_lies_within_its_tasks_and_its_interval(parts: list[Any]) -> None:
    names = ["exam_en", "exam_zh"][: len(parts)]
    tasks = {
        name: result(name, value, low=low, high=high, weight=weight)
        for name, (low, value, high, weight) in zip(names, parts, strict=True)
    }
    mean = category_mean(results(tasks), names)
    assert mean is not None
    assert mean.low is not None
    assert mean.high is not None
    values = [value for _, value, _, _ in parts]
    assert min(values) - 1e-9 <= mean.value <= max(values) + 1e-9
    assert 0 <= mean.low <= mean.value + 1e-9
    assert mean.value - 1e-9 <= mean.high <= 100


def test_ties_share_a_rank_and_partial_runs_come_last_without_one() -> None:
    found = shown(*six())
    ranked = [(run.rank, run.label) for run in found.runs]
    assert ranked == [
        (1, "open/large-70B"),
        (2, "acme/<b>7B</b> 🩺 | v2"),
        (3, "twin-a"),
        (3, "twin-b"),
        (5, "open/small-7B"),
        (None, "half a model"),
    ]
    average = found.leaderboard[0].cells
    best = [cell.best for cell in average if cell]
    assert best == [True, *[False] * 5]
    assert average[-1] is not None
    assert average[-1].partial
    assert average[-1].value > max(cell.value for cell in average[:-1] if cell)
    nli = found.leaderboard[-1]
    assert nli.head == "Natural Language Inference"
    assert nli.cells[-1] is None


def test_a_run_that_was_not_finished_has_no_rank() -> None:
    whole, cut = results({"pico": result("pico", 40.0)}), result("pico", 90.0)
    found = shown(results({"pico": cut}, "cut short", complete=False), whole)
    assert [(run.label, run.rank) for run in found.runs] == [("model", 1), ("cut short", None)]
    assert any("cut short was not finished" in remark for remark in found.remarks)


def test_overlap_with_the_best_is_marked_and_said() -> None:
    def run(model: str, value: float, **changed: Any) -> Results:
        task = result("pico", value, low=value - 2, high=value + 2)
        return results({"pico": task}, model, **changed)

    unfinished = run("unfinished", 60, complete=False)
    found = shown(run("far", 50), unfinished, run("near", 57), run("top", 60))
    cells = [cell for cell in found.leaderboard[0].cells if cell]
    assert [(cell.best, cell.close) for cell in cells] == [
        (True, False),
        (False, True),
        (False, False),
        (False, False),
    ]
    assert any("may be chance: top and near." in remark for remark in found.remarks)


def test_differences_between_runs_are_said() -> None:
    one = results({"pico": result("pico")}, "one")
    other = results(
        {"pico": result("pico")}, "other", num_fewshot="none", signatures={"choice": "first letter"}
    )
    said = " ".join(shown(one, other).remarks)
    assert "differ in examples in the prompt" in said
    assert "signatures of the runs differ for: choice" in said
    assert "In no file, and in no average: MCQA, Text Summarization" in said


def test_models_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = put([results({"pico": result("pico", 40.0 + n)}, "same") for n in range(2)], tmp_path)
    labels = {run.label for run in leaderboard(paths).runs}
    assert labels == {"same (run0/results.json)", "same (run1/results.json)"}


@given(st.floats(0, 100), st.floats(0, 100))
def test_an_axis_holds_its_values(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = scale(low, high)
    assert ticks[0] <= low + 1e-6
    assert high - 1e-6 <= ticks[-1]
    assert 2 <= len(ticks) <= 7
    assert 0 <= ticks[0] < ticks[-1] <= 100


# The page and the Markdown


class _Reader(HTMLParser):
    """Gathers elements, and the texts of some."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data


_NAMES = st.text(min_size=1, max_size=60) | st.text("<>/&\"'=!-_|`\\ab \x00\n", min_size=1)


def _everywhere(said: str) -> str:
    """Return the page of a run that says something in all places where a file holds text."""
    task = result(
        "pico",
        misses=[Miss(id=said, score=0, input=said, prediction=said, reference=said)],
        metrics={"set_f1": 50.0, said: 1.0},
        paper={said: said},
        language=said,
        benchmark_id=said,
    )
    run = results({"pico": task}, said, num_fewshot=said, medsins=said, signatures={said: said})
    return page(shown(run))


@given(_NAMES.filter(lambda said: said.strip() != ""))
def test_no_text_of_a_file_becomes_markup(said: str) -> None:
    html = _everywhere(said)
    shapes = [
        [(tag, sorted(known)) for tag, known in _Reader(one).elements if tag != "wbr"]
        for one in (html, _everywhere("a word"))
    ]
    assert shapes[0] == shapes[1]
    # SVG is held to the rules of XML too.
    ElementTree.fromstring(f"<a>{''.join(re.findall('<svg.*?</svg>', html))}</a>")


def test_the_page_is_whole_in_itself_and_allows_nothing_else(tmp_path: Path) -> None:
    html = page(shown(*six()))
    found = _Reader(html)
    policy = next(
        known["content"]
        for tag, known in found.elements
        if known.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for _, known in found.elements:
        assert "style" not in known
        for name in ("src", "href"):
            assert (known.get(name) or "#").startswith(("#", "data:,"))
    links = [known["href"] for tag, known in found.elements if tag == "a"]
    anchors = {f"#{known['id']}" for _, known in found.elements if "id" in known}
    assert {"#task-pico", "#mcqa"} < set(links) <= anchors
    assert all("scope" in known for tag, known in found.elements if tag == "th")


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    paths = put(six(), tmp_path)
    one, other = report(paths, tmp_path / "a"), report(reversed(paths), tmp_path / "b")
    for first, second in (
        (one.path, other.path),
        (one.markdown, other.markdown),
        *zip(one.pictures, other.pictures, strict=True),
    ):
        assert first.read_bytes() == second.read_bytes()
    assert not list((tmp_path / "a").glob("*.tmp"))
    again = report(paths, tmp_path / "a")
    assert again.path.read_bytes() == one.path.read_bytes()


def test_every_value_of_a_task_stands_beside_the_published_one() -> None:
    task = result(
        "summary_ct",
        41.0,
        metrics={"rouge1": 41.0, "chrf": 33.25},
        paper={"bleu": 47.17, "peer_rouge": "ValueError: Hypothesis is empty."},
        n_empty=3,
        n_missing=4,
        n_unparsed=5,
    )
    html = page(shown(results({"summary_ct": task})))
    detail = html[html.index('id="task-summary_ct"') :]
    for shown_value in ("41.00", "33.25", "47.17", "stops<sup>a</sup>"):
        assert shown_value in detail
    assert re.search(r">3</td><td>4</td><td>5</td>", detail)
    assert "The published code stops: </sup>" not in detail
    assert "ValueError: Hypothesis is empty." in detail
    table = markdown(shown(results({"summary_ct": task})))
    assert "| model | 41.00 | 33.25 | 47.17 | stops | 3 | 4 | 5 |" in table


def test_misses_are_few_the_worst_first_and_cut() -> None:
    long = "head" + "x" * 1_000_000 + "tail"
    misses = [Miss(id=f"id{n}", score=float(9 - n), prediction=long) for n in range(9)]
    html = page(shown(results({"pico": result("pico", misses=misses)})))
    assert re.findall(r"<code>(id\d)</code>", html) == [f"id{n}" for n in (8, 7, 6, 5, 4)]
    assert f"{len(long) - LONGEST:,} characters left out" in html
    assert "tail<" in html
    assert len(html) < 100_000


def test_texts_stay_out_where_any_file_says_that_they_may_not_be_shown() -> None:
    told = result("pico", misses=[Miss(id="known-id", score=0, prediction="SECRET")])
    closed = result("pico", may_be_shown=False)
    html = page(shown(results({"pico": told}, "one"), results({"pico": closed}, "two")))
    assert "SECRET" not in html
    assert "known-<wbr/>id" in html
    assert "do not allow its texts" in html


def test_paper_mode_has_no_intervals_and_says_what_it_is() -> None:
    bare = {"pico": result("pico", low=None, high=None)}
    found = shown(results(bare, "one", mode="paper"), results(bare, "two", mode="paper"))
    html = page(found)
    assert "with its faults" in html
    assert "bootstrap" not in html
    assert ">50.0<" in html
    assert "**50.0** |" in markdown(found)


def rows(text: str) -> list[list[str]]:
    """Return the cells of the first table in Markdown, unescaped."""
    lines = [line for line in text.split("\n\n## What")[0].splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in row] for row in cells]


def test_the_markdown_table_says_what_the_leaderboard_say() -> None:
    found = shown(*six())
    head, _, *body = rows(markdown(found))
    assert [cell.split("<br>")[0] for cell in head[3:]] == list(CATEGORIES)
    for run, cells, *_ in zip(found.runs, body, strict=True):
        assert cells[:2] == [str(run.rank or "—"), run.label]
        for column, cell in zip(found.leaderboard, cells[2:], strict=True):
            known = column.cells[found.runs.index(run)]
            read = re.fullmatch(r"(\*\*)?([\d.]+)(\*\*)?([°†]?) \(([\d.]+)–([\d.]+)\)", cell)
            if known is None:
                assert cell == "—"
                continue
            assert read is not None, cell
            assert float(read[2]) == pytest.approx(known.value, abs=0.0501)
            assert float(read[5]) == pytest.approx(known.low, abs=0.0501)
            assert bool(read[1]) == known.best
            assert read[4] == ("°" if known.close else "†" if known.partial else "")


@given(_NAMES)
def test_any_name_comes_back_from_the_markdown_table(name: str) -> None:
    found = shown(results({"pico": result("pico")}, name))
    table = markdown(found)
    *_, row = rows(table)
    assert len(row) == 4
    assert row[1] == found.runs[0].label


# Pictures


def test_without_a_converter_pictures_are_svg_and_the_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    out = tmp_path / "out"
    out.mkdir()
    (out / "overview.png").write_bytes(b"of an earlier report")
    made = report(put(six(), tmp_path), out)
    assert [path.name for path in made.pictures] == ["leaderboard.svg", "overview.svg"]
    assert "pip install 'medsins[report]'" in made.note
    assert not (out / "overview.png").exists()
    for path in made.pictures:
        texts = [one.text for one in ElementTree.parse(path).iter() if one.tag.endswith("}text")]
        assert "acme/<b>7B</b> 🩺 | v2" in texts
        assert "half a model" in texts


def test_with_a_converter_pictures_are_png(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    made = report(put(six(), tmp_path), tmp_path / "out")
    assert [path.name for path in made.pictures] == ["leaderboard.png", "overview.png"]
    assert made.note == ""
    assert all(colours(path.read_bytes()) > 20 for path in made.pictures)


# Colours


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(scheme: int) -> None:
    html = page(shown(*six()))
    block = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[scheme]
    known = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((_luminance(known[one]), _luminance(known[other])))
        return (high + 0.05) / (low + 0.05)

    for ground in ("paper", "tint"):
        for ink in ("ink", "muted", "accent"):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast("range", "paper") >= 3


# In a browser


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if missing := missing_browser():
        pytest.skip(missing)
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("six")
    return report(put(six(), folder), folder / "out")


_COLUMN = """
const rows = document.querySelector("table.sortable").tBodies[0].rows;
return Array.from(rows, (row) => [
  row.querySelector("bdi").textContent,
  row.cells[arguments[0]].dataset.value ?? null,
]);
"""
_SORTED = """
return Array.from(document.querySelectorAll("#leaderboard th[aria-sort]"),
  (head) => [head.querySelector("button").textContent, head.getAttribute("aria-sort")]);
"""


def head(place: int) -> str:
    return f"#leaderboard table.sortable th[data-column='{place}'] button"


def test_a_click_on_a_head_sorts_the_table(window: Browser, made: Report) -> None:
    window.resize(1440, 1000)
    window.open(made.path)
    before = [name for name, _ in window.run(_COLUMN, 1)]
    assert before == [run.label for run in shown(*six()).runs]
    assert window.run(_SORTED) == [["Average", "descending"]]
    mcqa = 2
    for press, order, sign in (
        (window.click, "descending", -1),
        (window.click, "ascending", 1),
        (window.press_enter, "descending", -1),
    ):
        press(head(mcqa))
        *whole, partial = window.run(_COLUMN, mcqa)
        values = [float(value) for _, value in whole]
        assert len(set(values)) > 1
        assert values == sorted(values, key=lambda value: sign * value)
        assert partial[0] == "half a model"
        assert window.run(_SORTED) == [["MCQA", order]]
    window.click(head(0))
    names = [name for name, _ in window.run(_COLUMN, 0)]
    assert names == sorted(names, key=str.casefold)
    assert window.run("return document.getElementById('spoken').textContent") == (
        "Sorted by Model, ascending"
    )
    window.click(head(12))
    assert window.run(_COLUMN, 12)[-1] == ["half a model", None]
    assert window.console() == []


def test_hostile_text_is_only_text(window: Browser, made: Report) -> None:
    window.open(made.path)
    assert window.run("return document.title") == "MedS-Bench: leaderboard of 6 runs"
    said = window.run("return document.querySelector('#task-exam_en .said .text').textContent")
    assert said == HOSTILE.replace("\x00", "\u2400").replace("\ud83d", "\ufffd")
    assert window.run("return document.querySelectorAll('script').length") == 1
    window.run(
        "const s = document.createElement('script'); s.textContent = 'document.title = 1';"
        "document.body.append(s)"
    )
    assert window.run("return document.title") == "MedS-Bench: leaderboard of 6 runs"
    assert any("Content Security Policy" in message for message in window.console())


def test_a_link_to_a_task_opens_it(window: Browser, made: Report) -> None:
    window.open(made.path)
    assert not window.run("return document.querySelector('#task-pico').open")
    window.click("a[href='#task-pico']")
    # The browser tells the page of a new fragment when it comes to it, not within the click.
    until = time.monotonic() + 5
    while not window.run("return document.querySelector('#task-pico').open"):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert window.console() == []


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_overflows_the_page(window: Browser, made: Report, width: int) -> None:
    window.resize(width, 844, mobile=width < 500)
    window.open(made.path)
    window.run("for (const each of document.querySelectorAll('details')) each.open = true")
    across, inner = window.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert inner == width
    assert across <= inner
    # The first column stays where it is while its table is scrolled.
    place = window.run("""
      const scroll = document.querySelector("#leaderboard .scroll");
      scroll.scrollLeft = 200;
      const name = scroll.querySelector("tbody th");
      return [scroll.scrollLeft, name.getBoundingClientRect().left
        - scroll.getBoundingClientRect().left, scroll.scrollWidth > scroll.clientWidth]
    """)
    assert place == ([200, 0, True] if width < 500 else [0, 0, False])
    assert window.console() == []
    assert window.run("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn(window: Browser, made: Report, scheme: str) -> None:
    window.resize(390, 844, mobile=True)
    window.prefer(scheme)
    window.open(made.path)
    assert colours(window.screenshot()) > 50
    ground = window.run("return getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", ground))) > 3 * 128
    assert light == (scheme == "light")
