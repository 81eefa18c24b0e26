"""The reviews of a run, read again from their source, and how the run split them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.data.corrections import Corrected, apply_corrections
from core.data.reviews import Review
from core.data.splits import split_reviews
from core.errors import InputError
from core.runs.directory import APPLIED_CORRECTIONS, Run
from core.sources.origin import Origin
from core.sources.resolve import open_reviews
from core.training.setup import keeps_equal_texts_together, read_run_corrections, require_same_reviews


@dataclass(frozen=True, slots=True)
class RunReviews:
    """All reviews of a run's source, and the positions of those that it trained and validated on.

    Labels are those that the run was trained with: its corrections are applied.
    """

    corrected: Corrected
    origin: Origin
    train: list[int]
    validation: list[int]

    @property
    def reviews(self) -> list[Review]:
        return self.corrected.reviews

    @property
    def rest(self) -> list[int]:
        """Positions of the reviews that the run neither trained nor validated on, in the order of the source.

        Reviews that its corrections drop are not among them.
        """
        used = {*self.train, *self.validation, *self.corrected.dropped}
        return [position for position in range(len(self.reviews)) if position not in used]

    def texts(self, ids: Iterable[int]) -> list[str]:
        """The texts of the reviews at the rows ``ids``. Raises InputError for a row that the source does not have."""
        try:
            return [self.reviews[row].text for row in ids]
        except IndexError:
            raise InputError(f"{self.origin.describe()} has only {len(self.reviews)} reviews") from None


def reviews_of_run(run: Run) -> RunReviews:
    """Read the reviews of ``run`` again and split them as its training did.

    Raises InputError if the source or the run's corrections are not available any more, or have changed since.
    """
    config = run.config()
    reviews, origin = open_reviews(config.data.source, config.data.dataset)
    require_same_reviews(origin, run)
    corrections = read_run_corrections(config, run, is_new=False)
    corrected = apply_corrections(reviews, origin.sha256, corrections, str(run.path / APPLIED_CORRECTIONS))
    split = split_reviews(
        corrected.reviews,
        config.data,
        seed=config.train.seed,
        batch_size=config.train.batch_size,
        drop=corrected.dropped,
        equal_texts_together=keeps_equal_texts_together(run),
    )
    return RunReviews(corrected, origin, split.train, split.validation)
