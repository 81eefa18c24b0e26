"""Training steps as CUDA graphs: a GPU computes the hundreds of kernels of a step faster than they can be launched.

A graph repeats the same kernels on the same memory. So there is one graph per batch size in tokens: sizes are
multiples of ``GRAIN``, and each batch is filled up to the next one. The tensors of the batch and the learning rate are
copied into the memory of the graph before each step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from core.checkpoints.rng import generator_states, set_generator_states
from core.data.batches import Batch
from core.engine.torch_private import skip_updates_if
from core.model.unpadded import UnpaddedClassifier
from core.training.loss import classification_loss, correct_predictions
from core.training.out_of_memory import is_out_of_memory
from core.training.step import EagerStep, StepResult, clip_gradients, require_finite, set_learning_rate

GRAIN = 256
"""Step between the sizes of two graphs, in tokens."""


class CudaGraphs:
    """Captures kernels, so that they can be launched again all at once."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def on_stream(self) -> Iterator[None]:
        """Launch kernels on the stream of the graphs, after everything launched before."""
        self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        with torch.cuda.stream(self.stream):
            yield

    def capture(self, compute: Callable[[], None]) -> Callable[[], None]:
        """A function that replays ``compute``. ``compute`` must have run once before; it does not run now."""
        graph = torch.cuda.CUDAGraph()
        # Another thread may copy a checkpoint from the device meanwhile.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
            compute()
        return graph.replay


class _Graph:
    """The step for batches of one size: the memory it reads, and what replays it."""

    def __init__(self, first: Batch, max_seqlen: int) -> None:
        self.batch = replace(first, max_seqlen=max_seqlen)
        self.steps = 0
        self.replay: Callable[[], None] | None = None

    def load(self, batch: Batch) -> None:
        # The lists are for the host; no kernel reads them.
        self.batch = replace(self.batch, seqlens=batch.seqlens, example_ids=batch.example_ids)
        self.batch.input_ids.copy_(batch.input_ids)
        self.batch.position_ids.copy_(batch.position_ids)
        self.batch.cu_seqlens.copy_(batch.cu_seqlens)
        self.batch.labels.copy_(batch.labels)


class CudaGraphStep:
    """The same step as :class:`EagerStep`, replayed as a graph for each whole batch.

    Smaller batches, and all batches once memory has run out, go to ``eager``. The optimizer must be fused and
    capturable, with a tensor as its learning rate. After a loss or gradient that is not finite no step changes the
    weights any more: the device itself decides that.
    """

    def __init__(
        self,
        eager: EagerStep,
        model: UnpaddedClassifier,
        graphs: CudaGraphs,
        warn: Callable[[str], None],
        *,
        batch_size: int,
        max_seqlen: int,
    ) -> None:
        self.eager, self.model, self.warn, self.batch_size = eager, model, warn, batch_size
        self.graphs: CudaGraphs | None = graphs
        """None after running out of memory."""
        self.max_seqlen = max(max_seqlen, GRAIN)
        self.optimizer, self.device = eager.optimizer, eager.engine.device
        self.sizes: dict[tuple[int, int], _Graph] = {}
        self.results = torch.zeros(3, device=self.device)
        """Of the last step: mean loss, correct predictions, norm of the gradients before clipping."""
        self.logits = torch.zeros(batch_size, device=self.device)
        """Of the last step: the logit of each review."""
        self.broken = torch.zeros((), device=self.device)
        skip_updates_if(self.optimizer, self.broken)

    @property
    def micro_batch_size(self) -> int:
        return self.eager.micro_batch_size

    def __call__(self, batch: Batch, lr: float) -> StepResult:
        if self.graphs is None or self.micro_batch_size or len(batch) != self.batch_size:
            return self.eager(batch, lr)
        states = generator_states(self.device)
        set_learning_rate(self.optimizer, lr)
        try:
            result = self.replayed(batch, self.graphs)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        else:
            require_finite(result.loss, result.grad_norm, lr, batch)
            return result
        self.graphs = None
        self.sizes.clear()
        self.eager.free_memory()
        set_generator_states(states, self.device)
        self.warn("out of memory for CUDA graphs; falling back to eager mode")
        return self.eager(batch, lr)

    def replayed(self, batch: Batch, graphs: CudaGraphs) -> StepResult:
        """The step of ``batch`` as a graph.

        The first step of a size is launched kernel by kernel, which initialises what cannot be captured; the second
        one is captured. Both compute the same with the same random numbers.
        """
        with graphs.on_stream():
            graph = self.graph_for(batch.filled_up(math.ceil(batch.tokens / GRAIN) * GRAIN))
            if graph.steps == 1:
                graph.replay = graphs.capture(lambda: self.compute(graph.batch))
            if graph.replay is None:
                self.compute(graph.batch)
            else:
                graph.replay()
            graph.steps += 1
            loss, correct, grad_norm = self.results.tolist()  # sync
        return StepResult(loss, correct / len(batch), grad_norm, batch.tokens, self.logits)

    def graph_for(self, batch: Batch) -> _Graph:
        size = len(batch.input_ids), len(batch)
        if size not in self.sizes:
            self.sizes[size] = _Graph(batch, self.max_seqlen)
        else:
            self.sizes[size].load(batch)
        return self.sizes[size]

    def compute(self, batch: Batch) -> None:
        """The whole step; the captured kernels. Leaves its results in ``self.results`` and ``self.logits``."""
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(batch)
        loss = classification_loss(logits, batch.labels)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = clip_gradients(self.eager.parameters, self.eager.max_grad_norm)
        correct = correct_predictions(logits, batch.labels)
        torch.stack([loss.detach(), correct.float(), norm], out=self.results)
        self.logits.copy_(logits.detach())
        self.broken.copy_(torch.maximum(self.broken, (~self.results.isfinite().all()).float()))
        self.optimizer.step()
