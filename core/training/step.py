"""One training step: forward, loss, backward, clip, optimizer step.

There are two implementations of :class:`TrainingStep`: :class:`EagerStep` here, and
:class:`core.training.cuda_graphs.CudaGraphStep`, which replays the same computation as a CUDA graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.batches import Batch
from core.engine.device import Engine
from core.engine.distributed import Ranks
from core.engine.memory_estimate import memory_advice
from core.model.classifier import Classifier
from core.training.loss import classification_loss, correct_predictions
from core.training.out_of_memory import MicroBatching


@dataclass(frozen=True, slots=True)
class StepResult:
    """``loss`` and ``accuracy`` (0..1) are means over the whole batch, on all ranks together."""

    loss: float
    accuracy: float
    grad_norm: float
    """Total L2 norm of the gradients, before clipping."""
    tokens: int
    logits: torch.Tensor
    """float32 [reviews of this rank], on the device, computed before the update; valid until the next step."""


class TrainingStep(Protocol):
    """Trains the model on one batch."""

    @property
    def micro_batch_size(self) -> int:
        """Reviews per forward pass; 0 for the whole batch."""

    def __call__(self, batch: Batch, lr: float) -> StepResult:
        """Make one step with the learning rate ``lr``.

        Raises NonFiniteLoss and OutOfMemory before the weights are changed.
        """


class NonFiniteLoss(Exception):  # noqa: N818 - named after what happened
    """The loss or a gradient is NaN or infinite. The step did not change the weights."""


class EagerStep:
    """A step in eager mode, which uses smaller micro-batches after running out of memory."""

    def __init__(
        self,
        model: Classifier,
        forward: nn.Module,
        optimizer: torch.optim.Optimizer,
        config: TrainConfig,
        engine: Engine,
        ranks: Ranks,
        warn: Callable[[str], None],
        *,
        micro_batch_size: int,
    ) -> None:
        """``forward`` computes the logits of a batch with the parameters of ``model``."""
        self.model = ranks.wrap(forward, engine.device)
        self.optimizer, self.engine, self.ranks = optimizer, engine, ranks
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.max_grad_norm = config.max_grad_norm
        self.micro_batching = MicroBatching(
            micro_batch_size,
            engine.device,
            clear=self.free_memory,
            warn=warn,
            advice=lambda max_seqlen: memory_advice(model.config, engine, max_seqlen),
        )

    @property
    def micro_batch_size(self) -> int:
        return self.micro_batching.micro_batch_size

    def __call__(self, batch: Batch, lr: float) -> StepResult:
        set_learning_rate(self.optimizer, lr)
        if self.ranks.world_size > 1:  # ranks cannot repeat a step independently of one another
            loss, accuracy, tokens, logits = self.forward_backward(batch, self.micro_batch_size)
        else:
            loss, accuracy, tokens, logits = self.micro_batching.run(self.forward_backward, batch)
        grad_norm = clip_gradients(self.parameters, self.max_grad_norm).item()  # sync
        require_finite(loss, grad_norm, lr, batch)
        self.optimizer.step()
        return StepResult(loss, accuracy, grad_norm, tokens, logits)

    def forward_backward(self, batch: Batch, micro_batch_size: int) -> tuple[float, float, int, torch.Tensor]:
        """Compute the gradient of the mean loss over ``batch``; each review weighs the same in any micro-batch.

        Returns loss, accuracy and tokens of the whole batch, and the logits of this rank's reviews.
        """
        self.optimizer.zero_grad(set_to_none=True)
        mine = list(self.ranks.share(range(len(batch))))
        # The last batch may have fewer reviews than ranks; a rank without one computes along with weight 0.
        weight = 1 if mine else 0
        micro_batches = split_batch(batch, mine or [0], micro_batch_size)
        loss_sum, correct, tokens = 0.0, 0.0, 0
        computed: list[torch.Tensor] = []
        for micro_batch in micro_batches:
            share = weight * len(micro_batch) / len(batch)
            with self.ranks.averaging(self.model, micro_batch is micro_batches[-1]):
                logits = self.model(micro_batch)
                loss = classification_loss(logits, micro_batch.labels)
                # DistributedDataParallel averages over the ranks; the factor makes that the mean over the batch.
                (loss * (share * self.ranks.world_size)).backward()  # type: ignore[no-untyped-call]
            loss_sum += loss.item() * share  # sync
            correct += weight * correct_predictions(logits, micro_batch.labels).item()  # sync
            tokens += weight * micro_batch.tokens
            computed.append(logits.detach())
        loss_sum, correct, all_tokens = self.ranks.sums([loss_sum, correct, tokens], self.engine.device)
        return loss_sum, correct / len(batch), int(all_tokens), torch.cat(computed)[: len(mine)]

    def free_memory(self) -> None:
        """Free the gradients and the allocator's cache."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.engine.device.type == "cuda":
            torch.cuda.empty_cache()


def split_batch(batch: Batch, chosen: list[int], micro_batch_size: int) -> list[Batch]:
    """The reviews at the positions ``chosen`` in micro-batches of at most that size, 0 for all at once."""
    size = micro_batch_size or len(chosen)
    if size >= len(chosen) == len(batch):
        return [batch]
    return [batch.select(chosen[start : start + size]) for start in range(0, len(chosen), size)]


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def clip_gradients(parameters: Sequence[nn.Parameter], max_norm: float) -> torch.Tensor:
    """Scale the gradients down to the total norm ``max_norm`` (0: not at all).

    Returns their norm before, a scalar on their device.
    """
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    if max_norm:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    return norm


def require_finite(loss: float, grad_norm: float, lr: float, batch: Batch) -> None:
    """Raise NonFiniteLoss if ``loss`` or ``grad_norm`` is NaN or infinite."""
    if not (math.isfinite(loss) and math.isfinite(grad_norm)):
        reviews = ", ".join(map(str, batch.example_ids))
        raise NonFiniteLoss(f"loss {loss}, gradient norm {grad_norm}, learning rate {lr:g}, reviews {reviews}")
