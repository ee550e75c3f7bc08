"""The comparisons: each measures one promise, and returns a section of the results."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import FULL, HERE, MEDSINS, PYTHON, Bench, DifferentError, selectors, size_of, slug
from measure import Contestant, Runs
from report import Section, Verdict

SUMMARY = "mimic_iv_note_summary"
RADIOLOGY = "mimic_iv_note/note/radiology.csv"
OURS = "medsins"
JUDGED_INSTANCES = 13_500_000


def radiology(bench: Bench) -> Section:
    """One source with long texts, of which a third of the records give instances."""
    rows = bench.sizes.radiology
    raw = bench.raw(radiology=rows)
    source = raw / RADIOLOGY
    ours = bench.build(OURS, SUMMARY, raw, workers=1)
    copy = bench.peer("Arrow copy", "floor.py", source, target="copy.parquet")
    for one in (ours, copy):
        bench.run(one.command)
    data = ours.outputs[0] / "data"
    share = size_of(data) / size_of(copy.outputs[0])
    part = bench.peer(
        "Arrow copy, bytes as ours",
        "floor.py",
        source,
        target="part.parquet",
        options=["--share", f"{share:.4f}"],
    )
    mapped = ["--recipe-mapping"]
    peers = [
        bench.peer("plain script", "plain.py", "radiology", raw, target="plain"),
        bench.peer(
            "plain script, our mapping",
            "plain.py",
            *("radiology", raw),
            target="plain-mapped",
            options=mapped,
        ),
        _datasets("datasets", bench, raw),
        _datasets("datasets, our mapping", bench, raw, options=mapped),
        bench.peer("polars expressions", "polars_expressions.py", source, target="polars.parquet"),
    ]
    runs = bench.compete([ours, copy, part, *peers], bench.sizes.rounds)
    instances = bench.same([ours, *peers])

    def against(label: str, target: float | None) -> Verdict:
        ratio = runs[OURS].ratio(runs[label])
        return Verdict(
            f"radiology: CPU against {label}",
            f"≤ {target:g} ×" if target else "",
            f"{ratio:.2f} ×",
            ratio <= target if target else None,
            bench.judged,
        )

    def less_than(label: str, target: float | None) -> Verdict:
        ratio = runs[label].ratio(runs[OURS])
        return Verdict(
            f"radiology: CPU of {label}, against ours",
            f"≥ {target:g} ×" if target else "",
            f"{ratio:.2f} ×",
            ratio >= target if target else None,
            bench.judged,
        )

    return Section(
        "Radiology reports",
        f"{rows:,} reports in CSV, {size_of(source) / 1e9:.2f} GB; {instances:,} distinct "
        f"instances of the summary tasks, {size_of(data) / 1e6:,.0f} MB as Parquet. One worker. "
        "The Arrow copy parses everything and writes everything, at our level of zstd; the one "
        f"beside it parses everything and writes {share:.0%}. The plain script, and `datasets` "
        "with its map and to_parquet, use a mapping that is written the obvious way; where they "
        "use our mapping, only what surrounds the recipe differs. The polars expressions are tuned "
        "by hand and use all cores. All but the copies wrote the same instances. Only medsins "
        "validates them, gives them ids, finds duplicates, and accounts for every record.",
        [runs],
        [
            against("Arrow copy", 1.4),
            against("Arrow copy, bytes as ours", None),
            less_than("plain script", 3),
            less_than("plain script, our mapping", None),
            less_than("datasets", 2),
            less_than("datasets, our mapping", None),
            against("polars expressions", 1.5),
        ],
    )


def emergency(bench: Bench) -> Section:
    """A wide table, of which every row gives one instance, or three."""
    groups: list[dict[str, Runs]] = []
    verdicts: list[Verdict] = []
    facts: list[str] = []
    jobs = {
        # What is built; which of the peers' jobs that is, and what it gives.
        "mimic4ed_benchmark_hospitalization": ("hospitalization", "one task"),
        "mimic4ed_benchmark": ("emergency", "three tasks"),
    }
    for rows in bench.sizes.emergency:
        raw = bench.raw(emergency=rows)
        for select, (job, tasks) in jobs.items():
            what = f"{rows:,} rows, {tasks}"
            contestants = [
                bench.build(f"{OURS}: {what}", select, raw, workers=1),
                bench.peer(f"plain script: {what}", "plain.py", job, raw, target="plain"),
                bench.peer(f"pandas rows: {what}", "pandas_rows.py", job, raw, target="pandas"),
            ]
            # The target is about a table of which every row gives one instance.
            judged = rows == bench.sizes.emergency[-1] and tasks == "one task"
            runs = bench.compete(contestants, bench.sizes.rounds if judged else None)
            groups.append(runs)
            facts.append(f"{what} ({bench.same(contestants):,} instances)")
            ours, _, pandas = runs.values()
            ratio = pandas.ratio(ours)
            verdicts.append(
                Verdict(
                    f"emergency table, {what}: CPU of a pandas row loop, against ours",
                    "≥ 10 ×" if judged else "",
                    f"{ratio:.1f} ×",
                    ratio >= 10 if judged else None,
                    bench.judged and rows >= FULL.emergency[-1],
                )
            )
        bench.clear()
    return Section(
        "Emergency department table",
        f"{'; '.join(facts)}, of 78 columns in CSV: one or three instances for each row, whose "
        "input lists up to 65 variables. One worker. The plain script uses the csv module, the "
        "other one `frame.iloc[i]` of a frame as pandas reads it. All wrote the same instances.",
        groups,
        verdicts,
    )


def formats(bench: Bench) -> Section:
    """Sources in other formats."""
    groups: list[dict[str, Runs]] = []
    facts: list[str] = []
    for kind, name, select, count in (
        ("questions", "JSON Lines", "medmcqa", bench.sizes.questions),
        ("documents", "XML files", "medquad", bench.sizes.documents),
        ("sentences", "IOB sentences", "bc5cdr_chem", bench.sizes.sentences),
    ):
        raw = bench.raw(**{kind: count})
        contestants = [
            bench.build(f"{OURS}: {name}", select, raw, workers=1),
            bench.peer(f"plain script: {name}", "plain.py", kind, raw, target="plain"),
        ]
        groups.append(bench.compete(contestants))
        facts.append(f"{count:,} {name} ({bench.same(contestants):,} instances)")
        bench.clear()
    return Section(
        "Other formats",
        f"{', '.join(facts)}. One worker; the plain scripts wrote the same instances.",
        groups,
    )


def workers(bench: Bench) -> Section:
    """Two processes against one."""
    rows = bench.sizes.radiology
    raw = bench.raw(radiology=rows)
    contestants = [
        bench.build("1 worker", SUMMARY, raw, workers=1),
        bench.build("2 workers", SUMMARY, raw, workers=2),
    ]
    runs = bench.compete(contestants, bench.sizes.rounds)
    bench.same(contestants)
    rounds = list(zip(runs["1 worker"].all, runs["2 workers"].all, strict=True))
    ratios = [two.wall / one.wall for one, two in rounds]
    # The work is the same each time: where it took least CPU time, least stood in its way.
    quietest = ratios[rounds.index(min(rounds, key=lambda pair: pair[0].cpu + pair[1].cpu))]
    return Section(
        "Two workers",
        f"{rows:,} radiology reports, {len(rounds)} rounds. Whoever else uses the machine slows "
        "two processes down more than one. The quietest round is the one that took the least CPU "
        f"time, of both together; wall times of two workers against one were {min(ratios):.2f} to "
        f"{max(ratios):.2f}.",
        [runs],
        [
            Verdict(
                "two workers: wall time against one, in a quiet moment",
                "≤ 0.62 ×",
                f"{quietest:.2f} × in the quietest of {len(rounds)} rounds, "
                f"{statistics.median(ratios):.2f} × in the middle one",
                quietest <= 0.62,
                bench.judged,
            )
        ],
    )


def memory(bench: Bench) -> Section:
    """How peak memory grows with the number of records."""
    runs: dict[str, Runs] = {}
    for rows in bench.sizes.growth:
        bench.clear()
        raw = bench.raw(radiology=rows)
        contestant = bench.build(f"{OURS}: {rows:,} reports", SUMMARY, raw, workers=1)
        runs |= bench.compete([contestant], repeats=1)
    peaks = [one.peak for one in runs.values()]
    theirs = _datasets(f"datasets: {rows:,} reports", bench, raw, options=["--recipe-mapping"])
    runs |= bench.compete([theirs], repeats=1)
    growth = max(peaks) / peaks[0] - 1
    less = runs[theirs.label].peak / peaks[-1]
    judged = bench.judged and rows >= FULL.growth[-1]
    return Section(
        "Peak memory",
        "Radiology reports, one worker, one run each. The memory of datasets includes pages of "
        "its memory-mapped files, which the system can take back.",
        [runs],
        [
            Verdict(
                "peak memory of any process, 200k to 5M rows",
                "≤ 200 MiB, growth ≤ 5 %",
                f"{max(peaks):.0f} MiB, growth {growth:.0%} up to {rows:,} rows",
                max(peaks) <= 200 and growth <= 0.05,
                judged,
            ),
            Verdict(
                "peak memory of `datasets` at 5M rows, against ours",
                "≥ 20 ×",
                f"{less:.0f} × at {rows:,} rows",
                less >= 20,
                judged,
            ),
        ],
        ratios=False,
    )


def corpus(bench: Bench) -> Section:
    """Everything in one command."""
    raw = bench.raw(**bench.sizes.corpus)
    ours = bench.build(OURS, selectors(raw), raw, workers=2)
    runs = bench.compete([ours], repeats=1)
    recipes = json.loads((ours.outputs[0] / "manifest.json").read_bytes())["recipes"].values()
    instances = sum(facts["instances"] for facts in recipes)
    cost = runs[OURS].cpu / instances * 1e6
    kinds = ", ".join(f"{size:,} {kind}" for kind, size in bench.sizes.corpus.items())
    return Section(
        "All in one command",
        f"{instances:,} instances of all tasks of {len(recipes)} sources, from {kinds}; two "
        f"workers, one run. {size_of(raw) / 1e9:.2f} GB of raw files give "
        f"{size_of(ours.outputs[0] / 'data') / 1e9:.2f} GB of Parquet.",
        [runs],
        [
            Verdict(
                "13.5M instances in one command, two workers",
                "≤ 16 CPU s a million",
                f"{cost:.1f} CPU s a million, {runs[OURS].wall:.0f} s, {runs[OURS].peak:.0f} MiB, "
                f"{instances:,} instances",
                cost <= 16,
                bench.judged and instances >= JUDGED_INSTANCES,
            )
        ],
        ratios=False,
    )


def duplicates(bench: Bench) -> Section:
    """The search for exact duplicates on its own."""
    folder, script = str(bench.out / "ids"), str(HERE / "duplicates.py")
    bench.run([PYTHON, script, "make", folder, "--count", str(bench.sizes.ids)])
    runs = bench.compete(
        [
            Contestant(OURS, [PYTHON, script, "engine", folder]),
            Contestant("Python set", [PYTHON, script, "set", folder]),
        ]
    )
    ours, theirs = (json.loads(one.output) for one in runs.values())
    if ours["found"] != theirs["found"]:
        raise DifferentError(f"{ours['found']} duplicates found, but there are {theirs['found']}")
    return Section(
        "Exact duplicates",
        f"{bench.sizes.ids:,} ids of 128 bits in part files, {ours['found']:,} of them for the "
        f"second time. Peak memory rises by {ours['rise']:,.0f} MiB; that of a Python set of all "
        f"ids by {theirs['rise']:,.0f} MiB.",
        [runs],
        [
            Verdict(
                "exact duplicates over 13.5M ids",
                "≤ 300 MiB more",
                f"{ours['rise']:.0f} MiB more, {runs[OURS].cpu:.1f} CPU s",
                ours["rise"] <= 300,
                bench.judged,
            )
        ],
    )


def rebuild(bench: Bench) -> Section:
    """Building again what is up to date."""
    sizes = bench.sizes
    raw = bench.raw(
        radiology=sizes.growth[0],
        emergency=sizes.emergency[0],
        questions=sizes.questions,
        documents=sizes.documents,
        sentences=sizes.sentences,
    )
    build = bench.build("unchanged build", selectors(raw), raw, workers=2)
    bench.run(build.command)
    runs = bench.compete(
        [
            Contestant(build.label, build.command),
            Contestant(
                "stat of every raw file", [PYTHON, str(HERE / "peers" / "stat_files.py"), str(raw)]
            ),
            Contestant("bare Python", [PYTHON, "-c", "pass"]),
        ],
        sizes.starts,
    )
    files = int(runs["stat of every raw file"].output)
    seconds = runs[build.label].wall
    stat = runs["stat of every raw file"].wall - runs["bare Python"].wall
    return Section(
        "Unchanged rebuild",
        f"`medsins build` of {len(selectors(raw))} sources with {files:,} raw files, of which "
        "nothing has changed since the last build.",
        [runs],
        [
            Verdict(
                "unchanged rebuild of everything",
                "≤ 0.5 s and what stat calls take",
                f"{seconds:.2f} s, of which {files:,} stat calls take {stat:.2f} s",
                seconds <= 0.5 + stat,
                bench.judged,
            )
        ],
        ratios=False,
    )


def start(bench: Bench) -> Section:
    """How long it takes until anything happens."""
    runs = bench.compete(
        [
            Contestant("bare Python", [PYTHON, "-c", "pass"]),
            Contestant("import medsins", [PYTHON, "-c", "import medsins"]),
            Contestant("medsins --help", [MEDSINS, "--help"]),
            Contestant("medsins list", [MEDSINS, "list"]),
        ],
        bench.sizes.starts,
    )
    more = runs["import medsins"].wall - runs["bare Python"].wall
    listed = runs["medsins list"].wall
    counted = bench.run([PYTHON, "-c", "from medsins.registry import find; print(len(find()))"])
    recipes = int(counted.output)
    return Section(
        "Start",
        f"`medsins list` lists the tasks of {recipes} recipes.",
        [runs],
        [
            Verdict(
                "`import medsins`, over bare Python",
                "≤ 0.3 s",
                f"{more:.2f} s",
                more <= 0.3,
            ),
            Verdict(
                "`medsins list`",
                "≤ 0.6 s",
                f"{listed:.2f} s with {recipes} recipes",
                listed <= 0.6,
            ),
        ],
        ratios=False,
    )


COMPARISONS: dict[str, Callable[[Bench], Section]] = {
    one.__name__: one
    for one in (
        radiology,
        emergency,
        formats,
        workers,
        memory,
        corpus,
        duplicates,
        rebuild,
        start,
    )
}


def _datasets(label: str, bench: Bench, raw: Path, options: Sequence[str] = ()) -> Contestant:
    name = slug(label)
    return bench.peer(
        label,
        "hf_datasets.py",
        raw / RADIOLOGY,
        target=f"{name}.parquet",
        cache=f"{name}-cache",
        options=options,
    )
