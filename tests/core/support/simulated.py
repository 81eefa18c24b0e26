"""Predictions without a model: given ones, and simulated ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.analysis.predictions import VALIDATION, Predictions


def predictions_of(labels: Sequence[int], logits: Sequence[float], label: str = VALIDATION) -> Predictions:
    return Predictions(
        "run", "epoch-1", label, np.arange(len(labels)), np.array(labels, np.int64), np.array(logits, np.float64)
    )


def simulated(n: int, seed: int = 0, digits: int = 9) -> Predictions:
    """Predictions that are correct more often than not; with few ``digits`` many logits are equal."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return predictions_of(labels.tolist(), np.round(rng.normal(3 * labels - 1.2, 2), digits).tolist())
