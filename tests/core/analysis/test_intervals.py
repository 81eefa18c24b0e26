"""Confidence intervals: of a share, and by the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from core.analysis.intervals import basic_interval, bootstrap, percentile_interval, resamples_of, wilson


def test_wilsons_interval_matches_its_formula() -> None:
    z, p, n = 1.959964, 0.84, 400
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    assert wilson(336, 400) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0


def test_the_bootstrap_of_a_mean_matches_scipys() -> None:
    values = np.random.default_rng(3).exponential(size=200)

    def means(counts: NDArray[np.float32]) -> NDArray[np.float64]:
        assert (counts.sum(axis=1) == 200).all()
        return (counts @ values)[None] / 200

    found = percentile_interval(bootstrap(means, 200, 4000)[0])
    reference = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", random_state=1)
    assert found == pytest.approx(tuple(reference.confidence_interval), abs=0.01)
    assert (bootstrap(means, 200) == bootstrap(means, 200)).all()  # the same reviews, the same interval


def test_resamples_in_which_a_statistic_is_undefined_are_left_out() -> None:
    distribution = np.array([np.nan, *np.linspace(0, 1, 201)])
    assert percentile_interval(distribution) == pytest.approx((0.025, 0.975))
    assert percentile_interval(np.full(5, np.nan)) is None
    undefined = bootstrap(lambda counts: np.where(counts[:, :1] > 0, 1.0, np.nan).T, 2, 100)
    assert 0 < np.isnan(undefined).sum() < 100
    assert np.nanmin(undefined) == 1.0


def test_the_basic_interval_mirrors_the_distribution_at_the_estimate() -> None:
    assert basic_interval(np.linspace(0.1, 0.2, 201), 0.13) == pytest.approx((0.0625, 0.1575))
    assert basic_interval(np.linspace(0.1, 0.3, 201), 0.1).low == 0.0


def test_one_review_has_a_distribution_of_one_value() -> None:
    assert (bootstrap(lambda counts: counts.T.astype(np.float64) * 7, 1) == 7).all()


def test_more_reviews_are_resampled_less_often() -> None:
    assert [resamples_of(n) for n in (10, 5000, 10_000, 25_000)] == [1000, 1000, 500, 400]
