"""Self-attention over a batch without padding: each review attends to its own tokens and to no other.

Vaswani et al. 2017, Attention Is All You Need, section 3.2.1: softmax(q·kᵀ / sqrt(d))·v for each head of width d, here
with dropout on the softmax, as BERT has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from core.model.dropout import Masks, keep_mask

WIDEST_FLASH_HEAD = 256
_CONTIGUOUS = torch.contiguous_format


def per_review_attention(
    qkv: torch.Tensor, lengths: Sequence[int], heads: int, rate: float, masks: Masks
) -> torch.Tensor:
    """Attention of reviews that lie one after the other: [tokens, 3 * dim] to [tokens, dim].

    ``qkv`` holds queries, keys and values beside one another; ``lengths`` are the tokens of each review. Made for a
    CPU: one product a review and no mask, and a backward pass that reads what the forward pass has kept.
    """
    out: torch.Tensor = _PerReviewAttention.apply(qkv, lengths, heads, rate, masks)  # type: ignore[no-untyped-call]
    return out


class _PerReviewAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, qkv: torch.Tensor, lengths: Sequence[int], heads: int, rate: float, masks: Masks
    ) -> torch.Tensor:
        tokens, dim = qkv.shape[0], qkv.shape[1] // 3
        d = dim // heads
        out = qkv.new_empty(tokens, dim)
        kept: list[torch.Tensor] = []
        ctx.lengths, ctx.scale = lengths, 1.0
        start = 0
        for n in lengths:
            # [3, heads, n, d], each part contiguous: a product of strided parts would copy them anew each time.
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
                kept += (parts, weights, dropped, of_heads)
            start += n
        ctx.save_for_backward(*kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """With p the softmax, z = mask·p and c the dropout's factor: o = c·z·v.

        dv = c·zᵀ·do;  ds = c·z*(do·vᵀ) - p*rowsum(do*o), where the sum stands for the row sums of dp*p that the
        softmax asks for (Dao et al. 2022, FlashAttention, section B.2);  dq = ds·k / sqrt(d);  dk = dsᵀ·q / sqrt(d).
        """
        (gradient,) = gradients
        kept = ctx.saved_tensors
        tokens, dim = gradient.shape
        out = gradient.new_empty(tokens, 3 * dim)
        start = 0
        for i, n in enumerate(ctx.lengths):
            parts, weights, dropped, of_heads = kept[4 * i : 4 * i + 4]
            (q, k, v), (_, heads, _, d) = parts, parts.shape  # q has its factor already
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


def flash_attention(qkv: torch.Tensor, ends: torch.Tensor, longest: int, heads: int, rate: float) -> torch.Tensor:
    """The same through torch's flash attention for batches of unequal lengths (Dao 2023, FlashAttention-2), on a GPU.

    ``ends``, int32 of [reviews + 1], says where each review begins and where the last one ends, ``longest`` the most
    tokens that one may have. The masks are the kernel's own, from torch's generator. torch's public function for such
    batches has no dropout, and its nested tensors leave this kernel for a far slower one.
    """
    tokens, dim = qkv.shape[0], qkv.shape[1] // 3
    d = dim // heads
    parts = pad(qkv.view(tokens, 3, heads, d), (0, -d % 8)) if d % 8 else qkv.view(tokens, 3, heads, d)
    q, k, v = parts.unbind(1)
    out: torch.Tensor = torch.ops.aten._flash_attention_forward(
        q, k, v, ends, ends, longest, longest, rate, False, False, scale=1 / math.sqrt(d)
    )[0]
    return out[..., :d].flatten(1)


def first_attention(
    hidden: torch.Tensor,
    query: torch.Tensor,
    offset: torch.Tensor,
    ends: torch.Tensor,
    longest: int,
    rate: float,
    masks: Masks,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention of one query a review and head, in the space of the hidden states themselves.

    ``hidden`` [tokens, dim] are all tokens of the batch, ``query`` [reviews, heads, dim] what each is multiplied with,
    scaled, and ``offset`` [reviews, heads, 1] what is added; ``ends`` and ``longest`` are as above. Gives for each
    review and head the weighted sum of its hidden states, [reviews, heads, dim] float32, and the sum of the weights,
    [reviews, heads, 1], which dropout makes other than 1.
    """
    starts, sizes = ends[:-1, None], ends.diff()[:, None]
    place = torch.arange(longest, device=hidden.device)
    inside = place < sizes
    rows = starts + torch.minimum(place, sizes - 1)
    states = hidden.index_select(0, rows.flatten()).view(len(sizes), longest, -1)
    scores = torch.bmm(query.to(hidden.dtype), states.transpose(1, 2)).float() + offset
    weights = torch.softmax(scores.masked_fill(~inside[:, None], -math.inf), -1)
    if rate > 0:
        mask, scale = keep_mask(weights, rate, masks)
        weights = weights * (mask * scale)
    return torch.bmm(weights.to(hidden.dtype), states).float(), weights.sum(-1, keepdim=True)
