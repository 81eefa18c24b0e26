"""Which positions each position looks at: the attention weights of one text, exact under eager attention."""

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
        """[from, to] of one head, or with None the mean over the heads. Raises InputError for one that is not there."""
        if not 0 <= layer < self.layers:
            raise InputError(f"there is no layer {layer}; layers are 0 to {self.layers - 1}")
        if head is None:
            mean: np.ndarray[Any, Any] = self.weights[layer].mean(axis=0)
            return mean
        if not 0 <= head < self.heads:
            raise InputError(f"there is no head {head}; heads are 0 to {self.heads - 1}")
        one: np.ndarray[Any, Any] = self.weights[layer, head]
        return one

    def cut_words(self) -> str:
        """What was cut, in words; empty where nothing was."""
        if self.encoding.cut_from is None:
            return ""
        kept = len(self.encoding.tokens)
        start = self.encoding.cut_from
        return f"cut: {kept} of {self.encoding.full_length} tokens are read, nothing from character {start} on"


def attention_weights(model: Classifier, ids: list[int]) -> tuple[np.ndarray[Any, Any], float]:
    """[layer, head, from, to] and the logit of one text, in evaluation mode. Memory: 4 · layers · heads · n² bytes."""
    model.eval()
    model.distilbert.set_attn_implementation("eager")
    with torch.inference_mode():
        batch = torch.tensor([ids])
        mask = torch.ones_like(batch)
        output = model.distilbert(input_ids=batch, attention_mask=mask, output_attentions=True)
        return torch.cat(output.attentions).float().numpy(), float(model(batch, mask).item())


def look_at_text(resolved: Resolved, text: str) -> Attention:
    """The text, encoded as the target encodes reviews but up to all its positions, and what attends to what.

    Raises InputError for a text without a token, and as :func:`core.inspection.weights.build_model`.
    """
    specials = resolved.target.config.data.add_special_tokens
    most = resolved.encoder.max_position_embeddings
    encoding = encode(resolved.tokenizer, text, add_special_tokens=specials, max_length=most)
    if not encoding.tokens:
        raise InputError("the text has no token; type a word")
    weights, logit = attention_weights(build_model(resolved), encoding.input_ids)
    return Attention(encoding, weights, logit)
