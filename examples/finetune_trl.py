"""Fine-tune a chat model on a build with TRL: export, chat template, packing, loss on answers.

    python examples/finetune_trl.py --tiny
    python examples/finetune_trl.py data --model meta-llama/Llama-3.1-8B-Instruct --out tuned
    accelerate launch examples/finetune_trl.py data --model MODEL --out tuned --full

`--tiny` runs all of it on a processor in a minute, offline: two steps of a random model of two
layers, on the synthetic samples. It needs `pip install 'medsins[train]'`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import medsins
from medsins.formats import export

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", nargs="?", type=Path, help="folder of a build")
    parser.add_argument("--model", default="meta-llama/Llama-3.1-8B-Instruct")
    parser.add_argument("--out", type=Path, default=Path("tuned"), help="default: %(default)s")
    parser.add_argument("--select", default="all", help="which tasks of the build")
    parser.add_argument("--mixture", help="mixture.yaml: how much of which tasks")
    parser.add_argument("--num-fewshot", type=int, default=0, help="cases that each sample shows")
    parser.add_argument("--max-per-task", type=int, help="at most so many samples of each task")
    parser.add_argument(
        "--local-use",
        action="store_true",
        help="train on sources that may not be passed on, where their agreements hold",
    )
    parser.add_argument("--full", action="store_true", help="train all weights instead of LoRA")
    parser.add_argument("--max-length", type=int, default=4096, help="tokens in a packed row")
    parser.add_argument("--attention", default="sdpa", help="or flash_attention_2, if installed")
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--learning-rate", type=float, help="default: 2e-4, with --full 1e-5")
    parser.add_argument("--batch", type=int, default=1, help="packed rows on a device at a time")
    parser.add_argument("--accumulate", type=int, default=16, help="batches in a step")
    parser.add_argument("--tiny", action="store_true", help="a random model, on synthetic samples")
    given = parser.parse_args()
    if not given.tiny and given.build is None:
        parser.print_help()
        sys.exit(0)
    return given


def configuration(given: argparse.Namespace) -> Any:
    """Return how to train."""
    import torch
    from trl import SFTConfig

    options: dict[str, Any] = {
        "output_dir": str(given.out),
        "num_train_epochs": given.epochs,
        "learning_rate": given.learning_rate or (1e-5 if given.full else 2e-4),
        "lr_scheduler_type": "cosine",
        "per_device_train_batch_size": given.batch,
        "gradient_accumulation_steps": given.accumulate,
        "max_length": given.max_length,
        # Samples share rows of `max_length` tokens, and do not see each other in them.
        "packing": True,
        # Rows of prompt and completion: the loss is that of the answer alone.
        "completion_only_loss": True,
        "use_cpu": not torch.accelerator.is_available(),
        "logging_steps": 10,
        "save_strategy": "epoch",
        "report_to": "none",
    }
    if given.tiny:
        options |= {"max_steps": 2, "gradient_accumulation_steps": 1, "max_length": 512}
        options |= {"logging_steps": 1, "save_strategy": "no", "bf16": False, "use_cpu": True}
    else:
        options["model_init_kwargs"] = {
            "dtype": "bfloat16",
            "attn_implementation": given.attention,
        }
    return SFTConfig(**options)


def samples(given: argparse.Namespace, config: Any, build: Path, folder: Path) -> Any:
    """Export the build, and return its samples as a `datasets.Dataset`."""
    from datasets import load_dataset

    # Of several processes the first one exports, while the others wait.
    with config.main_process_first():
        if config.process_index == 0:
            result = export(
                build,
                "prompt_completion",
                folder,
                container="parquet",
                select=given.select,
                mixture=given.mixture,
                num_fewshot=given.num_fewshot,
                max_per_task=given.max_per_task,
                local_use=given.local_use,
                overwrite=True,
            )
            for note in result.notes:
                print(f"note: {note}")
            print(f"{result.samples:,} samples of {len(result.counts)} tasks")
        return load_dataset("parquet", data_files=str(folder / "data" / "*"), split="train")


def tiny_model(rows: Any) -> tuple[Any, Any]:
    """Return a random Llama of two layers, and a tokenizer trained on the samples."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<pad>", "<|im_start|>", "<|im_end|>"]
    byte_pairs = Tokenizer(models.BPE())
    byte_pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    texts = (turn["content"] for row in rows for turn in (*row["prompt"], *row["completion"]))
    byte_pairs.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_pairs, pad_token=special[0], eos_token=special[2]
    )
    tokenizer.chat_template = CHATML
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    return model, tokenizer


def train(given: argparse.Namespace, config: Any, rows: Any) -> Any:
    """Train on the samples, and save the model or its adapter."""
    from peft import LoraConfig
    from trl import SFTTrainer

    model, tokenizer = tiny_model(rows) if given.tiny else (given.model, None)
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.05, target_modules="all-linear")
    trainer = SFTTrainer(
        model=model,
        # None stands for the tokenizer of the model, with its chat template.
        processing_class=tokenizer,
        args=config,
        train_dataset=rows,
        peft_config=None if given.full else lora,
    )
    trainer.train()
    trainer.save_model()
    return trainer


def main() -> None:
    """Export, train, save."""
    given = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        build = given.build
        if given.tiny:
            build = Path(scratch) / "build"
            given.out = Path(scratch) / "tuned"
            medsins.build("medqa_mcqa_en meqsum", sample=True, out=build, progress=False)
        # Text of restricted sources stays beside the model, where the user put it.
        folder = (
            Path(scratch) / "export"
            if given.tiny
            else given.out.with_name(f"{given.out.name}-samples")
        )
        config = configuration(given)
        trainer = train(given, config, samples(given, config, build, folder))
        if config.process_index == 0:
            loss = trainer.state.log_history[-1]["train_loss"]
            print(f"{trainer.state.global_step} steps, mean loss {loss:.3f}")
            saved = sorted(path.name for path in given.out.iterdir() if path.is_file())
            print(f"saved {', '.join(saved)}")


if __name__ == "__main__":
    main()
