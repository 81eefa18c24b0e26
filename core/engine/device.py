"""What computes and how: each choice with its reason in words."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from core import __version__
from core.config.schema import EngineConfig
from core.engine.allocator import has_glibc
from core.errors import InputError

if TYPE_CHECKING:
    import torch

PARTS = ("layout", "attention", "dropout", "optimizer", "launch", "memory")
"""What an engine chooses beside device, dtype and threads; each is also a field of the preset."""
ASKED = "asked for in the preset"


@dataclass(frozen=True, slots=True)
class Engine:
    """The choice. ``dtype`` is that of the forward and backward pass; master weights are always float32."""

    device: torch.device
    dtype: torch.dtype
    threads: int
    layout: Literal["unpadded", "padded"]
    attention: Literal["per-review", "flash", "eager", "sdpa"]
    dropout: Literal["lanes", "bernoulli"]
    optimizer: Literal["fused", "plain"]
    launch: Literal["graph", "eager"]
    memory: Literal["kept", "returned"]
    reasons: Mapping[str, str]
    """Why each of the above was taken."""

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    def words(self) -> dict[str, str]:
        """Each choice with its reason, as ``bfloat16 (the CPU has AMX tiles)``."""
        names = {"device": str(self.device), "dtype": self.dtype_name, "threads": str(self.threads)}
        names |= {part: getattr(self, part) for part in PARTS}
        return {name: f"{value} ({self.reasons[name]})" for name, value in names.items()}


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_engine(config: EngineConfig, *, local_rank: int = 0) -> Engine:
    """Decides what ``auto`` means on this machine; of several GPUs the one numbered ``local_rank``.

    Raises InputError for a device that is not there, and for parts that do not go together.
    """
    import torch

    from core.engine.torch_private import cpu_bfloat16_unit

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name, reason = config.device, ASKED
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
        reason = {"cuda": "a CUDA GPU was found", "mps": "an Apple GPU was found", "cpu": "no GPU was found"}[name]
    if not available[name]:
        raise InputError(f"engine.device = {name!r} is not on this machine; use auto or cpu")
    reasons = {"device": reason}
    dtype, reasons["dtype"] = torch.float32, "float32 is the reference"
    if config.dtype != "auto":
        dtype, reasons["dtype"] = getattr(torch, config.dtype), ASKED
    elif name == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        dtype, reasons["dtype"] = torch.bfloat16, "the GPU computes bfloat16"
    elif name == "cpu" and (unit := cpu_bfloat16_unit()):
        dtype, reasons["dtype"] = torch.bfloat16, f"the CPU has {unit}"
    threads, reasons["threads"] = config.threads, ASKED
    if threads == 0:
        threads, reasons["threads"] = usable_cores(), "one a core that this process may use"
    parts = _choose_parts(config, name, dtype, reasons)
    device = torch.device(name, local_rank) if name == "cuda" else torch.device(name)
    return Engine(device, dtype, threads, **parts, reasons=reasons)


def _choose_parts(config: EngineConfig, device: str, dtype: torch.dtype, reasons: dict[str, str]) -> dict[str, Any]:
    """Each of PARTS as the preset has it, or what is fastest on such a device; adds to ``reasons``."""
    import torch

    cpu = device == "cpu"
    flash = device == "cuda" and dtype == torch.bfloat16 and torch.backends.cuda.is_flash_attention_available()
    parts: dict[str, str] = {}

    def choose(part: str, value: str, reason: str) -> str:
        asked = getattr(config, part)
        parts[part], reasons[part] = (value, reason) if asked == "auto" else (asked, ASKED)
        return parts[part]

    if cpu or flash:
        layout = choose("layout", "unpadded", "nothing is computed for padding")
    else:
        layout = choose("layout", "padded", "there is no fast attention for unequal lengths")
    if layout == "unpadded" and flash:
        choose("attention", "flash", "it takes reviews of unequal lengths")
    elif layout == "unpadded":
        choose("attention", "per-review", "it takes reviews of unequal lengths with products alone")
    elif cpu:
        choose("attention", "eager", "sdpa is slow on a CPU with dropout")
    else:
        choose("attention", "sdpa", "one kernel for all of it")
    if (parts["attention"] in ("per-review", "flash")) != (layout == "unpadded"):
        raise InputError(
            f"engine.attention = {parts['attention']!r} does not go with the {layout} layout; "
            "per-review and flash are for unpadded, eager and sdpa for padded"
        )
    if parts["attention"] == "flash" and not flash:
        raise InputError(
            "engine.attention = 'flash' is for a CUDA GPU that computes bfloat16, in bfloat16; use auto or per-review"
        )
    if cpu:
        choose("dropout", "lanes", "a fifth of the time of Bernoulli masks on a CPU")
    else:
        choose("dropout", "bernoulli", "a GPU draws its masks in the kernel")
    if device == "mps":
        choose("optimizer", "plain", "the fused one is for CPU and CUDA")
    else:
        choose("optimizer", "fused", "one pass over weights, gradients and moments")
    replayable = parts["attention"] == "flash" and parts["optimizer"] == "fused"
    if device == "cuda" and replayable:
        choose("launch", "graph", "a GPU computes a step faster than its kernels can be launched one by one")
    elif device == "cuda":
        choose("launch", "eager", "a graph is made of the unpadded layout with flash attention and a fused optimizer")
    else:
        choose("launch", "eager", "only CUDA has graphs")
    if parts["launch"] == "graph" and not (device == "cuda" and replayable):
        raise InputError(
            "engine.launch = 'graph' is for a CUDA GPU with flash attention and the fused optimizer; use auto or eager"
        )
    if not cpu:
        choose("memory", "returned", "a GPU's memory is kept by torch itself")
    elif has_glibc():
        choose("memory", "kept", "what a step frees, the next one has at once")
    else:
        choose("memory", "returned", "only glibc can be told to keep it")
    if parts["memory"] == "kept" and not has_glibc():
        raise InputError("engine.memory = 'kept' needs glibc, which this system has not; use auto or returned")
    return parts


def engine_facts(engine: Engine, world_size: int) -> dict[str, Any]:
    """What must be the same for the same bits to come out: kept in each checkpoint."""
    import torch

    device = torch.cuda.get_device_name(engine.device) if engine.device.type == "cuda" else engine.device.type
    if device == "cpu":
        device = f"cpu {torch.backends.cpu.get_cpu_capability()}"
    return {
        "device": device,
        "dtype": engine.dtype_name,
        "threads": engine.threads,
        **{part: getattr(engine, part) for part in PARTS if part != "memory"},
        "torch": version("torch"),
        "world_size": world_size,
    }


def inexactness(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Why a run that goes on will have other bits than without the break: each fact that differs; empty where none."""
    return ", ".join(f"{name} {before.get(name)} → {now[name]}" for name in now if before.get(name) != now[name])


def environment(engine: Engine, origins: dict[str, Any]) -> dict[str, Any]:
    """What a run ran on and where its things came from: the content of ``environment.json``."""
    packages = ("torch", "transformers", "datasets", "tokenizers", "safetensors")
    return {
        "imdb_tui": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in packages},
        "device": str(engine.device),
        "dtype": engine.dtype_name,
        "threads": engine.threads,
        **{part: getattr(engine, part) for part in PARTS},
        "reasons": dict(engine.reasons),
        "origins": origins,
    }
