"""Whole training steps as CUDA graphs: a GPU computes a step's hundreds of kernels faster than they can be launched.

A graph repeats the same kernels on the same memory. So there is one for each size of a batch, in tokens; sizes are
multiples of ``GRAIN``, and a batch is filled up to the next one. Where reviews begin, their labels and the learning
rate are tensors like the ids, copied there before each step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.model.unpadded import Packed, UnpaddedClassifier, on_device, pack
from core.training.gradients import BatchResult, gradient_norm

GRAIN = 256
"""Tokens by which sizes differ, and fewer than which fill a batch up."""


class CudaGraphs:
    """Captures what is launched, so that it can be launched again at once."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def readied(self) -> Iterator[None]:
        """Within it work goes to the stream of the graphs, after all that was launched before."""
        self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        with torch.cuda.stream(self.stream):
            yield

    def captured(self, compute: Callable[[], None]) -> Callable[[], None]:
        """What repeats ``compute``, which must have run once before; it does not run now."""
        graph = torch.cuda.CUDAGraph()
        # Another thread may meanwhile copy a checkpoint from the device.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
            compute()
        return graph.replay


class _Size:
    """Batches of one size: the memory they come to, and how a step on them is made."""

    def __init__(self, first: Packed, longest: int, labels: torch.Tensor) -> None:
        self.batch = replace(first, longest=longest)
        self.labels = labels
        self.steps = 0
        self.replay: Callable[[], None] | None = None

    def take(self, batch: Packed, labels: torch.Tensor) -> None:
        self.batch = replace(self.batch, lengths=batch.lengths)  # which no kernel reads
        self.batch.ids.copy_(batch.ids)
        self.batch.positions.copy_(batch.positions)
        self.batch.ends.copy_(batch.ends)
        self.labels.copy_(labels)


class ReplayedSteps:
    """Makes whole steps, from ids to updated weights, on reviews of at most ``longest`` tokens.

    The optimizer must be fused, capturable, and have a tensor for its learning rate. After a step whose loss or
    gradient is not finite no step changes weights or moments: that is decided on the device.
    """

    def __init__(
        self,
        model: UnpaddedClassifier,
        optimizer: torch.optim.Optimizer,
        graphs: CudaGraphs,
        *,
        longest: int,
        max_grad_norm: float,
    ) -> None:
        self.model, self.optimizer, self.graphs = model, optimizer, graphs
        self.longest, self.max_grad_norm = max(longest, GRAIN), max_grad_norm
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.sizes: dict[tuple[int, int], _Size] = {}
        device = self.parameters[0].device
        self.numbers = torch.zeros(3, device=device)
        """Of the last step: mean loss, reviews that were right, norm of the gradients before clipping."""
        self.broken = torch.zeros((), device=device)
        optimizer.found_inf = self.broken  # type: ignore[attr-defined]  # as torch's GradScaler: 1 skips the update

    def make(self, rows: Sequence[torch.Tensor], labels: Sequence[int]) -> tuple[BatchResult, float]:
        """One step on reviews' ``rows`` of ids: what it found, and the norm of its gradients.

        The first step of a size is launched kernel by kernel, which readies what cannot be captured; the second one
        is captured. Each is the same computation with the same random numbers.
        """
        tokens = sum(map(len, rows))
        with self.graphs.readied():
            size = self._filled(rows, labels, math.ceil(tokens / GRAIN) * GRAIN)
            if size.steps == 1:
                size.replay = self.graphs.captured(lambda: self._compute(size))
            if size.replay is None:
                self._compute(size)
            else:
                size.replay()
            size.steps += 1
            loss, right, norm = self.numbers.tolist()  # sync
        return BatchResult(loss, right / len(rows), tokens), norm

    def _filled(self, rows: Sequence[torch.Tensor], labels: Sequence[int], tokens: int) -> _Size:
        batch = pack(rows, self.model.places, tokens)
        of_reviews = on_device([float(label) for label in labels], torch.float32, self.numbers.device)
        size = self.sizes.get((tokens, len(rows)))
        if size is None:
            size = self.sizes[tokens, len(rows)] = _Size(batch, self.longest, of_reviews)
        else:
            size.take(batch, of_reviews)
        return size

    def _compute(self, size: _Size) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model.logits(size.batch)
        loss = binary_cross_entropy_with_logits(logits, size.labels)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = gradient_norm(self.parameters, self.max_grad_norm)
        right = ((logits > 0) == (size.labels > 0.5)).sum()
        torch.stack([loss.detach(), right.float(), norm], out=self.numbers)
        self.broken.copy_(torch.maximum(self.broken, (~self.numbers.isfinite().all()).float()))
        self.optimizer.step()
