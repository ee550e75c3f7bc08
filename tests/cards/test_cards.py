"""The texts of a build: what the Hub, `datasets` and people read of it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import medsins
from medsins import cards, errors
from medsins.builds.manifest import Manifest
from medsins.cards.citations import Cited, Entry, entries
from medsins.cards.front import COLUMNS, HUB_TASKS, LISTS
from medsins.engine.runner import BuildResult
from medsins.schema import Instance
from medsins.taxonomy import LICENSES, SPLITS, Category
from offline_for_tests import go_offline
from recipes_for_tests import visits, write_recipe, write_visits

# huggingface.js, packages/tasks/src/pipelines.ts: those for texts.
HUB_TASK_IDS = {
    "feature-extraction",
    "fill-mask",
    "multiple-choice",
    "question-answering",
    "sentence-similarity",
    "summarization",
    "table-question-answering",
    "text-classification",
    "text-generation",
    "text-ranking",
    "text-retrieval",
    "token-classification",
    "translation",
    "zero-shot-classification",
}
# hub-docs, docs/hub/repositories-licenses.md: those that are for data or text, and some others.
HUB_LICENSES = {
    "afl-3.0",
    "apache-2.0",
    "bsd-3-clause",
    "cc",
    "cc-by-2.0",
    "cc-by-2.5",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "gpl-3.0",
    "mit",
    "odc-by",
    "other",
    "unknown",
}
SELECT = ["medqa", "head_qa", "mimic_iv_note_summary", "seer", "disease_ontology", "ecdc_tm"]
TEXTS = ("README.md", "LICENSES.md", "croissant.json", "composition.svg")


def front_of(card: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return loaded


def body_of(card: str) -> str:
    return card.split("---\n", 2)[2]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """A build from samples: official and drawn splits, four languages, all kinds of access."""
    return medsins.build(
        SELECT, sample=True, out=tmp_path_factory.mktemp("cards") / "build", progress=False
    )


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    """The manifest of a made-up build of all tasks: nobody holds all raw files."""
    recipes, shards = {}, []
    for number, recipe in enumerate(medsins.sources(), 1):
        counts = {}
        for task in recipe.tasks:
            counts[task] = {"train": 10 ** (number % 7) + number, "test": number}
            for split, rows in counts[task].items():
                name = f"data/{task}/{split}-00000-of-00001.parquet"
                shards.append({"path": name, "rows": rows, "bytes": 100, "sha256": "0" * 64})
        rows = sum(sum(splits.values()) for splits in counts.values())
        recipes[recipe.name] = {
            "access": str(recipe.access),
            "redistribution": str(recipe.redistribution),
            "llm_api": str(recipe.llm_api),
            "files": [{"path": f"{recipe.name}/all", "bytes": 5, "sha256": "1" * 64}],
            "records": rows,
            "records_with_instances": rows,
            "skipped": {},
            "partly_skipped": {},
            "rejected": {},
            "instances": rows,
            "duplicates": 0,
            "written": rows,
            "tasks": counts,
            "fingerprint": "0",
        }
    options = {"instructions": "definition", "limit": None, "sample": False, "seed": 0}
    return {
        "schema_version": "2",
        "engine_version": medsins.__version__,
        "options": {**options, "split": None},
        "recipes": recipes,
        "shards": shards,
    }


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The raw root of a private recipe."""
    monkeypatch.setenv("MEDSINS_RECIPES", str(tmp_path / "recipes"))
    write_visits(tmp_path / "raw", visits(60))
    return tmp_path / "raw"


# What programs read


def test_datasets_finds_in_the_card_what_the_shards_hold(
    sample: BuildResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    go_offline(monkeypatch)
    folder = str(sample.path)
    for task in (*list(sample.counts)[::9], "default"):
        info = datasets.load_dataset_builder(folder, task, cache_dir=str(tmp_path)).info
        loaded = datasets.load_dataset(folder, task, cache_dir=str(tmp_path / "rows"))
        shards = [
            shard
            for shard in sample.manifest.to_json()["shards"]
            if task in (shard["path"].split("/")[1], "default")
        ]
        assert info.features == next(iter(loaded.values())).features
        assert info.splits.keys() == loaded.keys()
        assert info.download_size == sum(shard["bytes"] for shard in shards)
        assert info.dataset_size == sum(split.num_bytes for split in info.splits.values())
        for split, rows in loaded.items():
            assert info.splits[split].num_examples == rows.num_rows
            assert set(rows["split"]) == {split}


def test_without_a_name_datasets_loads_all_tasks(sample: BuildResult, tmp_path: Path) -> None:
    import datasets

    loaded = datasets.load_dataset(str(sample.path), cache_dir=str(tmp_path))
    for split, rows in loaded.items():
        assert rows.num_rows == sum(counts.get(split, 0) for counts in sample.counts.values())
    assert set(loaded["train"]["task"]) == {
        task for task, counts in sample.counts.items() if "train" in counts
    }


def test_sizes_in_memory_are_nearly_those_of_the_tables(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes")
    write_visits(clinic, visits(3000))
    built = medsins.build(
        "clinic", raw=clinic, out=tmp_path / "out", instructions="definition", progress=False
    )
    lie = {
        shard["path"]: built.path / shard["path"] for shard in built.manifest.to_json()["shards"]
    }
    sizes = cards.memory_sizes(lie)
    assert sizes.keys() == lie.keys()
    for name, path in lie.items():
        exact = parquet.read_table(path).nbytes
        assert abs(sizes[name] - exact) < 0.01 * exact + 200
    info = front_of((built.path / "README.md").read_text())["dataset_info"][0]
    assert info["dataset_size"] == sum(sizes.values())


def test_shards_that_cannot_be_read_have_no_size(sample: BuildResult, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but no more")
    names = [shard["path"] for shard in sample.manifest.to_json()["shards"]]
    lie = {names[0]: tmp_path / "nothing", names[1]: broken}
    assert cards.memory_sizes(lie) == {}
    front = front_of(build_card(sample.manifest.to_json(), cards.memory_sizes(lie)))
    assert "dataset_size" not in front["dataset_info"][0]
    assert "num_bytes" not in front["dataset_info"][0]["splits"][0]
    assert front["dataset_info"][0]["splits"][0]["num_examples"] > 0


def test_the_front_matter_is_what_the_hub_takes(everything: dict[str, Any]) -> None:
    from huggingface_hub import DatasetCard

    card = build_card(everything)
    front = front_of(card)
    assert DatasetCard(card).data["configs"] == front["configs"]
    names = [config["config_name"] for config in front["configs"]]
    assert len(set(names)) == len(names) == 1 + len(medsins.tasks())
    assert [one["config_name"] for one in front["configs"] if one.get("default")] == ["default"]
    assert [info["config_name"] for info in front["dataset_info"]] == names
    assert front["license"] == "other"
    assert front["license_link"] == "LICENSES.md"
    assert re.fullmatch(r"[a-z0-9.-]+", front["license_name"])
    assert set(front["task_categories"]) <= HUB_TASK_IDS
    assert set(front["language"]) == {"de", "en", "es", "fr", "ja", "ru", "sv", "zh"}
    assert front["multilinguality"] == ["multilingual", "translation"]
    assert front["size_categories"] == ["10M<n<100M"]
    for config in front["configs"]:
        for files in config["data_files"]:
            assert re.fullmatch(r"\w+", files["split"])


def test_categories_licenses_and_columns_are_all_described() -> None:
    assert HUB_TASKS.keys() == set(Category)
    assert set(HUB_TASKS.values()) <= HUB_TASK_IDS
    assert list(COLUMNS) == list(Instance.model_fields)
    assert [name for name, field in Instance.model_fields.items() if "list" in str(field)] == [
        *LISTS
    ]
    assert {recipe.license for recipe in medsins.sources()} <= LICENSES.keys()
    assert {license.hub for license in LICENSES.values()} <= HUB_LICENSES


@pytest.mark.parametrize(
    ("select", "license"),
    [
        ("medqa", {"license": "mit"}),
        ("medqa head_qa", {"license": "mit"}),
        ("cmedqa2 hoc", {"license": "gpl-3.0"}),
        ("igakuqa", {"license": "unknown"}),
        ("seer", {"license": "other", "license_name": "seer-dua", "license_link": "LICENSES.md"}),
        (
            "medqa seer",
            {"license": "other", "license_name": "mixed", "license_link": "LICENSES.md"},
        ),
    ],
)
def test_the_license_is_the_hubs_own_name_of_it(
    everything: dict[str, Any], select: str, license: dict[str, str]
) -> None:
    front = front_of(build_card(subset(everything, select.split())))
    assert {key: front[key] for key in front if key.startswith("license")} == license


def build_card(manifest: dict[str, Any], sizes: dict[str, int] | None = None) -> str:
    """The card of a manifest as it stands in a file."""
    return cards.build_card(Manifest.from_json(manifest, "here"), sizes)


def build_texts(manifest: dict[str, Any], sizes: dict[str, int] | None = None) -> dict[str, str]:
    """The texts of a manifest as it stands in a file."""
    return cards.build_texts(Manifest.from_json(manifest, "here"), sizes)


def subset(manifest: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A manifest with some of the recipes."""
    recipes = {name: manifest["recipes"][name] for name in names}
    tasks = {task for facts in recipes.values() for task in facts["tasks"]}
    shards = [shard for shard in manifest["shards"] if shard["path"].split("/")[1] in tasks]
    return {**manifest, "recipes": recipes, "shards": shards}


def test_access_is_gated_where_owners_want_an_agreement(everything: dict[str, Any]) -> None:
    front = front_of(build_card(subset(everything, ["medqa", "mimic_cxr", "seer"])))
    assert "MIMIC-CXR (PhysioNet-1.5.0); SEER" in front["extra_gated_prompt"]
    assert "MedQA" not in front["extra_gated_prompt"]
    fields = front["extra_gated_fields"]
    assert fields["I have the right to use MIMIC-CXR"] == "checkbox"
    assert set(fields.values()) == {"text", "country", "checkbox"}
    assert "extra_gated_prompt" not in front_of(build_card(subset(everything, ["medqa"])))


# What people read


def test_the_card_names_every_source_and_task_with_its_facts(everything: dict[str, Any]) -> None:
    texts = build_texts(everything)
    card = body_of(texts["README.md"])
    for recipe in medsins.sources():
        assert recipe.homepage in card
        assert recipe.homepage in texts["LICENSES.md"]
        assert f"(LICENSES.md#{recipe.license.lower().replace('.', '')})" in card
        for task in recipe.tasks:
            assert card.count(f"| `{task}` |") == 1
    assert "composition.svg" in card
    assert "all 19 task categories and all 5 text domains" in card
    headings = re.findall(r"^## (.+)$", texts["LICENSES.md"], re.MULTILINE)
    assert headings == sorted({recipe.license for recipe in medsins.sources()})


def test_the_counts_in_the_card_are_those_of_the_manifest(
    sample: BuildResult,
) -> None:
    card = body_of((sample.path / "README.md").read_text())
    for task, counts in sample.counts.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| `{task}` |"))
        shown = [int(cell.replace(",", "")) for cell in row.strip("| ").split(" | ")[-3:]]
        assert shown == [counts.get(split, 0) for split in SPLITS]
    for name, facts in sample.manifest.to_json()["recipes"].items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {name} |"))
        cells = row.strip("| ").split(" | ")
        assert cells[1] == str(len(facts["files"]))
        assert cells[-1] == f"{facts['written']:,}"
        if len(facts["files"]) == 1:
            assert cells[3].strip("`") == facts["files"][0]["sha256"][:16]
    total = sum(sum(counts.values()) for counts in sample.counts.values())
    assert f"{total:,} instances of {len(sample.counts)} tasks from 6 sources" in card


def test_a_checksum_of_several_files_is_that_of_what_sha256sum_prints(
    clinic: Path, tmp_path: Path
) -> None:
    import hashlib

    write_recipe(tmp_path / "recipes")
    built = medsins.build("clinic", raw=clinic, out=tmp_path / "out", progress=False)
    manifest = copy.deepcopy(built.manifest.to_json())
    one = manifest["recipes"]["clinic"]["files"][0]
    manifest["recipes"]["clinic"]["files"].append({**one, "path": "clinic/more.jsonl"})
    printed = f"{one['sha256']}  clinic/visits.jsonl\n{one['sha256']}  clinic/more.jsonl\n"
    digest = hashlib.sha256(printed.encode()).hexdigest()[:16]
    assert f"| `{digest}` |" in build_card(manifest)


def test_a_build_from_samples_says_loudly_that_it_is_synthetic(
    sample: BuildResult,
) -> None:
    texts = {name: (sample.path / name).read_text() for name in TEXTS}
    front = front_of(texts["README.md"])
    assert "synthetic" in front["tags"]
    assert front["pretty_name"].endswith("(synthetic samples)")
    assert front["license"] == "apache-2.0"
    assert not any(key.startswith("extra_gated") for key in front)
    assert "SYNTHETIC" in body_of(texts["README.md"])[:120]
    assert "synthetic" in texts["LICENSES.md"][:60]
    assert "Synthetic" in texts["composition.svg"]
    assert json.loads(texts["croissant.json"])["description"].startswith("This build is synthetic")


def test_a_build_from_raw_files_does_not(everything: dict[str, Any]) -> None:
    texts = build_texts(everything)
    texts["README.md"] = re.sub(r"An instance, some of its.+", "", texts["README.md"])
    for task in medsins.tasks():
        texts["README.md"] = texts["README.md"].replace(task.definition, "")
    assert "synthetic" not in front_of(texts["README.md"])["tags"]
    for name in ("LICENSES.md", "composition.svg"):
        assert "synthetic" not in texts[name].lower()
    assert "This build is synthetic" not in "".join(texts.values())


def test_instructions_are_told_as_they_were_made(sample: BuildResult, tmp_path: Path) -> None:
    definition = (sample.path / "README.md").read_text()
    assert "holds the definition of the row's task" in definition
    built = medsins.build("meqsum", sample=True, out=tmp_path, instructions="seeds", progress=False)
    seeds = (built.path / "README.md").read_text()
    assert "holds one of the seed prompts" in seeds
    assert "drafted with a language model (15)" in seeds
    manifest = copy.deepcopy(sample.manifest.to_json())
    manifest["options"]["instructions"] = "expanded"
    expanded = build_card(manifest)
    assert "A language model wrote them" in expanded
    for card in (definition, seeds, expanded):
        assert "clinicians neither wrote nor reviewed" in card


def test_what_was_cut_or_not_there_is_told(sample: BuildResult) -> None:
    manifest = copy.deepcopy(sample.manifest.to_json())
    manifest["options"] |= {"limit": 7, "split": "test"}
    card = build_card(manifest)
    assert "7 records at most" in card
    assert "holds the split `test` alone" in card
    assert "What was not there" not in card
    assert "`src/ontology/doid.obo`" in build_card(sample.manifest.to_json())


def test_terms_bind_who_holds_the_build(everything: dict[str, Any]) -> None:
    card = body_of(build_card(subset(everything, ["medqa", "mimic_cxr", "chatdoctor"])))
    assert "- MIMIC-CXR: each user has to register with the owners" in card
    assert "GenMedGPT-5k; MIMIC-CXR: nothing made from these may be passed on" in card
    assert "What comes from records of patients (MIMIC-CXR)" in card
    assert "De-identified does not mean free to share" in card
    assert "No legal advice" in card
    assert "medical device" in card


def test_the_stricter_of_manifest_and_recipe_counts(everything: dict[str, Any]) -> None:
    manifest = copy.deepcopy(subset(everything, ["mimic_cxr", "medqa"]))
    loose = {"access": "open", "redistribution": "yes", "llm_api": "allowed"}
    manifest["recipes"]["mimic_cxr"] |= loose
    manifest["recipes"]["medqa"] |= {"redistribution": "no", "llm_api": "who knows"}
    card = build_card(manifest)
    rows = [line for line in card.splitlines() if line.startswith("| [")]
    assert "| credentialed | no | forbidden |" in rows[1]
    assert "| open | no | who knows |" in rows[0]
    assert "- MedQA; MIMIC-CXR: nothing made from these may be passed on" in card
    assert "- MedQA; MIMIC-CXR: the text may not be sent" in card
    assert "extra_gated_prompt" in front_of(card)


def test_a_private_recipe_has_a_card_and_keeps_its_text(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes", access="CREDENTIALED", redistribution="NO")
    path = tmp_path / "recipes" / "clinic.py"
    path.write_text(
        path.read_text()
        .replace('"CC0-1.0"', '"My own | terms"')
        .replace('"Clinic"', '"Clinic *of* <b>|[x]"')
    )
    built = medsins.build("clinic", raw=clinic, out=tmp_path / "out", progress=False)
    texts = {name: (built.path / name).read_text() for name in TEXTS}
    front = front_of(texts["README.md"])
    assert front["license"] == "other"
    assert front["license_name"] == "my-own-terms"
    assert "extra_gated_prompt" in front
    assert r"Clinic \*of\* \<b\>\|\[x\]" in texts["README.md"]
    assert "An instance, some of its columns" not in texts["README.md"]
    ElementTree.fromstring(texts["composition.svg"])
    for record in visits(60):
        for text in (str(record["answer"]), str(record["question"])):
            assert not text or text not in "".join(texts.values())
    for text in texts.values():
        assert str(tmp_path) not in text


def test_a_recipe_that_is_gone_leaves_the_card_whole(clinic: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path / "recipes")
    built = medsins.build("clinic", raw=clinic, out=tmp_path / "out", progress=False)
    text = json.dumps(built.manifest.to_json()).replace("clinic", "bygone")
    texts = build_texts(json.loads(text))
    card = texts["README.md"]
    assert "bygone_answer" in [config["config_name"] for config in front_of(card)["configs"]]
    assert front_of(card)["license"] == "other"
    assert "recipes of bygone are not installed" in card
    assert "## not known" in texts["LICENSES.md"]
    assert "not known" in texts["composition.svg"]
    assert len(json.loads(texts["croissant.json"])["recordSet"]) == 3


def test_a_build_without_an_instance_has_a_card(everything: dict[str, Any]) -> None:
    manifest = copy.deepcopy(subset(everything, ["medqa"]))
    facts = manifest["recipes"]["medqa"]
    facts["tasks"] = {task: {} for task in facts["tasks"]}
    texts = build_texts({**manifest, "shards": []})
    assert "configs" not in front_of(texts["README.md"])
    assert "0 instances of 0 tasks" in texts["README.md"]


def test_the_texts_go_with_the_manifest_and_depend_on_nothing_else(
    clinic: Path, tmp_path: Path
) -> None:
    write_recipe(tmp_path / "recipes")
    write_recipe(tmp_path / "recipes", "ward")
    write_visits(clinic, visits(50, seed=1), "ward")
    first = medsins.build("clinic", raw=clinic, out=tmp_path / "one", progress=False)
    alone = [(first.path / name).read_bytes() for name in TEXTS]
    both = medsins.build("ward", raw=clinic, out=tmp_path / "one", progress=False)
    other = medsins.build("clinic ward", raw=clinic, out=tmp_path / "two", progress=False)
    for name, before in zip(TEXTS, alone, strict=True):
        assert (both.path / name).read_bytes() == (other.path / name).read_bytes()
        if name != "LICENSES.md":
            assert (both.path / name).read_bytes() != before
    assert "`ward`" in (both.path / "LICENSES.md").read_text()
    found = build_texts(
        other.manifest.to_json(),
        cards.memory_sizes(
            {
                shard["path"]: both.path / shard["path"]
                for shard in other.manifest.to_json()["shards"]
            }
        ),
    )
    assert found == {name: (both.path / name).read_text() for name in found}


def test_markup_in_tables_stays_in_its_cells(everything: dict[str, Any]) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", body_of(build_card(everything)), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block[:200]


# The picture


def texts_of(svg: str) -> list[tuple[float, float, float, str]]:
    """The texts of a picture: left, baseline, a width that is ample for sans-serif, and text."""
    sizes = {"title": 19.0, "small": 12.5, "label": 13.0, "number": 12.5, "loud": 13.0}
    found = []
    for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        text = "".join(element.itertext())
        width = sizes[element.attrib["class"]] * 0.58 * len(text) + 7 * len(element)
        found.append((float(element.attrib["x"]), float(element.attrib["y"]), width, text))
    return found


@pytest.mark.parametrize("names", [["all"], ["meqsum"], ["mimic_iv_note", "pubmedqa"]])
def test_no_text_of_the_picture_lies_over_another(
    everything: dict[str, Any], names: list[str]
) -> None:
    manifest = everything if names == ["all"] else subset(everything, names)
    svg = build_texts(manifest)["composition.svg"]
    root = ElementTree.fromstring(svg)
    assert root.attrib["width"] == "800"
    placed = texts_of(svg)
    for left, baseline, width, text in placed:
        assert left + width <= 800, text
        assert baseline < float(root.attrib["height"])
    for number, (left, baseline, width, text) in enumerate(placed):
        for other, below, _, beside in placed[number + 1 :]:
            if abs(baseline - below) < 14:
                assert other >= left + width or left >= other, (text, beside)


def test_the_bars_are_as_long_as_their_counts(everything: dict[str, Any]) -> None:
    svg = build_texts(everything)["composition.svg"]
    counts = {task.category: 0 for task in medsins.tasks()}
    for facts in everything["recipes"].values():
        for task, splits in facts["tasks"].items():
            counts[medsins.task(task).category] += sum(splits.values())
    shown = [text for _, _, _, text in texts_of(svg)]
    for category, count in counts.items():
        assert str(category) in shown
        assert any(text.startswith(f"{count:,}") for text in shown)


# Citations


def parsed(text: str) -> list[tuple[str, dict[str, str]]]:
    """BibTeX as a parser sees it: entries with fields in balanced braces; anything else fails."""
    found = []
    rest = text
    while rest:
        head = re.match(r"@\w+\{(?P<key>[A-Za-z0-9:_-]+),\n", rest)
        assert head, rest[:80]
        rest = rest[head.end() :]
        fields = {}
        while not rest.startswith("}"):
            field = re.match(r"  (?P<name>[a-z]+) = \{", rest)
            assert field, rest[:80]
            depth, end = 1, field.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(rest[end], 0)
                end += 1
            assert field["name"] not in fields
            fields[field["name"]] = rest[field.end() : end - 1]
            assert rest[end : end + 2] == ",\n", rest[end : end + 20]
            rest = rest[end + 2 :]
        rest = rest[1:].removeprefix("\n")
        found.append((head["key"], fields))
    return found


def names(title: str, corpus: str) -> bool:
    """Whether a title is a corpus's name, or several such with "and" between."""
    return f" and {corpus} and " in f" and {title.strip('{}')} and "


def test_every_corpus_has_an_entry_of_well_formed_bibtex(everything: dict[str, Any]) -> None:
    card = build_card(everything)
    block = re.search(r"```bibtex\n(.*?)\n```", card, re.DOTALL)
    assert block
    found = parsed(block[1])
    keys = [key for key, _ in found]
    assert len(set(keys)) == len(keys)
    assert keys[:2] == ["medsins", "wu2024medsins"]
    for recipe in medsins.sources():
        plain = recipe.title.replace("^", r"\^{}").replace("_", r"\_")
        mine = [fields for _, fields in found if names(fields.get("title", ""), plain)]
        assert mine, recipe.name
        years = re.findall(r", ((?:19|20)\d\d)(?:,|$)", recipe.citation.split(";")[0])
        if years:
            assert mine[0]["year"] == years[0]
        for arxiv in re.findall(r"arXiv:([\d.]+\d)", recipe.citation):
            assert [fields.get("eprint") for _, fields in found].count(arxiv) == 1


@pytest.mark.parametrize(
    ("citation", "fields"),
    [
        (
            "Kasai et al., 2023, arXiv:2303.18027",
            {
                "author": "Kasai and others",
                "title": "{Corpus}",
                "year": "2023",
                "eprint": "2303.18027",
                "archiveprefix": "arXiv",
                "url": "https://example.org/a_b",
            },
        ),
        (
            "Ben Abacha, Lu and Gómez, 2019, ACL, pages 1-2, doi:10.1/a_b",
            {
                "author": "{Ben Abacha} and Lu and Gómez",
                "title": "{Corpus}",
                "year": "2019",
                "howpublished": "ACL, pages 1-2",
                "doi": "10.1/a_b",
                "url": "https://example.org/a_b",
            },
        ),
        (
            "The Library, Pages & more, since 1998, https://example.org/own",
            {
                "author": "{The Library}",
                "title": "{Corpus}",
                "url": "https://example.org/own",
                "note": r"Pages \& more, since 1998",
            },
        ),
        (
            "Unpublished",
            {"title": "{Corpus}", "note": "Unpublished", "url": "https://example.org/a_b"},
        ),
    ],
)
def test_an_entry_says_what_the_citation_says(citation: str, fields: dict[str, str]) -> None:
    (entry,) = entries([Cited("Corpus", "https://example.org/a_b", citation)])
    assert parsed(str(entry)) == [(entry.key, fields)]


def test_a_publication_of_several_corpora_has_one_entry() -> None:
    corpora = [
        Cited("One", "https://one.example", "A et al., 2020, X; Z et al., 2021, arXiv:2101.00001"),
        Cited(
            "Two", "https://two.example", "B et al., 2020, Y; Z et al., 2021, Q, arXiv:2101.00001"
        ),
        Cited("Three", "https://three.example", "A et al., 2020, X-ray"),
    ]
    made = entries(corpora)
    assert [entry.key for entry in made] == ["a2020x", "z2021q", "b2020y", "a2020xray"]
    assert made[1].fields["note"] == "Cited for One, Two"
    assert made[1].fields["howpublished"] == "Q"


@given(st.lists(st.builds(Cited, st.text(), st.text(), st.text()), max_size=4))
def test_whatever_a_recipe_cites_the_bibtex_stays_well_formed(corpora: list[Cited]) -> None:
    made = entries(corpora)
    keys = [key for key, _ in parsed("\n".join(map(str, made)))]
    assert len(set(keys)) == len(keys) == len(made)


def test_special_characters_are_escaped() -> None:
    entry = Entry("k", {"title": r"100 % {of} a_b \ ^~#$&", "url": "https://x/{a}_%20"})
    ((_, fields),) = parsed(str(entry))
    assert fields["url"] == "https://x/%7Ba%7D_%20"
    assert r"100 \% \textbraceleft{}of\textbraceright{} a\_b" in fields["title"]


# Tasks


def test_a_task_page_shows_facts_files_and_an_example(tmp_path: Path) -> None:
    task = medsins.task("medqa_mcqa_en")
    page = cards.task_page(task, tmp_path)
    for fact in ("task57", "Question Answering", "MIT", "missing", "Example (synthetic sample)"):
        assert fact in page
    assert cards.facts_of(task)["definition"] == task.definition
    assert set(cards.facts_of(task)) >= {"name", "legacy_id", "access", "license", "metric"}
    with pytest.raises(errors.UnknownNameError):
        medsins.task("no_such_task")
