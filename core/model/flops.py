"""Count the floating point operations of a forward pass; a multiplication and an addition count as two.

A Linear from ``i`` to ``o`` features over B x S positions takes 2·B·S·i·o. Attention also multiplies queries with keys
and attention weights with values, 2·B·S²·d each, for any number of heads. L layers of width d and inner width h take
2·B·S·L·(4d² + 2dh) + 4·B·L·S²·d. Embeddings, layer norms, softmax and activations are not counted, as in
``torch.utils.flop_counter``, which gives the same numbers for eager attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import DistilBertConfig


def encoder_flops(config: DistilBertConfig, batch: int, length: int) -> int:
    """Operations of a DistilBertModel on ids of shape [batch, length], padding included."""
    d, h, layers = config.dim, config.hidden_dim, config.n_layers
    return 2 * batch * length * layers * (4 * d * d + 2 * d * h) + 4 * batch * layers * length**2 * d


def classifier_flops(config: DistilBertConfig, batch: int, length: int) -> int:
    """Operations of the classifier: the encoder, and the linear head on one vector per review."""
    return encoder_flops(config, batch, length) + 2 * batch * config.dim


def own_flops(module: nn.Module, output: torch.Tensor) -> int:
    """Operations of one call of ``module``, without those of its submodules."""
    from torch import nn
    from transformers.models.distilbert.modeling_distilbert import DistilBertSelfAttention

    if isinstance(module, nn.Linear):
        return 2 * output.numel() * module.in_features
    if isinstance(module, DistilBertSelfAttention):
        batch, length, dim = output.shape
        return 4 * batch * length**2 * dim
    return 0
