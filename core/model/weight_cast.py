"""Master weights rounded to the dtype that is computed in, a layer's in one pass over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.engine.torch_private import copy_all

Groups = Sequence[Sequence[torch.Tensor]]


def rounded(groups: Groups, dtype: torch.dtype) -> list[torch.Tensor]:
    """The tensors of each group one below the other, in ``dtype``; their gradients come back in their own.

    On a GPU that is one kernel for them all and one for their gradients, where ``to`` and ``cat`` take two each.
    """
    if all(tensor.dtype == dtype for group in groups for tensor in group):
        return [torch.cat(list(group)) if len(group) > 1 else group[0] for group in groups]
    tensors = [tensor for group in groups for tensor in group]
    # The groups are given for their shapes; autograd knows a function's tensors only by its own arguments.
    low: tuple[torch.Tensor, ...] = _Rounded.apply(groups, dtype, *tensors)  # type: ignore[no-untyped-call]
    return list(low)


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, groups: Groups, dtype: torch.dtype, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.rows = [[len(tensor) for tensor in group] for group in groups]
        ctx.dtypes = [tensor.dtype for tensor in tensors]
        low = tuple(group[0].new_empty(sum(map(len, group)), *group[0].shape[1:], dtype=dtype) for group in groups)
        copy_all(_apart(low, ctx.rows), tensors)
        return low

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        parts = _apart(gradients, ctx.rows)
        wanted = {
            i: torch.empty_like(parts[i], dtype=ctx.dtypes[i]) for i in range(len(parts)) if ctx.needs_input_grad[2 + i]
        }
        copy_all(list(wanted.values()), [parts[i] for i in wanted])
        return None, None, *(wanted.get(i) for i in range(len(parts)))


def _apart(wholes: Sequence[torch.Tensor], rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """The parts of each tensor that have so many rows."""
    return [part for whole, some in zip(wholes, rows, strict=True) for part in torch.split(whole, list(some))]
