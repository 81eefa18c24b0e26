"""Loss, accuracy and a prediction for each example, without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.data.batches import Examples
from core.engine.device import Engine
from core.engine.distributed import Ranks
from core.training.loss import classification_loss, correct_predictions


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``loss`` is the mean of the batch losses, as in the notebook; ``accuracy`` (0..1) is over all examples."""

    loss: float
    accuracy: float
    logits: list[float]


@torch.inference_mode()
def evaluate(
    forward: torch.nn.Module,
    examples: Examples,
    batch_size: int,
    engine: Engine,
    after_batch: Callable[[int], None] = lambda _: None,
    ranks: Ranks = Ranks(),  # noqa: B008 - frozen
) -> Evaluation:
    """Run ``forward`` (batch to logits) over all examples. Each rank computes its share; all get the same result.

    Reviews of similar length are batched together; the logits are in the order of the examples. ``after_batch`` is
    called with the number of examples done, and may raise Stopped to end the evaluation early. The model is in
    evaluation mode meanwhile, and then in its former mode.
    """
    was_training = forward.training
    forward.eval()
    mine = ranks.share(range(len(examples)))
    by_length = sorted(mine, key=lambda i: len(examples.input_ids[i]), reverse=True)
    computed: list[torch.Tensor] = []
    try:
        for start in range(0, len(by_length), batch_size):
            computed.append(forward(examples.batch(by_length[start : start + batch_size], engine.device)))
            after_batch(min(len(computed) * batch_size * ranks.world_size, len(examples)))
    finally:
        forward.train(was_training)
    logit_of = dict(zip(by_length, torch.cat(computed).tolist() if computed else [], strict=True))  # sync
    logits = torch.tensor(ranks.gather([logit_of[i] for i in mine], len(examples)))
    labels = torch.tensor(examples.labels, dtype=torch.float32)
    batches = zip(torch.split(logits, batch_size), torch.split(labels, batch_size), strict=True)
    losses = torch.stack([classification_loss(*batch) for batch in batches])
    accuracy = int(correct_predictions(logits, labels)) / len(examples)
    return Evaluation(losses.mean().item(), accuracy, logits.tolist())
