"""Running out of memory: smaller micro-batches with the same gradient, or a failure with advice."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config.schema import RunConfig
from core.runs.events import Warned
from core.training import step as step_module
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.training import configured, on_step, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return stateful(config)


class Full:
    """A device that has memory for at most ``most`` reviews at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int, error: Exception) -> None:
        loss_of = step_module.classification_loss

        def limited(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            if len(labels) > most:
                raise error
            return loss_of(logits, labels)

        monkeypatch.setattr(step_module, "classification_loss", limited)


OOM = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:128] . DefaultCPUAllocator: not enough memory: you tried to allocate"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OOM, ids=["cuda", "cpu", "python"])
def test_out_of_memory_continues_in_micro_batches_with_the_same_gradient(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    config = configured(config, model__head_dropout=0.0)
    plain, _ = run(config, tmp_path / "plain")
    Full(monkeypatch, 2, error)
    done, recorder = run(config, tmp_path / "full")
    assert recorder.end.status == "completed"
    messages = [event.message for event in recorder.of(Warned)]
    assert [message.split("micro-batches of ")[1][0] for message in messages] == ["4", "2"]
    assert all(message.startswith("step 1: out of memory") for message in messages)
    a, b = done.state().curves["train/loss"].values, plain.state().curves["train/loss"].values
    assert a[0] == pytest.approx(b[0], abs=1e-6)


def test_a_run_in_micro_batches_resumes_bit_identically(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(monkeypatch, 3, OOM[0])
    whole, _ = run(config, tmp_path / "whole")
    done, _ = run(config, tmp_path / "broken", on_step(5, lambda control: control.stop("enough")))
    recorder = resumed(done)
    assert recorder.of(Warned) == []
    assert_same(done, whole)


def test_if_a_single_review_does_not_fit_the_run_fails_with_advice(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(monkeypatch, 0, OOM[0])
    _, recorder = run(config, tmp_path)
    assert (recorder.end.status, recorder.end.reason) == ("failed", "out of memory")
    assert "a single review does not fit into memory (CUDA out of memory" in recorder.end.error
    assert "MB are free" in recorder.end.error
