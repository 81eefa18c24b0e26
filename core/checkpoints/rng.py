"""The states of torch's random number generators: read, set, and restored from a checkpoint.

The training loop draws only from these: the CPU's generator, and on a GPU also that of the device.
"""

from __future__ import annotations

import torch

from core.checkpoints.format import Checkpoint, Tensors
from core.engine.distributed import Ranks


def generator_states(device: torch.device) -> Tensors:
    """The generator states that training on ``device`` uses: ``cpu``, and ``cuda`` on a GPU."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_generator_states(states: Tensors, device: torch.device) -> None:
    """The inverse of :func:`generator_states`."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def restore_generators(saved: Checkpoint, device: torch.device, ranks: Ranks) -> None:
    """Set this rank's generators to the states in the checkpoint.

    A rank that has no states there, because fewer ranks trained before, gets a seed of its own.
    """
    prefix = f"rng.{ranks.rank}."
    states = {name.removeprefix(prefix): state for name, state in saved.training.items() if name.startswith(prefix)}
    if states:
        set_generator_states(states, device)
    else:
        torch.manual_seed(saved.progress.step * 1_000_003 + ranks.rank)
