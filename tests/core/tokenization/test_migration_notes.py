"""The migration notes, checked against transformers."""

from __future__ import annotations

import pytest

from core.tokenization.migration_notes import MIGRATION_NOTES
from tests.core.support.texts import SMALL, distilbert_tokenizer_of


def test_encode_reads_a_list_as_a_batch_of_texts() -> None:
    tokenizer = distilbert_tokenizer_of("small")
    tokens = tokenizer.tokenize("the film")
    ids = SMALL.encode("the film", add_special_tokens=False).ids
    assert tokenizer.encode(tokens) == [[2, i, 3] for i in ids]
    assert tokenizer.convert_tokens_to_ids(tokens) == ids
    assert tokenizer.encode("the film") == [2, *ids, 3]
    assert tokenizer.convert_ids_to_tokens(ids) == tokens


@pytest.mark.parametrize("name", ["ids_to_tokens", "encode_plus"])
def test_names_marked_as_removed_do_not_exist(name: str) -> None:
    assert not hasattr(distilbert_tokenizer_of("small"), name)
    assert any(name in call and note.startswith("removed") for call, note in MIGRATION_NOTES)


def test_max_length_has_no_effect_with_padding_to_the_longest() -> None:
    tokenizer = distilbert_tokenizer_of("small")
    batch = [tokenizer("the"), tokenizer("the film")]
    assert tokenizer.pad(batch, padding="longest", max_length=256) == tokenizer.pad(batch, padding="longest")
