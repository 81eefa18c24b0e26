"""Steps as CUDA graphs compute the same as eager steps.

Without a GPU a fake replaces the graphs: it stores the function and calls it again, so all but the capture is tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from core.config.encoder_overrides import EncoderOverrides
from core.config.schema import EngineConfig, ModelConfig, TrainConfig
from core.data.batches import Batch, Examples
from core.engine.device import Engine, choose_engine
from core.engine.distributed import Ranks
from core.model.classifier import build_classifier, encoder_config
from core.model.unpadded import forward_of
from core.training import setup as training_setup
from core.training.cuda_graphs import CudaGraphStep
from core.training.setup import Setup, build_optimizer, choose_step
from core.training.step import EagerStep, NonFiniteLoss, StepResult

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")),
]
SMALL = ("n_layers=2", "dim=64", "hidden_dim=96", "n_heads=2", "vocab_size=60")
LENGTHS = [30, 7, 100, 64, 9, 120, 80, 33, 250, 240, 2]
"""Batches of two: 37, 164, 129, 113 and 490 tokens, and one review that is left over."""


class FakeGraphs:
    """Replaces CUDA graphs if there is no GPU."""

    captures = 0

    def __init__(self, _: torch.device) -> None:
        pass

    def on_stream(self) -> AbstractContextManager[None]:
        return nullcontext()

    def capture(self, compute: Callable[[], None]) -> Callable[[], None]:
        FakeGraphs.captures += 1
        return compute


def engine_on(device: str, launch: str) -> Engine:
    if device == "cuda":
        return choose_engine(EngineConfig(device="cuda", launch=launch))  # type: ignore[arg-type]
    engine = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=1))
    return replace(engine, launch=launch)  # type: ignore[arg-type]


@dataclass
class Trainer:
    """A model and its training step, as in the loop."""

    setup: Setup
    step: EagerStep | CudaGraphStep
    warnings: list[str]

    def train_on(self, chosen: list[int], lr: float) -> StepResult:
        return self.step(self.setup.train_set.batch(chosen, self.setup.engine.device), lr)


def trainer_on(device: str, launch: str, *architecture: str, micro_batch_size: int = 0, **train: Any) -> Trainer:
    torch.manual_seed(0)
    engine, config = engine_on(device, launch), TrainConfig(batch_size=2, **train)
    encoder = encoder_config({}, EncoderOverrides.parse(", ".join((*SMALL, *architecture))))
    model = build_classifier(encoder, ModelConfig(init="scratch"), None)
    torch.nn.Module.to(model, engine.device)
    draw = torch.Generator().manual_seed(1)
    ids = [torch.randint(0, 60, (n,), generator=draw).tolist() for n in LENGTHS]
    examples = Examples(ids, [i % 2 for i in range(len(ids))], list(range(len(ids))))
    source: Any = None
    optimizer = build_optimizer(model, config, engine)
    setup = Setup(engine, model, forward_of(model, engine), optimizer, examples, examples, {}, source, [], "")
    warnings: list[str] = []
    step = choose_step(setup, config, Ranks(), warnings.append, micro_batch_size=micro_batch_size)
    assert isinstance(step, CudaGraphStep if launch == "graph" else EagerStep)
    return Trainer(setup, step, warnings)


@pytest.fixture(autouse=True)
def _no_gpu_needed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeGraphs.captures = 0
    if "cuda" not in request.node.callspec.params.values():
        monkeypatch.setattr(training_setup, "CudaGraphs", FakeGraphs)


def trained(trainer: Trainer, epochs: int = 3) -> tuple[list[float], list[float], dict[str, torch.Tensor], list[float]]:
    """Losses, norms, the weights without those whose gradient is 0 except for rounding, and the logits."""
    torch.manual_seed(2)
    losses, norms, logits = [], [], []
    for epoch in range(epochs):
        for start in range(0, len(LENGTHS), 2):
            chosen = list(range(start, min(start + 2, len(LENGTHS))))
            result = trainer.train_on(chosen, 1e-3 * (epoch + 1))
            losses.append(result.loss)
            norms.append(result.grad_norm)
            assert result.logits.shape == (len(chosen),)
            logits += result.logits.tolist()
            assert result.tokens == sum(LENGTHS[i] for i in chosen)
    parameters = trainer.setup.model.named_parameters()
    weights = {name: p.detach().clone() for name, p in parameters if "k_lin.bias" not in name}
    return losses, norms, weights, logits


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("max_grad_norm", [0.0, 0.5])
def test_steps_as_graphs_compute_what_eager_steps_compute(device: str, max_grad_norm: float) -> None:
    dropout = ("dropout=0", "attention_dropout=0")
    eager = trainer_on(device, "eager", *dropout, max_grad_norm=max_grad_norm)
    graphs = trainer_on(device, "graph", *dropout, max_grad_norm=max_grad_norm)
    plain, fast = trained(eager), trained(graphs)
    assert isinstance(graphs.step, CudaGraphStep)
    sizes = graphs.step.sizes
    assert {tokens: size.steps for (tokens, _), size in sizes.items()} == {256: 12, 512: 3}
    assert all(size.replay is not None for size in sizes.values())
    assert fast[0] == pytest.approx(plain[0], abs=1e-6 if device == "cpu" else 1e-3)
    assert fast[1] == pytest.approx(plain[1], rel=1e-4 if device == "cpu" else 2e-2)
    assert fast[3] == pytest.approx(plain[3], abs=1e-5 if device == "cpu" else 1e-2)
    labels = [float(i % 2) for i in range(len(LENGTHS))] * 3
    exact = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(fast[3]), torch.tensor(labels))
    sizes_of_batches = torch.tensor([2.0] * 5 + [1.0]).repeat(3)
    assert (torch.tensor(fast[0]) * sizes_of_batches).sum() / len(labels) == pytest.approx(exact.item(), abs=1e-5)
    if device == "cpu":
        assert FakeGraphs.captures == 2
        assert all(torch.allclose(fast[2][name], plain[2][name], atol=1e-5) for name in plain[2])


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_bits_and_each_replay_has_its_own_dropout_masks(device: str) -> None:
    rates = ("dropout=0.3", "attention_dropout=0.3")
    one, other = (trained(trainer_on(device, "graph", *rates)) for _ in range(2))
    assert one[0] == other[0]
    assert all(torch.equal(one[2][name], other[2][name]) for name in one[2])
    still = trainer_on(device, "graph", *rates)
    torch.manual_seed(2)
    assert len({still.train_on([0, 1], 0.0).loss for _ in range(6)}) == 6


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_loss_that_is_not_finite_changes_no_weight(device: str, before: int) -> None:
    """In the first step, which is eager, in the captured one, and in a replay."""
    trainer = trainer_on(device, "graph")
    model = trainer.setup.model
    for _ in range(before):
        trainer.train_on([0, 1], 1e-3)
    weights = [parameter.detach().clone() for parameter in model.parameters()]
    with torch.no_grad():
        model.classifier.bias.fill_(math.nan)
        weights[-1].fill_(math.nan)
    for _ in range(2):
        with pytest.raises(NonFiniteLoss, match=r"^loss nan, .* reviews 0, 1$"):
            trainer.train_on([0, 1], 1e-3)
    after = list(model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(weights[:-1], after[:-1], strict=True))
    assert after[-1].isnan().all()


@pytest.mark.parametrize("device", DEVICES)
def test_without_memory_for_a_graph_the_step_falls_back_to_eager_mode_and_then_to_micro_batches(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_on(device, "graph")
    assert isinstance(trainer.step, CudaGraphStep)
    eager = trainer.step.eager
    forward_backward, sizes = eager.forward_backward, []

    def no_memory(_: Batch) -> None:
        torch.rand(3, device=trainer.setup.engine.device)  # draws random numbers before it fails
        raise torch.OutOfMemoryError("no memory")

    def no_memory_for_two(batch: Batch, micro_batch_size: int) -> tuple[float, float, int, torch.Tensor]:
        sizes.append(micro_batch_size)
        if micro_batch_size == 0:
            raise torch.OutOfMemoryError("no memory")
        return forward_backward(batch, micro_batch_size)

    monkeypatch.setattr(trainer.step, "compute", no_memory)
    monkeypatch.setattr(eager, "forward_backward", no_memory_for_two)
    torch.manual_seed(2)
    result = trainer.train_on([0, 1], 1e-3)
    assert (trainer.step.graphs, trainer.step.micro_batch_size, sizes) == (None, 1, [0, 1])
    assert trainer.warnings == [
        "out of memory for CUDA graphs; falling back to eager mode",
        "out of memory; continuing with micro-batches of 1 (same gradient)",
    ]
    plain = trainer_on(device, "eager", micro_batch_size=1)
    torch.manual_seed(2)
    assert result.loss == pytest.approx(plain.train_on([0, 1], 1e-3).loss, abs=1e-6)
