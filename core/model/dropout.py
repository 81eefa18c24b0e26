"""Dropout with masks that are fast to draw on a CPU.

torch's Bernoulli masks use 53 random bits per value. Sixteen bits give the rate to within 1/65536, so each 64-bit draw
of torch's generator decides about four values. The same seed still gives the same masks.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch

Masks = Literal["fast", "bernoulli"]
"""How masks are drawn: 16 bits per value, or torch's ``bernoulli_``."""
_RANGE = 1 << 16


def keep_mask(like: torch.Tensor, rate: float, masks: Masks) -> tuple[torch.Tensor, float]:
    """A mask of 0 with probability ``rate`` and 1 otherwise, independent per value, and the scale for the values left.

    The mask has the shape, dtype and device of ``like``. The scale is 1 / (1 - rate), with the rate rounded to what
    was drawn, so that the expected value stays the same.
    """
    mask = torch.empty_like(like, memory_format=torch.contiguous_format)
    if masks == "bernoulli":
        return mask.bernoulli_(1 - rate), 1 / (1 - rate)
    dropped = min(round(rate * _RANGE), _RANGE - 1)
    count = math.prod(like.shape)
    # Without an explicit lower bound, the top bit of each draw would always be 0.
    draws = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    values = draws.view(torch.int16)[:count].view(like.shape)
    return torch.ge(values, dropped - _RANGE // 2, out=mask), _RANGE / (_RANGE - dropped)


def dropout(x: torch.Tensor, rate: float, masks: Masks) -> torch.Tensor:
    """Set each value of ``x`` to 0 with probability ``rate`` and scale the others by 1 / (1 - rate)."""
    if rate <= 0:
        return x
    if masks == "bernoulli":
        return torch.nn.functional.dropout(x, rate)
    dropped: torch.Tensor = _FastDropout.apply(x, rate)  # type: ignore[no-untyped-call]
    return dropped


class _FastDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, rate: float) -> torch.Tensor:
        mask, ctx.scale = keep_mask(x, rate, "fast")
        ctx.save_for_backward(mask)
        return (x * mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        (mask,) = ctx.saved_tensors
        return (gradient * mask).mul_(ctx.scale), None
