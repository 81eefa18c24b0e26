"""One training step: the batch's gradients, their norm, the update; on a GPU all of it at once where that is faster."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from core.checkpoints.rng import generator_states, set_generator_states
from core.config.schema import TrainConfig
from core.engine.device import Engine
from core.engine.distributed import Ranks
from core.engine.memory_estimate import what_would_fit
from core.model.unpadded import UnpaddedClassifier
from core.training.cuda_graphs import CudaGraphs, ReplayedSteps
from core.training.gradients import BatchResult, compute_gradients, gradient_norm, is_out_of_memory
from core.training.setup import Beginning


class NonFiniteLoss(Exception):  # noqa: N818 - named after what happened
    """The loss or a gradient is NaN or infinite; the weights have not been touched by that step."""


class OutOfMemory(Exception):  # noqa: N818 - named after what happened
    """Not even a single review at a time fits into memory."""


class Steps:
    """Makes the steps of one run. What it has to ``warn`` of, it says; what it cannot do, it raises."""

    def __init__(
        self,
        begun: Beginning,
        config: TrainConfig,
        engine: Engine,
        ranks: Ranks,
        warn: Callable[[str], None],
        *,
        micro_batch_size: int,
    ) -> None:
        self.begun, self.config, self.engine, self.ranks, self.warn = begun, config, engine, ranks, warn
        self.model = ranks.wrap(begun.laid_out, engine.device)
        self.trainable = [parameter for parameter in begun.model.parameters() if parameter.requires_grad]
        self.micro_batch_size = micro_batch_size
        """So many reviews go through the model at once, 0 for all: fewer once memory was out."""
        self.replayed: ReplayedSteps | None = None
        if engine.launch == "graph" and ranks.world_size == 1 and isinstance(begun.laid_out, UnpaddedClassifier):
            self.replayed = ReplayedSteps(
                begun.laid_out,
                begun.optimizer,
                CudaGraphs(engine.device),
                longest=max(map(len, begun.train_set.input_ids)),
                max_grad_norm=config.max_grad_norm,
            )

    def make(self, chosen: list[int], lr: float, step: int) -> tuple[BatchResult, float]:
        """The step of that number on the reviews ``chosen``: what it found, and the norm of its gradients.

        Raises NonFiniteLoss and OutOfMemory, and then the weights are those of the step before.
        """
        for group in self.begun.optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        made = self._replay(chosen, step)
        updated = made is not None
        if made is None:
            result = self._gradients(chosen, step)
            made = result, gradient_norm(self.trainable, self.config.max_grad_norm).item()  # sync
        result, norm = made
        if not (math.isfinite(result.loss) and math.isfinite(norm)):
            reviews = ", ".join(str(self.begun.train_set.review_ids[i]) for i in chosen)
            epoch = math.ceil(step / math.ceil(len(self.begun.train_set) / self.config.batch_size))
            raise NonFiniteLoss(
                f"step {step} (epoch {epoch}): loss {result.loss}, gradient norm {norm}, learning rate {lr:g}, "
                f"reviews {reviews}; the weights are those of step {step - 1}"
            )
        if not updated:
            self.begun.optimizer.step()
        return made

    def _replay(self, chosen: list[int], step: int) -> tuple[BatchResult, float] | None:
        """A whole batch's step as a graph, or None where it must be made otherwise."""
        if self.replayed is None or self.micro_batch_size or len(chosen) != self.config.batch_size:
            return None
        examples, randomness = self.begun.train_set, generator_states(self.engine.device)
        rows, labels = [examples.rows(self.engine.device)[i] for i in chosen], [examples.labels[i] for i in chosen]
        try:
            return self.replayed.make(rows, labels)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self.replayed = None
        self.begun.optimizer.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        set_generator_states(randomness, self.engine.device)
        self.warn(f"out of memory for a graph at step {step}: the kernels of each step are now launched one by one")
        return None

    def _gradients(self, chosen: list[int], step: int) -> BatchResult:
        """The batch's gradients, in smaller micro-batches once memory is out."""
        begun, device = self.begun, self.engine.device
        randomness = generator_states(device)
        while True:
            begun.optimizer.zero_grad(set_to_none=True)
            try:
                return compute_gradients(
                    self.model, begun.train_set, chosen, self.engine, self.ranks, self.micro_batch_size
                )
            except Exception as error:
                if not is_out_of_memory(error) or self.ranks.world_size > 1:
                    raise
                words = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Only here is the failed attempt's memory free: its traceback held the tensors.
            begun.optimizer.zero_grad(set_to_none=True)
            if device.type == "cuda":
                torch.cuda.empty_cache()
            size = self.micro_batch_size or len(chosen)
            if size == 1:
                longest = max(len(begun.train_set.input_ids[i]) for i in chosen)
                fits = what_would_fit(begun.model.config, self.engine, longest)
                raise OutOfMemory(f"step {step}: one review at a time is too much ({words}); {fits}")
            set_generator_states(randomness, device)
            self.micro_batch_size = math.ceil(size / 2)
            self.warn(
                f"out of memory at step {step}: each batch now goes through in parts of {self.micro_batch_size}, "
                "with the same gradient"
            )
