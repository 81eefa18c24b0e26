"""Two classifiers on the same reviews: the difference of their accuracies, a test, and a verdict in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from core import formatting
from core.analysis.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNIFICANCE = 0.05
VISIBLE_DIFFERENCE = 0.02
"""The difference of accuracies that :attr:`Paired.needed_reviews` is about."""
POWER = 0.8
_Z_LEVEL, _Z_POWER = NormalDist().inv_cdf(1 - SIGNIFICANCE / 2), NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, slots=True)
class Paired:
    """Counts of the common reviews by which of the two predicts them correctly. Differences are second minus first."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p_adjusted: float | None = None
    """The p-value after Holm's correction, where this is one of several comparisons."""
    comparisons: int = 1
    """How many comparisons the correction is for."""
    data: str = field(default="", compare=False)
    """Which reviews these are, such as ``validation + rest``; empty if it is not known."""

    @property
    def reviews(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """Accuracy of the second minus accuracy of the first."""
        return (self.only_second - self.only_first) / self.reviews

    @property
    def interval(self) -> Interval:
        """95 % interval of the difference: Wald's interval for paired shares with one review added to each cell where
        the two differ.

        D. G. Bonett and R. M. Price, Journal of Educational and Behavioral Statistics 37, 2012, pp. 479-488;
        recommended by M. W. Fagerland et al., Statistics in Medicine 33, 2014, pp. 2850-2875.
        """
        n = self.reviews + 2
        first, second = (self.only_first + 1) / n, (self.only_second + 1) / n
        centre = second - first
        half = _Z_LEVEL * math.sqrt((first + second - centre**2) / n)
        return Interval(max(-1.0, centre - half), min(1.0, centre + half))

    @property
    def p_value(self) -> float:
        """The probability of a difference at least as large if both were equally accurate.

        McNemar's test, exact and two-sided: then each would be the correct one in half of the reviews that only
        one predicts correctly (Q. McNemar, Psychometrika 12, 1947, pp. 153-157).
        """
        from scipy.stats import binomtest

        differing = self.only_first + self.only_second
        return float(binomtest(self.only_first, differing).pvalue) if differing else 1.0

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0 and the p-value, after Holm's correction, is below 0.05."""
        low, high = self.interval
        p_value = self.p_value if self.p_adjusted is None else self.p_adjusted
        return (low > 0 or high < 0) and p_value < SIGNIFICANCE

    @property
    def needed_reviews(self) -> int:
        """Number of reviews on which a difference of 2 points would be significant in four of five comparisons.

        For two models that differ on as large a share of the reviews as these, power 80 % and a 5 % test:
        R. J. Connor, Biometrics 43, 1987, pp. 207-211, equation 2.
        """
        differing = (self.only_first + self.only_second + 2) / (self.reviews + 2)  # as in the interval
        differing = max(differing, VISIBLE_DIFFERENCE)
        spread = _Z_LEVEL * math.sqrt(differing) + _Z_POWER * math.sqrt(differing - VISIBLE_DIFFERENCE**2)
        return math.ceil((spread / VISIBLE_DIFFERENCE) ** 2)

    def verdict(self, first_name: str, second_name: str) -> str:
        """Which of the two is better, in one sentence; that they cannot be told apart unless the difference is
        significant.
        """
        reviews = formatting.counted(self.reviews, "review")
        if self.is_significant:
            better, worse = (second_name, first_name) if self.difference > 0 else (first_name, second_name)
            ends = self.interval if self.difference > 0 else Interval(-self.interval.high, -self.interval.low)
            correction = f"; {self._correction}" if self.comparisons > 1 else ""
            return (
                f"{better} is better than {worse} by {_points(abs(self.difference))} points "
                f"(95 % interval {_ends(ends)}; {reviews}{correction})"
            )
        these = "this" if self.reviews == 1 else "these"
        return f"{second_name} and {first_name} cannot be told apart on {these} {reviews}: {self._not_significant}"

    @property
    def short_verdict(self) -> str:
        """The verdict about the second, without the names and the number of reviews."""
        if self.is_significant:
            return (
                f"{_points(abs(self.difference))} points {'better' if self.difference > 0 else 'worse'} than it, "
                f"95 % interval of the difference {_ends(self.interval)}"
            )
        return f"cannot be told apart, difference {_points(self.difference)} points, {_ends(self.interval)}"

    @property
    def _correction(self) -> str:
        return f"p = {self.p_adjusted:.2g} after Holm's correction for {self.comparisons} comparisons"

    @property
    def _not_significant(self) -> str:
        """Why there is no difference to report: the interval, the test where it decides, and what would be needed."""
        text = f"the difference is {_points(self.difference)} points ({_ends(self.interval)})"
        if self.interval.low > 0 or self.interval.high < 0:
            # Near its limit the exact test is stricter than the interval; the sentence says that it decides.
            if self.p_value < SIGNIFICANCE:
                text += f", which is not significant: {self._correction}"
            else:
                text += f", which the exact test does not confirm (p = {self.p_value:.2g})"
        needed = self.needed_reviews
        if needed <= self.reviews:
            return f"{text}; a difference of {_points(VISIBLE_DIFFERENCE)[:-2]} points would probably have been seen"
        return f"{text}; about {_rounded(needed):,} reviews would be needed to see 2 points"


def holm(pairs: Sequence[Paired]) -> list[Paired]:
    """The same comparisons with their p-values adjusted by Holm's step-down method.

    S. Holm, Scandinavian Journal of Statistics 6, 1979, pp. 65-70.
    """
    p_values = [pair.p_value for pair in pairs]
    adjusted, highest = list(pairs), 0.0
    for done, i in enumerate(sorted(range(len(pairs)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(pairs) - done) * p_values[i]))
        adjusted[i] = replace(pairs[i], p_adjusted=highest, comparisons=len(pairs))
    return adjusted


def _points(share: float, digits: int = 1) -> str:
    text = f"{100 * share:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def _ends(interval: Interval) -> str:
    """Both ends in points; with a second digit where an end that is not 0 would be written as 0.0."""
    digits = 2 if any(0.0 < abs(end) < 0.0005 for end in interval) else 1
    return f"{_points(interval.low, digits)} to {_points(interval.high, digits)}"


def _rounded(count: int) -> int:
    """Two significant digits."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return round(count / step) * step
