"""Two runs on the same reviews: on which of them one was right and the other was not, and what chance makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from core.errors import InputError
from core.runs.directory import Run

OUTCOMES = ((True, True), (True, False), (False, True), (False, False))
"""Whether the first run was right on a review, and whether the second was, in the order of :class:`Paired`."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Validation reviews that both runs have predicted, counted by which of the two was right."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def reviews(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def p_value(self) -> float:
        """How often chance alone makes the two differ so much or more, were they equally good.

        McNemar's test, exact and two-sided: of the reviews on which only one was right, each run would have half
        (Q. McNemar, Psychometrika 12, 1947, pp. 153-157).
        """
        differing, fewer = self.only_first + self.only_second, min(self.only_first, self.only_second)
        return float(min(1.0, 2 * sum(comb(differing, k) for k in range(fewer + 1)) / 2**differing))


def paired(first: Run, second: Run) -> Paired:
    """The two runs after their last epochs, on the validation reviews that they have in common.

    Raises InputError where one has no predictions, or where they were not of the same reviews.
    """
    found = []
    for run in (first, second):
        epochs = run.state(steps=False).epochs
        if not epochs:
            raise InputError(f"run {run.name} has no validated epoch; there is nothing to pair")
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
