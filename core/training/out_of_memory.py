"""Smaller micro-batches when memory runs out, with the same gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch

from core.checkpoints.rng import generator_states, set_generator_states
from core.data.batches import Batch

Result = TypeVar("Result")


class OutOfMemory(Exception):  # noqa: N818 - named after what happened
    """Not even a single review at a time fits into memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch raised ``error`` because an allocation failed, on any device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)  # the CPU allocator has no class


class MicroBatching:
    """Repeats a computation with half the micro-batch size until it fits into memory.

    ``clear`` frees what a failed attempt left. ``advice`` is added to the error if nothing fits.
    """

    def __init__(
        self,
        micro_batch_size: int,
        device: torch.device,
        *,
        clear: Callable[[], None],
        warn: Callable[[str], None],
        advice: Callable[[int], str],
    ) -> None:
        self.micro_batch_size = micro_batch_size
        """Reviews per forward pass; 0 for the whole batch."""
        self._device, self._clear, self._warn, self._advice = device, clear, warn, advice

    def run(self, compute: Callable[[Batch, int], Result], batch: Batch) -> Result:
        """``compute(batch, micro_batch_size)``, repeated from the same generator states after running out of memory.

        Raises OutOfMemory if single reviews do not fit.
        """
        states = generator_states(self._device)
        while True:
            try:
                return compute(batch, self.micro_batch_size)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Not inside `except`: the traceback there still holds the tensors of the failed attempt.
            self._clear()
            size = self.micro_batch_size or len(batch)
            if size == 1:
                raise OutOfMemory(
                    f"a single review does not fit into memory ({reason}); {self._advice(batch.max_seqlen)}"
                )
            set_generator_states(states, self._device)
            self.micro_batch_size = math.ceil(size / 2)
            self._warn(f"out of memory; continuing with micro-batches of {self.micro_batch_size} (same gradient)")
