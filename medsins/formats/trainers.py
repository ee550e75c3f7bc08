"""What each trainer reads: one function for a row, and the files that stand beside the rows.

Every row also carries `id`, `task` and `instruction_id`, by which it can be traced to its instance
and its wording, unless the trainer wants no other keys than its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from medsins.errors import UnknownNameError
from medsins.formats.samples import Sample

if TYPE_CHECKING:
    import pyarrow as pa

Row: TypeAlias = "dict[str, Any]"

TRACE = ("id", "task", "instruction_id")


def trace(sample: Sample) -> dict[str, str]:
    """Return what a sample is traced by."""
    return {"id": sample.id, "task": sample.task, "instruction_id": sample.instruction_id}


def prompt_completion(sample: Sample) -> Row:
    """Return a conversational prompt and completion: TRL trains on the completion alone."""
    return {
        "prompt": [_turn("system", sample.system), _turn("user", sample.user)],
        "completion": [_turn("assistant", sample.assistant)],
    }


def messages(sample: Sample) -> Row:
    """Return a conversation in the words of OpenAI's chat interface."""
    return {
        "messages": [
            _turn("system", sample.system),
            _turn("user", sample.user),
            _turn("assistant", sample.assistant),
        ]
    }


def alpaca(sample: Sample) -> Row:
    """Return instruction, input and output."""
    return {"instruction": sample.system, "input": sample.user, "output": sample.assistant}


def sharegpt(sample: Sample) -> Row:
    """Return a conversation of `from` and `value`, the system message apart."""
    return {
        "system": sample.system,
        "conversations": [
            {"from": "human", "value": sample.user},
            {"from": "gpt", "value": sample.assistant},
        ],
    }


def published_instance(sample: Sample) -> Row:
    """Return an instance of a published task file; `output` lists every acceptable one."""
    return {"id": sample.id, "input": sample.user, "output": list(sample.references)}


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


Beside: TypeAlias = "Callable[[str, str, Sequence[str]], Mapping[str, str]]"
"""Returns texts by file name, for a name of the data set, the container and the data files."""


def nothing(name: str, container: str, files: Sequence[str]) -> Mapping[str, str]:
    """Return no files: the trainer needs no other than the rows."""
    del name, container, files
    return {}


def dataset_info(columns: Row) -> Beside:
    """Return what writes the `dataset_info.json` that LLaMA-Factory looks data sets up in."""

    def write(name: str, container: str, files: Sequence[str]) -> Mapping[str, str]:
        del container, files
        # A folder stands for all files in it.
        return {"dataset_info.json": _json({name: {"file_name": "data", **columns}})}

    return write


ALPACA_INFO = {
    "formatting": "alpaca",
    "columns": {"prompt": "instruction", "query": "input", "response": "output"},
}

SHAREGPT_INFO = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system"},
    "tags": {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
    },
}

AXOLOTL = """\
# Run it in this folder: axolotl train axolotl.yaml
# Set base_model to yours; the data set needs no other change.
base_model: meta-llama/Llama-3.1-8B-Instruct

datasets:
  - path: data
    ds_type: {loader}
    data_files:
{files}
    split: train
    type: chat_template
    field_messages: messages
    message_property_mappings:
      role: role
      content: content
    # Only the answer is supervised.
    roles_to_train: [assistant]
    train_on_eos: turn
dataset_prepared_path: prepared
val_set_size: 0
output_dir: trained

sequence_len: 4096
sample_packing: true
pad_to_sequence_len: true
# Without it, packed samples see each other.
attn_implementation: flash_attention_2

adapter: lora
lora_r: 16
lora_alpha: 32
lora_dropout: 0.05
lora_target_linear: true

micro_batch_size: 1
gradient_accumulation_steps: 16
num_epochs: 1
learning_rate: 0.0002
lr_scheduler: cosine
warmup_ratio: 0.03
optimizer: adamw_torch
bf16: auto
gradient_checkpointing: true
"""


def axolotl_config(name: str, container: str, files: Sequence[str]) -> Mapping[str, str]:
    """Return a configuration that trains on the rows as it stands."""
    del name
    loader = "json" if container == "jsonl" else container
    listed = "\n".join(f"      - {file}" for file in files)
    return {"axolotl.yaml": AXOLOTL.format(loader=loader, files=listed)}


@dataclass(frozen=True)
class Format:
    """A training format.

    Attributes:
        name: What users call it.
        reads: Who reads it, for people.
        row: Returns a sample as the trainer's row.
        texts: Its columns of plain text.
        turns: Its columns of turns, and the two keys of a turn.
        containers: What the rows may lie in; the first is the default.
        beside: Returns further files by name.
        bare: Whether rows in JSON Lines carry no other keys than the trainer's.
        whole_tasks: Whether it is one file for each task, of instances in the order of the build.
    """

    name: str
    reads: str
    row: Callable[[Sample], Row]
    texts: tuple[str, ...] = ()
    turns: tuple[tuple[str, tuple[str, str]], ...] = ()
    containers: tuple[str, ...] = ("jsonl", "parquet")
    beside: Beside = nothing
    bare: bool = False
    whole_tasks: bool = False

    def traced(self, container: str) -> bool:
        """Return whether rows carry what they are traced by."""
        return not (self.whole_tasks or (self.bare and container == "jsonl"))

    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of the rows."""
        import pyarrow as pa

        def listed(keys: tuple[str, str]) -> pa.DataType:
            return pa.list_(pa.struct([(key, pa.string()) for key in keys]))

        text = [(name, pa.string()) for name in self.texts]
        turns = [(name, listed(keys)) for name, keys in self.turns]
        return pa.schema([*text, *turns, *((name, pa.string()) for name in TRACE)])


CHAT = ("role", "content")

FORMATS = {
    one.name: one
    for one in (
        Format(
            "prompt_completion",
            "TRL, which then trains on the answer alone",
            prompt_completion,
            turns=(("prompt", CHAT), ("completion", CHAT)),
        ),
        Format(
            "messages",
            "OpenAI fine-tuning, TRL with assistant_only_loss, Axolotl",
            messages,
            turns=(("messages", CHAT),),
            # Services that fine-tune say of no other key that they let it pass.
            bare=True,
        ),
        Format(
            "alpaca",
            "LLaMA-Factory, Axolotl, swift and most older scripts",
            alpaca,
            texts=("instruction", "input", "output"),
            beside=dataset_info(ALPACA_INFO),
        ),
        Format(
            "sharegpt",
            "LLaMA-Factory",
            sharegpt,
            texts=("system",),
            turns=(("conversations", ("from", "value")),),
            beside=dataset_info(SHAREGPT_INFO),
        ),
        Format(
            "axolotl",
            "Axolotl, with a configuration",
            messages,
            turns=(("messages", CHAT),),
            beside=axolotl_config,
        ),
        Format("swift", "ms-swift", messages, turns=(("messages", CHAT),)),
        Format(
            "webdataset",
            "WebDataset and datasets, as a stream",
            prompt_completion,
            containers=("tar",),
        ),
        Format(
            "medsins_json",
            "whatever reads the published task files",
            published_instance,
            containers=("json",),
            whole_tasks=True,
        ),
    )
}


def find_format(name: str, container: str | None = None) -> tuple[Format, str]:
    """Return a format and the container that its rows go in.

    Raises:
        UnknownNameError: There is no such format, or it does not go in this container.
    """
    if name not in FORMATS:
        listed = "; ".join(f"{one.name} ({one.reads})" for one in FORMATS.values())
        raise UnknownNameError(f"format={name!r} is not there. There are: {listed}.")
    found = FORMATS[name]
    chosen = container or found.containers[0]
    if chosen not in found.containers:
        raise UnknownNameError(
            f"{name} does not go in container={chosen!r}, only in {' or '.join(found.containers)}."
        )
    return found, chosen


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
