"""The count of floating point operations equals a calculation by hand and torch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DistilBertConfig

from core.config.schema import ModelConfig
from core.model.classifier import build_classifier, encoder_config
from core.model.flops import classifier_flops, encoder_flops

SMALL = {"vocab_size": 50, "dim": 16, "hidden_dim": 40, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 32}


def test_the_count_for_the_base_model_equals_a_calculation_by_hand() -> None:
    # 6 layers of 4 * 768² + 2 * 768 * 3072 = 7,077,888 weights, 2 * 16 * 256 * 42,467,328 = 347,892,350,976;
    # attention 4 * 16 * 6 * 256² * 768 = 19,327,352,832.
    assert encoder_flops(DistilBertConfig(), 16, 256) == 347_892_350_976 + 19_327_352_832


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (2, 7), (3, 32)])
def test_the_count_equals_that_of_torch_under_eager_attention(batch: int, length: int) -> None:
    config = encoder_config(SMALL)
    model = build_classifier(config, ModelConfig(), None).eval()
    model.distilbert.set_attn_implementation("eager")
    ids = torch.ones(batch, length, dtype=torch.long)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(ids, torch.ones_like(ids))
    assert counter.get_total_flops() == classifier_flops(config, batch, length)
    assert classifier_flops(config, batch, length) - encoder_flops(config, batch, length) == 2 * batch * 16
