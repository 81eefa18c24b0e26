"""Steps as graphs against steps launched one by one.

Without a GPU the graphs are played by something that keeps the call and makes it again: all but the capture itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch

from core.config.schema import EngineConfig, ModelConfig, TrainConfig
from core.data.splits import Examples
from core.engine.device import Engine, choose_engine
from core.engine.distributed import Ranks
from core.model.classifier import build_classifier, encoder_config
from core.model.unpadded import laid_out
from core.training import cuda_graphs as replay
from core.training import step as steps
from core.training.setup import Beginning, build_optimizer
from core.training.step import NonFiniteLoss, Steps

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")),
]
SMALL = ("n_layers=2", "dim=64", "hidden_dim=96", "n_heads=2", "vocab_size=60")
LENGTHS = [30, 7, 100, 64, 9, 120, 80, 33, 250, 240, 2]
"""Batches of two: 37, 164, 129, 113 and 490 tokens, and one review that is left over."""


class Repeated:
    """Stands in for CUDA graphs where there is no GPU."""

    captures = 0

    def __init__(self, _: torch.device) -> None:
        pass

    def readied(self) -> AbstractContextManager[None]:
        return nullcontext()

    def captured(self, compute: Callable[[], None]) -> Callable[[], None]:
        Repeated.captures += 1
        return compute


def engine_on(device: str, launch: str) -> Engine:
    if device == "cuda":
        return choose_engine(EngineConfig(device="cuda", launch=launch))  # type: ignore[arg-type]
    engine = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=1))
    return replace(engine, launch=launch)  # type: ignore[arg-type]


def begun_on(device: str, launch: str, *architecture: str, **train: Any) -> tuple[Steps, list[str]]:
    torch.manual_seed(0)
    engine, config = engine_on(device, launch), TrainConfig(batch_size=2, **train)
    model = build_classifier(encoder_config({}, (*SMALL, *architecture)), ModelConfig(init="scratch"), None)
    torch.nn.Module.to(model, engine.device)
    draw = torch.Generator().manual_seed(1)
    ids = [torch.randint(0, 60, (n,), generator=draw).tolist() for n in LENGTHS]
    examples = Examples(ids, [i % 2 for i in range(len(ids))], list(range(len(ids))))
    source: Any = None
    module = laid_out(model, engine)
    begun = Beginning(model, module, build_optimizer(model, config, engine), examples, examples, {}, source, [])
    warnings: list[str] = []
    return Steps(begun, config, engine, Ranks(), warnings.append, micro_batch_size=0), warnings


@pytest.fixture(autouse=True)
def _no_gpu_needed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    Repeated.captures = 0
    if "cuda" not in request.node.callspec.params.values():
        monkeypatch.setattr(steps, "CudaGraphs", Repeated)


def trained(made: Steps, epochs: int = 3) -> tuple[list[float], list[float], dict[str, torch.Tensor]]:
    """Losses, norms, and the weights, without those whose gradient is 0 but for rounding."""
    torch.manual_seed(2)
    losses, norms = [], []
    for epoch in range(epochs):
        for start in range(0, len(LENGTHS), 2):
            chosen = list(range(start, min(start + 2, len(LENGTHS))))
            result, norm = made.make(chosen, 1e-3 * (epoch + 1), len(losses) + 1)
            losses.append(result.loss)
            norms.append(norm)
            assert result.tokens == sum(LENGTHS[i] for i in chosen)
    weights = {name: p.detach().clone() for name, p in made.begun.model.named_parameters() if "k_lin.bias" not in name}
    return losses, norms, weights


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("most", [0.0, 0.5])
def test_replayed_steps_are_the_steps_launched_one_by_one(device: str, most: float) -> None:
    dropout = ("dropout=0", "attention_dropout=0")
    one_by_one, _ = begun_on(device, "eager", *dropout, max_grad_norm=most)
    replayed, _ = begun_on(device, "graph", *dropout, max_grad_norm=most)
    assert one_by_one.replayed is None
    plain, fast = trained(one_by_one), trained(replayed)
    assert replayed.replayed is not None
    sizes = replayed.replayed.sizes
    assert {tokens: size.steps for (tokens, _), size in sizes.items()} == {256: 12, 512: 3}
    assert all(size.replay is not None for size in sizes.values())
    assert fast[0] == pytest.approx(plain[0], abs=1e-6 if device == "cpu" else 1e-3)
    assert fast[1] == pytest.approx(plain[1], rel=1e-4 if device == "cpu" else 2e-2)
    if device == "cpu":
        assert Repeated.captures == 2
        assert all(torch.allclose(fast[2][name], plain[2][name], atol=1e-5) for name in plain[2])


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_bits_and_each_replay_masks_of_its_own(device: str) -> None:
    rates = ("dropout=0.3", "attention_dropout=0.3")
    one, other = (trained(begun_on(device, "graph", *rates)[0]) for _ in range(2))
    assert one[0] == other[0]
    assert all(torch.equal(one[2][name], other[2][name]) for name in one[2])
    still, _ = begun_on(device, "graph", *rates)
    torch.manual_seed(2)
    losses = [still.make([0, 1], 0.0, step + 1)[0].loss for step in range(6)]
    assert len(set(losses)) == 6


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_what_is_not_finite_reaches_no_weight(device: str, before: int) -> None:
    """In the first step, which is launched, in the one that is captured, and in a replay."""
    made, _ = begun_on(device, "graph")
    for step in range(before):
        made.make([0, 1], 1e-3, step + 1)
    weights = [parameter.detach().clone() for parameter in made.begun.model.parameters()]
    with torch.no_grad():
        made.begun.model.classifier.bias.fill_(math.nan)
        weights[-1].fill_(math.nan)
    for _ in range(2):
        with pytest.raises(NonFiniteLoss, match=rf"step {before + 1} \(epoch 1\): loss nan.* weights are those of"):
            made.make([0, 1], 1e-3, before + 1)
    after = list(made.begun.model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(weights[:-1], after[:-1], strict=True))
    assert after[-1].isnan().all()


@pytest.mark.parametrize("device", DEVICES)
def test_without_memory_for_a_graph_the_step_is_made_in_parts(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, warnings = begun_on(device, "graph")
    plain, _ = begun_on(device, "eager")
    compute, calls = steps.compute_gradients, []

    def exhausted(*_: Any) -> None:
        torch.rand(3, device=made.engine.device)  # what was drawn before it failed
        raise torch.OutOfMemoryError("no memory")

    def once(*arguments: Any) -> Any:
        calls.append(arguments[-1])
        if arguments[-1] == 0 and arguments[0] is made.model:
            raise torch.OutOfMemoryError("no memory")
        return compute(*arguments)

    monkeypatch.setattr(replay.ReplayedSteps, "_compute", exhausted)
    monkeypatch.setattr(steps, "compute_gradients", once)
    torch.manual_seed(2)
    result, _ = made.make([0, 1], 1e-3, 1)
    assert (made.replayed, made.micro_batch_size, calls) == (None, 1, [0, 1])
    assert "out of memory for a graph at step 1" in warnings[0]
    assert "each batch now goes through in parts of 1" in warnings[1]
    torch.manual_seed(2)
    plain.micro_batch_size = 1
    assert result.loss == pytest.approx(plain.make([0, 1], 1e-3, 1)[0].loss, abs=1e-6)
