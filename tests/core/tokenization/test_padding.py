"""Padded batches, compared with transformers and the trainer, and the share of padding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tokenization.padding import Side, pad_batch, padding_share
from tests.core.support.texts import LENGTHS, SMALL, TEXTS, distilbert_tokenizer_of


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=5),
    special=st.booleans(),
    max_length=LENGTHS,
    side=st.sampled_from(["right", "left"]),
)
def test_a_batch_is_padded_as_transformers_pads_it(
    texts: list[str], special: bool, max_length: int | None, side: Side
) -> None:
    theirs = distilbert_tokenizer_of("small")
    encoded = [
        theirs(text, add_special_tokens=special, truncation=max_length is not None, max_length=max_length)
        for text in texts
    ]
    expected = theirs.pad(encoded, padding="longest", padding_side=side)
    ours = pad_batch(SMALL, texts, add_special_tokens=special, max_length=max_length, side=side)
    assert ours.input_ids == expected["input_ids"]
    assert ours.attention_mask == expected["attention_mask"]


def test_a_batch_is_padded_as_the_trainer_pads_it() -> None:
    import torch

    from core.data.batches import Examples

    texts = ["the film", "the film was good ."]
    ours = pad_batch(SMALL, texts, add_special_tokens=False)
    rows = [row[: sum(mask)] for row, mask in zip(ours.input_ids, ours.attention_mask, strict=True)]
    batch = Examples(rows, [0, 1], [0, 1]).batch([0, 1], torch.device("cpu"))
    input_ids, attention_mask = batch.padded()
    assert ours.input_ids == input_ids.tolist()
    assert ours.attention_mask == attention_mask.tolist()
    assert ours.tokens == batch.tokens


def test_padding_and_truncated_tokens_are_counted() -> None:
    batch = pad_batch(SMALL, ["the", "the film was good"], max_length=5)
    assert (batch.longest, batch.tokens, batch.padding, batch.cut) == (5, 8, 2, [0, 1])
    assert batch.padding_share == 0.2


def test_an_empty_batch_has_no_padding() -> None:
    batch = pad_batch(SMALL, [])
    assert (batch.longest, batch.padding_share) == (0, 0.0)
    assert pad_batch(SMALL, [""], add_special_tokens=False).padding_share == 0.0


def test_batches_sorted_by_length_pad_less() -> None:
    lengths = [1, 9, 1, 9, 1, 9]
    assert padding_share(lengths, 2) == pytest.approx(1 - 30 / 54)
    assert padding_share(lengths, 2, by_length=True) == pytest.approx(1 - 30 / (2 + 18 + 18))
    assert padding_share([], 2) == 0.0


@given(lengths=st.lists(st.integers(1, 256), max_size=60), batch_size=st.integers(1, 16))
def test_the_share_of_padding_is_below_one_and_zero_for_batches_of_one(lengths: list[int], batch_size: int) -> None:
    assert 0 <= padding_share(lengths, batch_size) < 1
    assert padding_share(lengths, 1) == pytest.approx(0)
