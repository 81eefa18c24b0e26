"""What the notebook wrote and what it is today: transformers itself is asked."""

from __future__ import annotations

import pytest

from core.tokenization.migration_notes import OLD_WAYS
from tests.core.support.texts import SMALL, distilbert_tokenizer_of


def test_a_list_of_tokens_is_encoded_as_several_texts_and_converted_as_tokens() -> None:
    tokenizer = distilbert_tokenizer_of("small")
    tokens = tokenizer.tokenize("the film")
    ids = SMALL.encode("the film", add_special_tokens=False).ids
    assert tokenizer.encode(tokens) == [[2, i, 3] for i in ids]
    assert tokenizer.convert_tokens_to_ids(tokens) == ids
    assert tokenizer.encode("the film") == [2, *ids, 3]
    assert tokenizer.convert_ids_to_tokens(ids) == tokens


@pytest.mark.parametrize("gone", ["ids_to_tokens", "encode_plus"])
def test_what_is_called_gone_is_gone(gone: str) -> None:
    assert not hasattr(distilbert_tokenizer_of("small"), gone)
    assert any(gone in old and words.startswith("gone") for old, words in OLD_WAYS)


def test_max_length_has_no_effect_beside_padding_to_the_longest() -> None:
    tokenizer = distilbert_tokenizer_of("small")
    batch = [tokenizer("the"), tokenizer("the film")]
    assert tokenizer.pad(batch, padding="longest", max_length=256) == tokenizer.pad(batch, padding="longest")
