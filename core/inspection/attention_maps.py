"""Attention weights of one text, computed with eager attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from core.errors import InputError
from core.inspection.target import Resolved
from core.inspection.weights import build_model
from core.model.classifier import Classifier
from core.tokenization.encode import Encoding, encode

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Attention:
    """``weights`` is [layer, head, from, to], float32; each row over ``to`` sums to 1."""

    encoding: Encoding
    weights: np.ndarray[Any, Any]
    logit: float

    @property
    def layers(self) -> int:
        return int(self.weights.shape[0])

    @property
    def heads(self) -> int:
        return int(self.weights.shape[1])

    def matrix(self, layer: int, head: int | None) -> np.ndarray[Any, Any]:
        """Return [from, to] of one head, or with None the mean of all. Raises InputError if it does not exist."""
        if not 0 <= layer < self.layers:
            raise InputError(f"there is no layer {layer}; layers are 0 to {self.layers - 1}")
        if head is None:
            mean: np.ndarray[Any, Any] = self.weights[layer].mean(axis=0)
            return mean
        if not 0 <= head < self.heads:
            raise InputError(f"there is no head {head}; heads are 0 to {self.heads - 1}")
        one: np.ndarray[Any, Any] = self.weights[layer, head]
        return one

    def truncation_note(self) -> str:
        """Return a note if the text was truncated, else an empty text."""
        if self.encoding.cut_from is None:
            return ""
        used, full = len(self.encoding.tokens), self.encoding.full_length
        return f"truncated: {used} of {full} tokens are used, up to character {self.encoding.cut_from}"


def attention_weights(model: Classifier, ids: list[int]) -> tuple[np.ndarray[Any, Any], float]:
    """Return [layer, head, from, to] and the logit of one text. Memory: 4 · layers · heads · n² bytes."""
    model.eval()
    model.distilbert.set_attn_implementation("eager")
    with torch.inference_mode():
        batch = torch.tensor([ids])
        mask = torch.ones_like(batch)
        output = model.distilbert(input_ids=batch, attention_mask=mask, output_attentions=True)
        return torch.cat(output.attentions).float().numpy(), float(model(batch, mask).item())


def attention_of_text(resolved: Resolved, text: str) -> Attention:
    """Encode a text like the target's reviews, but up to the model's maximum length, and compute its attention.

    Raises InputError if the text has no tokens, and as :func:`core.inspection.weights.build_model`.
    """
    specials = resolved.target.config.data.add_special_tokens
    most = resolved.encoder.max_position_embeddings
    encoding = encode(resolved.tokenizer, text, add_special_tokens=specials, max_length=most)
    if not encoding.tokens:
        raise InputError("the text has no tokens; enter at least one word")
    weights, logit = attention_weights(build_model(resolved), encoding.input_ids)
    return Attention(encoding, weights, logit)
