"""The two forward passes of the classifier: from a batch of token ids to one logit per review.

Padded is transformers' own forward pass, and the reference in the tests of the other one. Unpadded computes nothing for
padding: the tokens of a batch follow one another. In the last layer it computes only position 0, because the head reads
nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import nn
from torch.nn.functional import embedding, layer_norm, linear
from transformers.models.distilbert.modeling_distilbert import TransformerBlock

from core.data.batches import Batch
from core.engine.device import Engine
from core.errors import InputError
from core.model.attention import MAX_FLASH_HEAD_SIZE, flash_attention, per_review_attention, position_0_attention
from core.model.classifier import Classifier
from core.model.dropout import dropout
from core.model.weight_cast import cast_weights


def forward_of(classifier: Classifier, engine: Engine) -> nn.Module:
    """The module that computes the logits of a :class:`Batch`, float32 [reviews], padded or unpadded.

    It has no parameters of its own: it uses the classifier's, which are float32 whatever dtype the engine computes in.
    Raises InputError for a model that the engine's attention does not support.
    """
    if engine.forward == "padded":
        return PaddedClassifier(classifier, engine)
    config = classifier.config
    if engine.attention == "flash" and (width := config.dim // config.n_heads) > MAX_FLASH_HEAD_SIZE:
        raise InputError(
            f"flash attention takes heads of at most {MAX_FLASH_HEAD_SIZE} dimensions, this model has {width}; "
            "set engine.forward = padded"
        )
    return UnpaddedClassifier(classifier, engine)


class PaddedClassifier(nn.Module):
    """The forward pass of transformers: reviews are padded to the longest one, and the attention mask hides padding."""

    def __init__(self, classifier: Classifier, engine: Engine) -> None:
        super().__init__()
        self.classifier, self.engine = classifier, engine
        classifier.distilbert.set_attn_implementation(engine.attention)

    def forward(self, batch: Batch) -> torch.Tensor:
        input_ids, attention_mask = batch.padded()
        with torch.autocast(self.engine.device.type, self.engine.dtype, enabled=self.engine.dtype != torch.float32):
            logits: torch.Tensor = self.classifier(input_ids, attention_mask)
        return logits


class CastWeights(NamedTuple):
    """The weights of a layer in the dtype of its matrix products; queries, keys and values are one tensor."""

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
    """The same function of the same parameters, without padding.

    Matrix products are computed in the engine's dtype, from weights cast to it; the last layer's position 0, the head
    and the loss are float32.
    """

    def __init__(self, classifier: Classifier, engine: Engine) -> None:
        super().__init__()
        self.classifier, self.engine = classifier, engine

    def forward(self, batch: Batch) -> torch.Tensor:
        """Embeddings, all layers but the last for each token, the last layer for position 0 only, and the head."""
        hidden = self.embed(batch)
        *layers, last = cast(Sequence[TransformerBlock], self.classifier.distilbert.transformer.layer)
        for layer in layers:
            hidden = self.layer(layer, hidden, batch)
        return self.classifier.logits_of(self.last_layer(last, hidden, batch))

    def embed(self, batch: Batch) -> torch.Tensor:
        """The sum of word and position embeddings, normalised: [tokens] to [tokens, dim]."""
        parts = self.classifier.distilbert.embeddings
        words, positions = parts.word_embeddings, parts.position_embeddings
        by_word = embedding(batch.input_ids, words.weight, words.padding_idx)
        summed = by_word + embedding(batch.position_ids, positions.weight)
        return self.drop(parts.LayerNorm(summed).to(self.engine.dtype), parts.dropout)

    def layer(self, layer: TransformerBlock, hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
        """One layer, [tokens, dim] to [tokens, dim]."""
        own, ffn, weights = layer.attention, layer.ffn, self.weights_of(layer)
        qkv = linear(hidden, weights.qkv, weights.qkv_bias)  # one product instead of three
        mixed = self.attend(qkv, batch, own.n_heads, self.rate(own.dropout))
        hidden = hidden + linear(mixed, weights.out, weights.out_bias)
        hidden = layer_norm(hidden, hidden.shape[1:], weights.norm, weights.norm_bias, layer.sa_layer_norm.eps)
        inner = ffn.activation(linear(hidden, weights.inner, weights.inner_bias))
        hidden = hidden + self.drop(linear(inner, weights.outer, weights.outer_bias), ffn.dropout)
        return layer_norm(hidden, hidden.shape[1:], weights.norm2, weights.norm2_bias, layer.output_layer_norm.eps)

    def attend(self, qkv: torch.Tensor, batch: Batch, heads: int, rate: float) -> torch.Tensor:
        if self.engine.attention == "flash":
            return flash_attention(qkv, batch.cu_seqlens, batch.max_seqlen, heads, rate)
        return per_review_attention(qkv, batch.seqlens, heads, rate, self.engine.dropout)

    def last_layer(self, layer: TransformerBlock, hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The last layer's hidden state at position 0 of each review: [tokens, dim] to [reviews, dim], float32.

        With one query per review, q·(K x + b) = (Kᵀ q)·x + q·b, and sum(p·(V x + b)) = V·sum(p·x) + sum(p)·b: the keys
        and values of the other tokens need not be computed.
        """
        own, reviews = layer.attention, len(batch)
        heads, d = own.n_heads, own.attention_head_size
        cu_seqlens = batch.cu_seqlens[: reviews + 1]  # without the review that fills up the batch
        first = hidden.index_select(0, cu_seqlens[:-1]).float()
        query = own.q_lin(first).view(reviews, heads, d) / math.sqrt(d)
        of_states = torch.einsum("rhd,hde->rhe", query, own.k_lin.weight.view(heads, d, -1))
        offset = (query * own.k_lin.bias.view(heads, d)).sum(-1, keepdim=True)
        summed, weights = position_0_attention(
            hidden, of_states, offset, cu_seqlens, batch.max_seqlen, self.rate(own.dropout), self.engine.dropout
        )
        mixed = torch.einsum("rhe,hde->rhd", summed, own.v_lin.weight.view(heads, d, -1))
        mixed = mixed + weights * own.v_lin.bias.view(heads, d)
        first = layer.sa_layer_norm(first + own.out_lin(mixed.flatten(1)))
        inner = layer.ffn.lin2(layer.ffn.activation(layer.ffn.lin1(first)))
        out: torch.Tensor = layer.output_layer_norm(first + self.drop(inner, layer.ffn.dropout))
        return out

    def weights_of(self, layer: TransformerBlock) -> CastWeights:
        """The weights of a layer cast to the engine's dtype; their gradients are float32."""
        own, ffn, first, second = layer.attention, layer.ffn, layer.sa_layer_norm, layer.output_layer_norm
        three, others = (own.q_lin, own.k_lin, own.v_lin), (own.out_lin, ffn.lin1, ffn.lin2)
        groups: list[list[torch.Tensor]] = [[part.weight for part in three], [part.bias for part in three]]
        groups += [[tensor] for part in others for tensor in (part.weight, part.bias)]
        norms: list[torch.Tensor] = [first.weight, first.bias, second.weight, second.bias]
        if first.weight.is_cuda:  # its kernel requires weights in the dtype of the input
            groups += [[tensor] for tensor in norms]
            norms = []
        return CastWeights(*cast_weights(groups, self.engine.dtype), *norms)

    def rate(self, part: nn.Dropout) -> float:
        return part.p if self.training else 0.0

    def drop(self, x: torch.Tensor, part: nn.Dropout) -> torch.Tensor:
        return dropout(x, self.rate(part), self.engine.dropout)
