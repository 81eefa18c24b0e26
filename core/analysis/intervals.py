"""Confidence intervals: of a share, and of any statistic of the reviews by the bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEED = 20061
BATCH = 250_000
"""Resampled reviews that are computed together: more would not fit into the cache of a core."""


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Wilson's score interval of the share ``successes / n``, 95 %; n >= 1.

    E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.
    """
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high))


def resamples_of(n: int) -> int:
    """Number of resamples of ``n`` reviews: 1,000, above 5,000 reviews fewer, at least 400, to stay under a second."""
    return max(400, min(1000, 5_000_000 // n))


def bootstrap(
    statistics: Callable[[NDArray[np.float32]], NDArray[np.float64]], n: int, resamples: int | None = None
) -> NDArray[np.float64]:
    """Bootstrap distributions of several statistics of ``n`` reviews at once, float64 [statistics, resamples].

    ``statistics`` takes how often each resample has each review (float32 [batch, n], rows sum to n) and returns
    float64 [statistics, batch], none below 0, NaN where one is undefined. The random generator has a fixed seed, so the
    same reviews give the same numbers. ``resamples`` is :func:`resamples_of` n by default.
    B. Efron, Annals of Statistics 7, 1979, pp. 1-26.
    """
    from scipy.stats import bootstrap as resampled

    def of_rows(rows: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        rows = np.atleast_2d(rows)
        starts = np.arange(len(rows), dtype=np.int64)[:, None] * n
        counts = np.bincount((rows + starts).ravel(), minlength=rows.size).reshape(rows.shape)
        return np.nan_to_num(statistics(counts.astype(np.float32)), nan=undefined)  # scipy warns of NaN

    undefined, resamples = -1.0, resamples or resamples_of(n)
    if n == 1:  # scipy refuses a single observation
        return np.repeat(statistics(np.ones((1, 1), dtype=np.float32)), resamples, axis=1)
    found = resampled(
        (np.arange(n, dtype=np.int64),),
        of_rows,
        n_resamples=resamples,
        batch=max(1, BATCH // n),
        vectorized=True,
        axis=-1,
        method="percentile",
        random_state=np.random.default_rng(SEED),
    )
    distribution: NDArray[np.float64] = found.bootstrap_distribution
    return np.where(distribution == undefined, np.nan, distribution)


def percentile_interval(distribution: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of a bootstrap distribution; None if the statistic is undefined (NaN) in every resample.

    Resamples in which it is undefined, for example the AUC of reviews of one class, are left out.
    """
    defined = distribution[~np.isnan(distribution)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, (0.025, 0.975))
    return Interval(float(low), float(high))


def basic_interval(distribution: NDArray[np.float64], estimate: float) -> Interval:
    """The basic (reversed) bootstrap interval of a statistic that is at least 0 and biased upwards.

    Resampling adds to the bias as sampling did; the percentile interval would count it twice.
    A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application, 1997, section 5.2.
    """
    low, high = np.quantile(distribution, (0.025, 0.975))
    return Interval(max(0.0, 2 * estimate - float(high)), max(0.0, 2 * estimate - float(low)))
