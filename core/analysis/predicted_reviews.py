"""The predictions of a run with the texts that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.predictions import VALIDATION, Predictions, validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.errors import InputError
from core.runs.directory import Run


@dataclass(frozen=True, slots=True)
class PredictedReviews:
    """Predictions, and the text of each row."""

    predictions: Predictions
    texts: list[str]


def predicted_reviews(run: Run, label: str | None = None) -> PredictedReviews:
    """Read the predictions of the validation reviews after the last epoch, or of the evaluation ``label``.

    Raises InputError if there are none, or if the reviews are not available any more.
    """
    if label not in (None, VALIDATION):
        raise InputError(f"run {run.name} has no evaluation {label!r}; `imdb-tui evaluate` makes one")
    predictions = validation_predictions(run)
    return PredictedReviews(predictions, reviews_of_run(run).texts(predictions.ids.tolist()))
