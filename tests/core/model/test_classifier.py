"""The classifier: sizes, dropout, frozen parameters, and weights that fit."""

from __future__ import annotations

import pytest
import torch
from transformers import DistilBertConfig

from core.config.schema import ModelConfig
from core.errors import InputError
from core.model.classifier import (
    DistilBertClassifier,
    build_classifier,
    encoder_config,
    freeze,
    meta_classifier,
    require_fit,
)

SMALL = {"vocab_size": 50, "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 32}
NO_DROPOUT = {"dropout": 0.0, "attention_dropout": 0.0}
IDS = torch.arange(2, 14).reshape(2, 6)
MASK = torch.ones_like(IDS)


def small(**model: object) -> DistilBertClassifier:
    torch.manual_seed(0)
    return build_classifier(encoder_config({**SMALL, **NO_DROPOUT}), ModelConfig(**model), None)


def test_the_base_model_has_the_published_number_of_parameters() -> None:
    classifier = meta_classifier(DistilBertConfig())
    encoder = list(classifier.distilbert.parameters())
    assert (len(encoder), sum(p.numel() for p in encoder)) == (100, 66_362_880)
    parameters = list(classifier.parameters())
    assert (len(parameters), sum(p.numel() for p in parameters)) == (102, 66_363_649)
    assert all(p.is_meta for p in parameters)


def test_head_dropout_is_applied_only_in_training() -> None:
    classifier = small(head_dropout=0.5)
    assert classifier.training
    assert not torch.equal(classifier(IDS, MASK), classifier(IDS, MASK))
    classifier.eval()
    assert torch.equal(classifier(IDS, MASK), classifier(IDS, MASK))
    plain = small()
    assert torch.equal(plain(IDS, MASK), classifier(IDS, MASK))


def test_padding_does_not_change_a_logit() -> None:
    classifier = small().eval()
    padded = torch.cat([IDS, torch.zeros(2, 3, dtype=torch.long)], dim=1)
    mask = torch.cat([MASK, torch.zeros(2, 3, dtype=torch.long)], dim=1)
    with torch.inference_mode():
        assert torch.allclose(classifier(IDS, MASK), classifier(padded, mask), atol=1e-6)


def test_a_logit_is_the_linear_head_on_the_hidden_state_at_position_0() -> None:
    classifier = small().eval()
    with torch.inference_mode():
        hidden = classifier.distilbert(input_ids=IDS, attention_mask=MASK).last_hidden_state
        expected = hidden[:, 0] @ classifier.classifier.weight[0] + classifier.classifier.bias[0]
        logits = classifier(IDS, MASK)
    assert logits.shape == (2,)
    assert torch.allclose(logits, expected)


def test_the_same_seed_draws_the_same_weights() -> None:
    first, second = small().state_dict(), small().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_given_weights_replace_the_random_ones_and_unknown_ones_are_ignored() -> None:
    weights = {name: tensor + 1 for name, tensor in small().distilbert.state_dict().items()}
    config = encoder_config({**SMALL, **NO_DROPOUT})
    classifier = build_classifier(config, ModelConfig(), {**weights, "pooler.weight": torch.zeros(1)})
    assert all(torch.equal(tensor, weights[name]) for name, tensor in classifier.distilbert.state_dict().items())


def test_a_missing_tensor_and_a_wrong_shape_are_refused_by_name() -> None:
    weights = dict(small().distilbert.state_dict())
    name = "transformer.layer.1.ffn.lin2.bias"
    config = encoder_config({**SMALL, **NO_DROPOUT})
    with pytest.raises(InputError, match=rf"no tensor {name}; it is not a complete DistilBERT"):
        build_classifier(config, ModelConfig(), {key: value for key, value in weights.items() if key != name})
    with pytest.raises(InputError, match=rf"tensor {name} of the checkpoint has shape \[17\], .* requires \[16\]"):
        build_classifier(config, ModelConfig(), {**weights, name: torch.zeros(17)})


def test_freezing_an_unknown_name_is_refused() -> None:
    for name in ("embeddings", "classifier.wei"):
        with pytest.raises(InputError, match=rf"no module or parameter is named '{name}'; try distilbert"):
            small(freeze=(name,))


def test_freezing_parameters_is_refused() -> None:
    with pytest.raises(InputError, match="leaves no parameter to train"):
        freeze(small(), ["distilbert", "classifier"])


def test_an_impossible_configuration_is_refused_with_a_message() -> None:
    for invalid in ({"dim": 15}, {"n_layers": "six"}):
        with pytest.raises(InputError, match="the checkpoint's configuration cannot be used"):
            encoder_config({**SMALL, **invalid})


def test_a_vocabulary_or_a_length_beyond_the_embeddings_is_refused() -> None:
    config = encoder_config(SMALL)
    require_fit(config, 50, 32)
    with pytest.raises(InputError, match="has 51 tokens, but its vocab_size is 50"):
        require_fit(config, 51, 32)
    with pytest.raises(InputError, match=r"data\.max_length = 33 is more than the checkpoint's 32 positions"):
        require_fit(config, 50, 33)
