"""The reliability diagram, and accuracy against coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from sklearn.calibration import calibration_curve

from core.analysis.calibration import coverage_curve, reliability
from core.analysis.intervals import wilson
from tests.core.support.simulated import predictions_of, simulated


def test_the_bins_match_those_of_scikit_learn() -> None:
    found = simulated(500, seed=1)
    bins = [each for each in reliability(found) if each.n]
    share, mean = calibration_curve(found.labels, found.probabilities, n_bins=10)
    assert [each.positive_share for each in bins] == pytest.approx(share)
    assert [each.mean_probability for each in bins] == pytest.approx(mean)
    assert sum(each.n for each in bins) == 500
    for each in bins:
        assert each.interval == wilson(round(each.positive_share * each.n), each.n)
        assert each.low < each.mean_probability <= each.high


def test_an_empty_bin_has_no_share() -> None:
    bins = reliability(predictions_of([0, 1], [logit(0.04), logit(0.96)]), bins=5)
    assert [each.n for each in bins] == [1, 0, 0, 0, 1]
    assert np.isnan(bins[2].positive_share)
    assert bins[2].interval is None
    assert (bins[0].low, bins[4].high) == (0.0, 1.0)


def test_the_most_confident_reviews_are_covered_first() -> None:
    coverage, accuracy = coverage_curve(predictions_of([1, 1, 0, 0], [0.1, -3.0, -2.0, -1.0]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy == pytest.approx([0.0, 1 / 2, 2 / 3, 3 / 4])


def test_reviews_of_equal_confidence_count_together_in_whatever_order() -> None:
    for order in ([0, 1, 2], [2, 1, 0]):
        found = predictions_of([1, 1, 0], [2.0, -2.0, 2.0]).take(order)
        assert coverage_curve(found)[1] == pytest.approx([1 / 3] * 3)
    assert len(coverage_curve(predictions_of([], []))[0]) == 0
