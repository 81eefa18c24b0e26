"""Split the reviews into a training set and a validation set, with the ``datasets`` library."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Split:
    """The positions of the reviews for training and for validation, and warnings for the user."""

    train: list[int]
    validation: list[int]
    warnings: list[str]
    dropped: list[int] = field(default_factory=list)
    """The selected reviews that were left out."""


def split_reviews(
    reviews: Sequence[Review], config: DataConfig, *, seed: int, batch_size: int, drop: Collection[int] = ()
) -> Split:
    """Shuffle the reviews, select ``n_samples``, and hold out the share ``test_size`` of them for validation.

    Reviews in ``drop`` are left out afterwards, so that all others are in the same part with and without them. The same
    seed gives the same split. Raises InputError if no review is left for training, or fewer than one batch.
    """
    from datasets import Dataset

    warnings = []
    n_selected = min(config.n_samples, len(reviews))
    if n_selected < config.n_samples:
        warnings.append(
            f"data.n_samples = {config.n_samples}, but there are only {n_selected} reviews; all of them are used"
        )
    n_validation = -(-n_selected * config.test_size // 1)
    if n_validation >= n_selected:
        raise InputError(
            f"data.test_size = {config.test_size} of {n_selected} reviews leaves none for training; make it smaller"
        )
    selected = Dataset.from_dict({"review": list(range(len(reviews)))}).shuffle(seed=seed).select(range(n_selected))
    parts = selected.train_test_split(test_size=config.test_size, seed=seed)
    train, validation = list(parts["train"]["review"]), list(parts["test"]["review"])
    dropped = [i for i in (*train, *validation) if i in drop]
    if dropped:
        train, validation = ([i for i in part if i not in drop] for part in (train, validation))
        if not validation:
            raise InputError("data.corrections drops all validation reviews; drop fewer, or make data.test_size larger")
    split = Split(train, validation, warnings, dropped)
    if batch_size > len(split.train):
        raise InputError(
            f"train.batch_size = {batch_size} is more than the {len(split.train)} training reviews; make it smaller"
        )
    for name, part in (("training", split.train), ("validation", split.validation)):
        if len({reviews[i].label for i in part}) == 1:
            warnings.append(f"all {len(part)} {name} reviews have the same label; {name} accuracy is meaningless")
    return split
