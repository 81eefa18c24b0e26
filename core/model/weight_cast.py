"""Casts float32 master weights to the dtype of the forward pass, all weights of a layer at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.engine.torch_private import copy_all

Groups = Sequence[Sequence[torch.Tensor]]


def cast_weights(groups: Groups, dtype: torch.dtype) -> list[torch.Tensor]:
    """Concatenate the tensors of each group along dimension 0, in ``dtype``; gradients arrive in each tensor's own.

    On a GPU this is one kernel for all weights and one for all gradients; ``to`` and ``cat`` take two per group.
    """
    if all(tensor.dtype == dtype for group in groups for tensor in group):
        return [torch.cat(list(group)) if len(group) > 1 else group[0] for group in groups]
    tensors = [tensor for group in groups for tensor in group]
    # The groups give the shapes; autograd tracks only tensors that are arguments of their own.
    cast: tuple[torch.Tensor, ...] = _CastWeights.apply(groups, dtype, *tensors)  # type: ignore[no-untyped-call]
    return list(cast)


class _CastWeights(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, groups: Groups, dtype: torch.dtype, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.rows = [[len(tensor) for tensor in group] for group in groups]
        ctx.dtypes = [tensor.dtype for tensor in tensors]
        cast = tuple(group[0].new_empty(sum(map(len, group)), *group[0].shape[1:], dtype=dtype) for group in groups)
        copy_all(_split_rows(cast, ctx.rows), tensors)
        return cast

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        parts = _split_rows(gradients, ctx.rows)
        wanted = {
            i: torch.empty_like(parts[i], dtype=ctx.dtypes[i]) for i in range(len(parts)) if ctx.needs_input_grad[2 + i]
        }
        copy_all(list(wanted.values()), [parts[i] for i in wanted])
        return None, None, *(wanted.get(i) for i in range(len(parts)))


def _split_rows(tensors: Sequence[torch.Tensor], rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Split each tensor into parts with the given numbers of rows."""
    return [part for tensor, sizes in zip(tensors, rows, strict=True) for part in torch.split(tensor, list(sizes))]
