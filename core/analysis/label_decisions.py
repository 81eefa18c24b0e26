"""A user's decisions about the labels of a run's reviews, kept in the run's ``corrections.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.analysis.predictions import Predictions
from core.analysis.run_reviews import RunReviews
from core.data.corrections import Correction, Decision, add_corrections, correction, read_corrections
from core.errors import InputError
from core.runs.directory import CORRECTIONS, Run
from core.training.setup import read_run_corrections


def corrections_path(run: Run) -> Path:
    """The file for ``data.corrections`` of later runs; it may not exist yet."""
    return run.path / CORRECTIONS


def decide(run: Run, reviews: RunReviews, decisions: Mapping[int, Decision]) -> list[Correction]:
    """Store decisions about reviews by their rows; return all that the file has then.

    A decision is about the label that the run used: ``keep`` it, ``flip`` it, or ``drop`` the review. The file has
    decisions about the labels of the source, so those that the run itself applied are in it too, and a flipped label
    that is flipped again is that of the source. A later decision replaces an earlier one. Raises InputError for a row
    that does not exist, or if the file cannot be written.
    """
    source = [correction(reviews.reviews, row, one, reviews.origin.sha256) for row, one in decisions.items()]
    new = [_to_source(one, reviews) for one in source]
    applied = read_run_corrections(run.config(), run, is_new=False)
    return add_corrections(corrections_path(run), new, first=applied)


def decisions_of(run: Run, reviews: RunReviews) -> dict[int, Decision]:
    """The decisions by row that were made since the run, about the labels that it used.

    Empty if there are none. Raises InputError if their file is invalid.
    """
    path = corrections_path(run)
    if not path.exists():
        return {}
    applied = {one.id: one for one in read_run_corrections(run.config(), run, is_new=False)}
    return {one.id: _to_run(one, reviews) for one in read_corrections(path) if applied.get(one.id) != one}


def require_own_reviews(predictions: Predictions, reviews: RunReviews) -> None:
    """Raise InputError unless ``predictions`` are of the run's own source, whose rows decisions refer to."""
    origin = predictions.origin
    if (origin.get("kind"), origin.get("sha256")) != (reviews.origin.kind, reviews.origin.sha256):
        raise InputError(
            f"the reviews of {predictions.label} are not from {reviews.origin.name}, which run {predictions.run} was "
            "trained on; only its labels can be corrected"
        )


def _to_source(one: Correction, reviews: RunReviews) -> Correction:
    """The correction of the source that has the effect of ``one``, which is about the run's label."""
    if one.id not in reviews.corrected.flipped:
        return one
    opposite: dict[Decision, Decision] = {"keep": "flip", "flip": "keep", "drop": "drop"}
    return Correction(one.id, opposite[one.decision], 1 - one.label, one.text_sha256, one.source_sha256)


def _to_run(one: Correction, reviews: RunReviews) -> Decision:
    if one.id not in reviews.corrected.flipped or one.decision == "drop":
        return one.decision
    return "keep" if one.decision == "flip" else "flip"
