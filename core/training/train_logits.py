"""The logit of each training review in the current epoch, collected while the run trains.

Each step computes them anyway: with dropout, and with the weights before its update. They stay on the device until the
epoch ends or a checkpoint is saved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from core.engine.distributed import Ranks

NAME = "train_logits"
"""Name of the tensor in a checkpoint."""


class TrainLogits:
    """One float32 value per training review, in the order of the epoch's batches; NaN until its batch is trained.

    With several ranks, each records its share of every batch.
    """

    def __init__(self, reviews: int, device: torch.device, ranks: Ranks) -> None:
        self._values = torch.full((reviews,), math.nan, device=device)
        self._batches: Sequence[Sequence[int]] = ()
        self._ranks = ranks

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Continue the epoch of a checkpoint with these tensors. Checkpoints of earlier versions have no logits."""
        saved = tensors.get(NAME)
        if saved is not None and saved.shape == self._values.shape:
            self._values.copy_(saved)

    def start_epoch(self, batches: Sequence[Sequence[int]]) -> None:
        """Set the batches of the epoch, each as positions in the training set. Values of a resumed epoch stay."""
        self._batches = batches

    def record(self, number: int, logits: torch.Tensor) -> None:
        """Copy the logits of this rank's share of batch ``number``, counted from 0."""
        start = number * len(self._batches[0])
        end = start + len(self._batches[number])
        self._values[start + self._ranks.rank : end : self._ranks.world_size] = logits

    def all_ranks(self) -> torch.Tensor:
        """The values of all ranks together, float32 [reviews]. All ranks must call this at the same step."""
        if self._ranks.world_size == 1:
            return self._values
        first, *others = self._ranks.gather([self._values.cpu()], self._ranks.world_size)
        for other in others:
            first = torch.where(first.isnan(), other, first)
        return first

    def finish_epoch(self) -> list[float]:
        """The logits in the order of the training set, NaN where unknown. All are unknown again afterwards."""
        values = self.all_ranks().tolist()  # sync
        positions = [position for batch in self._batches for position in batch]
        by_position = dict(zip(positions, values, strict=True))
        self._values.fill_(math.nan)
        return [by_position[position] for position in range(len(values))]
