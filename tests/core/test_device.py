"""Every automatic choice of the engine, with its reason in words."""

from __future__ import annotations

import pytest
import torch

from core import device
from core.config import EngineConfig
from core.device import choose_engine, usable_cores
from core.errors import InputError


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool = False, mps: bool = False, unit: str = "") -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(device, "_cpu_bfloat16_unit", lambda: unit)


def test_a_cuda_gpu_is_taken_before_an_apple_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=True)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.device_reason) == ("cuda", "a CUDA GPU was found")
    assert (engine.dtype_name, engine.dtype_reason) == ("bfloat16", "the GPU computes bfloat16")
    assert engine.attention == "sdpa"


def test_an_apple_gpu_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, mps=True)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.dtype) == ("mps", torch.float32)


@pytest.mark.parametrize(
    ("unit", "dtype", "reason"),
    [
        ("AMX tiles", torch.bfloat16, "the CPU has AMX tiles"),
        ("AVX512-BF16", torch.bfloat16, "the CPU has AVX512-BF16"),
        ("", torch.float32, "float32 is the reference"),
    ],
)
def test_a_cpu_computes_bfloat16_only_where_it_has_a_unit_for_it(
    monkeypatch: pytest.MonkeyPatch, unit: str, dtype: torch.dtype, reason: str
) -> None:
    pretend(monkeypatch, unit=unit)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.device_reason, engine.attention) == ("cpu", "no GPU was found", "eager")
    assert (engine.dtype, engine.dtype_reason) == (dtype, reason)


def test_what_the_preset_asks_for_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, unit="AMX tiles")
    engine = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=3))
    assert (engine.device.type, engine.dtype, engine.threads) == ("cpu", torch.float32, 3)
    assert engine.device_reason == engine.dtype_reason == engine.threads_reason == "asked for in the preset"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch)
    with pytest.raises(InputError, match=rf"engine\.device = '{name}' is not on this machine; use auto or cpu"):
        choose_engine(EngineConfig(device=name))


def test_threads_are_the_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    engine = choose_engine(EngineConfig())
    assert engine.threads == usable_cores() >= 1
    assert engine.threads_reason == "one a core that this process may use"
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    assert choose_engine(EngineConfig()).threads == 3
