"""Loss, accuracy and a prediction for each example, without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.data import Examples, batches
from core.device import Engine


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
) -> Evaluation:
    """Runs ``model`` over all examples; ``between`` is called with the number done after each batch.

    The model is in evaluation mode meanwhile and back in its own afterwards.
    """
    was_training = model.training
    model.eval()
    losses: list[torch.Tensor] = []
    logits: list[torch.Tensor] = []
    try:
        for batch in batches(examples, range(len(examples)), batch_size, engine.device):
            with torch.autocast(engine.device.type, engine.dtype, enabled=engine.dtype != torch.float32):
                batch_logits = model(batch.input_ids, batch.attention_mask)
            losses.append(binary_cross_entropy_with_logits(batch_logits, batch.labels))
            logits.append(batch_logits)
            between(min(len(logits) * batch_size, len(examples)))
    finally:
        model.train(was_training)
    all_logits = torch.cat(logits).tolist()  # sync
    right = sum((logit > 0) == bool(label) for logit, label in zip(all_logits, examples.labels, strict=True))
    return Evaluation(torch.stack(losses).mean().item(), right / len(examples), all_logits)
