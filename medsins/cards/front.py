"""The front matter of a build's README.md: what the Hugging Face Hub and `datasets` read.

Keys and values are those of hub-docs (datasetcard.md, datasets-cards, datasets-gated,
datasets-data-files-configuration).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from medsins.cards.contents import BuiltTask, Contents, license_facts
from medsins.cards.terms import LICENSE_FILE
from medsins.taxonomy import SPLITS, Category

HUB_TASKS = {
    Category.CLINICAL_OUTCOME_PREDICTION: "text-classification",
    Category.DIAGNOSIS: "text-classification",
    Category.QUESTION_ANSWERING: "question-answering",
    Category.TEXT_SUMMARIZATION: "summarization",
    Category.TEXT_COMPLETION: "text-generation",
    Category.EXPLANATION: "text-generation",
    Category.TEXT_CLASSIFICATION: "text-classification",
    Category.TEXT_RETRIEVAL: "text-retrieval",
    Category.INFORMATION_EXTRACTION: "token-classification",
    Category.DIALOGUE: "text-generation",
    Category.NAMED_ENTITY_RECOGNITION: "token-classification",
    Category.TREATMENT_PLANNING: "text-classification",
    Category.SENTENCE_COMPOSITION_ANALYSIS: "text-generation",
    Category.NATURAL_LANGUAGE_INFERENCE: "text-classification",
    Category.TRANSLATION: "translation",
    Category.WORD_RELATION_CLASSIFICATION: "text-classification",
    Category.INTENT_IDENTIFICATION: "text-classification",
    Category.FACT_VERIFICATION: "text-classification",
    Category.WRONG_CANDIDATE_GENERATION: "text-generation",
}
"""The Hub's own task that is nearest to each category."""

COLUMNS = {
    "id": "128-bit hash of task, input and output, in hexadecimal; names the instance.",
    "task": "Name of the task.",
    "source": "Name of the recipe, which stands for the source.",
    "definition": "The instruction: what is asked for, and in which form.",
    "input": "What the model reads.",
    "output": "What it should answer.",
    "references": "All acceptable answers; the first one is `output`.",
    "text_domain": "Where the text comes from: one of the 5 text domains.",
    "task_category": "What kind of work it is: one of the 19 task categories.",
    "split": "`train`, `validation` or `test`.",
    "input_language": "Language of the input, ISO 639-1.",
    "output_language": "Language of the output, ISO 639-1.",
    "license": "License of the source: an SPDX identifier, or a name explained in LICENSES.md.",
    "record": "Raw file and key of the record that it was made from, as `file#key`.",
}
"""The columns of every row, in their order, and what is in them."""

LISTS = ("references",)
"""Columns that hold a list of texts; all others hold one text."""

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)

_GATE = (
    "This dataset holds text of sources whose owners want each user to register or to sign an "
    "agreement: {}. Access to this repository does not stand for that. Ask for it only if you "
    "have done what all of them ask, and pass nothing of it on."
)


def title(contents: Contents) -> str:
    """Return the title of a build."""
    only = contents.sources[0].title if len(contents.sources) == 1 else ""
    name = f"Medical instruction instances{f': {only}' if only else ''}"
    return f"{name} (synthetic samples)" if contents.sample else name


def front_matter(contents: Contents) -> str:
    """Return the front matter of a build's README.md, without the lines of dashes round it."""
    import yaml

    data: dict[str, Any] = {"pretty_name": title(contents), **_license(contents)}
    if contents.languages:
        data["language"] = list(contents.languages)
        data["multilinguality"] = _multilinguality(contents)
    data |= {
        "task_categories": _hub_tasks(contents),
        "size_categories": [
            next((name for limit, name in _SIZES if contents.rows < limit), "1B<n<10B")
        ],
        **_creators(contents),
        "tags": tags(contents),
        **_gate(contents),
    }
    if contents.tasks:
        data["configs"] = [
            _config("default", "*", contents.splits),
            *(_config(task.name, task.name, task.splits) for task in contents.tasks),
        ]
        data["dataset_info"] = [
            _info("default", contents, contents.tasks),
            *(_info(task.name, contents, [task]) for task in contents.tasks),
        ]
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _license(contents: Contents) -> dict[str, str]:
    if contents.sample:
        return {"license": "apache-2.0"}
    hub = {license_facts(name).hub for name in contents.licenses}
    if len(hub) == 1 and "other" not in hub:
        return {"license": hub.pop()}
    names = contents.licenses
    own = re.sub(r"[^a-z0-9.-]+", "-", names[0].lower()) if len(names) == 1 else "mixed"
    return {"license": "other", "license_name": own, "license_link": LICENSE_FILE}


def _multilinguality(contents: Contents) -> list[str]:
    kinds = ["monolingual" if len(contents.languages) == 1 else "multilingual"]
    if any(len(task.languages) > 1 for task in contents.tasks):
        kinds.append("translation")
    return kinds


def _hub_tasks(contents: Contents) -> list[str]:
    near = {HUB_TASKS[task.task.category] for task in contents.tasks if task.task}
    # Whatever the task is, what a model does is write the answer.
    return sorted(near | {"text-generation"})


def _creators(contents: Contents) -> dict[str, list[str]]:
    if contents.sample:
        return {}
    # Texts and answers are the sources' own; nobody wrote or annotated any for the build.
    return {
        "annotations_creators": ["found"],
        "language_creators": ["found"],
        "source_datasets": ["extended"],
    }


def tags(contents: Contents) -> list[str]:
    """Return the keywords of a build."""
    domains = {task.task.domain for task in contents.tasks if task.task}
    return [
        "medical",
        "instruction-tuning",
        "medsins",
        *sorted(str(one).lower().replace(" ", "-") for one in domains),
        *(["synthetic"] if contents.sample else []),
    ]


def _gate(contents: Contents) -> dict[str, Any]:
    asked = [source for source in contents.sources if source.needs_agreement]
    if contents.sample or not asked:
        return {}
    return {
        "extra_gated_heading": "Agreements with the owners of the sources",
        "extra_gated_prompt": _GATE.format(
            "; ".join(f"{source.title} ({source.license})" for source in asked)
        ),
        "extra_gated_fields": {
            "Name": "text",
            "Affiliation": "text",
            "Country": "country",
            **{f"I have the right to use {source.title}": "checkbox" for source in asked},
            "I will try to identify nobody and pass nothing on": "checkbox",
        },
    }


def _config(name: str, folder: str, splits: Iterable[str]) -> dict[str, Any]:
    """Return the entry of `configs`; the default one is of all tasks together."""
    return {
        "config_name": name,
        **({"default": True} if folder == "*" else {}),
        "data_files": [
            {"split": split, "path": f"data/{folder}/{split}-*.parquet"} for split in splits
        ],
    }


def _info(name: str, contents: Contents, tasks: Iterable[BuiltTask]) -> dict[str, Any]:
    """Return the entry of `dataset_info`, as `datasets.DatasetInfo` writes it into a card."""
    names = [task.name for task in tasks]
    splits: list[dict[str, Any]] = []
    known = True
    download = 0
    for split in SPLITS:
        shards = [shard for task in names for shard in contents.shards.get((task, split), ())]
        if not shards:
            continue
        sizes = [contents.sizes.get(shard.path) for shard in shards]
        known = known and None not in sizes
        size = sum(one or 0 for one in sizes)
        rows = sum(shard.rows for shard in shards)
        download += sum(shard.bytes for shard in shards)
        splits.append({"name": split, "num_bytes": size, "num_examples": rows})
    if known:
        total = {"dataset_size": sum(one["num_bytes"] for one in splits)}
    else:
        total = {}
        for one in splits:
            del one["num_bytes"]
    return {
        "config_name": name,
        "features": [
            {"name": column, "list" if column in LISTS else "dtype": "string"} for column in COLUMNS
        ],
        "splits": splits,
        "download_size": download,
        **total,
    }
