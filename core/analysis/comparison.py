"""Compare the validation predictions of two runs review by review, with McNemar's test."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from core.errors import InputError
from core.runs.directory import Run

OUTCOMES = ((True, True), (True, False), (False, True), (False, False))
"""Whether the first and the second run are correct on a review, in the order of :class:`Paired`."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Counts of the common validation reviews by which of the two runs predicts them correctly."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def reviews(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def p_value(self) -> float:
        """The probability of a difference at least as large if both runs were equally accurate.

        McNemar's test, exact and two-sided: then each run would be the correct one in half of the reviews that only
        one predicts correctly (Q. McNemar, Psychometrika 12, 1947, pp. 153-157).
        """
        differing, fewer = self.only_first + self.only_second, min(self.only_first, self.only_second)
        return float(min(1.0, 2 * sum(comb(differing, k) for k in range(fewer + 1)) / 2**differing))


def paired(first: Run, second: Run) -> Paired:
    """Compare two runs after their last epochs on their common validation reviews.

    Raises InputError if one has no predictions, or if the reviews are not the same.
    """
    found = []
    for run in (first, second):
        epochs = run.state(steps=False).epochs
        if not epochs:
            raise InputError(f"run {run.name} has not finished an epoch, so it has no predictions to compare")
        predictions = run.predictions(epochs[-1].epoch)
        right = {(place, label): (logit > 0) == bool(label) for place, label, logit in predictions}
        found.append((run.environment().get("origins", {}).get("reviews", {}), right))
    (origin, one), (other_origin, other) = found
    common = one.keys() & other.keys()
    same = all(origin.get(key) == other_origin.get(key) for key in ("kind", "sha256", "available"))
    if not same or not common:
        raise InputError(f"runs {first.name} and {second.name} were not validated on the same reviews")
    counts = [sum((one[key], other[key]) == pair for key in common) for pair in OUTCOMES]
    return Paired(*counts)
