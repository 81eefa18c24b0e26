"""Tiny DistilBERT repositories with all files of a real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.sources.embedded import SPECIAL_TOKENS, wordpiece_tokenizer

WORDS = "film was a warm and moving joy dull tedious bore good bad plot the ##s ."
CONFIG: dict[str, Any] = {
    "model_type": "distilbert",
    "architectures": ["DistilBertModel"],
    "vocab_size": 50,
    "dim": 16,
    "hidden_dim": 32,
    "n_layers": 1,
    "n_heads": 2,
    "max_position_embeddings": 64,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "transformers_version": "4.10.0",
    "tie_weights_": True,
}
PRESET = """
title = "Tiny"
description = "Seconds, not minutes."

[model]
init = "{init}"
checkpoint = "{checkpoint}"

[data]
source = "{source}"
n_samples = 40
max_length = 16

[train]
batch_size = 8
num_epochs = {epochs}
learning_rate = 1e-3

[engine]
device = "cpu"
dtype = "float32"
threads = 1
"""


def write_tokenizer(folder: Path) -> None:
    """tokenizer.json and vocab.txt: special tokens, a few words, digits."""
    vocabulary = [*SPECIAL_TOKENS, *WORDS.split(), *map(str, range(10)), *(f"##{digit}" for digit in range(10))]
    wordpiece_tokenizer({word: i for i, word in enumerate(vocabulary)}).save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")


def write_checkpoint(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Write a folder like those of save_pretrained, with random weights from ``seed``."""
    import torch
    from safetensors.torch import save_file
    from transformers import DistilBertConfig, DistilBertModel

    folder.mkdir(parents=True, exist_ok=True)
    content = {**CONFIG, **changes}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    write_tokenizer(folder)
    known = {key: value for key, value in content.items() if key in _CONFIG_FIELDS}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = DistilBertModel(DistilBertConfig(**known))
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    return folder


_CONFIG_FIELDS = frozenset(CONFIG) - {"model_type", "architectures", "transformers_version", "tie_weights_"}


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of each file by name, as the local Hub server takes it."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_preset(folder: Path, *, source: Path, checkpoint: Path, epochs: int = 2, init: str = "pretrained") -> Path:
    """Write the preset ``tiny`` to a folder of the user's own presets."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.toml"
    text = PRESET.format(source=source, checkpoint=checkpoint, epochs=epochs, init=init)
    path.write_text(text, encoding="utf-8")
    return path
