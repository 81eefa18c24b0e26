"""What the subject of Results can be compared with, and names that tell runs and epochs apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.analysis.comparison import AtEpoch, Paired, common_predictions, compare_predictions
from core.errors import InputError
from core.formatting import percent
from core.runs.directory import Run, list_runs

if TYPE_CHECKING:
    from pathlib import Path

    from core.analysis.predictions import Predictions
    from tui.panes.results.subject import Subject

MOST_RUNS = 40
"""How many runs are offered, the newest ones."""
MOST_TRIED = 8
"""How many runs are tried until one can be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs after an epoch, and their predictions of the same reviews; or ``problem`` says why there are none."""

    first: AtEpoch
    second: AtEpoch | None
    predictions: tuple[Predictions, Predictions] | None = None
    paired: Paired | None = None
    problem: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Preset, time and, where it matters, the epoch of both."""
        if self.second is None:
            return short_name(self.first), ""
        same_run = self.first.run == self.second.run
        same_day = self.first.run.created.date() == self.second.run.created.date()
        return tuple(short_name(each, epoch=same_run, day=not same_day) for each in (self.first, self.second))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Opponent:
    """A run after an epoch that may be chosen."""

    at: AtEpoch
    description: str


def short_name(at: AtEpoch, *, epoch: bool = False, day: bool = False) -> str:
    """The preset and the time of a run, and its epoch where it is not the last one or ``epoch`` is true."""
    moment = f"{at.run.created:%m-%d %H:%M}" if day else f"{at.run.created:%H:%M:%S}"
    name = f"{at.run.name[16:] or at.run.name} {moment}"
    return f"{name} epoch {at.epoch}" if at.epoch is not None and (epoch or at.epoch != _last_epoch(at.run)) else name


def at_epoch(subject: Subject) -> AtEpoch:
    """The run of ``subject`` after its epoch. Raises InputError for an evaluation within an epoch."""
    if subject.epoch is not None:
        return AtEpoch(subject.run, subject.epoch)
    for event in subject.run.state(steps=False).epochs:
        if event.step == subject.step:
            return AtEpoch(subject.run, event.epoch)
    raise InputError(f"{subject.target} is not the end of an epoch, so it cannot be compared; choose another with b")


def opponents(root: Path, subject: Subject) -> list[Opponent]:
    """The other epochs of the run of ``subject``, then the last and the best epoch of each other run."""
    own = at_epoch(subject)
    found = [
        _opponent(subject.run, event)
        for event in reversed(subject.run.state(steps=False).epochs)
        if event.epoch != own.epoch
    ]
    for run in list_runs(root)[:MOST_RUNS]:
        epochs = run.state(steps=False).epochs if run != subject.run else []
        if epochs:
            best = max(epochs, key=lambda event: event.val_accuracy)
            found += [_opponent(run, event) for event in dict.fromkeys((epochs[-1], best))]
    return found


def _opponent(run: Run, event: object) -> Opponent:
    from core.runs.events import EpochFinished

    assert isinstance(event, EpochFinished)
    name = f"{run.name[16:] or run.name} {run.created:%m-%d %H:%M:%S}"
    return Opponent(
        AtEpoch(run, event.epoch), f"{name} · epoch {event.epoch} · validation {percent(event.val_accuracy)}"
    )


def compare_with(first: AtEpoch, second: AtEpoch) -> Comparison:
    """Compare on the reviews that both predicted; :attr:`Comparison.problem` says why that is not possible."""
    from core.libraries import load_statistics_libraries

    load_statistics_libraries()
    try:
        found = common_predictions(first, second)
        return Comparison(first, second, found, compare_predictions(*found))
    except InputError as error:
        return Comparison(first, second, problem=str(error))


def compare_with_nearest(root: Path, subject: Subject) -> Comparison:
    """Compare with the newest other run that predicted the same reviews; else with another epoch of the same run."""
    first = at_epoch(subject)
    offered = [each.at for each in opponents(root, subject)]
    last: dict[Run, AtEpoch] = {}
    for at in offered:
        last.setdefault(at.run, at)  # the last epoch of a run comes first
    own = last.pop(subject.run, None)
    tried = [compare_with(first, at) for at in [*list(last.values())[:MOST_TRIED], *([own] if own else [])]]
    possible = next((each for each in tried if not each.problem), None)
    return possible or (tried[0] if tried else Comparison(first, None))


def shared_data(first: Run, second: Run) -> str:
    """The data to evaluate both runs on, as for :func:`core.analysis.evaluate_on.evaluate_on`."""
    from core.analysis.evaluation_data import REST
    from core.analysis.stored_evaluations import same_reviews
    from core.config.schema import NAMED_SOURCES

    origins = [run.environment().get("origins", {}).get("reviews", {}) for run in (first, second)]
    data = first.config().data
    if same_reviews(*origins) and all(origin.get("available", 0) > origin.get("taken", 0) for origin in origins):
        return REST
    if data.source not in NAMED_SOURCES:
        return data.source
    return "embedded" if origins[0].get("kind") in ("embedded", "synthetic") else data.dataset


def _last_epoch(run: Run) -> int | None:
    epochs = run.state(steps=False).epochs
    return epochs[-1].epoch if epochs else None
