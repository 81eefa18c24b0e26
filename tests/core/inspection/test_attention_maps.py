"""Attention weights match a hand-written softmax."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.inspection.attention_maps import attention_of_text, attention_weights
from core.inspection.weights import build_model
from tests.core.support.looking import preset_target


def test_the_weights_are_the_softmax_of_queries_and_keys(folder: Path) -> None:
    model = build_model(preset_target(folder))
    ids = [7, 8, 9, 10, 11]
    weights, logit = attention_weights(model, ids)
    assert weights.shape == (1, 2, 5, 5)
    with torch.inference_mode():
        hidden = model.distilbert.embeddings(torch.tensor([ids]))
        attention = model.distilbert.transformer.layer[0].attention
        query, key = (lin(hidden)[0].view(5, 2, 8).transpose(0, 1) for lin in (attention.q_lin, attention.k_lin))
        expected = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(8), dim=-1)
        plain = model(torch.tensor([ids]), torch.ones(1, 5, dtype=torch.long)).item()
    assert torch.allclose(torch.from_numpy(weights[0]), expected, atol=1e-6)
    assert weights.sum(axis=-1) == pytest.approx(1.0, abs=1e-5)
    assert logit == pytest.approx(plain, abs=1e-6)


def test_a_text_is_truncated_at_the_last_position_with_a_note(folder: Path) -> None:
    resolved = preset_target(folder)
    whole = attention_of_text(resolved, "film " * 64)
    assert whole.weights.shape == (1, 2, 64, 64)
    assert whole.truncation_note() == ""
    cut = attention_of_text(resolved, "film " * 65)
    assert cut.weights.shape == (1, 2, 64, 64)
    assert cut.truncation_note() == "truncated: 64 of 65 tokens are used, up to character 320"


def test_without_a_head_the_matrix_is_the_mean_and_an_unknown_head_is_refused(folder: Path) -> None:
    found = attention_of_text(preset_target(folder), "a warm film")
    assert found.matrix(0, None) == pytest.approx((found.matrix(0, 0) + found.matrix(0, 1)) / 2)
    with pytest.raises(InputError, match="no layer 1; layers are 0 to 0"):
        found.matrix(1, None)
    with pytest.raises(InputError, match="no head 2; heads are 0 to 1"):
        found.matrix(0, 2)


def test_a_text_without_tokens_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="no token"):
        attention_of_text(preset_target(folder), " ")
