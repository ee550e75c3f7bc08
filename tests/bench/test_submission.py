"""Leaderboard submissions: every problem at once, and an entry only where there is none."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsins.bench.report.writing import report
from medsins.bench.scoring.grading import score
from medsins.bench.scoring.results import Results, read_results, write_results
from medsins.bench.submission import Submission, check_submission
from medsins.bench.suite.benchmark import Benchmark, collect
from medsins.errors import InvalidFileError, MissingFilesError

TASKS = "medqa_mcqa_en medmcqa_mcq bc5cdr_chem_ner healthfact_claim_verification"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    out = tmp_path_factory.mktemp("submissions") / "bench"
    return collect(TASKS.split(), sample=True, out=out, workers=1, progress=False)


def gold(bench: Benchmark, model: str = "m/1") -> list[dict[str, str]]:
    """A row with the reference for every question."""
    return [
        {"id": item.id, "prediction": item.references[0], "model": model}
        for task in bench.tasks
        for item in bench.items(task)
    ]


def json_lines(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(path: Path, rows: Iterable[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def published(bench: Benchmark) -> list[tuple[str, ...]]:
    """The rows of the published layout, with references as answers."""
    return [
        ("task_id", "input", "GT", "output"),
        *(
            (facts.benchmark_id, item.input, item.references[0], item.references[0])
            for task, facts in bench.tasks.items()
            for item in bench.items(task)
        ),
    ]


def refused(path: Path, bench: Benchmark, model: str = "", partial: bool = False) -> list[str]:
    """The problems of a file, for which nothing is written."""
    before = sorted(path.parent.rglob("*"))
    found = check_submission(path, bench.path, model=model, partial=partial)
    assert found.results is None
    assert found.entry is None
    assert sorted(path.parent.rglob("*")) == before
    assert found.problems
    return list(found.problems)


def test_a_whole_submission_gets_its_entry(bench: Benchmark, tmp_path: Path) -> None:
    path = json_lines(tmp_path / "team.jsonl", gold(bench))
    found = check_submission(path, bench.path)
    assert found.problems == ()
    assert found.model == "m/1"
    assert found.entry == tmp_path / "team.entry.json"
    entry = json.loads(found.entry.read_text(encoding="utf-8"))
    rows = {task: facts.rows for task, facts in bench.tasks.items()}
    assert entry["model"] == "m/1"
    assert entry["benchmark"] == bench.digest
    assert entry["file"] == {
        "name": "team.jsonl",
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert entry["counts"] == {
        "tasks": len(rows),
        "rows": sum(rows.values()),
        "blank": 0,
        "by_task": rows,
    }
    results = Results.model_validate(entry["results"])
    assert results == found.results
    assert results.complete
    assert {task.value for task in results.tasks.values()} == {100.0}


def test_entries_and_results_stand_in_one_report(bench: Benchmark, tmp_path: Path) -> None:
    rows = gold(bench)
    entry = check_submission(json_lines(tmp_path / "team.jsonl", rows), bench.path).entry
    assert entry is not None
    assert read_results(entry) == Results.model_validate(json.loads(entry.read_text())["results"])
    for row in rows:
        row["model"], row["prediction"] = "other", ""
    scored = score(json_lines(tmp_path / "other.jsonl", rows), bench.path, paper=False)
    write_results(tmp_path / "other.json", scored.results)
    made = report([entry, tmp_path / "other.json"], tmp_path / "report")
    lines = made.markdown.read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if "m/1" in line or "other" in line]
    assert "m/1" in named[0]
    assert "100.0" in named[0]

    entry.write_text(json.dumps({"results": {"tasks": {}}}))
    with pytest.raises(InvalidFileError, match="holds no valid results"):
        read_results(entry)


def test_the_scores_are_those_of_score_and_no_text_is_in_the_entry(
    bench: Benchmark, tmp_path: Path
) -> None:
    rows = gold(bench)
    for row in rows[::2]:
        row["prediction"] = "zzsecretzz"
    rows[1]["prediction"] = ""
    path = json_lines(tmp_path / "p.jsonl", rows)
    found = check_submission(path, bench.path, out=tmp_path / "entries")
    assert found.entry == tmp_path / "entries" / "entry.json"
    assert found.results is not None
    expected = score(path, bench.path, paper=False).results
    for name, task in found.results.tasks.items():
        assert task == expected.tasks[name].model_copy(update={"misses": []})
    written = found.entry.read_text(encoding="utf-8")
    assert "zzsecretzz" not in written
    assert not any(item.input in written for task in bench.tasks for item in bench.items(task))
    assert json.loads(written)["counts"]["blank"] == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_layout_says_the_same(bench: Benchmark, tmp_path: Path, encoding: str) -> None:
    rows = [("id", "prediction"), *((row["id"], row["prediction"]) for row in gold(bench))]
    plain = table(tmp_path / "plain.csv", rows, encoding)
    layout = table(tmp_path / "published.csv", published(bench), encoding)
    found = [check_submission(path, bench.path, model="x") for path in (plain, layout)]
    assert [one.problems for one in found] == [(), ()]
    assert found[0].results == found[1].results


def test_all_problems_of_the_rows_come_at_once(bench: Benchmark, tmp_path: Path) -> None:
    rows = gold(bench, model="")
    first, second = (next(iter(bench.items(task))).id for task in list(bench.tasks)[:2])
    kept = [row for row in rows if row["id"] != first]
    kept = [row for row in kept if row["id"] not in {one.id for one in bench.items("medmcqa_mcq")}]
    again = next(row for row in kept if row["id"] not in {first, second})
    path = json_lines(
        tmp_path / "p.jsonl",
        [*kept, again, {"id": "zzsecretzz", "prediction": "x"}, again],
    )
    problems = refused(path, bench)
    end = len(kept)
    assert problems[0] == (
        f"line {end + 2}: 1 row of no question of this benchmark; it may be another version or "
        "subset"
    )
    assert problems[1] == (
        f"lines {end + 1}, {end + 3}: 2 rows for a question that an earlier row answers"
    )
    assert "medmcqa_mcq: no rows, 3 are due" in problems
    task = next(iter(bench.tasks))
    total = bench.tasks[task].rows
    assert f"{task}: {total - 1} of {total} rows; missing are {first}" in problems
    assert problems[-1].startswith("the model is not named")
    assert "zzsecretzz" not in "".join(problems)


def test_the_published_layout_is_held_to_the_same(bench: Benchmark, tmp_path: Path) -> None:
    rows = published(bench)
    broken = [*rows[:2], *rows[3:], ("task57", "zzsecretzz", "no", "yes"), rows[1]]
    problems = refused(table(tmp_path / "p.csv", broken), bench, model="x")
    assert len(problems) == 3
    assert "1 row of no question" in problems[0]
    assert "1 row for a question that an earlier row answers" in problems[1]
    assert "missing are" in problems[2]
    assert "zzsecretzz" not in "".join(problems)


@given(dropped=st.sets(st.integers(0, 12)), again=st.sets(st.integers(0, 12)))
def test_counts_add_up_whatever_is_dropped_or_repeated(
    bench: Benchmark, folder: Path, dropped: set[int], again: set[int]
) -> None:
    rows = gold(bench)
    kept = [row for place, row in enumerate(rows) if place not in dropped]
    twice = [row for place, row in enumerate(rows) if place in again - dropped]
    path = json_lines(folder / "p.jsonl", [*kept, *twice]) if kept else folder / "none"
    found = check_submission(path, bench.path, out=folder / "out")
    assert bool(found.problems) == bool(dropped & set(range(len(rows))) or twice)
    assert sum(found.counts.values()) == len(kept)


def test_every_bad_line_of_json_lines_is_listed(bench: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        '{"id": "a", "prediction": "x", "model": "m1"}\n'
        '{"id": "zzsecretzz", "pred": "x"}\n'
        "\n"
        '{"id": 1, "prediction": ["zzsecretzz"]}\n'
        '{"id": "c", "prediction": "zzsecretzz\n'
        "[1]\n"
        '{"id": "d", "prediction": null, "model": "m2"}\n',
    )
    problems = refused(path, bench)
    assert [problem.split(":")[0] for problem in problems] == [
        *("line 2", "line 4", "line 4", "line 5", "line 6", "lines 1, 7")
    ]
    assert problems[0] == "line 2: no 'prediction'"
    assert problems[-1] == "lines 1, 7: 2 names of models; a submission is of one"
    assert "zzsecretzz" not in "".join(problems)


def test_every_bad_row_of_a_table_is_listed(bench: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('id,answer,answer\na,"two\nlines",x\nb,zzsecretzz\nc,1,2,3\n')
    published_lack = "the published layout lacks 'task_id', 'input', 'GT', 'output'"
    assert refused(path, bench) == [
        "header: column 3 has the name of an earlier one",
        f"header: no column 'prediction'; {published_lack}",
        "line 4: 2 cells, but the header has 3",
        "line 5: 4 cells, but the header has 3",
    ]
    path.write_text('id,prediction\na,"x"y\nb,x\n')
    assert refused(path, bench)[0].startswith("line 2: not valid CSV")


def test_hundreds_of_bad_lines_are_cut(bench: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a"}\n' * 500)
    problems = refused(path, bench)
    assert len(problems) == 51
    assert problems[-1] == "and more; the first 50 are listed"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"id,prediction\na,caf\xe9\n", "not UTF-8 at byte 19, line 2"),
        (b"\x89PNG\r\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_one_problem(
    bench: Benchmark, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    (problem,) = refused(path, bench)
    assert said in problem
    (problem,) = refused(tmp_path / "absent.csv", bench)
    assert "is not there" in problem
    (problem,) = refused(tmp_path, bench)
    assert "cannot be read" in problem


def test_tasks_may_be_absent_where_that_is_allowed(bench: Benchmark, tmp_path: Path) -> None:
    wanted = {item.id for item in bench.items("bc5cdr_chem_ner")}
    rows = [row for row in gold(bench) if row["id"] in wanted]
    path = json_lines(tmp_path / "p.jsonl", rows)
    assert len(refused(path, bench)) == len(bench.tasks) - 1
    found = check_submission(path, bench.path, partial=True)
    assert found.problems == ()
    assert found.results is not None
    assert set(found.results.tasks) == {"bc5cdr_chem_ner"}
    assert not found.results.complete
    assert "missing are" in refused(json_lines(path, rows[:-1]), bench, partial=True)[0]
    nothing = json_lines(path, [{"id": "no", "prediction": "x", "model": "m"}])
    assert "of no question" in refused(nothing, bench, partial=True)[0]


def test_scores_are_complete_only_with_every_question_answered(
    bench: Benchmark, tmp_path: Path
) -> None:
    rows = gold(bench)
    whole = score(json_lines(tmp_path / "p.jsonl", rows), bench.path, partial=True).results
    assert whole.complete
    largest = max(bench.tasks, key=lambda task: len(bench.items(task)))
    gone = bench.items(largest)[-1].id
    rows = [row for row in rows if row["id"] != gone]
    lacking = score(json_lines(tmp_path / "p.jsonl", rows), bench.path, partial=True).results
    assert set(lacking.tasks) == set(bench.tasks)
    assert not lacking.complete


def test_one_name_for_the_model(bench: Benchmark, tmp_path: Path) -> None:
    path = json_lines(tmp_path / "p.jsonl", gold(bench))
    assert refused(path, bench, model="other") == [
        "the file names its model otherwise than --model ('other')"
    ]
    assert check_submission(path, bench.path, model="m/1").problems == ()


def test_without_a_benchmark_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match="holds no benchmark"):
        check_submission(tmp_path / "p.jsonl", tmp_path)


def test_at_the_command_line(bench: Benchmark, tmp_path: Path) -> None:
    path = json_lines(tmp_path / "p.jsonl", gold(bench))
    command = [sys.executable, "-m", "medsins.cli", "bench", "check-submission", str(path)]
    command += ["--benchmark", str(bench.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.entry.json").is_file()
    json_lines(path, gold(bench)[1:])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "missing are" in done.stdout


def test_what_is_found_can_be_looked_at(bench: Benchmark, tmp_path: Path) -> None:
    found = check_submission(json_lines(tmp_path / "p.jsonl", gold(bench)), bench.path)
    assert isinstance(found, Submission)
    assert found.benchmark == bench.digest
