"""Batches of encoded reviews: flat without padding, padded as transformers pads, and in an order that seeds decide."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.schema import DataConfig
from core.data.batches import Examples, encode_examples, epoch_batches
from core.data.reviews import Review
from core.sources.embedded import SPECIAL_TOKENS, wordpiece_tokenizer
from tests.core.support.texts import distilbert_tokenizer_of

REVIEWS = [Review(f"film {i}", i % 2) for i in range(60)]
CPU = torch.device("cpu")
TOKENIZER = wordpiece_tokenizer({piece: i for i, piece in enumerate([*SPECIAL_TOKENS, "good", "film", *"0123456789"])})
ROWS = st.lists(st.lists(st.integers(1, 30_000), min_size=1, max_size=20), min_size=1, max_size=8)
THREE = Examples([[7], [8, 9, 10], [11, 12]], [0, 1, 0], [30, 10, 20])


def test_a_batch_is_flat_with_cumulative_lengths() -> None:
    batch = THREE.batch([1, 0], CPU)
    assert batch.input_ids.tolist() == [8, 9, 10, 7]
    assert batch.position_ids.tolist() == [0, 1, 2, 0]
    assert batch.cu_seqlens.tolist() == [0, 3, 4]
    assert (batch.max_seqlen, batch.tokens, len(batch)) == (3, 4, 2)
    assert batch.labels.tolist() == [1.0, 0.0]
    assert batch.example_ids == [10, 30]
    assert [t.dtype for t in (batch.input_ids, batch.position_ids, batch.cu_seqlens, batch.labels)] == [
        torch.int64, torch.int64, torch.int32, torch.float32]  # fmt: skip


@settings(deadline=None)
@given(rows=ROWS)
def test_a_padded_batch_is_the_one_of_transformers_collator(rows: list[list[int]]) -> None:
    from transformers import DataCollatorWithPadding

    examples = Examples(rows, [0] * len(rows), list(range(len(rows))))
    input_ids, attention_mask = examples.batch(range(len(rows)), CPU).padded()
    theirs = DataCollatorWithPadding(distilbert_tokenizer_of("small"))([{"input_ids": row} for row in rows])
    assert torch.equal(input_ids, theirs["input_ids"])
    assert torch.equal(attention_mask, theirs["attention_mask"])


@settings(deadline=None)
@given(rows=ROWS, size=st.integers(1, 9))
def test_micro_batches_are_the_batches_of_their_examples(rows: list[list[int]], size: int) -> None:
    examples = Examples(rows, [i % 2 for i in range(len(rows))], list(range(len(rows))))
    batch = examples.batch(range(len(rows)), CPU)
    for start in range(0, len(rows), size):
        chosen = list(range(start, min(start + size, len(rows))))
        part, expected = batch.select(chosen), examples.batch(chosen, CPU)
        for name in ("input_ids", "position_ids", "cu_seqlens", "labels"):
            assert torch.equal(getattr(part, name), getattr(expected, name)), name
        assert (part.seqlens, part.max_seqlen, part.example_ids) == (
            expected.seqlens, expected.max_seqlen, expected.example_ids)  # fmt: skip


def test_a_filled_up_batch_has_one_more_review_that_does_not_count() -> None:
    batch = THREE.batch([1, 0], CPU).filled_up(6)
    assert batch.input_ids.tolist() == [8, 9, 10, 7, 0, 0]
    assert batch.cu_seqlens.tolist() == [0, 3, 4, 6]
    assert (len(batch), batch.tokens, batch.labels.tolist()) == (2, 4, [1.0, 0.0])


@pytest.mark.parametrize("special", [True, False])
def test_examples_have_the_rows_and_labels_of_their_reviews(special: bool) -> None:
    config = DataConfig(add_special_tokens=special, max_length=4)
    examples = encode_examples(REVIEWS, [5, 2, 40], TOKENIZER, config)
    assert examples.example_ids == [5, 2, 40]
    assert examples.labels == [1, 0, 0]
    film, five = TOKENIZER.token_to_id("film"), TOKENIZER.token_to_id("5")
    assert examples.input_ids[0] == ([2, film, five, 3] if special else [film, five])


@pytest.mark.parametrize("text", ["\u200b", "\0", "\u00ad"])
def test_a_review_without_any_token_becomes_one_unknown_token(text: str) -> None:
    examples = encode_examples([Review(text, 1), Review("good film", 0)], [0, 1], TOKENIZER, DataConfig())
    assert examples.input_ids == [[1], [TOKENIZER.token_to_id("good"), TOKENIZER.token_to_id("film")]]


def test_no_example_is_longer_than_max_length() -> None:
    examples = encode_examples([Review("good film " * 500, 1)], [0], TOKENIZER, DataConfig(max_length=256))
    assert len(examples.input_ids[0]) == 256


@given(
    n=st.integers(0, 200),
    size=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(1, 1000),
    reshuffle=st.booleans(),
)
def test_the_batches_of_an_epoch_hold_each_example_once_and_depend_only_on_their_arguments(
    n: int, size: int, seed: int, epoch: int, reshuffle: bool
) -> None:
    batches = epoch_batches(n, size, seed=seed, epoch=epoch, reshuffle=reshuffle)
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert all(len(batch) == size for batch in batches[:-1])
    epoch_batches(n, size, seed=seed + 1, epoch=epoch + 1, reshuffle=True)
    assert epoch_batches(n, size, seed=seed, epoch=epoch, reshuffle=reshuffle) == batches


def test_the_order_changes_between_epochs_and_seeds_only_with_reshuffling() -> None:
    def order(seed: int, epoch: int, reshuffle: bool) -> tuple[int, ...]:
        return tuple(epoch_batches(50, 50, seed=seed, epoch=epoch, reshuffle=reshuffle)[0])

    assert {order(seed, epoch, False) for seed in (0, 1) for epoch in (1, 2)} == {tuple(range(50))}
    assert len({order(seed, epoch, True) for seed in (0, 1, 11) for epoch in (1, 2, 11)}) == 9


def test_the_order_of_an_epoch_is_the_one_of_earlier_runs() -> None:
    assert epoch_batches(8, 5, seed=0, epoch=1, reshuffle=True) == [[6, 1, 0, 2, 3], [4, 5, 7]]
