"""The learning rate as a function of the step."""

from __future__ import annotations

import math

from core.config.schema import TrainConfig


def learning_rate(config: TrainConfig, step: int, total_steps: int, *, peak: float | None = None) -> float:
    """The learning rate of ``step`` (from 1): linear warm-up, then constant or linear decay to 0.

    ``peak`` replaces the configured peak where it was changed during the run.

    The linear schedule is that of transformers' ``get_linear_schedule_with_warmup``.
    """
    peak = config.learning_rate if peak is None else peak
    done, warmup = step - 1, math.ceil(config.warmup_ratio * total_steps)
    if done < warmup:
        return peak * done / warmup
    if config.lr_schedule == "constant":
        return peak
    return peak * (total_steps - done) / max(total_steps - warmup, 1)
