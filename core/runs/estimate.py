"""Estimates how long a run will take: from earlier runs on this machine, else from its number of operations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.config.schema import RunConfig
from core.runs.directory import Run
from core.sources.embedded import minilm_folder

# A cautious rate for a first run: float32 operations per second and core.
_ASSUMED_RATE = 5e10
_MEAN_FILL = 0.8
"""The share of max_length that an average batch of real reviews fills at 256 tokens, with padding."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``seconds`` of a whole run, and ``basis``, where that number is from."""

    seconds: float
    basis: str


def estimate(config: RunConfig, runs: Iterable[Run], cores: int) -> Estimate:
    """Scale the time of the newest completed run with the same encoder by the operations of both runs."""
    for run in runs:
        try:
            before = run.config()
        except Exception:  # a damaged run is skipped
            continue
        if before.model.init != config.model.init or before.model.checkpoint != config.model.checkpoint:
            continue
        if before.model.freeze != config.model.freeze:  # frozen layers have no backward pass
            continue
        if before.engine != config.engine:
            continue
        state = run.state(steps=False)
        if state.status == "completed" and state.elapsed > 0:
            return Estimate(state.elapsed * operations(config) / operations(before), f"measured by {run.name}")
    return Estimate(
        operations(config) / (_ASSUMED_RATE * cores), "estimate; replaced by a measured time after your first run"
    )


def operations(config: RunConfig) -> float:
    """Floating point operations of a run, 6 per parameter and token for training and 2 for validation.

    Source of the factors: Kaplan et al. 2020, Scaling Laws for Neural Language Models, section 2.1.
    """
    pretrained_small = config.model.init == "pretrained" and minilm_folder() is not None
    layers, dim, hidden = (6, 384, 1536) if pretrained_small else (6, 768, 3072)
    own = config.model.encoder
    layers, dim, hidden = own.get("n_layers", layers), own.get("dim", dim), own.get("hidden_dim", hidden)
    matrices = layers * (4 * dim * dim + 2 * dim * hidden)
    length = config.data.max_length * _MEAN_FILL
    validation = math.ceil(config.data.n_samples * config.data.test_size)
    training = config.data.n_samples - validation
    attention = layers * 2 * length * dim
    return float(config.train.num_epochs * length * (matrices + attention) * (6 * training + 2 * validation))
