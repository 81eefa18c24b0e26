"""Statistics of a tensor, and the tokens nearest to another."""

from __future__ import annotations

import math

import pytest
import torch

from core.errors import InputError
from core.inspection.tensor_stats import EMBEDDINGS, nearest_tokens, statistics, tensor_statistics, token_id
from core.inspection.weights import Weights
from tests.tui.fakes import PIECES, small_tokenizer


def weights(**tensors: torch.Tensor) -> Weights:
    named = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return Weights("mine", {name: tuple(tensor.shape) for name, tensor in named.items()}, named.__getitem__)


def test_statistics_match_values_computed_by_hand() -> None:
    found = statistics("t", torch.tensor([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]]))
    assert (found.shape, found.dtype, found.count) == ((2, 3), "float32", 6)
    assert found.mean == pytest.approx(10 / 6)
    assert found.std == pytest.approx(math.sqrt((30 - 6 * (10 / 6) ** 2) / 5))
    assert (found.min, found.max) == (0.0, 4.0)
    assert found.quantiles[0.5] == pytest.approx(1.5)
    assert found.quantiles[0.25] == pytest.approx(0.25)
    assert found.sparsity == pytest.approx(2 / 6)
    assert found.first == [1.0, 2.0, 3.0, 4.0, 0.0, 0.0]


def test_statistics_of_a_large_tensor_match_torch() -> None:
    tensor = torch.randn(1200, 1000, generator=torch.Generator().manual_seed(0)) + 3
    found = statistics("t", tensor)
    assert found.mean == pytest.approx(tensor.double().mean().item(), rel=1e-12)
    assert found.std == pytest.approx(tensor.double().std().item(), rel=1e-9)
    assert sum(found.bins) == tensor.numel()
    assert len(found.edges) == len(found.bins) + 1
    assert (found.edges[0], found.edges[-1]) == (pytest.approx(found.min), pytest.approx(found.max))
    assert found.quantiles[0.95] == pytest.approx(3 + 1.645, abs=0.02)


def test_nan_and_infinities_are_counted_and_excluded_from_statistics() -> None:
    found = statistics("t", torch.tensor([math.nan, 1.0, math.inf, 3.0, -math.inf, math.nan]))
    assert (found.nan, found.inf, found.mean, found.min, found.max) == (2, 2, 2.0, 1.0, 3.0)
    assert sum(found.bins) == 2
    nothing = statistics("t", torch.tensor([math.nan]))
    assert math.isnan(nothing.mean)
    assert nothing.bins == []


@pytest.mark.parametrize("tensor", [torch.ones(4), torch.tensor(2.0), torch.zeros(3, dtype=torch.bfloat16)])
def test_a_constant_tensor_has_no_spread(tensor: torch.Tensor) -> None:
    found = statistics("t", tensor)
    assert found.std == 0
    assert sum(found.bins) == tensor.numel()


def test_an_unknown_tensor_is_refused_with_similar_names() -> None:
    with pytest.raises(InputError, match="mine has no tensor 'lin9'; --params lists them"):
        tensor_statistics(weights(a__lin1=torch.ones(1)), "lin9")
    with pytest.raises(InputError, match=r"did you mean a\.lin1"):
        tensor_statistics(weights(a__lin1=torch.ones(1)), "LIN")


def test_nearest_tokens_are_ranked_by_cosine_not_by_length() -> None:
    table = torch.zeros(len(PIECES), 3)
    place = {piece: i for i, piece in enumerate(PIECES)}
    table[place["film"]] = torch.tensor([1.0, 0.0, 0.0])
    table[place["play"]] = torch.tensor([5.0, 0.0, 0.0])
    table[place["joy"]] = torch.tensor([1.0, 1.0, 0.0])
    table[place["bore"]] = torch.tensor([-1.0, 0.0, 0.0])
    found = nearest_tokens(weights(**{EMBEDDINGS.replace(".", "__"): table}), small_tokenizer(), "film", count=2)
    assert [(one.token, one.id) for one in found] == [("play", place["play"]), ("joy", place["joy"])]
    assert [one.cosine for one in found] == pytest.approx([1.0, math.sqrt(0.5)])


def test_a_token_is_found_by_its_vocabulary_form_or_as_a_word() -> None:
    tokenizer = small_tokenizer()
    assert token_id(tokenizer, "##ing") == PIECES.index("##ing")
    assert token_id(tokenizer, "FILM") == PIECES.index("film")
    with pytest.raises(InputError, match="'films' is not one token of the vocabulary but film ##s"):
        token_id(tokenizer, "films")
    with pytest.raises(InputError, match="but nothing"):
        token_id(tokenizer, " ")
