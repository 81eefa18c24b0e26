"""Predictions of a run as arrays: of its validation reviews after an epoch, or of other reviews in an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from core.runs.directory import Run

VALIDATION = "validation"
"""The label of the predictions that training stores after each epoch."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """One model's predictions of ``n`` reviews; row i of each array belongs to the review ``ids[i]``."""

    run: str
    """Name of the run."""
    checkpoint: str
    """State of the model: ``epoch-3`` for validation predictions, ``step-300`` for an evaluation."""
    label: str
    """Which reviews these are: ``validation``, or the name of an evaluation."""
    ids: NDArray[np.int64]
    """int64 [n]: row of each review in its source."""
    labels: NDArray[np.int64]
    """int64 [n]: 1 for positive, 0 for negative."""
    logits: NDArray[np.float64]
    """float64 [n]: above 0 the prediction is positive."""
    origin: dict[str, Any] = field(default_factory=dict)
    """Where the reviews come from, as in environment.json: kind, name, sha256."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """float64 [n]: P(positive), the sigmoid of the logits."""
        return np.exp(-np.logaddexp(0.0, -self.logits))

    @property
    def correct(self) -> NDArray[np.bool_]:
        """bool [n]: whether the sign of the logit agrees with the label, as in the accuracy of training."""
        correct: NDArray[np.bool_] = np.equal(self.logits > 0, self.labels == 1)
        return correct

    @property
    def losses(self) -> NDArray[np.float64]:
        """float64 [n]: binary cross-entropy of each review, in nats."""
        return np.logaddexp(0.0, np.where(self.labels == 1, -self.logits, self.logits))

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Predictions:
        """The predictions at the positions ``rows``, or where ``rows`` (bool [n]) is True."""
        chosen: NDArray[Any] = np.asarray(rows)
        if chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)  # an empty list would be float64
        return replace(self, ids=self.ids[chosen], labels=self.labels[chosen], logits=self.logits[chosen])


def validation_predictions(run: Run, epoch: int | None = None) -> Predictions:
    """The run's predictions of its validation reviews after ``epoch``, counted from 1; after the last one by default.

    Raises InputError if the run has not finished that epoch, or if its predictions are damaged.
    """
    finished = [event.epoch for event in run.state(steps=False).epochs]
    if not finished:
        raise InputError(f"run {run.name} has not finished an epoch, so it has no predictions")
    if epoch is None:
        epoch = finished[-1]
    elif epoch not in finished:
        raise InputError(f"run {run.name} has no epoch {epoch}; it has finished {len(finished)}")
    rows = run.predictions(epoch)
    if not rows:
        raise InputError(f"run {run.name} has no predictions of epoch {epoch}; its file is empty")
    ids, labels, logits = zip(*rows, strict=True)
    return Predictions(
        run.name,
        f"epoch-{epoch}",
        VALIDATION,
        np.array(ids, dtype=np.int64),
        np.array(labels, dtype=np.int64),
        np.array(logits, dtype=np.float64),
        dict(run.environment().get("origins", {}).get("reviews", {})),
    )
