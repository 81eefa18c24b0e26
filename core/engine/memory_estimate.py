"""Estimate the memory that training needs, and the longest review that fits into the free memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import torch

from core.engine.device import Engine

if TYPE_CHECKING:
    from transformers import DistilBertConfig


def activation_bytes(config: DistilBertConfig, length: int, dtype: torch.dtype) -> int:
    """Bytes that the forward pass stores for the backward pass, for one review of ``length`` tokens.

    s·h·(34 + 5·a·s/h) bytes per layer at 2 bytes per value, with s tokens, width h, a heads and a hidden layer of 4·h.
    Source: Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, section 4.1.
    """
    layer = length * config.dim * (34 + 5 * config.n_heads * length / config.dim)
    return int(config.n_layers * layer * dtype.itemsize / 2)


def free_bytes(device: torch.device) -> int:
    """Bytes of memory that are available on the device now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def memory_advice(config: DistilBertConfig, engine: Engine, length: int) -> str:
    """A message: the memory that one review of ``length`` tokens needs, the free memory, and a length that fits."""
    needed, free = activation_bytes(config, length, engine.dtype), free_bytes(engine.device)
    fitting = next((n for n in range(length, 2, -1) if activation_bytes(config, n, engine.dtype) <= free), 0)
    message = f"a review of {length} tokens needs about {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free"
    if fitting == length:
        return f"{message}; another process may have used the memory"
    if not fitting:
        return f"{message}; even 3 tokens do not fit"
    return f"{message}; set data.max_length = {fitting}"
