"""Compare two runs, or two epochs, review by review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.analysis.common_predictions import AtEpoch, aligned, common_predictions, find_at_epoch
from core.analysis.mcnemar import Paired, holm
from core.analysis.predictions import Predictions
from core.errors import InputError
from core.runs.directory import Run

__all__ = [
    "AtEpoch",
    "Cell",
    "Flip",
    "Paired",
    "common_predictions",
    "compare_all",
    "compare_predictions",
    "compared_reviews",
    "find_at_epoch",
    "flipped",
    "holm",
    "paired",
]


Cell = Literal["both", "only_first", "only_second", "neither"]
"""Which of the two predict a review correctly; the fields of :class:`Paired`."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A review, and what the two predict; in a list of flipped reviews they predict it differently."""

    id: int
    label: int
    first_probability: float
    """P(positive) of the first."""
    second_probability: float

    first_is_correct: bool
    second_is_correct: bool
    row: int
    """Position of the review in the predictions of the first."""

    @property
    def cell(self) -> Cell:
        if self.first_is_correct:
            return "both" if self.second_is_correct else "only_first"
        return "only_second" if self.second_is_correct else "neither"


def paired(first: Run | AtEpoch, second: Run | AtEpoch) -> Paired:
    """Compare two runs on the reviews that both predicted, see :func:`common_predictions`."""
    found = common_predictions(first, second)
    return replace(compare_predictions(*found), data=found[0].label)


def compare_all(first: Run | AtEpoch, others: Sequence[Run | AtEpoch]) -> list[Paired | InputError]:
    """Compare each of ``others`` with ``first``, with Holm's correction of the p-values.

    One InputError says why a run cannot be compared; the others are compared all the same.
    """
    found: list[Paired | InputError] = []
    for other in others:
        try:
            found.append(paired(first, other))
        except InputError as error:
            found.append(error)
    adjusted = iter(holm([pair for pair in found if isinstance(pair, Paired)]))
    return [next(adjusted) if isinstance(pair, Paired) else pair for pair in found]


def compare_predictions(first: Predictions, second: Predictions) -> Paired:
    """Count by which of the two the reviews are predicted correctly; on the reviews that are in both.

    Raises InputError if they have no review in common.
    """
    first, second = aligned(first, second)
    if not len(first):
        raise InputError(f"{first.run} and {second.run} did not predict the same reviews")
    one, other = first.correct, second.correct
    return Paired(
        int((one & other).sum()), int((one & ~other).sum()), int((~one & other).sum()), int((~one & ~other).sum())
    )


def flipped(first: Predictions, second: Predictions) -> list[Flip]:
    """The reviews that the two predict differently, by the change of P(positive), the largest first."""
    return compared_reviews(first, second, ("only_first", "only_second"))


def compared_reviews(first: Predictions, second: Predictions, cells: Sequence[Cell]) -> list[Flip]:
    """The common reviews in ``cells``, by the change of P(positive), the largest first."""
    first, second = aligned(first, second)
    one, other = first.correct, second.correct
    inside = {"both": one & other, "only_first": one & ~other, "only_second": ~one & other, "neither": ~one & ~other}
    chosen = np.zeros(len(first), dtype=bool)
    for cell in cells:
        chosen |= inside[cell]
    rows = np.flatnonzero(chosen)
    before, after = first.probabilities, second.probabilities
    order = rows[np.argsort(-np.abs(after - before)[rows], kind="stable")]
    return [
        Flip(
            int(first.ids[i]),
            int(first.labels[i]),
            float(before[i]),
            float(after[i]),
            bool(one[i]),
            bool(other[i]),
            int(i),
        )
        for i in order
    ]
