"""What an evaluation of a given size would cost, and how precise it would be."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.intervals import wilson
from core.analysis.predictions import Predictions
from core.analysis.stored_evaluations import stored_evaluations
from core.runs.directory import Run

SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
FORWARD_SHARE = 1 / 3
"""A training step costs about three forward passes: one forward, and a backward of twice its operations."""


@dataclass(frozen=True, slots=True)
class PlannedSize:
    """An evaluation of ``n`` reviews."""

    n: int
    seconds: float | None
    """Expected time of the predictions; None if nothing was measured."""
    half_width: float
    """Half of the 95 % interval (Wilson) of the accuracy, if that is as in the predictions so far."""


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """The sizes to choose from."""

    rest: int
    """Number of reviews of the run's source that it neither trained nor validated on."""
    sizes: list[PlannedSize]
    """Ascending; the last one is all of the rest, if there are any."""
    measured: bool
    """Whether the times are from an earlier evaluation of the run; otherwise they are estimates from its training."""


def plan_evaluation(run: Run, predictions: Predictions) -> EvaluationPlan:
    """Plan evaluations of ``run`` whose accuracy may be like that of ``predictions``."""
    state = run.state(steps=False)
    rest = 0
    if state.started is not None:
        available = int(state.started.origins.get("reviews", {}).get("available", 0))
        rest = max(available - state.started.train_examples - state.started.validation_examples, 0)
    evaluations = [each for each in stored_evaluations(run) if each.n and each.seconds > 0]
    per_review: float | None = None
    speed = state.finished.samples_per_second if state.finished is not None else state.samples_per_second
    if evaluations:
        per_review = evaluations[0].seconds / evaluations[0].n
    elif speed:
        per_review = FORWARD_SHARE / speed
    accuracy = float(predictions.correct.mean()) if len(predictions) else 0.5
    counts = [n for n in SIZES if not rest or n < rest] + ([rest] if rest else [])
    sizes = []
    for n in counts:
        low, high = wilson(round(accuracy * n), n)
        sizes.append(PlannedSize(n, per_review * n if per_review is not None else None, (high - low) / 2))
    return EvaluationPlan(rest, sizes, bool(evaluations))
