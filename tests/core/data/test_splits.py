"""Reviews to batches: the split of ``datasets``, an order of (seed, epoch) alone, padding that is masked."""

from __future__ import annotations

import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.data.splits import Examples, Split, collate, encode_examples, epoch_order, split_reviews
from core.errors import InputError
from core.sources.embedded import SPECIAL_TOKENS, wordpiece_tokenizer

REVIEWS = [Review(f"film {i}", i % 2) for i in range(60)]
CPU = torch.device("cpu")
TOKENIZER = wordpiece_tokenizer({piece: i for i, piece in enumerate([*SPECIAL_TOKENS, "good", "film", *"0123456789"])})


def split(reviews: list[Review] = REVIEWS, *, seed: int = 0, batch_size: int = 4, **data: float) -> Split:
    return split_reviews(reviews, DataConfig(**data), seed=seed, batch_size=batch_size)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("n_samples", [10, 59, 60])
@pytest.mark.parametrize("test_size", [0.2, 0.33, 0.9])
def test_the_split_is_that_of_datasets_with_the_same_seed(seed: int, n_samples: int, test_size: float) -> None:
    rows = Dataset.from_dict({"place": list(range(60))})
    theirs = rows.shuffle(seed=seed).select(range(n_samples)).train_test_split(test_size=test_size, seed=seed)
    ours = split(seed=seed, batch_size=1, n_samples=n_samples, test_size=test_size)
    assert ours.train == list(theirs["train"]["place"])
    assert ours.validation == list(theirs["test"]["place"])


def test_a_split_takes_every_chosen_review_once() -> None:
    parts = split(n_samples=40, test_size=0.25)
    assert (len(parts.train), len(parts.validation)) == (30, 10)
    assert len({*parts.train, *parts.validation}) == 40
    assert parts.warnings == []


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    assert split(n_samples=40, seed=5) == split(n_samples=40, seed=5)
    assert split(n_samples=40, seed=5) != split(n_samples=40, seed=6)


def test_a_batch_larger_than_the_training_reviews_is_refused_with_both_numbers() -> None:
    assert split(n_samples=20, batch_size=16).train
    with pytest.raises(InputError, match=r"^train\.batch_size = 17 is more than the 16 training reviews"):
        split(n_samples=20, batch_size=17)


@pytest.mark.parametrize(("n_samples", "test_size"), [(2, 0.9), (5, 0.9)])
def test_a_test_size_that_leaves_none_to_train_on_is_refused(n_samples: int, test_size: float) -> None:
    with pytest.raises(InputError, match=rf"^data\.test_size = 0\.9 of {n_samples} reviews leaves none to train on"):
        split(n_samples=n_samples, test_size=test_size, batch_size=1)


def test_fewer_reviews_than_asked_for_are_all_taken_with_a_warning() -> None:
    parts = split(n_samples=2000)
    assert len(parts.train) + len(parts.validation) == 60
    assert parts.warnings == ["there are only 60 reviews; all are taken instead of data.n_samples = 2000"]


def test_a_part_of_one_class_is_warned_of() -> None:
    positive = [Review("film", 1)] * 60
    warnings = split(positive, n_samples=20).warnings
    assert [words.split(" reviews ")[0] for words in warnings] == ["all 16 training", "all 4 validation"]
    mostly = split([*positive[:59], Review("film", 0)], n_samples=60).warnings
    assert len(mostly) == 1


@given(n=st.integers(0, 200), seed=st.integers(0, 2**32 - 1), epoch=st.integers(1, 1000), reshuffle=st.booleans())
def test_the_order_is_a_permutation_and_a_function_of_its_arguments(
    n: int, seed: int, epoch: int, reshuffle: bool
) -> None:
    order = epoch_order(n, seed=seed, epoch=epoch, reshuffle=reshuffle)
    assert sorted(order) == list(range(n))
    epoch_order(n, seed=seed + 1, epoch=epoch + 1, reshuffle=True)
    assert epoch_order(n, seed=seed, epoch=epoch, reshuffle=reshuffle) == order


def test_the_order_changes_between_epochs_and_seeds_only_with_reshuffling() -> None:
    kept = [epoch_order(50, seed=seed, epoch=epoch, reshuffle=False) for seed in (0, 1) for epoch in (1, 2)]
    assert kept == [list(range(50))] * 4
    drawn = [epoch_order(50, seed=seed, epoch=epoch, reshuffle=True) for seed in (0, 1, 11) for epoch in (1, 2, 11)]
    assert len({tuple(order) for order in drawn}) == 9


def test_the_order_of_an_epoch_stays_what_earlier_runs_had() -> None:
    assert epoch_order(8, seed=0, epoch=1, reshuffle=True) == [6, 1, 0, 2, 3, 4, 5, 7]


ROWS = st.lists(st.lists(st.integers(1, 30_000), min_size=1, max_size=20), min_size=1, max_size=8)


@settings(deadline=None)
@given(ROWS)
def test_a_batch_is_padded_to_its_longest_and_masks_what_is_padding(rows: list[list[int]]) -> None:
    batch = collate(rows, [i % 2 for i in range(len(rows))], CPU)
    longest = max(map(len, rows))
    assert batch.input_ids.shape == batch.attention_mask.shape == (len(rows), longest)
    assert batch.input_ids.dtype == batch.attention_mask.dtype == torch.int64
    assert batch.labels.dtype == torch.float32
    assert batch.labels.tolist() == [i % 2 for i in range(len(rows))]
    assert batch.tokens == sum(map(len, rows)) == batch.attention_mask.sum()
    for ids, mask, row in zip(batch.input_ids.tolist(), batch.attention_mask.tolist(), rows, strict=True):
        assert ids == row + [0] * (longest - len(row))
        assert mask == [1] * len(row) + [0] * (longest - len(row))


def test_ids_are_on_the_device_once_a_row_for_each_review() -> None:
    examples = Examples([[7], [8, 9, 10], [11, 12]], [0, 1, 0], [0, 1, 2])
    rows = examples.rows(CPU)
    assert [row.tolist() for row in rows] == examples.input_ids
    assert {row.dtype for row in rows} == {torch.int64}
    assert examples.rows(CPU) is rows
    assert len({row.untyped_storage().data_ptr() for row in rows}) == 1


@pytest.mark.parametrize("special", [True, False])
def test_examples_keep_the_place_and_the_label_of_their_reviews(special: bool) -> None:
    config = DataConfig(add_special_tokens=special, max_length=4)
    examples = encode_examples(REVIEWS, [5, 2, 40], TOKENIZER, config)
    assert examples.review_ids == [5, 2, 40]
    assert examples.labels == [1, 0, 0]
    assert len(examples) == 3
    film, five = TOKENIZER.token_to_id("film"), TOKENIZER.token_to_id("5")
    assert examples.input_ids[0] == ([2, film, five, 3] if special else [film, five])


@pytest.mark.parametrize("text", ["\u200b", "\0", "\u00ad"])
def test_a_review_of_no_token_becomes_one_unknown(text: str) -> None:
    reviews = [Review(text, 1), Review("good film", 0)]
    examples = encode_examples(reviews, [0, 1], TOKENIZER, DataConfig())
    assert examples.input_ids == [[1], [TOKENIZER.token_to_id("good"), TOKENIZER.token_to_id("film")]]
    assert collate(examples.input_ids, examples.labels, CPU).attention_mask.tolist() == [[1, 0], [1, 1]]


def test_no_example_is_longer_than_the_limit() -> None:
    examples = encode_examples([Review("good film " * 500, 1)], [0], TOKENIZER, DataConfig(max_length=256))
    assert len(examples.input_ids[0]) == 256
