"""The choice of device, dtype and implementation of each part of training, each with its reason."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.config.schema import EngineConfig
from core.engine.allocator import has_glibc
from core.errors import InputError

if TYPE_CHECKING:
    import torch

PARTS = ("forward", "attention", "dropout", "optimizer", "launch", "memory")
"""The choices beside device, dtype and threads; each is also a field of ``[engine]``."""
CONFIGURED = "set in the configuration"
NO_BFLOAT16 = {
    "cuda": "this GPU does not support bfloat16",
    "mps": "bfloat16 is chosen only on CPU and CUDA",
    "cpu": "this CPU has no bfloat16 hardware",
}
"""Why ``dtype = "auto"`` is float32, by device."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What a run is computed with. ``dtype`` applies to the forward and backward pass; master weights are float32."""

    device: torch.device
    dtype: torch.dtype
    threads: int
    forward: Literal["unpadded", "padded"]
    attention: Literal["per-review", "flash", "eager", "sdpa"]
    dropout: Literal["fast", "bernoulli"]
    optimizer: Literal["fused", "plain"]
    launch: Literal["graph", "eager"]
    memory: Literal["reuse", "release"]
    reasons: Mapping[str, str]
    """Why each of the above was chosen, by its name."""

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    def describe(self) -> dict[str, str]:
        """Each choice with its reason, for example ``bfloat16 (the CPU has AMX tiles)``."""
        names = {"device": str(self.device), "dtype": self.dtype_name, "threads": str(self.threads)}
        names |= {part: getattr(self, part) for part in PARTS}
        return {name: f"{value} ({self.reasons[name]})" for name, value in names.items()}


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_engine(config: EngineConfig, *, local_rank: int = 0) -> Engine:
    """Resolve every ``auto`` for this machine; of several GPUs, choose number ``local_rank``.

    Raises InputError for a device that is not available, and for parts that cannot be combined.
    """
    import torch

    from core.engine.torch_private import cpu_bfloat16_unit

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name, reason = config.device, CONFIGURED
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
        reason = {"cuda": "a CUDA GPU was found", "mps": "an Apple GPU was found", "cpu": "no GPU was found"}[name]
    if not available[name]:
        raise InputError(f"engine.device = {name!r} is not available on this machine; use auto or cpu")
    reasons = {"device": reason}
    dtype, reasons["dtype"] = torch.float32, NO_BFLOAT16[name]
    if config.dtype != "auto":
        dtype, reasons["dtype"] = getattr(torch, config.dtype), CONFIGURED
    elif name == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        dtype, reasons["dtype"] = torch.bfloat16, "the GPU supports bfloat16"
    elif name == "cpu" and (unit := cpu_bfloat16_unit()):
        dtype, reasons["dtype"] = torch.bfloat16, f"the CPU has {unit}"
    threads, reasons["threads"] = config.threads, CONFIGURED
    if threads == 0:
        threads, reasons["threads"] = usable_cores(), "one per available core"
    parts = _choose_parts(config, name, dtype, reasons)
    device = torch.device(name, local_rank) if name == "cuda" else torch.device(name)
    return Engine(device, dtype, threads, **parts, reasons=reasons)


def _choose_parts(config: EngineConfig, device: str, dtype: torch.dtype, reasons: dict[str, str]) -> dict[str, Any]:
    """Each of PARTS as configured, or else the fastest on this device; adds to ``reasons``."""
    import torch

    cpu = device == "cpu"
    flash = device == "cuda" and dtype == torch.bfloat16 and torch.backends.cuda.is_flash_attention_available()
    parts: dict[str, str] = {}

    def choose(part: str, value: str, reason: str) -> str:
        configured = getattr(config, part)
        parts[part], reasons[part] = (value, reason) if configured == "auto" else (configured, CONFIGURED)
        return parts[part]

    if cpu or flash:
        forward = choose("forward", "unpadded", "no padding is computed")
    else:
        forward = choose("forward", "padded", "no fast attention for unpadded batches here")
    if forward == "unpadded" and flash:
        choose("attention", "flash", "works on unpadded batches")
    elif forward == "unpadded":
        choose("attention", "per-review", "works on unpadded batches")
    elif cpu:
        choose("attention", "eager", "faster than sdpa on a CPU with dropout")
    else:
        choose("attention", "sdpa", "one fused kernel")
    if (parts["attention"] in ("per-review", "flash")) != (forward == "unpadded"):
        raise InputError(
            f"engine.attention = {parts['attention']!r} needs another engine.forward than {forward!r}; "
            "per-review and flash are for unpadded, eager and sdpa for padded"
        )
    if parts["attention"] == "flash" and not flash:
        raise InputError(
            "engine.attention = 'flash' needs a CUDA GPU that supports bfloat16, and engine.dtype = 'bfloat16'; "
            "use auto or per-review"
        )
    if cpu:
        choose("dropout", "fast", "five times as fast as Bernoulli masks on a CPU")
    else:
        choose("dropout", "bernoulli", "a GPU draws masks inside its kernels")
    if device == "mps":
        choose("optimizer", "plain", "fused AdamW supports only CPU and CUDA")
    else:
        choose("optimizer", "fused", "one kernel per update")
    replayable = parts["attention"] == "flash" and parts["optimizer"] == "fused"
    if device == "cuda" and replayable:
        choose("launch", "graph", "launching each kernel separately is slower")
    elif device == "cuda":
        choose("launch", "eager", "a CUDA graph needs unpadded batches, flash attention and fused AdamW")
    else:
        choose("launch", "eager", "graphs need a CUDA GPU")
    if parts["launch"] == "graph" and not (device == "cuda" and replayable):
        raise InputError(
            "engine.launch = 'graph' needs a CUDA GPU, flash attention and the fused optimizer; use auto or eager"
        )
    if not cpu:
        choose("memory", "release", "torch reuses GPU memory itself")
    elif has_glibc():
        choose("memory", "reuse", "each step reuses freed memory")
    else:
        choose("memory", "release", "reuse needs glibc")
    if parts["memory"] == "reuse" and not has_glibc():
        raise InputError("engine.memory = 'reuse' needs glibc, which this system does not have; use auto or release")
    return parts
