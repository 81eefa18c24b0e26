"""The gradients of one batch, if need be in smaller micro-batches with the same sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from core.data.splits import Examples
from core.engine.device import Engine
from core.engine.distributed import Ranks


@dataclass(frozen=True, slots=True)
class BatchResult:
    """``loss`` and ``accuracy`` (0..1) are means over the whole batch, on every rank."""

    loss: float
    accuracy: float
    tokens: int


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is how torch says, on any device, that it could not have the memory it asked for."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)  # the CPU allocator has no class


def compute_gradients(
    model: nn.Module, examples: Examples, chosen: list[int], engine: Engine, ranks: Ranks, micro_batch_size: int
) -> BatchResult:
    """Adds the gradient of the mean loss over the batch ``chosen`` to the parameters of ``model``, which is laid out.

    ``micro_batch_size`` reviews go through the model at once, 0 for all; each weighs the same, so that only rounding
    tells. Raises whatever torch raises where memory is out, see :func:`is_out_of_memory`.
    """
    mine = list(ranks.share(chosen))
    # The last batch may have fewer reviews than there are ranks; who has none goes along with one that counts nothing.
    weight = 1.0 if mine else 0.0
    mine = mine or chosen[:1]
    size = micro_batch_size or len(mine)
    parts = [mine[i : i + size] for i in range(0, len(mine), size)]
    loss_sum, right, tokens = 0.0, 0.0, 0
    for part in parts:
        rows = [examples.rows(engine.device)[i] for i in part]
        labels = torch.tensor([float(examples.labels[i]) for i in part], device=engine.device)
        share = weight * len(part) / len(chosen)
        with ranks.exchange(model, part is parts[-1]):
            logits = model(rows)
            loss = binary_cross_entropy_with_logits(logits, labels)
            # DistributedDataParallel averages over the ranks; the factor turns that back into the batch's own mean.
            (loss * (share * ranks.world_size)).backward()  # type: ignore[no-untyped-call]
        loss_sum += loss.item() * share  # sync
        right += weight * ((logits > 0) == (labels > 0.5)).sum().item()  # sync
        tokens += int(weight) * sum(map(len, rows))
    loss_sum, right, all_tokens = ranks.sums([loss_sum, right, tokens], engine.device)
    return BatchResult(loss_sum, right / len(chosen), int(all_tokens))


def gradient_norm(parameters: Sequence[nn.Parameter], most: float) -> torch.Tensor:
    """Total L2 norm of the gradients, a scalar on their device; they are scaled down to ``most`` where it is above.

    0 scales nothing.
    """
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    if most:
        torch.nn.utils.clip_grads_with_norm_(parameters, most, norm)
    return norm
