"""Facts about the environment of a run: what is stored beside it, and what a bit-identical resume depends on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from core import __version__
from core.engine.device import PARTS, Engine


def engine_facts(engine: Engine, world_size: int) -> dict[str, Any]:
    """Everything that must be equal for a resumed run to be bit-identical; stored in each checkpoint."""
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


def changed_facts(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Each engine fact that changed, as ``threads 2 → 4``: why a resume is not bit-identical. Empty if none did."""
    return ", ".join(f"{name} {before.get(name)} → {now[name]}" for name in now if before.get(name) != now[name])


def environment(engine: Engine, origins: dict[str, Any]) -> dict[str, Any]:
    """The content of a run's ``environment.json``: versions, engine with reasons, origins of data and weights."""
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
