"""Calibration: whether a predicted probability is the share of positive reviews, and accuracy by confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.intervals import Interval, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.analysis.predictions import Predictions

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The reviews whose P(positive) is above ``low`` and at most ``high``; the first bin also has 0."""

    low: float
    high: float
    n: int
    mean_probability: float
    """NaN if no review is in the bin."""
    positive_share: float
    """Share of the bin's reviews that are positive; NaN if it has none."""
    interval: Interval | None
    """Wilson's interval of that share; None if no review is in the bin."""


def bin_of(probabilities: NDArray[np.float64], bins: int = BINS) -> NDArray[np.int64]:
    """int64 [n]: the bin of each P(positive) among ``bins`` of equal width, as in scikit-learn's calibration_curve."""
    return np.searchsorted(np.linspace(0.0, 1.0, bins + 1)[1:-1], probabilities)


def reliability(predictions: Predictions, bins: int = BINS) -> list[ReliabilityBin]:
    """The bins of the reliability diagram, from 0 to 1; empty ones too."""
    probabilities, positive = predictions.probabilities, predictions.labels == 1
    members, edges = bin_of(probabilities, bins), np.linspace(0.0, 1.0, bins + 1)
    found = []
    for number in range(bins):
        chosen = members == number
        n = int(chosen.sum())
        positives = int(positive[chosen].sum())
        found.append(
            ReliabilityBin(
                float(edges[number]),
                float(edges[number + 1]),
                n,
                float(probabilities[chosen].mean()) if n else float("nan"),
                positives / n if n else float("nan"),
                wilson(positives, n) if n else None,
            )
        )
    return found


def coverage_curve(predictions: Predictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the reviews that are predicted, and accuracy on them, if only the most confident are predicted.

    Two float64 [n]: point k is about the k + 1 reviews whose logits are furthest from 0. Reviews of equal confidence
    count together: each of their points has the accuracy that a random order among them has on average.
    """
    n = len(predictions)
    if n == 0:
        return np.zeros(0), np.zeros(0)
    confidence = np.abs(predictions.logits)
    order = np.argsort(-confidence, kind="stable")
    groups = np.unique(-confidence[order], return_inverse=True)[1]
    correct = predictions.correct[order].astype(np.float64)
    mean_of_group = np.bincount(groups, weights=correct) / np.bincount(groups)
    done = np.arange(1, n + 1)
    return done / n, np.cumsum(mean_of_group[groups]) / done
