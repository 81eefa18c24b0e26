"""Floating point operations of a forward pass, a multiplication and an addition counted as two.

A Linear of ``i`` to ``o`` over B x S positions takes 2·B·S·i·o. Attention also multiplies queries with keys and its
weights with values, 2·B·S²·d each, whatever the number of heads. Of L layers of width d and inner width h that makes
2·B·S·L·(4d² + 2dh) + 4·B·L·S²·d. Look-ups, layer norms, softmax and activations are left out, as torch's own counter
leaves them out; it counts the same under eager attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import DistilBertConfig


def encoder_flops(config: DistilBertConfig, batch: int, length: int) -> int:
    """Of a DistilBertModel on ids of shape [batch, length], padding computed like everything else."""
    d, h, layers = config.dim, config.hidden_dim, config.n_layers
    return 2 * batch * length * layers * (4 * d * d + 2 * d * h) + 4 * batch * layers * length**2 * d


def classifier_flops(config: DistilBertConfig, batch: int, length: int) -> int:
    """Of our classifier: the encoder, and the linear head on one vector a review."""
    return encoder_flops(config, batch, length) + 2 * batch * config.dim


def own_flops(module: nn.Module, output: torch.Tensor) -> int:
    """What one call of ``module`` computes itself, without the modules below it."""
    from torch import nn
    from transformers.models.distilbert.modeling_distilbert import DistilBertSelfAttention

    if isinstance(module, nn.Linear):
        return 2 * output.numel() * module.in_features
    if isinstance(module, DistilBertSelfAttention):
        batch, length, dim = output.shape
        return 4 * batch * length**2 * dim
    return 0
