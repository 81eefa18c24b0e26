"""What Results is about: the predictions of one run, and what the pages read of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from core.analysis.predictions import VALIDATION, Predictions, validation_predictions
from core.errors import InputError
from core.formatting import counted
from core.runs.directory import Run, list_runs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from core.analysis.run_reviews import RunReviews
    from core.analysis.scorer import Scorer
    from core.analysis.slices import SliceResult
    from core.inspection.target import Resolved

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """Predictions of one run: of its validation reviews after an epoch, or of other reviews in an evaluation."""

    run: Run
    label: str
    """``validation``, or the name of an evaluation."""
    checkpoint: str
    """State of the model: ``epoch-3`` for validation predictions, ``step-300`` for an evaluation."""
    step: int
    """The training step of that state."""
    n: int
    """Number of reviews."""
    source: str
    """Where the reviews come from, in a few words."""
    is_own: bool = True
    """Whether the reviews are of the source that the run was trained on."""
    other: Run | None = None
    """The run that Compare compares this one with, if it was chosen in Runs."""

    @property
    def is_validation(self) -> bool:
        return self.label == VALIDATION

    @property
    def epoch(self) -> int | None:
        """The epoch, counted from 1, of validation predictions."""
        return int(self.checkpoint.removeprefix("epoch-")) if self.is_validation else None

    @property
    def target(self) -> str:
        """The name of the checkpoint, as :func:`core.inspection.target.find_target` reads it."""
        return f"{self.run.name}@step-{self.step}"

    def describe(self) -> str:
        """Which state of the model predicted which reviews, in one line without the name of the run."""
        state = f"epoch {self.epoch}" if self.is_validation else self.checkpoint.replace("-", " ")
        parts = (state, counted(self.n, f"{self.label} review"), self.source)
        return " · ".join(part for part in parts if part)


def subjects_of(run: Run) -> list[Subject]:
    """All predictions of a run: after each epoch, then its evaluations, the newest last.

    Raises InputError if there are none.
    """
    from core.analysis.evaluation_data import REST
    from core.analysis.stored_evaluations import stored_evaluations

    state = run.state(steps=False)
    origin = run.environment().get("origins", {}).get("reviews", {})
    source = _short(str(origin.get("name", "")))
    n = state.started.validation_examples if state.started is not None else 0
    found = [Subject(run, VALIDATION, f"epoch-{end.epoch}", end.step, n, source) for end in state.epochs]
    for stored in reversed(stored_evaluations(run)):
        step = int(stored.checkpoint.removeprefix("step-"))
        name = _short(str(stored.source.get("name", "")))
        found.append(Subject(run, stored.label, stored.checkpoint, step, stored.n, name, stored.data == REST))
    if not found:
        raise InputError(f"run {run.name} has not finished an epoch, so it has no predictions")
    return found


def newest_with_predictions(root: Path) -> Run | None:
    """The newest run that finished an epoch; None if there is none."""
    return next((run for run in list_runs(root) if run.state(steps=False).epochs), None)


def _short(name: str) -> str:
    """The last part of a path; other names as they are."""
    return name.rstrip("/").rpartition("/")[2] if name.startswith(("/", "~")) else name


def _once(method: Callable[[Any], T]) -> Callable[[Any], T]:
    """Compute the result of a method at its first call, also if several threads call it at once."""
    name = method.__name__

    @wraps(method)
    def result(self: Any) -> T:
        with self._lock:
            if name not in self._results:
                self._results[name] = method(self)
            found: T = self._results[name]
            return found

    return result


class RunData:
    """The reviews of one run, which its subjects share."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._results: dict[str, Any] = {}
        self._lock = threading.RLock()

    @_once
    def reviews(self) -> RunReviews:
        """The reviews of the run's source, and its split."""
        from core.analysis.run_reviews import reviews_of_run

        return reviews_of_run(self.run)


class SubjectData:
    """The data of one subject. Each part is read when it is first needed, once, by the thread that needs it.

    All methods may take seconds and raise InputError; call them only in the work of an inspection.
    """

    def __init__(self, subject: Subject, of_run: RunData | None = None) -> None:
        self.subject = subject
        self.of_run = of_run or RunData(subject.run)
        self._results: dict[str, Any] = {}
        self._lock = threading.RLock()

    @_once
    def predictions(self) -> Predictions:
        """The predictions, in the order in which they are stored."""
        from core.analysis.stored_evaluations import evaluation_predictions

        if self.subject.is_validation:
            return validation_predictions(self.subject.run, self.subject.epoch)
        return evaluation_predictions(self.subject.run, self.subject.label)

    def baseline(self) -> Predictions | None:
        """The bag of words' predictions of the same reviews; None if they are not stored."""
        from core.analysis.stored_evaluations import baseline_of

        return baseline_of(self.subject.run, self.predictions())

    def run_reviews(self) -> RunReviews:
        """The reviews of the run's source, and its split."""
        return self.of_run.reviews()

    @_once
    def texts(self) -> list[str]:
        """The text of each prediction."""
        from core.analysis.stored_evaluations import texts_of

        if self.subject.is_own:
            return self.run_reviews().texts(self.predictions().ids.tolist())
        return texts_of(self.subject.run, self.predictions())

    @_once
    def token_counts(self) -> tuple[NDArray[Any], int]:
        """The number of tokens of each text before truncation, and the maximum length."""
        from core.analysis.slices import token_counts

        return token_counts(self.subject.run, self.texts())

    @_once
    def slices(self) -> list[SliceResult]:
        """The accuracy in each slice of the reviews."""
        from core.analysis.slices import slices

        return slices(self.predictions(), self.texts(), *self.token_counts())

    @_once
    def resolved(self) -> Resolved:
        """The checkpoint with its tokenizer, without weights."""
        from core.inspection.target import find_target, resolve

        return resolve(find_target(self.subject.target, self.subject.run.path.parent))

    @_once
    def scorer(self) -> Scorer:
        """The checkpoint in memory."""
        import torch

        from core.analysis.scorer import load_scorer
        from core.engine.device import usable_cores

        torch.set_num_threads(usable_cores())
        return load_scorer(self.resolved())

    def release_weights(self) -> None:
        """Release the memory of the weights; they are loaded again when they are next needed."""
        self._results.pop("scorer", None)
