"""The plan of an evaluation: how many reviews there are, what they cost, and how precise the accuracy gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.evaluate_on import evaluate_on
from core.analysis.evaluation_plan import plan_evaluation
from core.analysis.intervals import wilson
from core.analysis.predictions import validation_predictions
from core.inspection.target import find_target, resolve
from tests.core.support.training import run


@pytest.fixture
def finished(config, tmp_path):
    return run(config.set("data.n_samples", 20), tmp_path / "runs")[0]


def test_the_rest_is_what_the_run_has_not_seen_and_the_last_size_is_all_of_it(finished):
    plan = plan_evaluation(finished, validation_predictions(finished))
    assert plan.rest == 20
    assert [size.n for size in plan.sizes] == [20]


def test_the_width_is_half_of_wilsons_interval_at_the_accuracy_so_far(finished):
    predictions = validation_predictions(finished)
    size = plan_evaluation(finished, predictions).sizes[0]
    low, high = wilson(round(float(predictions.correct.mean()) * 20), 20)
    assert size.half_width == pytest.approx((high - low) / 2)


def test_the_time_is_a_third_of_training_until_an_evaluation_was_measured(finished):
    predictions = validation_predictions(finished)
    speed = finished.state(steps=False).finished.samples_per_second
    plan = plan_evaluation(finished, predictions)
    assert not plan.measured
    assert plan.sizes[0].seconds == pytest.approx(20 / speed / 3)
    stored = evaluate_on(resolve(find_target(finished.name, finished.path.parent)), limit=10).stored
    plan = plan_evaluation(finished, predictions)
    assert plan.measured
    assert plan.sizes[0].seconds == pytest.approx(stored.seconds * 20 / stored.n)


def test_without_predictions_the_width_is_the_largest_possible(finished):
    predictions = validation_predictions(finished)
    none = replace(predictions.take([]))
    assert (
        plan_evaluation(finished, none).sizes[0].half_width
        >= plan_evaluation(finished, predictions).sizes[0].half_width
    )
