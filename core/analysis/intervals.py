"""Confidence intervals of a share."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Wilson's score interval of ``successes`` of ``n``; n must be at least 1.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22, 1927, pp. 209-212.
    """
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high))
