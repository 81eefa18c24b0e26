"""One review's ids to its logit, in one of two layouts of the same batch.

Padded is the plain way, transformers' own forward pass, and what the other one is tested against. Unpadded has the
tokens of a batch one after the other, so that nothing is computed for padding; and of the last layer it computes the
first position alone, since nobody reads the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, cast

import torch
from torch import nn
from torch.nn.functional import embedding, layer_norm, linear
from torch.nn.utils.rnn import pad_sequence
from transformers.models.distilbert.modeling_distilbert import TransformerBlock

from core.engine.device import Engine
from core.errors import InputError
from core.model.attention import WIDEST_FLASH_HEAD, first_attention, flash_attention, per_review_attention
from core.model.classifier import Classifier
from core.model.dropout import dropout
from core.model.weight_cast import rounded


def laid_out(classifier: Classifier, engine: Engine) -> nn.Module:
    """The module that takes a batch as a list of reviews' ids, int64 of [tokens] each, to logits of [reviews].

    It owns no parameter: those are the classifier's, float32 whatever the engine computes with. Raises InputError for
    a model that the engine's attention cannot take.
    """
    if engine.layout == "padded":
        return PaddedClassifier(classifier, engine)
    config = classifier.config
    if engine.attention == "flash" and (width := config.dim // config.n_heads) > WIDEST_FLASH_HEAD:
        raise InputError(
            f"flash attention takes heads of at most {WIDEST_FLASH_HEAD} numbers, this model's have {width}; "
            "set engine.layout = padded"
        )
    return UnpaddedClassifier(classifier, engine)


class PaddedClassifier(nn.Module):
    """Each review is filled up to the longest with id 0, which the attention mask hides."""

    def __init__(self, classifier: Classifier, engine: Engine) -> None:
        super().__init__()
        self.classifier, self.engine = classifier, engine
        classifier.distilbert.set_attn_implementation(engine.attention)

    def forward(self, rows: Sequence[torch.Tensor]) -> torch.Tensor:
        ids = pad_sequence(list(rows), batch_first=True)
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        with torch.autocast(self.engine.device.type, self.engine.dtype, enabled=self.engine.dtype != torch.float32):
            logits: torch.Tensor = self.classifier(ids, mask)
        return logits


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch's tokens one after the other."""

    ids: torch.Tensor
    """int64 of [tokens]."""
    positions: torch.Tensor
    """int64 of [tokens]: the place of each token in its review."""
    ends: torch.Tensor
    """int32 of [reviews + 1]: where each review begins, and where the last one ends."""
    lengths: Sequence[int]
    """The same for the host: the tokens of each review."""
    reviews: int
    """How many are meant; one that lies behind them fills the batch up, and nobody reads what becomes of it."""
    longest: int
    """As many tokens as the longest review has, or more."""


def on_device(values: Sequence[float], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """``values`` as a tensor there; a GPU takes them up when it comes to it, and nobody waits."""
    return torch.tensor(values, dtype=dtype, pin_memory=device.type == "cuda").to(device, non_blocking=True)


def pack(rows: Sequence[torch.Tensor], places: torch.Tensor, tokens: int = 0) -> Packed:
    """A batch of reviews' ids, filled up to so many ``tokens`` in all with a review of zeros that is not counted.

    ``places`` are the numbers from 0 on, int64 of at least the longest review.
    """
    lengths = [len(row) for row in rows]
    ids, positions = list(rows), [places[:n] for n in lengths]
    if tokens:
        lengths.append(tokens - sum(lengths))
        nothing = places.new_zeros(lengths[-1])
        ids.append(nothing)
        positions.append(nothing)
    ends = on_device([0, *accumulate(lengths)], torch.int32, places.device)
    return Packed(torch.cat(ids), torch.cat(positions), ends, lengths, len(rows), max(lengths))


class LowWeights(NamedTuple):
    """A layer's weights as they are multiplied: those of queries, keys and values in one."""

    qkv: torch.Tensor
    qkv_bias: torch.Tensor
    out: torch.Tensor
    out_bias: torch.Tensor
    inner: torch.Tensor
    inner_bias: torch.Tensor
    outer: torch.Tensor
    outer_bias: torch.Tensor
    norm: torch.Tensor
    norm_bias: torch.Tensor
    norm2: torch.Tensor
    norm2_bias: torch.Tensor


class UnpaddedClassifier(nn.Module):
    """The same function of the same parameters, written out.

    Matrix products are computed in the engine's dtype from weights rounded to it; the last layer's few rows, the head
    and the loss are float32.
    """

    def __init__(self, classifier: Classifier, engine: Engine) -> None:
        super().__init__()
        self.classifier, self.engine = classifier, engine

    @property
    def places(self) -> torch.Tensor:
        """The numbers of all positions that the model knows, int64, on its device."""
        places: torch.Tensor = self.classifier.distilbert.embeddings.position_ids[0]
        return places

    def forward(self, rows: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.logits(pack(rows, self.places))

    def logits(self, batch: Packed) -> torch.Tensor:
        """Embeddings, all layers but the last for every token, the last one for each first token, the head."""
        hidden = self.embed(batch)
        *layers, last = cast(Sequence[TransformerBlock], self.classifier.distilbert.transformer.layer)
        for layer in layers:
            hidden = self.layer(layer, hidden, batch)
        return self.classifier.logits_of(self.first_of_last(last, hidden, batch))

    def embed(self, batch: Packed) -> torch.Tensor:
        """[tokens] to [tokens, dim]: word and position vectors added, normalised."""
        parts = self.classifier.distilbert.embeddings
        words, places = parts.word_embeddings, parts.position_embeddings
        summed = embedding(batch.ids, words.weight, words.padding_idx) + embedding(batch.positions, places.weight)
        return self.drop(parts.LayerNorm(summed).to(self.engine.dtype), parts.dropout)

    def layer(self, layer: TransformerBlock, hidden: torch.Tensor, batch: Packed) -> torch.Tensor:
        """One layer, [tokens, dim] to [tokens, dim]."""
        own, ffn, low = layer.attention, layer.ffn, self.low(layer)
        qkv = linear(hidden, low.qkv, low.qkv_bias)  # one product instead of three
        mixed = self.attend(qkv, batch, own.n_heads, self.rate(own.dropout))
        hidden = hidden + linear(mixed, low.out, low.out_bias)
        hidden = layer_norm(hidden, hidden.shape[1:], low.norm, low.norm_bias, layer.sa_layer_norm.eps)
        inner = ffn.activation(linear(hidden, low.inner, low.inner_bias))
        hidden = hidden + self.drop(linear(inner, low.outer, low.outer_bias), ffn.dropout)
        return layer_norm(hidden, hidden.shape[1:], low.norm2, low.norm2_bias, layer.output_layer_norm.eps)

    def attend(self, qkv: torch.Tensor, batch: Packed, heads: int, rate: float) -> torch.Tensor:
        if self.engine.attention == "flash":
            return flash_attention(qkv, batch.ends, batch.longest, heads, rate)
        return per_review_attention(qkv, batch.lengths, heads, rate, self.engine.dropout)

    def first_of_last(self, layer: TransformerBlock, hidden: torch.Tensor, batch: Packed) -> torch.Tensor:
        """The last layer's vector at each first position, [tokens, dim] to [reviews, dim], float32.

        With one query a review, q·(K x + b) is (Kᵀ q)·x + q·b, and the sum of p·(V x + b) is V of the sum of p·x, plus
        the sum of p times b: keys and values of all the other tokens need not be made at all.
        """
        own, reviews = layer.attention, batch.reviews
        heads, d = own.n_heads, own.attention_head_size
        ends = batch.ends[: reviews + 1]
        first = hidden.index_select(0, ends[:-1]).float()
        query = own.q_lin(first).view(reviews, heads, d) / math.sqrt(d)
        of_states = torch.einsum("rhd,hde->rhe", query, own.k_lin.weight.view(heads, d, -1))
        offset = (query * own.k_lin.bias.view(heads, d)).sum(-1, keepdim=True)
        summed, weights = first_attention(
            hidden, of_states, offset, ends, batch.longest, self.rate(own.dropout), self.engine.dropout
        )
        mixed = torch.einsum("rhe,hde->rhd", summed, own.v_lin.weight.view(heads, d, -1))
        mixed = mixed + weights * own.v_lin.bias.view(heads, d)
        first = layer.sa_layer_norm(first + own.out_lin(mixed.flatten(1)))
        inner = layer.ffn.lin2(layer.ffn.activation(layer.ffn.lin1(first)))
        out: torch.Tensor = layer.output_layer_norm(first + self.drop(inner, layer.ffn.dropout))
        return out

    # The small parts

    def low(self, layer: TransformerBlock) -> LowWeights:
        """What a layer multiplies with, in the engine's dtype; its gradients come back as float32."""
        own, ffn, first, second = layer.attention, layer.ffn, layer.sa_layer_norm, layer.output_layer_norm
        three, others = (own.q_lin, own.k_lin, own.v_lin), (own.out_lin, ffn.lin1, ffn.lin2)
        groups: list[list[torch.Tensor]] = [[part.weight for part in three], [part.bias for part in three]]
        groups += [[tensor] for part in others for tensor in (part.weight, part.bias)]
        norms: list[torch.Tensor] = [first.weight, first.bias, second.weight, second.bias]
        if first.weight.is_cuda:  # whose kernel wants them in the dtype of what is normalised
            groups += [[tensor] for tensor in norms]
            norms = []
        return LowWeights(*rounded(groups, self.engine.dtype), *norms)

    def rate(self, part: nn.Dropout) -> float:
        return part.p if self.training else 0.0

    def drop(self, x: torch.Tensor, part: nn.Dropout) -> torch.Tensor:
        return dropout(x, self.rate(part), self.engine.dropout)
