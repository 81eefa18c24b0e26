"""Self-attention over a batch without padding: each token attends to the tokens of its own review only.

Vaswani et al. 2017, Attention Is All You Need, section 3.2.1: softmax(q·kᵀ / sqrt(d))·v for each head of size d, with
dropout on the softmax as in BERT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from core.engine.torch_private import varlen_flash_attention
from core.model.dropout import Masks, keep_mask

MAX_FLASH_HEAD_SIZE = 256
_CONTIGUOUS = torch.contiguous_format


def per_review_attention(
    qkv: torch.Tensor, seqlens: Sequence[int], heads: int, rate: float, masks: Masks
) -> torch.Tensor:
    """Attention of reviews that follow one another: [tokens, 3 * dim] to [tokens, dim].

    ``qkv`` holds queries, keys and values side by side; ``seqlens`` are the numbers of tokens per review. For CPUs: one
    product per review, no mask, and a backward pass that reuses tensors of the forward pass.
    """
    out: torch.Tensor = _PerReviewAttention.apply(qkv, seqlens, heads, rate, masks)  # type: ignore[no-untyped-call]
    return out


class _PerReviewAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, qkv: torch.Tensor, seqlens: Sequence[int], heads: int, rate: float, masks: Masks
    ) -> torch.Tensor:
        tokens, dim = qkv.shape[0], qkv.shape[1] // 3
        d = dim // heads
        out = qkv.new_empty(tokens, dim)
        saved: list[torch.Tensor] = []
        ctx.seqlens, ctx.scale = seqlens, 1.0
        start = 0
        for n in seqlens:
            # [3, heads, n, d], each part contiguous: a product of strided tensors would copy them each time.
            parts = qkv[start : start + n].view(n, 3, heads, d).permute(1, 2, 0, 3).clone(memory_format=_CONTIGUOUS)
            q, k, v = parts
            q.mul_(1 / math.sqrt(d))  # the small tensor, not the n x n one
            weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)), -1)
            dropped = weights
            if rate > 0:
                dropped, ctx.scale = keep_mask(weights, rate, masks)
                dropped.mul_(weights)
            of_heads = torch.bmm(dropped, v).mul_(ctx.scale)
            out[start : start + n].view(n, heads, d).copy_(of_heads.transpose(0, 1))
            if ctx.needs_input_grad[0]:
                saved += (parts, weights, dropped, of_heads)
            start += n
        ctx.save_for_backward(*saved)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """With p the softmax, z = mask·p and c the dropout's factor: o = c·z·v.

        dv = c·zᵀ·do;  ds = c·z*(do·vᵀ) - p*rowsum(do*o), where the sum replaces the row sums of dp*p in the
        gradient of the softmax (Dao et al. 2022, FlashAttention, section B.2);  dq = ds·k / sqrt(d);
        dk = dsᵀ·q / sqrt(d).
        """
        (gradient,) = gradients
        saved = ctx.saved_tensors
        tokens, dim = gradient.shape
        out = gradient.new_empty(tokens, 3 * dim)
        start = 0
        for i, n in enumerate(ctx.seqlens):
            parts, weights, dropped, of_heads = saved[4 * i : 4 * i + 4]
            (q, k, v), (_, heads, _, d) = parts, parts.shape  # q is already scaled
            g = gradient[start : start + n].view(n, heads, d).transpose(0, 1).clone(memory_format=_CONTIGUOUS)
            rows = torch.mul(g, of_heads).sum(-1, keepdim=True)
            g.mul_(ctx.scale)
            for_parts = torch.empty_like(parts)
            torch.bmm(dropped.transpose(1, 2), g, out=for_parts[2])
            for_scores = torch.bmm(g, v.transpose(1, 2)).mul_(dropped).addcmul_(weights, rows, value=-1)
            torch.bmm(for_scores, k, out=for_parts[0]).mul_(1 / math.sqrt(d))
            torch.bmm(for_scores.transpose(1, 2), q, out=for_parts[1])
            out[start : start + n].view(n, 3, heads, d).copy_(for_parts.permute(2, 0, 1, 3))
            start += n
        return out, None, None, None, None


def flash_attention(
    qkv: torch.Tensor, cu_seqlens: torch.Tensor, max_seqlen: int, heads: int, rate: float
) -> torch.Tensor:
    """The same on a GPU, with torch's flash attention for sequences of different lengths (Dao 2023, FlashAttention-2).

    ``cu_seqlens``, int32 [reviews + 1], are the cumulative lengths of the reviews, ``max_seqlen`` is at least the
    longest. The kernel draws its own dropout masks from torch's generator.
    """
    tokens, dim = qkv.shape[0], qkv.shape[1] // 3
    d = dim // heads
    parts = pad(qkv.view(tokens, 3, heads, d), (0, -d % 8)) if d % 8 else qkv.view(tokens, 3, heads, d)
    q, k, v = parts.unbind(1)
    out = varlen_flash_attention(q, k, v, cu_seqlens, max_seqlen, dropout=rate, scale=1 / math.sqrt(d))
    return out[..., :d].flatten(1)


def position_0_attention(
    hidden: torch.Tensor,
    query: torch.Tensor,
    offset: torch.Tensor,
    cu_seqlens: torch.Tensor,
    max_seqlen: int,
    rate: float,
    masks: Masks,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention with one query per review and head, over the hidden states themselves.

    ``hidden`` [tokens, dim] are the hidden states of all tokens, ``query`` [reviews, heads, dim] the scaled queries;
    ``offset`` [reviews, heads, 1] is added to the scores; ``cu_seqlens`` and ``max_seqlen`` are as in
    :func:`flash_attention`. Returns per review and head the weighted sum of the hidden states, float32 [reviews,
    heads, dim], and the sum of the weights, [reviews, heads, 1], which is not 1 where dropout is applied.
    """
    starts, sizes = cu_seqlens[:-1, None], cu_seqlens.diff()[:, None]
    position = torch.arange(max_seqlen, device=hidden.device)
    inside = position < sizes
    rows = starts + torch.minimum(position, sizes - 1)
    states = hidden.index_select(0, rows.flatten()).view(len(sizes), max_seqlen, -1)
    scores = torch.bmm(query.to(hidden.dtype), states.transpose(1, 2)).float() + offset
    weights = torch.softmax(scores.masked_fill(~inside[:, None], -math.inf), -1)
    if rate > 0:
        mask, scale = keep_mask(weights, rate, masks)
        weights = weights * (mask * scale)
    return torch.bmm(weights.to(hidden.dtype), states).float(), weights.sum(-1, keepdim=True)
