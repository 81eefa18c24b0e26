"""The predictions of a run with the texts that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.predictions import VALIDATION, Predictions
from core.analysis.stored_evaluations import evaluation_predictions, texts_of
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
    predictions = evaluation_predictions(run, label or VALIDATION)
    return PredictedReviews(predictions, texts_of(run, predictions))
