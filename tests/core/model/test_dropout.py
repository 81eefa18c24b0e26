"""Fast dropout masks have the distribution of Bernoulli masks, follow the seed, and are used again backward."""

from __future__ import annotations

import math

import pytest
import torch

from core.model.dropout import Masks, dropout, keep_mask

KINDS: list[Masks] = ["fast", "bernoulli"]


def within(found: float, expected: float, n: int) -> bool:
    """Whether a share of ``n`` independent draws is within 4 sigma of what was expected."""
    return abs(found - expected) <= 4 * math.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("masks", KINDS)
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3, 0.5, 0.95])
def test_the_share_of_dropped_values_is_the_rate(rate: float, masks: Masks, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    mask, scale = keep_mask(torch.empty(1_000_000, dtype=dtype), rate, masks)
    assert mask.dtype == dtype
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert within((mask == 0).float().mean().item(), rate, len(mask))
    assert scale == pytest.approx(1 / (1 - rate), rel=2e-4)


@pytest.mark.parametrize("quarter", range(4))
def test_each_quarter_of_a_64_bit_draw_has_the_rate(quarter: int) -> None:
    torch.manual_seed(0)
    mask, _ = keep_mask(torch.empty(4_000_000), 0.1, "fast")
    own = mask[quarter::4]
    assert within((own == 0).float().mean().item(), 0.1, len(own))


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 64, 4096])
def test_values_are_dropped_independently_of_their_neighbours(distance: int) -> None:
    torch.manual_seed(0)
    dropped = keep_mask(torch.empty(4_000_000), 0.1, "fast")[0] == 0
    both = (dropped[distance:] & dropped[:-distance]).float().mean().item()
    assert within(both, 0.01, len(dropped) - distance)


def test_two_calls_draw_independently() -> None:
    torch.manual_seed(0)
    first, second = (keep_mask(torch.empty(1_000_000), 0.1, "fast")[0] == 0 for _ in range(2))
    assert within((first & second).float().mean().item(), 0.01, len(first))


@pytest.mark.parametrize("masks", KINDS)
def test_the_same_seed_gives_the_same_masks(masks: Masks) -> None:
    def drawn(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [keep_mask(torch.empty(1001), 0.5, masks)[0] for _ in range(2)]

    first, again, other = drawn(3), drawn(3), drawn(4)
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("masks", KINDS)
@pytest.mark.parametrize("shape", [(7,), (3, 5), (1, 1, 1), (0, 4), (6, 4)])
def test_remaining_values_are_scaled_and_the_gradient_uses_the_same_mask(shape: tuple[int, ...], masks: Masks) -> None:
    torch.manual_seed(1)
    x = torch.rand(shape).add_(1).requires_grad_()
    out = dropout(x, 0.25, masks)
    out.backward(torch.full_like(out, 3.0))
    assert x.grad is not None
    remaining = out != 0
    assert torch.allclose(out[remaining], x[remaining] / 0.75)
    assert torch.equal(x.grad != 0, remaining)
    assert torch.allclose(x.grad[remaining], torch.tensor(3 / 0.75))


def test_a_strided_view_is_dropped_like_a_contiguous_tensor() -> None:
    torch.manual_seed(0)
    x = torch.ones(64, 64).t()[3:40:2]
    out = dropout(x, 0.5, "fast")
    assert out.shape == x.shape
    assert set(out.unique().tolist()) == {0.0, 2.0}


def test_a_rate_of_0_returns_the_input_and_draws_nothing() -> None:
    before, x = torch.get_rng_state(), torch.ones(5)
    assert dropout(x, 0.0, "fast") is x
    assert torch.equal(torch.get_rng_state(), before)
