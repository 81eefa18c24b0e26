"""What the tests of looking at a model share: tiny targets, and runs with weights of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from core.config.schema import ModelConfig, RunConfig, to_toml
from core.inspection.target import Resolved, Target, resolve

State = dict[str, torch.Tensor]


def preset_target(folder: Path, **model: object) -> Resolved:
    """The tiny checkpoint as a preset would begin with it."""
    return resolve(Target("tiny", RunConfig(model=ModelConfig(checkpoint=str(folder), **model))))


def write_run(
    root: Path, config: RunConfig, state: State, *, name: str = "20261124-090000-tiny", step: int = 4
) -> Path:
    """A run directory with one more checkpoint, as training leaves it; the path of its weights file."""
    place = root / name / "checkpoints" / f"step-{step}"
    place.mkdir(parents=True)
    (root / name / "config.toml").write_text(to_toml(config), encoding="utf-8")
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, place / "model.safetensors")
    return place / "model.safetensors"


def change(file: Path, act: Callable[[State], None]) -> None:
    """Changes the tensors of a weights file."""
    state = load_file(file)
    act(state)
    save_file(state, file)
