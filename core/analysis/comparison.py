"""Compare two runs, or two epochs, review by review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.analysis.mcnemar import Paired, holm
from core.analysis.predictions import Predictions, validation_predictions
from core.errors import InputError
from core.runs.directory import Run, find_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AtEpoch",
    "Flip",
    "Paired",
    "common_predictions",
    "compare_all",
    "compare_predictions",
    "find_at_epoch",
    "flipped",
    "holm",
    "paired",
]


@dataclass(frozen=True, slots=True)
class AtEpoch:
    """A run after one of its epochs, counted from 1; after the last one if ``epoch`` is None."""

    run: Run
    epoch: int | None = None

    @property
    def name(self) -> str:
        """The name of the run; ``RUN@epoch-2`` if an epoch is given."""
        return self.run.name if self.epoch is None else f"{self.run.name}@epoch-{self.epoch}"


def find_at_epoch(root: Path, name: str) -> AtEpoch:
    """Find ``RUN`` or ``RUN@epoch-2``. Raises InputError if there is no such run or epoch, or for another ``@``."""
    run_name, at, epoch = name.rpartition("@")
    if not at:
        return AtEpoch(find_run(root, name))
    number = epoch.removeprefix("epoch-")
    if not (number.isascii() and number.isdecimal()):
        raise InputError(f"{name}: runs are compared after an epoch; write {run_name}@epoch-1, or only {run_name}")
    run = find_run(root, run_name)
    finished = [each.epoch for each in run.state(steps=False).epochs]
    if int(number) not in finished:
        raise InputError(f"run {run.name} has no epoch {number}; it has finished {len(finished)}")
    return AtEpoch(run, int(number))


@dataclass(frozen=True, slots=True)
class Flip:
    """A review that the two predict differently."""

    id: int
    label: int
    first_probability: float
    """P(positive) of the first."""
    second_probability: float

    @property
    def second_is_correct(self) -> bool:
        return (self.second_probability > 0.5) == (self.label == 1)


def paired(first: Run | AtEpoch, second: Run | AtEpoch) -> Paired:
    """Compare two runs on the reviews that both predicted, see :func:`common_predictions`."""
    return compare_predictions(*common_predictions(first, second))


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
    first, second = aligned(first, second)
    rows = np.flatnonzero((first.logits > 0) != (second.logits > 0))
    change = np.abs(second.probabilities - first.probabilities)
    return [
        Flip(
            int(first.ids[i]),
            int(first.labels[i]),
            float(first.probabilities[i]),
            float(second.probabilities[i]),
        )
        for i in rows[np.argsort(-change[rows], kind="stable")]
    ]


def aligned(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Both predictions of the reviews that are in both with the same label, in the order of the first."""
    rows = _positions(first.ids, second.ids)
    known = np.flatnonzero(rows >= 0)
    known = known[first.labels[known] == second.labels[rows[known]]]
    return first.take(known), second.take(rows[known])


def common_predictions(first: Run | AtEpoch, second: Run | AtEpoch) -> tuple[Predictions, Predictions]:
    """Predictions of the reviews that both runs predicted and neither trained on, in the same order.

    Raises InputError if one has no predictions, or if the reviews are not the same.
    """
    one, other = (_predictions(_at_epoch(each)) for each in (first, second))
    if _source(one.origin) == _source(other.origin):
        one, other = aligned(one, other)
    if _source(one.origin) != _source(other.origin) or not len(one):
        raise InputError(f"runs {one.run} and {other.run} were not validated on the same reviews")
    return one, other


def _at_epoch(run: Run | AtEpoch) -> AtEpoch:
    return AtEpoch(run) if isinstance(run, Run) else run


def _predictions(at: AtEpoch) -> Predictions:
    return validation_predictions(at.run, at.epoch)


def _source(origin: dict[str, Any]) -> tuple[Any, ...]:
    """What identifies the source of reviews."""
    return tuple(origin.get(key) for key in ("kind", "sha256", "available"))


def _positions(wanted: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [wanted]: the position of each of ``wanted`` in ``among``, -1 if it is not there."""
    if not len(among):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(among, kind="stable")
    found = np.searchsorted(among, wanted, sorter=order).clip(max=len(among) - 1)
    rows = order[found]
    return np.where(among[rows] == wanted, rows, -1)
