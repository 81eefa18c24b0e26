"""How much memory training needs, and what would fit into what is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import torch

from core.engine.device import Engine

if TYPE_CHECKING:
    from transformers import DistilBertConfig


def activation_bytes(config: DistilBertConfig, length: int, dtype: torch.dtype) -> int:
    """What the forward pass keeps of one review of ``length`` tokens for the backward pass.

    s·h·(34 + 5·a·s/h) bytes a layer at 2 bytes a number, with s tokens, width h, a heads and a hidden layer of 4·h.
    Source: Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, section 4.1.
    """
    layer = length * config.dim * (34 + 5 * config.n_heads * length / config.dim)
    return int(config.n_layers * layer * dtype.itemsize / 2)


def free_bytes(device: torch.device) -> int:
    """Memory that can be had on the device right now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def what_would_fit(config: DistilBertConfig, engine: Engine, length: int) -> str:
    """In words, what one review of ``length`` tokens needs, what is free, and how long a review would fit."""
    needed, free = activation_bytes(config, length, engine.dtype), free_bytes(engine.device)
    fitting = next((n for n in range(length, 2, -1) if activation_bytes(config, n, engine.dtype) <= free), 0)
    words = f"a review of {length} tokens keeps about {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free"
    if fitting == length:
        return f"{words}, so something else takes memory meanwhile"
    return f"{words}; data.max_length = {fitting} would fit" if fitting else f"{words}; not even 3 tokens would fit"
