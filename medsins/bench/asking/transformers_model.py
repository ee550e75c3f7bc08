"""A `transformers` model on this machine, in place of an endpoint; needs the extra `train`."""

from __future__ import annotations

from typing import Any

from medsins.errors import MissingExtraError
from medsins.llm.local import Backend


def local_model(name: str, max_answer_tokens: int = 1024) -> Backend:
    """Load a model and return a function that answers with it, greedily, in its chat template.

    Args:
        name: Name on the Hub or folder.
        max_answer_tokens: Most tokens of an answer.

    Raises:
        MissingExtraError: torch or transformers is not installed.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError(
            "a local model needs torch and transformers. Run: pip install 'medsins[train]'"
        ) from error
    tokenizer: Any = AutoTokenizer.from_pretrained(name)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = AutoModelForCausalLM.from_pretrained(name, dtype="auto").to(device).eval()

    def answer(system: str, user: str) -> str:
        messages = [{"role": "system", "content": system}] if system else []
        tokens = tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": user}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        ).to(device)
        with torch.inference_mode():
            said = model.generate(**tokens, max_new_tokens=max_answer_tokens, do_sample=False)
        text: str = tokenizer.decode(
            said[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True
        )
        return text

    answer.__name__ = name
    return answer
