"""The split of the reviews into a training and a validation part, the same as with the ``datasets`` library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of the reviews chosen for training and for validation."""

    train: list[int]
    validation: list[int]
    warnings: list[str]


def split_reviews(reviews: Sequence[Review], config: DataConfig, *, seed: int, batch_size: int) -> Split:
    """Shuffle, take ``n_samples``, and hold out ``test_size`` of them, as ``datasets`` does with this seed.

    Raises InputError if too few reviews remain for one batch or for validation.
    """
    from datasets import Dataset

    warnings = []
    taken = min(config.n_samples, len(reviews))
    if taken < config.n_samples:
        warnings.append(f"data.n_samples = {config.n_samples}, but there are only {taken} reviews; using all of them")
    validation = -(-taken * config.test_size // 1)
    if validation >= taken:
        raise InputError(f"data.test_size = {config.test_size} of {taken} reviews leaves none to train on")
    indices = Dataset.from_dict({"review": list(range(len(reviews)))}).shuffle(seed=seed).select(range(taken))
    parts = indices.train_test_split(test_size=config.test_size, seed=seed)
    split = Split(list(parts["train"]["review"]), list(parts["test"]["review"]), warnings)
    if batch_size > len(split.train):
        raise InputError(
            f"train.batch_size = {batch_size} is more than the {len(split.train)} training reviews; make it smaller"
        )
    for name, part in (("training", split.train), ("validation", split.validation)):
        if len({reviews[i].label for i in part}) == 1:
            warnings.append(f"all {len(part)} {name} reviews have the same label; {name} accuracy is meaningless")
    return split
