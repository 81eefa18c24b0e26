"""Every automatic choice of the engine, with its reason in words."""

from __future__ import annotations

import pytest
import torch

from core.config.schema import EngineConfig, field_types
from core.engine import device, torch_private
from core.engine.device import choose_engine, engine_facts, usable_cores
from core.errors import InputError


def pretend(
    monkeypatch: pytest.MonkeyPatch, *, cuda: bool = False, mps: bool = False, flash: bool = True, unit: str = ""
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: flash)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch_private, "cpu_bfloat16_unit", lambda: unit)


def test_a_cuda_gpu_is_taken_before_an_apple_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=True)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.reasons["device"]) == ("cuda", "a CUDA GPU was found")
    assert (engine.dtype_name, engine.reasons["dtype"]) == ("bfloat16", "the GPU computes bfloat16")


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
    assert (engine.device.type, engine.reasons["device"], engine.attention) == ("cpu", "no GPU was found", "per-review")
    assert (engine.dtype, engine.reasons["dtype"]) == (dtype, reason)


def test_what_the_preset_asks_for_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, unit="AMX tiles")
    engine = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=3))
    assert (engine.device.type, engine.dtype, engine.threads) == ("cpu", torch.float32, 3)
    assert {engine.reasons[name] for name in ("device", "dtype", "threads")} == {"asked for in the preset"}


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch)
    with pytest.raises(InputError, match=rf"engine\.device = '{name}' is not on this machine; use auto or cpu"):
        choose_engine(EngineConfig(device=name))


def test_threads_are_the_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    engine = choose_engine(EngineConfig())
    assert engine.threads == usable_cores() >= 1
    assert engine.reasons["threads"] == "one a core that this process may use"
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    assert choose_engine(EngineConfig()).threads == 3


def parts(config: EngineConfig) -> tuple[str, ...]:
    engine = choose_engine(config)
    return (engine.layout, engine.attention, engine.dropout, engine.optimizer)


def test_each_device_gets_the_parts_that_are_fast_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    assert parts(EngineConfig()) == ("unpadded", "per-review", "lanes", "fused")
    assert parts(EngineConfig(layout="padded")) == ("padded", "eager", "lanes", "fused")
    pretend(monkeypatch, cuda=True)
    assert parts(EngineConfig()) == ("unpadded", "flash", "bernoulli", "fused")
    assert parts(EngineConfig(dtype="float32")) == ("padded", "sdpa", "bernoulli", "fused")
    pretend(monkeypatch, cuda=True, flash=False)
    assert parts(EngineConfig()) == ("padded", "sdpa", "bernoulli", "fused")
    pretend(monkeypatch, mps=True)
    assert parts(EngineConfig()) == ("padded", "sdpa", "bernoulli", "plain")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("attention", "per-review"),
        ("dropout", "bernoulli"),
        ("optimizer", "plain"),
        ("memory", "returned"),
    ],
)
def test_each_part_can_be_switched_and_says_so(part: str, value: str) -> None:
    engine = choose_engine(EngineConfig(device="cpu", **{part: value}))
    assert engine.words()[part] == f"{value} (asked for in the preset)"
    assert sum("asked for" in words for words in engine.words().values()) == 2  # the device, too


def test_a_gpu_replays_graphs_of_what_can_be_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True)
    assert choose_engine(EngineConfig()).launch == "graph"
    for other in (EngineConfig(dtype="float32"), EngineConfig(optimizer="plain"), EngineConfig(layout="padded")):
        words = choose_engine(other).words()["launch"]
        assert words == "eager (a graph is made of the unpadded layout with flash attention and a fused optimizer)"
    assert choose_engine(EngineConfig(device="cpu")).words()["launch"] == "eager (only CUDA has graphs)"
    for config in (EngineConfig(device="cpu", launch="graph"), EngineConfig(layout="padded", launch="graph")):
        with pytest.raises(InputError, match=r"engine\.launch = 'graph' is for a CUDA GPU with flash attention"):
            choose_engine(config)


def test_every_choice_has_its_reason() -> None:
    words = choose_engine(EngineConfig()).words()
    assert set(words) == {"device", "dtype", "threads", *device.PARTS} == set(field_types("engine"))
    assert all(reason.endswith(")") and len(reason.partition(" (")[2]) > 5 for reason in words.values())


@pytest.mark.parametrize(
    ("layout", "attention"), [("padded", "per-review"), ("padded", "flash"), ("unpadded", "eager"), ("auto", "sdpa")]
)
def test_parts_that_do_not_go_together_are_refused(layout: str, attention: str) -> None:
    with pytest.raises(InputError, match=rf"engine\.attention = '{attention}' does not go with the .* layout"):
        choose_engine(EngineConfig(device="cpu", layout=layout, attention=attention))


def test_flash_attention_is_only_for_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU without it, or in a dtype that it does not take, computes unpadded batches review by review."""
    pretend(monkeypatch, cuda=True)
    for config in (
        EngineConfig(device="cpu", attention="flash"),
        EngineConfig(dtype="float32", layout="unpadded", attention="flash"),
    ):
        with pytest.raises(InputError, match=r"engine\.attention = 'flash' is for a CUDA GPU that computes bfloat16"):
            choose_engine(config)
    assert choose_engine(EngineConfig(dtype="float32", layout="unpadded")).attention == "per-review"
    pretend(monkeypatch, mps=True)
    assert choose_engine(EngineConfig(layout="unpadded")).attention == "per-review"


def test_what_changes_the_bits_is_kept_in_a_checkpoint_and_nothing_else() -> None:
    """A graph's batches are filled up, and so its masks are others than those of steps launched one by one."""
    facts = engine_facts(choose_engine(EngineConfig(device="cpu")), 1)
    assert set(device.PARTS) - set(facts) == {"memory"}


def test_memory_is_kept_only_where_the_allocator_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(device, "has_glibc", lambda: False)
    assert choose_engine(EngineConfig()).words()["memory"] == "returned (only glibc can be told to keep it)"
    with pytest.raises(InputError, match=r"engine\.memory = 'kept' needs glibc"):
        choose_engine(EngineConfig(memory="kept"))
