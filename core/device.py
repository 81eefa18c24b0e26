"""What computes, in which number format, with how many threads: each chosen with its reason in words."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from core import __version__
from core.config import EngineConfig
from core.errors import InputError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Engine:
    """The choice. ``dtype`` is that of the forward and backward pass; master weights are always float32."""

    device: torch.device
    device_reason: str
    dtype: torch.dtype
    dtype_reason: str
    threads: int
    threads_reason: str

    @property
    def attention(self) -> str:
        """transformers' name of the attention to use: with dropout, sdpa leaves its fast path on a CPU."""
        return "eager" if self.device.type == "cpu" else "sdpa"

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_bfloat16_unit() -> str:
    """What the CPU multiplies bfloat16 with; empty where it would only emulate it."""
    import torch

    if torch.cpu._is_amx_tile_supported():
        return "AMX tiles"
    return "AVX512-BF16" if torch.cpu._is_avx512_bf16_supported() else ""


def choose_engine(config: EngineConfig, *, local_rank: int = 0) -> Engine:
    """Decides what ``auto`` means on this machine; of several GPUs the one numbered ``local_rank``.

    Raises InputError for a device that is not there.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name, reason = config.device, "asked for in the preset"
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
        reason = {"cuda": "a CUDA GPU was found", "mps": "an Apple GPU was found", "cpu": "no GPU was found"}[name]
    if not available[name]:
        raise InputError(f"engine.device = {name!r} is not on this machine; use auto or cpu")
    dtype, dtype_reason = torch.float32, "float32 is the reference"
    if config.dtype != "auto":
        dtype, dtype_reason = getattr(torch, config.dtype), "asked for in the preset"
    elif name == "cuda" and torch.cuda.is_bf16_supported():
        dtype, dtype_reason = torch.bfloat16, "the GPU computes bfloat16"
    elif name == "cpu" and (unit := _cpu_bfloat16_unit()):
        dtype, dtype_reason = torch.bfloat16, f"the CPU has {unit}"
    threads, threads_reason = config.threads, "asked for in the preset"
    if threads == 0:
        threads, threads_reason = usable_cores(), "one a core that this process may use"
    device = torch.device(name, local_rank) if name == "cuda" else torch.device(name)
    return Engine(device, reason, dtype, dtype_reason, threads, threads_reason)


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
        "device_reason": engine.device_reason,
        "dtype": engine.dtype_name,
        "dtype_reason": engine.dtype_reason,
        "threads": engine.threads,
        "threads_reason": engine.threads_reason,
        "origins": origins,
    }
