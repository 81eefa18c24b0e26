"""Learning dynamics: how the prediction of each review changed from epoch to epoch.

The logits of training reviews are those of the training steps: computed with dropout, each before the update of its own
step, so they are noisier than those of validation reviews, which are computed after the epoch and without dropout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.runs.directory import predictions_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.runs.directory import Part, Run

EARLY, LATE, NEVER, FORGOTTEN = "learned early", "learned late", "never learned", "forgotten"
REGIONS = {
    EARLY: "right in the first half of the epochs, and ever after",
    LATE: "right at last, but not since the first half of the epochs",
    NEVER: "wrong in every epoch",
    FORGOTTEN: "right in an earlier epoch, wrong in the last one",
}
"""What each region means; each review is in exactly one."""
NOTE = "logits of the training steps: with dropout, each before the update of its own step"


@dataclass(frozen=True, slots=True)
class Dynamics:
    """The predictions of ``n`` reviews over ``epochs``; column i of ``logits`` belongs to the review ``ids[i]``."""

    run: str
    part: Part
    epochs: list[int]
    """The epochs, counted from 1; a training epoch whose predictions were not stored is missing."""
    ids: NDArray[np.int64]
    """int64 [n]: row of each review in its source."""
    labels: NDArray[np.int64]
    """int64 [n]: 1 for positive, 0 for negative."""
    logits: NDArray[np.float64]
    """float64 [epochs, n]."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """float64 [epochs, n]: the probability of each review's label."""
        return np.exp(-np.logaddexp(0.0, np.where(self.labels == 1, -self.logits, self.logits)))

    @property
    def correct(self) -> NDArray[np.bool_]:
        """bool [epochs, n]: whether the sign of the logit agrees with the label."""
        correct: NDArray[np.bool_] = np.equal(self.logits > 0, self.labels == 1)
        return correct

    @property
    def confidence(self) -> NDArray[np.float64]:
        """float64 [n]: mean probability of the label over the epochs (Swayamdipta et al. 2020, Dataset Cartography)."""
        return np.asarray(self.probabilities.mean(axis=0))

    @property
    def variability(self) -> NDArray[np.float64]:
        """float64 [n]: standard deviation of the probability of the label over the epochs (Swayamdipta et al. 2020)."""
        return np.asarray(self.probabilities.std(axis=0))

    @property
    def correctness(self) -> NDArray[np.float64]:
        """float64 [n]: share of the epochs in which the prediction is right."""
        return np.asarray(self.correct.mean(axis=0))

    @property
    def regions(self) -> NDArray[np.str_]:
        """str [n]: the region of each review, a key of REGIONS."""
        correct, half = self.correct, max(1, len(self.epochs) // 2)
        right_since = len(self.epochs) - np.cumprod(correct[::-1], axis=0).sum(axis=0)
        cases = [right_since < half, correct[-1], ~correct.any(axis=0)]
        return np.select(cases, [EARLY, LATE, NEVER], FORGOTTEN)

    @property
    def counts(self) -> dict[str, int]:
        """The number of reviews in each region."""
        regions = self.regions
        return {name: int((regions == name).sum()) for name in REGIONS}

    def members(self, region: str | None = None) -> NDArray[np.int64]:
        """Positions of the reviews in ``region``, or of all; the lowest confidence first.

        Raises InputError for an unknown region.
        """
        if region is not None and region not in REGIONS:
            raise InputError(f"there is no region {region!r}; the regions are {', '.join(map(repr, REGIONS))}")
        order = np.argsort(self.confidence, kind="stable")
        return order if region is None else order[self.regions[order] == region]


def dynamics(run: Run, part: Part = "train") -> Dynamics:
    """Read the predictions of the training reviews, or of the validation reviews, after each finished epoch.

    Raises InputError if the run has not finished an epoch, stored no predictions of its training reviews, or if a file
    is damaged.
    """
    finished = [event.epoch for event in run.state(steps=False).epochs]
    if not finished:
        raise InputError(f"run {run.name} has not finished an epoch, so it has no learning dynamics")
    folder = run.path / "predictions"
    epochs = [n for n in finished if part == "validation" or (folder / predictions_file(n, part)).exists()]
    if not epochs:
        raise InputError(
            f"run {run.name} has no predictions of its training reviews, because an earlier version trained it; "
            "use --part validation, or train it again"
        )
    rows = [run.predictions(epoch, part) for epoch in epochs]
    reviews = [[row[:2] for row in of_epoch] for of_epoch in rows]
    for epoch, others in zip(epochs, reviews, strict=True):
        if not others or others != reviews[0]:
            file = folder / predictions_file(epoch, part)
            raise InputError(f"{file}: the reviews are not those of epoch {epochs[0]}; the file is damaged")
    ids, labels = (np.array(column, dtype=np.int64) for column in zip(*reviews[0], strict=True))
    logits = np.array([[row[2] for row in of_epoch] for of_epoch in rows])
    return Dynamics(run.name, part, epochs, ids, labels, logits)
