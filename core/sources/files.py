"""Reads the files of a checkpoint as transformers writes them: tokenizer, configuration, weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.sources import embedded

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


def read_tokenizer(path: Path, lowercase: bool = True) -> Tokenizer:
    """The tokenizer of a tokenizer.json or vocab.txt. Raises InputError for one that cannot be read."""
    from tokenizers import Tokenizer

    try:
        if path.suffix == ".txt":
            return embedded.wordpiece_tokenizer(embedded.read_vocab(path), lowercase=lowercase)
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a damaged file
        raise InputError(f"{path}: no tokenizer can be read from it ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_model_config(path: Path) -> dict[str, Any]:
    """DistilBertConfig's fields from a config.json. Raises InputError for a file or a model type that is no use."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no configuration can be read from it ({error})") from None
    if not isinstance(content, dict) or content.get("model_type") != "distilbert":
        kind = content.get("model_type") if isinstance(content, dict) else None
        raise InputError(f"{path}: the model type is {kind!r}; only distilbert can be trained here")
    bookkeeping = {"model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "tie_weights_"}
    return {key: value for key, value in content.items() if key not in bookkeeping and not key.startswith("_")}


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The encoder's state, float32, named as in DistilBertModel. Raises InputError for a damaged file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: the weights cannot be read ({error}); fetch the file anew") from None
    return {
        name.removeprefix("distilbert.").removeprefix("bert."): tensor.float()
        for name, tensor in state.items()
        if not name.startswith(("vocab_", "classifier", "pre_classifier", "qa_outputs", "linear"))
    }
