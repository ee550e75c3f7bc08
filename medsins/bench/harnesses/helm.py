"""Files for HELM: MedHELM's configurations without code, and run entries for our plug-in.

no_code/<task>/prompt.txt    what is asked, with {question} for what varies
no_code/<task>/data.csv      a row for each question: question, correct_answer, incorrect_answers
no_code/<task>/config.yaml   name, files, longest answer, metrics
no_code.conf                 run entries of these
medsins.conf                 run entries of all tasks, for `medsins.bench.harnesses.helm_plugin`

https://github.com/stanford-crfm/helm, docs/medhelm.md, "Adding a New Benchmark"; crfm-helm 0.5.8 or
later.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from medsins.bench.harnesses.records import MAX_ANSWER_TOKENS, ExportedTask, Options
from medsins.bench.suite.families import Family
from medsins.io.files import write_atomically

PREFIX = "medsbench"
"""What names of benchmarks begin with."""

HOW = """\
HELM reads paths from the folder in which it is started: start it here.

```sh
helm-run --conf-paths medsins.conf --plugins medsins.bench.harnesses.helm_plugin \\
    --models-to-run MODEL --suite medsbench --max-eval-instances 1000000
helm-run --conf-paths no_code.conf --models-to-run MODEL --suite medsbench-no-code \\
    --max-eval-instances 1000000
```

**medsins.conf** has all tasks, with the prompts of `medsins bench run` and the metrics of
`medsins bench score`, corrected, from 0 to 1; `score` is the one that stands for a task. It needs
medsins in HELM's environment. HELM holds `datasets` below 4 and medsins from 4 on, so pip does not
install both; what scoring needs gets on with HELM:

```sh
pip install --no-deps medsins
pip install click isal jsonschema orjson polars pydantic python-calamine rapidfuzz tenacity \\
    xxhash 'sacrebleu[ja]' rouge-score scikit-learn jieba janome nltk
```

Texts of sources whose terms do not allow models that others run are refused, since HELM does not
say who runs a model. `,on_this_machine=1` at the end of an entry declares that the model runs here,
`,covered_by=NAME` that an agreement covers it, where the terms leave room for one.

HELM cuts what does not fit into a model's window off the end of a prompt, where the question is,
and its log says so. Export with fewer few-shot examples then.

**no_code.conf** needs HELM alone (for ROUGE with its extra `summarization`), and has what HELM's
own metrics can judge. Its numbers are not those of medsins: `exact_match` wants the reference
character by character, where medsins finds the answer in what the model says; its ROUGE stems words
and knows one reference. ROUGE comes with BERTScore, which downloads a model. References that
HELM would read as numbers, truth values or blanks end in a no-break space, which its metrics strip.
"""

_EXACT = frozenset({Family.CHOICE, Family.LABEL})
_WHY_NOT = {
    Family.LABELS: "HELM's configurations have no metric for answers with several labels",
    Family.ENTITIES: "HELM's configurations have no metric for lists of names",
    Family.PHRASES: "HELM's configurations have no metric for lists of phrases",
    Family.DOSE: "HELM would compare doses character by character, so that 5.0 mg is not 5 mg",
    Family.DEMOGRAPHICS: "HELM's configurations have no metric for gender and age",
}
_NO_BREAK = "\u00a0"
# What pandas.read_csv takes for a blank or a truth value.
_MISREAD = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
        *("true", "True", "TRUE", "false", "False", "FALSE"),
    )
)


def write(folder: Path, tasks: Sequence[ExportedTask], options: Options) -> dict[str, str]:
    """Write configurations and run entries.

    Args:
        folder: The export; it holds the benchmark already.
        tasks: What is exported.
        options: How to ask.

    Returns:
        Why tasks have no configuration without code, by name.
    """
    left_out = {one.name: why for one in tasks if (why := _why_not(one))}
    known = [one for one in tasks if one.name not in left_out]
    (folder / "no_code").mkdir()
    for one in known:
        _configure(folder, one, options)
    entries = [
        f"medhelm_configurable_benchmark:config_path=no_code/{one.name}/config.yaml"
        for one in known
    ]
    write_atomically(folder / "no_code.conf", _entries(entries))
    fewshot = "" if options.num_fewshot is None else f",num_fewshot={options.num_fewshot}"
    entries = [
        f"{PREFIX}:benchmark=.,task={one.name}{fewshot},seed={options.seed}" for one in tasks
    ]
    write_atomically(folder / "medsins.conf", _entries(entries))
    return left_out


def _why_not(one: ExportedTask) -> str:
    if one.profile.family is Family.TEXT and one.profile.language != "en":
        return "HELM's ROUGE knows ASCII letters alone"
    return _WHY_NOT.get(one.profile.family, "")


def _entries(descriptions: Sequence[str]) -> str:
    lines = [f'  {{description: "{text}", priority: 1}}\n' for text in descriptions]
    return "entries: [\n" + "".join(lines) + "]\n"


def _configure(folder: Path, one: ExportedTask, options: Options) -> None:
    home = folder / "no_code" / one.name
    home.mkdir()
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("id", "question", "correct_answer", "incorrect_answers"))
    for item, asked in one.prompts(options):
        cases = asked.system.removeprefix(one.definition).strip("\n")
        question = f"{cases}\n\n{asked.user}" if cases else asked.user
        writer.writerow((item.id, as_text(question), as_text(item.references[0]), json.dumps([])))
    write_atomically(home / "data.csv", table.getvalue())
    definition = one.definition.replace("{", "{{").replace("}", "}}")
    write_atomically(home / "prompt.txt", f"{definition}\n\n{{question}}")
    metrics = (
        ("exact_match",) if one.profile.family in _EXACT else ("rouge_1", "rouge_2", "rouge_l")
    )
    config = {
        "name": f"{PREFIX}_{one.name}",
        "description": f"MedS-Bench, {one.profile.category}: {one.name}.",
        "prompt_file": f"no_code/{one.name}/prompt.txt",
        "dataset_file": f"no_code/{one.name}/data.csv",
        "max_tokens": MAX_ANSWER_TOKENS,
        # Some releases want to be told which is the main one, the others take the first.
        "metrics": [
            {"name": name, "main": True} if name == metrics[0] else {"name": name}
            for name in metrics
        ],
    }
    write_atomically(home / "config.yaml", yaml.safe_dump(config, sort_keys=False, width=2**16))


def as_text(cell: str) -> str:
    """Return a cell that `pandas.read_csv` takes for text, and `strip` gives back as it was."""
    try:
        float(cell)
    except ValueError:
        return cell + _NO_BREAK if cell.strip() in _MISREAD else cell
    return cell + _NO_BREAK
