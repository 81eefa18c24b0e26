"""The split into training and validation reviews, compared with ``datasets``."""

from __future__ import annotations

import pytest
from datasets import Dataset

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.data.splits import Split, split_reviews
from core.errors import InputError

REVIEWS = [Review(f"film {i}", i % 2) for i in range(60)]


def split(reviews: list[Review] = REVIEWS, *, seed: int = 0, batch_size: int = 4, **data: float) -> Split:
    return split_reviews(reviews, DataConfig(**data), seed=seed, batch_size=batch_size)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("n_samples", [10, 59, 60])
@pytest.mark.parametrize("test_size", [0.2, 0.33, 0.9])
def test_the_split_equals_that_of_datasets_with_the_same_seed(seed: int, n_samples: int, test_size: float) -> None:
    rows = Dataset.from_dict({"row": list(range(60))})
    theirs = rows.shuffle(seed=seed).select(range(n_samples)).train_test_split(test_size=test_size, seed=seed)
    ours = split(seed=seed, batch_size=1, n_samples=n_samples, test_size=test_size)
    assert ours.train == list(theirs["train"]["row"])
    assert ours.validation == list(theirs["test"]["row"])


def test_each_selected_review_is_in_one_part_of_the_split() -> None:
    parts = split(n_samples=40, test_size=0.25)
    assert (len(parts.train), len(parts.validation)) == (30, 10)
    assert len({*parts.train, *parts.validation}) == 40
    assert parts.warnings == []


def test_the_split_depends_on_the_seed() -> None:
    assert split(n_samples=40, seed=5) == split(n_samples=40, seed=5)
    assert split(n_samples=40, seed=5) != split(n_samples=40, seed=6)


def test_a_batch_larger_than_the_training_set_is_refused() -> None:
    assert split(n_samples=20, batch_size=16).train
    with pytest.raises(InputError, match=r"^train\.batch_size = 17 is more than the 16 training reviews"):
        split(n_samples=20, batch_size=17)


@pytest.mark.parametrize(("n_samples", "test_size"), [(2, 0.9), (5, 0.9)])
def test_a_test_size_that_leaves_no_training_reviews_is_refused(n_samples: int, test_size: float) -> None:
    with pytest.raises(InputError, match=rf"^data\.test_size = 0\.9 of {n_samples} reviews leaves none for training"):
        split(n_samples=n_samples, test_size=test_size, batch_size=1)


def test_fewer_reviews_than_n_samples_are_all_used_with_a_warning() -> None:
    parts = split(n_samples=2000)
    assert len(parts.train) + len(parts.validation) == 60
    assert parts.warnings == ["data.n_samples = 2000, but there are only 60 reviews; all of them are used"]


def test_a_part_with_a_single_label_gives_a_warning() -> None:
    positive = [Review(f"film {i}", 1) for i in range(60)]
    warnings = split(positive, n_samples=20).warnings
    assert [warning.split(" reviews ")[0] for warning in warnings] == ["all 16 training", "all 4 validation"]
    mostly = split([*positive[:59], Review("another", 0)], n_samples=60).warnings
    assert len(mostly) == 1


def test_dropped_reviews_leave_both_parts_and_all_others_stay_where_they_are() -> None:
    before = split(n_samples=40, test_size=0.25)
    drop = {before.train[0], before.train[5], before.validation[3], 99}
    after = split_reviews(REVIEWS, DataConfig(n_samples=40, test_size=0.25), seed=0, batch_size=4, drop=drop)
    assert after.train == [i for i in before.train if i not in drop]
    assert after.validation == [i for i in before.validation if i not in drop]
    assert sorted(after.dropped) == sorted(drop - {99})


def test_dropping_too_many_reviews_is_refused() -> None:
    before, config = split(n_samples=20), DataConfig(n_samples=20)
    with pytest.raises(InputError, match=r"data\.corrections drops all validation reviews"):
        split_reviews(REVIEWS, config, seed=0, batch_size=4, drop=before.validation)
    with pytest.raises(InputError, match=r"train\.batch_size = 4 is more than the 0 training reviews"):
        split_reviews(REVIEWS, config, seed=0, batch_size=4, drop=before.train)


def with_duplicates(*pairs: tuple[int, int]) -> list[Review]:
    """The reviews, each second one of ``pairs`` with the text of the first and more white space."""
    reviews = list(REVIEWS)
    for first, second in pairs:
        reviews[second] = Review(f" {reviews[first].text.replace(' ', chr(10))} ", reviews[second].label)
    return reviews


def test_equal_texts_are_on_one_side_of_the_split_and_the_sizes_stay() -> None:
    plain = split(n_samples=60)
    copied = [(plain.train[0], plain.validation[2]), (plain.train[7], plain.validation[5])]
    found = split(with_duplicates(*copied), n_samples=60)
    assert (len(found.train), len(found.validation)) == (len(plain.train), len(plain.validation))
    assert sorted([*found.train, *found.validation]) == list(range(60))
    assert {row for pair in copied for row in pair} <= {*found.train}
    changed = {at for at in range(12) if found.validation[at] != plain.validation[at]}
    assert changed == {2, 5}
    assert [found.validation[at] for at in (2, 5)] == [plain.train[-1], plain.train[-2]]
    assert found.warnings == [
        "exchanged 2 validation reviews with the text of a training review for training reviews with other texts"
    ]


def test_duplicates_inside_one_part_do_not_change_the_split() -> None:
    plain = split(n_samples=60)
    copied = [(plain.train[0], plain.train[1]), (plain.validation[0], plain.validation[1])]
    assert split(with_duplicates(*copied), n_samples=60) == plain


def test_without_the_exchange_the_split_stays_and_the_duplicates_are_counted() -> None:
    plain = split(n_samples=60)
    reviews = with_duplicates((plain.train[0], plain.validation[2]))
    found = split_reviews(reviews, DataConfig(n_samples=60), seed=0, batch_size=4, equal_texts_together=False)
    assert (found.train, found.validation) == (plain.train, plain.validation)
    assert found.warnings == ["1 validation review has the same text as a training review; their accuracy is memory"]


def test_duplicates_that_cannot_be_exchanged_are_counted() -> None:
    warnings = split([Review("film", i % 2) for i in range(60)], n_samples=60).warnings
    assert warnings == ["12 validation reviews have the same text as a training review; their accuracy is memory"]


def test_a_validation_review_whose_copy_is_dropped_from_training_is_not_counted() -> None:
    plain = split(n_samples=60)
    found = split_reviews(
        with_duplicates((plain.train[0], plain.validation[2])),
        DataConfig(n_samples=60),
        seed=0,
        batch_size=4,
        drop={plain.train[0]},
        equal_texts_together=False,
    )
    assert found.warnings == []
