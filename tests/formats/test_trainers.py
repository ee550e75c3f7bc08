"""What exports hold is read by those they are made for, with their own code where it is there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

import medsins
from exports_for_tests import data_files, raw_rows, samples
from medsins.formats import FORMATS, export
from offline_for_tests import go_offline
from paths import ROOT

EXAMPLE = ROOT / "examples" / "finetune_trl.py"

needs_trl = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "trl", "transformers", "peft")),
    reason="the extra `train` is not installed",
)

EXPORTED = [
    (one.name, container)
    for one in FORMATS.values()
    if not one.whole_tasks
    for container in one.containers
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A build of synthetic samples, and an export of it in every format and container."""
    home = tmp_path_factory.mktemp("trainers")
    medsins.build("medqa meqsum mqp", sample=True, out=home / "build", progress=False)
    for kind, container in EXPORTED:
        out = home / f"{kind}-{container}"
        export(home / "build", kind, out, container=container, progress=False)
    with pytest.MonkeyPatch.context() as patch:
        go_offline(patch)
        patch.setenv("HF_HOME", str(home / "hf"))
        yield home


# datasets, WebDataset


@pytest.mark.parametrize(("format", "container"), EXPORTED)
def test_datasets_loads_the_folder_as_it_stands(home: Path, format: str, container: str) -> None:
    from datasets import load_dataset

    folder = home / f"{format}-{container}"
    loaded = load_dataset(str(folder), cache_dir=str(home / "cache"))
    assert list(loaded) == ["train"]
    rows = loaded["train"].to_list()
    if container == "tar":
        rows = [row["json"] for row in rows]
    assert rows == list(raw_rows(folder))


def test_webdataset_reads_the_archives(home: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    folder = home / "webdataset-tar"
    (file,) = map(str, data_files(folder))
    rows = webdataset.WebDataset(file, shardshuffle=False).decode()
    assert [row["json"] for row in rows] == list(raw_rows(folder))


# Services and tools that are not installed here: their documented records


def test_messages_are_what_the_chat_interface_takes(home: Path) -> None:
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter, ValidationError

    conversation = TypeAdapter(list[ChatCompletionMessageParam])
    rows = list(raw_rows(home / "messages-jsonl"))
    assert len(rows) >= 10, "a fine-tuning service wants ten lines"
    for row in rows:
        assert list(row) == ["messages"]
        conversation.validate_python(row["messages"])
    with pytest.raises(ValidationError):
        conversation.validate_python([{"role": "human", "content": "?"}])


def turns(first: str, second: str, roles: list[str]) -> dict[str, Any]:
    """The schema of a list with one turn of each role, in this order."""
    turn = {"type": "object", "required": [first, second], "additionalProperties": False}
    text = {"type": "string", "minLength": 1}
    return {
        "type": "array",
        "prefixItems": [
            {**turn, "properties": {first: {"const": role}, second: text}} for role in roles
        ],
        "minItems": len(roles),
        "items": False,
    }


CHAT = turns("role", "content", ["system", "user", "assistant"])
RECORDS = {
    # LLaMA-Factory, data/README.md; axolotl, dataset-formats/conversation; swift,
    # Customization/Custom-dataset; TRL, dataset_formats.
    "alpaca": {name: {"type": "string"} for name in ("instruction", "input", "output")},
    "sharegpt": {
        "system": {"type": "string"},
        "conversations": turns("from", "value", ["human", "gpt"]),
    },
    "axolotl": {"messages": CHAT},
    "swift": {"messages": CHAT},
    "messages": {"messages": CHAT},
    "prompt_completion": {
        "prompt": turns("role", "content", ["system", "user"]),
        "completion": turns("role", "content", ["assistant"]),
    },
}


@pytest.mark.parametrize("format", RECORDS)
@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_rows_are_the_documented_records(home: Path, format: str, container: str) -> None:
    schema = {"type": "object", "properties": RECORDS[format], "required": list(RECORDS[format])}
    for row in raw_rows(home / f"{format}-{container}"):
        jsonschema.validate(row, schema)


def test_llama_factory_is_told_where_and_what_its_columns_are(home: Path) -> None:
    for container in ("jsonl", "parquet"):
        folder = home / f"sharegpt-{container}"
        info = json.loads((folder / "dataset_info.json").read_text())["medsins"]
        assert info["formatting"] == "sharegpt"
        assert {path.suffix for path in (folder / info["file_name"]).iterdir()} == {f".{container}"}
        row = next(raw_rows(folder))
        human, gpt = row[info["columns"]["messages"]]
        tags = info["tags"]
        assert human[tags["role_tag"]] == tags["user_tag"]
        assert gpt[tags["role_tag"]] == tags["assistant_tag"]
        assert row[info["columns"]["system"]]


def test_axolotl_is_told_to_train_on_answers_alone(home: Path) -> None:
    for container, loader in (("jsonl", "json"), ("parquet", "parquet")):
        folder = home / f"axolotl-{container}"
        config = yaml.safe_load((folder / "axolotl.yaml").read_text())
        (source,) = config["datasets"]
        assert source["ds_type"] == loader
        assert source["type"] == "chat_template"
        assert source["roles_to_train"] == ["assistant"]
        assert source["field_messages"] in next(raw_rows(folder))
        assert [folder / file for file in source["data_files"]] == data_files(folder)


# TRL


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("finetune_trl", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MARKED = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
)
"""The chat template of the example, with the answer marked as what the model generates."""


@needs_trl
@pytest.mark.parametrize(
    ("format", "container", "options"),
    [
        ("prompt_completion", "jsonl", {}),
        ("prompt_completion", "parquet", {"packing": True}),
        ("messages", "jsonl", {"assistant_only_loss": True}),
        ("axolotl", "parquet", {"assistant_only_loss": True}),
    ],
)
def test_trl_trains_on_the_answers_alone(
    home: Path,
    example: ModuleType,
    tmp_path: Path,
    format: str,
    container: str,
    options: dict[str, bool],
) -> None:
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    def load(folder: Path, kind: str) -> Any:
        files = [str(path) for path in data_files(folder)]
        return load_dataset(kind, data_files=files, split="train", cache_dir=str(home / "cache"))

    model, tokenizer = example.tiny_model(load(home / "prompt_completion-jsonl", "json"))
    if options.get("assistant_only_loss"):
        tokenizer.chat_template = MARKED
    folder = home / f"{format}-{container}"
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=SFTConfig(
            output_dir=str(tmp_path),
            max_steps=2,
            per_device_train_batch_size=2,
            max_length=2048,
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **options,
        ),
        train_dataset=load(folder, "json" if container == "jsonl" else "parquet"),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    supervised = [
        token
        for tokens, labels in zip(batch["input_ids"], batch["labels"], strict=True)
        for token, label in zip(tokens.tolist(), labels.tolist(), strict=True)
        if label != -100
    ]
    answers = tokenizer.decode(supervised).replace("<|im_end|>\n", "<|im_end|>").split("<|im_end|>")
    assert len(answers) > 2
    assert set(answers) <= {one.assistant for one in samples(folder)} | {""}
    trainer.train()
    assert trainer.state.global_step == 2
    assert 0 < trainer.state.log_history[-1]["train_loss"] < 20


@needs_trl
def test_packed_samples_do_not_see_each_other(home: Path, example: ModuleType) -> None:
    import torch
    from datasets import load_dataset

    rows = load_dataset(
        "json",
        data_files=[str(path) for path in data_files(home / "prompt_completion-jsonl")],
        split="train",
        cache_dir=str(home / "cache"),
    )
    model, tokenizer = example.tiny_model(rows)
    assert model.config._attn_implementation == "sdpa"
    tokens = [
        tokenizer.apply_chat_template(row["prompt"], return_tensors="pt", return_dict=True)[
            "input_ids"
        ]
        for row in rows.select(range(2))
    ]
    with torch.no_grad():
        # A trainer keeps no cache, and only without one are places taken for samples' bounds.
        alone = torch.cat([model(one, use_cache=False).logits for one in tokens], 1)
        places = torch.cat([torch.arange(one.shape[1]) for one in tokens])[None]
        packed = model(torch.cat(tokens, 1), position_ids=places, use_cache=False).logits
        mixed = model(torch.cat(tokens, 1), use_cache=False).logits
    assert torch.allclose(alone, packed, atol=1e-5)
    assert not torch.allclose(alone, mixed, atol=1e-3)


@needs_trl
@pytest.mark.parametrize("more", [[], ["--full"]])
def test_the_example_trains_and_saves(more: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--tiny", *more], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 steps, mean loss" in done.stdout
    assert ("model.safetensors" if more else "adapter_model.safetensors") in done.stdout


@needs_trl
def test_a_model_on_this_machine_answers_the_benchmark(tmp_path: Path, example: ModuleType) -> None:
    from medsins.bench import collect, local_model, run

    rows = [{"prompt": [{"role": "user", "content": "Which toe?"}], "completion": []}]
    model, tokenizer = example.tiny_model(rows)
    model.save_pretrained(tmp_path / "tiny")
    tokenizer.save_pretrained(tmp_path / "tiny")
    collect("task41", sample=True, out=tmp_path / "bench", progress=False)
    backend = local_model(str(tmp_path / "tiny"), max_answer_tokens=5)
    results = [
        run(tmp_path / "bench", model=backend, out=tmp_path / name, progress=False)
        for name in ("one", "two")
    ]
    first, second = ((one.path / "predictions.jsonl").read_bytes() for one in results)
    assert first == second
    assert results[0].answered == results[0].asked
