"""Loss, accuracy and a prediction for each example, without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.data.splits import Examples
from core.engine.device import Engine
from core.engine.distributed import Ranks


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``loss`` is the mean of the batches' losses, as in the notebook; ``accuracy`` that of all examples, in 0..1."""

    loss: float
    accuracy: float
    logits: list[float]


class StopEvaluation(Exception):  # noqa: N818 - a request, not an error
    """Raised by ``between`` to leave an evaluation early."""


@torch.inference_mode()
def evaluate(
    model: torch.nn.Module,
    examples: Examples,
    batch_size: int,
    engine: Engine,
    between: Callable[[int], None] = lambda _: None,
    ranks: Ranks = Ranks(),  # noqa: B008 - frozen
) -> Evaluation:
    """Runs ``model``, which is laid out, over all examples, each rank over its share; all ranks get the same answer.

    Reviews of like length go through it together; the answer is in the order of the examples. ``between`` is called
    with the number done after each batch. The model is in evaluation mode meanwhile and back in its own afterwards.
    """
    was_training = model.training
    model.eval()
    rows = examples.rows(engine.device)
    mine = ranks.share(range(len(examples)))
    order = sorted(mine, key=lambda i: len(rows[i]), reverse=True)
    found: list[torch.Tensor] = []
    try:
        for start in range(0, len(order), batch_size):
            found.append(model([rows[i] for i in order[start : start + batch_size]]))
            between(min(len(found) * batch_size * ranks.world_size, len(examples)))
    finally:
        model.train(was_training)
    by_place = dict(zip(order, torch.cat(found).tolist() if found else [], strict=True))  # sync
    logits = torch.tensor(ranks.gather([by_place[i] for i in mine], len(examples)))
    labels = torch.tensor(examples.labels, dtype=torch.float32)
    losses = [
        binary_cross_entropy_with_logits(some, right)
        for some, right in zip(torch.split(logits, batch_size), torch.split(labels, batch_size), strict=True)
    ]
    accuracy = int(((logits > 0) == (labels > 0.5)).sum()) / len(examples)
    return Evaluation(torch.stack(losses).mean().item(), accuracy, logits.tolist())
