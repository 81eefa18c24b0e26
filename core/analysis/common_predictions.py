"""The reviews that two runs both predicted: in validation and in their stored evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.analysis.predictions import Predictions, validation_predictions
from core.analysis.stored_evaluations import predictions_of, same_reviews, stored_evaluations
from core.errors import InputError
from core.runs.directory import Run, find_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.runs.events import EpochFinished


@dataclass(frozen=True, slots=True)
class AtEpoch:
    """A run after one of its epochs, counted from 1; after the last one if ``epoch`` is None."""

    run: Run
    epoch: int | None = None

    @property
    def name(self) -> str:
        """The name of the run; ``RUN@epoch-2`` if an epoch is given."""
        return self.run.name if self.epoch is None else f"{self.run.name}@epoch-{self.epoch}"

    def finished(self) -> EpochFinished:
        """The event of that epoch. Raises InputError if the run has not finished it."""
        epochs = self.run.state(steps=False).epochs
        if not epochs:
            raise InputError(f"run {self.run.name} has not finished an epoch, so it has no predictions to compare")
        for event in reversed(epochs):
            if self.epoch in (None, event.epoch):
                return event
        raise InputError(f"run {self.run.name} has no epoch {self.epoch}; it has finished {len(epochs)}")


def find_at_epoch(root: Path, name: str) -> AtEpoch:
    """Find ``RUN`` or ``RUN@epoch-2``. Raises InputError if there is no such run or epoch, or for another ``@``."""
    run_name, at, epoch = name.rpartition("@")
    if not at:
        return AtEpoch(find_run(root, name))
    number = epoch.removeprefix("epoch-")
    if not (number.isascii() and number.isdecimal()):
        raise InputError(f"{name}: runs are compared after an epoch; write {run_name}@epoch-1, or only {run_name}")
    found = AtEpoch(find_run(root, run_name), int(number))
    found.finished()
    return found


def common_predictions(first: Run | AtEpoch, second: Run | AtEpoch) -> tuple[Predictions, Predictions]:
    """Predictions of the reviews that both runs predicted and neither trained on, in the same order.

    The reviews are those of the validation and of the stored evaluations of the model after the epoch. All are of one
    source, so that ids are unique: the one of which the two have the most reviews in common. ``label`` then has the
    names of the first run's parts, such as ``validation + rest``. Reviews whose labels differ are left out. Raises
    InputError if one run has no predictions, or if the reviews are not the same.
    """
    one, other = (_known(each if isinstance(each, AtEpoch) else AtEpoch(each)) for each in (first, second))
    best: tuple[Predictions, Predictions] | None = None
    for parts in one.sources:
        for other_parts in other.sources:
            if same_reviews(parts[0].origin, other_parts[0].origin):
                pair = aligned(_merged(parts), _merged(other_parts))
                if len(pair[0]) > (len(best[0]) if best else 0):
                    best = (_labelled(pair[0], parts, one), _labelled(pair[1], other_parts, other))
    if best is not None:
        return best
    for error in (*one.errors, *other.errors):
        raise error
    raise InputError(
        f"runs {one.run.name} and {other.run.name} did not predict the same reviews; evaluate both on the same "
        "data with `imdb-tui evaluate`"
    )


def aligned(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Both predictions of the reviews that are in both with the same label, in the order of the first."""
    rows = _positions(first.ids, second.ids)
    known = np.flatnonzero(rows >= 0)
    known = known[first.labels[known] == second.labels[rows[known]]]
    return first.take(known), second.take(rows[known])


@dataclass(slots=True)
class _Known:
    """All predictions of one run that can be compared, by their source; that of the run's own reviews first."""

    run: Run
    own: dict[str, Any]
    sources: list[list[Predictions]] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    """Why some predictions could not be read."""

    def add(self, predictions: Predictions) -> None:
        for parts in self.sources:
            if same_reviews(parts[0].origin, predictions.origin):
                parts.append(predictions)
                return
        self.sources.append([predictions])


def _known(at: AtEpoch) -> _Known:
    event = at.finished()
    known = _Known(at.run, dict(at.run.environment().get("origins", {}).get("reviews", {})))
    try:
        known.add(validation_predictions(at.run, event.epoch))
    except InputError as error:
        known.errors.append(error)
    for stored in stored_evaluations(at.run):
        # Of an unchecked evaluation it is not known which of its reviews the run trained on.
        if stored.checkpoint == f"step-{event.step}" and stored.labelled and not stored.unchecked:
            try:
                known.add(predictions_of(at.run, stored))
            except InputError as error:
                known.errors.append(error)
    return known


def _merged(parts: Sequence[Predictions]) -> Predictions:
    """All predictions of one source; a review that was predicted several times counts once, as the first time."""
    ids, labels, logits = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("ids", "labels", "logits")
    )
    chosen = np.sort(np.unique(ids, return_index=True)[1])
    return replace(parts[0], ids=ids[chosen], labels=labels[chosen], logits=logits[chosen])


def _labelled(found: Predictions, parts: Sequence[Predictions], known: _Known) -> Predictions:
    """Set the label to the names of the parts that have reviews in ``found``; texts_of finds the texts by it."""
    names = [part.label for part in parts if np.isin(part.ids, found.ids).any()]
    # For a joined name, texts_of reads the run's own reviews; it needs the name of one evaluation to find other data.
    return replace(found, label=" + ".join(names) if same_reviews(known.own, found.origin) else names[0])


def _positions(wanted: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [wanted]: the position of each of ``wanted`` in ``among``, -1 if it is not there."""
    if not len(among):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(among, kind="stable")
    found = np.searchsorted(among, wanted, sorter=order).clip(max=len(among) - 1)
    rows = order[found]
    return np.where(among[rows] == wanted, rows, -1)
