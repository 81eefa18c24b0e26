"""Shared by the tests of inspection: tiny models, and runs with given weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from core.config.schema import ModelConfig, RunConfig
from core.config.toml_file import to_toml
from core.inspection.target import Resolved, Target, resolve

State = dict[str, torch.Tensor]


def preset_target(folder: Path, **model: object) -> Resolved:
    """A preset that starts from the tiny checkpoint."""
    return resolve(Target("tiny", RunConfig(model=ModelConfig(checkpoint=str(folder), **model))))


def write_run(
    root: Path, config: RunConfig, state: State, *, name: str = "20261124-090000-tiny", step: int = 4
) -> Path:
    """Add a checkpoint to a run directory. Returns the path of its weights file."""
    checkpoint = root / name / "checkpoints" / f"step-{step}"
    checkpoint.mkdir(parents=True)
    (root / name / "config.toml").write_text(to_toml(config), encoding="utf-8")
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, checkpoint / "model.safetensors")
    return checkpoint / "model.safetensors"


def change(file: Path, act: Callable[[State], None]) -> None:
    """Change the tensors of a weights file."""
    state = load_file(file)
    act(state)
    save_file(state, file)
