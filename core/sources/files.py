"""Read the files of a checkpoint as transformers writes them: tokenizer, configuration, weights."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.sources import embedded

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


def read_tokenizer(path: Path, lowercase: bool = True) -> Tokenizer:
    """Read a tokenizer.json or vocab.txt. Raises InputError if it cannot be read.

    For a vocab.txt, ``do_lower_case`` in the tokenizer_config.json beside it takes the place of ``lowercase``.
    """
    from tokenizers import Tokenizer

    try:
        if path.suffix == ".txt":
            with suppress(OSError, ValueError, TypeError, KeyError):
                about = json.loads((path.parent / "tokenizer_config.json").read_text(encoding="utf-8"))
                lowercase = bool(about["do_lower_case"])
            return embedded.wordpiece_tokenizer(embedded.read_vocab(path), lowercase=lowercase)
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a damaged file
        raise InputError(f"{path} cannot be read as a tokenizer ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_model_config(path: Path) -> dict[str, Any]:
    """Read the fields of DistilBertConfig from a config.json.

    Raises InputError if the file cannot be read or has another model type.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a configuration ({error})") from None
    if not isinstance(content, dict) or content.get("model_type") != "distilbert":
        kind = content.get("model_type") if isinstance(content, dict) else None
        raise InputError(f"{path}: the model type is {kind!r}; only distilbert is supported")
    ignored = {"model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "tie_weights_"}
    return {key: value for key, value in content.items() if key not in ignored and not key.startswith("_")}


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the state dict of a DistilBertModel, float32, from a safetensors file or the index of a sharded one.

    Raises InputError for a damaged file, and for a missing shard.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state: dict[str, torch.Tensor] = {}
    try:
        for file in _shards(path) if path.suffix == ".json" else [path]:
            state |= load_file(file)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: the weights cannot be read ({error}); download the file again") from None
    return {
        name.removeprefix("distilbert.").removeprefix("bert."): tensor.float()
        for name, tensor in ((unwrapped_name(name), tensor) for name, tensor in state.items())
        if not name.startswith(("vocab_", "classifier", "pre_classifier", "qa_outputs", "linear"))
    }


def unwrapped_name(name: str) -> str:
    """The name of a tensor without the prefixes that DataParallel and torch.compile add."""
    while name.startswith(("module.", "_orig_mod.")):
        name = name.partition(".")[2]
    return name


def _shards(index: Path) -> list[Path]:
    """The files that ``model.safetensors.index.json`` lists, all in its folder."""
    try:
        names = sorted({str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index} cannot be read as the index of sharded weights ({error})") from None
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(f"{index}: the shard {name[:80]!r} is not a safetensors file in the same folder")
        if not (index.parent / name).is_file():
            raise InputError(f"{index.parent} has no {name}, which {index.name} lists; download the folder again")
    return [index.parent / name for name in names]
