"""The learning rate as a function of the step."""

from __future__ import annotations

import math

from core.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of ``step`` (from 1): a linear climb over the warm-up, then constant or linear to 0.

    The linear schedule is that of transformers' ``get_linear_schedule_with_warmup``.
    """
    done, warmup = step - 1, math.ceil(config.warmup_ratio * total_steps)
    if done < warmup:
        return config.learning_rate * done / warmup
    if config.lr_schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (total_steps - done) / max(total_steps - warmup, 1)
