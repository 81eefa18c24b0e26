"""Split the reviews into a training set and a validation set, with the ``datasets`` library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.errors import InputError
from core.formatting import counted


@dataclass(frozen=True, slots=True)
class Split:
    """The positions of the reviews for training and for validation, and warnings for the user."""

    train: list[int]
    validation: list[int]
    warnings: list[str]
    dropped: list[int] = field(default_factory=list)
    """The selected reviews that were left out."""


def split_reviews(
    reviews: Sequence[Review],
    config: DataConfig,
    *,
    seed: int,
    batch_size: int,
    drop: Collection[int] = (),
    equal_texts_together: bool = True,
) -> Split:
    """Shuffle the reviews, select ``n_samples``, and hold out the share ``test_size`` of them for validation.

    With ``equal_texts_together``, validation reviews with the text of a training review change places with training
    reviews; without duplicates the split is that of ``datasets``. Reviews in ``drop`` are left out afterwards, so that
    all others are in the same part with and without them. The same seed gives the same split. Raises InputError if no
    review is left for training, or fewer than one batch.
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
    if equal_texts_together and (exchanged := _exchange_equal_texts(reviews, train, validation)):
        warnings.append(
            f"exchanged {counted(exchanged, 'validation review')} with the text of a training review "
            "for training reviews with other texts"
        )
    dropped = [i for i in (*train, *validation) if i in drop]
    if dropped:
        train, validation = ([i for i in part if i not in drop] for part in (train, validation))
        if not validation:
            raise InputError("data.corrections drops all validation reviews; drop fewer, or make data.test_size larger")
    if memorised := len(_validation_duplicates(reviews, train, validation)):
        have = "review has" if memorised == 1 else "reviews have"
        warnings.append(f"{memorised} validation {have} the same text as a training review; their accuracy is memory")
    split = Split(train, validation, warnings, dropped)
    if batch_size > len(split.train):
        raise InputError(
            f"train.batch_size = {batch_size} is more than the {len(split.train)} training reviews; make it smaller"
        )
    for name, part in (("training", split.train), ("validation", split.validation)):
        if len({reviews[i].label for i in part}) == 1:
            warnings.append(f"all {len(part)} {name} reviews have the same label; {name} accuracy is meaningless")
    return split


def _exchange_equal_texts(reviews: Sequence[Review], train: list[int], validation: list[int]) -> int:
    """Exchange validation reviews that have the text of a training review for training reviews that occur once.

    Changes both lists; their lengths stay. Returns the number of exchanges, fewer than needed if too few reviews occur
    once. The replacements are the last of the shuffled training reviews.
    """
    duplicates = _validation_duplicates(reviews, train, validation)
    if not duplicates:
        return 0
    count = Counter(normalized_text(reviews[i].text) for i in (*train, *validation))
    unique = [at for at in reversed(range(len(train))) if count[normalized_text(reviews[train[at]].text)] == 1]
    pairs = list(zip(duplicates, unique, strict=False))
    for in_validation, in_train in pairs:
        validation[in_validation], train[in_train] = train[in_train], validation[in_validation]
    return len(pairs)


def _validation_duplicates(reviews: Sequence[Review], train: Sequence[int], validation: Sequence[int]) -> list[int]:
    """The positions in ``validation`` of reviews with the text of a training review; white space does not count."""
    trained = {normalized_text(reviews[i].text) for i in train}
    return [at for at, i in enumerate(validation) if normalized_text(reviews[i].text) in trained]


def normalized_text(text: str) -> str:
    """The text with each white space as one space: two reviews with the same one are duplicates."""
    return " ".join(text.split())
