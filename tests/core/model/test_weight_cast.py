"""Casting many weights at once gives the values and gradients of ``to`` and ``cat``."""

from __future__ import annotations

import pytest
import torch

from core.model.weight_cast import cast_weights

SHAPES = [[(3, 4), (5, 4), (1, 4)], [(7,), (2,)], [(6, 2)]]


def groups(*, trained: bool = True) -> list[list[torch.Tensor]]:
    draw = torch.Generator().manual_seed(0)
    return [[torch.randn(shape, generator=draw).requires_grad_(trained) for shape in group] for group in SHAPES]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_equal_those_of_to_and_cat(dtype: torch.dtype) -> None:
    ours, plain = groups(), groups()
    cast = cast_weights(ours, dtype)
    expected = [torch.cat([tensor.to(dtype) for tensor in group]) for group in plain]
    assert all(a.dtype == dtype and torch.equal(a, b) for a, b in zip(cast, expected, strict=True))
    for outs in (cast, expected):
        sum(((i + 2) * (out.float() ** 2)).sum() for i, out in enumerate(outs)).backward()  # type: ignore[union-attr]
    for group, others in zip(ours, plain, strict=True):
        for tensor, other in zip(group, others, strict=True):
            assert tensor.grad is not None
            assert tensor.grad.dtype == torch.float32
            assert torch.equal(tensor.grad, other.grad)  # type: ignore[arg-type]


def test_frozen_weights_get_no_gradient() -> None:
    some = groups()
    some[0][1].requires_grad_(False)
    some[2][0].requires_grad_(False)
    sum(out.float().sum() for out in cast_weights(some, torch.bfloat16)).backward()  # type: ignore[union-attr]
    assert [[tensor.grad is not None for tensor in group] for group in some] == [
        [True, False, True],
        [True, True],
        [False],
    ]
    assert not any(out.requires_grad for out in cast_weights(groups(trained=False), torch.bfloat16))


def test_float32_weights_are_not_copied_for_a_float32_pass() -> None:
    weights = groups()
    assert cast_weights(weights, torch.float32)[2] is weights[2][0]
