"""Every automatic choice of the engine and its reason."""

from __future__ import annotations

import pytest
import torch

from core.config.schema import EngineConfig, field_types
from core.engine import device, torch_private
from core.engine.device import choose_engine, usable_cores
from core.engine.environment import changed_facts, engine_facts
from core.errors import InputError


def pretend(
    monkeypatch: pytest.MonkeyPatch, *, cuda: bool = False, mps: bool = False, flash: bool = True, unit: str = ""
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: flash)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch_private, "cpu_bfloat16_unit", lambda: unit)


def test_a_cuda_gpu_is_preferred_to_an_apple_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=True)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.reasons["device"]) == ("cuda", "a CUDA GPU was found")
    assert (engine.dtype_name, engine.reasons["dtype"]) == ("bfloat16", "the GPU supports bfloat16")


def test_an_apple_gpu_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, mps=True)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.dtype) == ("mps", torch.float32)


@pytest.mark.parametrize(
    ("unit", "dtype", "reason"),
    [
        ("AMX tiles", torch.bfloat16, "the CPU has AMX tiles"),
        ("AVX512-BF16", torch.bfloat16, "the CPU has AVX512-BF16"),
        ("", torch.float32, "this CPU has no bfloat16 hardware"),
    ],
)
def test_a_cpu_computes_in_bfloat16_only_if_it_has_hardware_for_it(
    monkeypatch: pytest.MonkeyPatch, unit: str, dtype: torch.dtype, reason: str
) -> None:
    pretend(monkeypatch, unit=unit)
    engine = choose_engine(EngineConfig())
    assert (engine.device.type, engine.reasons["device"], engine.attention) == ("cpu", "no GPU was found", "per-review")
    assert (engine.dtype, engine.reasons["dtype"]) == (dtype, reason)


def test_what_the_configuration_sets_is_used_and_given_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, unit="AMX tiles")
    engine = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=3))
    assert (engine.device.type, engine.dtype, engine.threads) == ("cpu", torch.float32, 3)
    assert {engine.reasons[name] for name in ("device", "dtype", "threads")} == {"set in the configuration"}


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_available_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch)
    with pytest.raises(
        InputError, match=rf"engine\.device = '{name}' is not available on this machine; use auto or cpu"
    ):
        choose_engine(EngineConfig(device=name))


def test_there_is_one_thread_per_core_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    engine = choose_engine(EngineConfig())
    assert engine.threads == usable_cores() >= 1
    assert engine.reasons["threads"] == "one per available core"
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    assert choose_engine(EngineConfig()).threads == 3


def parts(config: EngineConfig) -> tuple[str, ...]:
    engine = choose_engine(config)
    return (engine.forward, engine.attention, engine.dropout, engine.optimizer)


def test_each_device_gets_its_fastest_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    assert parts(EngineConfig()) == ("unpadded", "per-review", "fast", "fused")
    assert parts(EngineConfig(forward="padded")) == ("padded", "eager", "fast", "fused")
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
        ("memory", "release"),
    ],
)
def test_each_part_can_be_set(part: str, value: str) -> None:
    engine = choose_engine(EngineConfig(device="cpu", **{part: value}))
    assert engine.describe()[part] == f"{value} (set in the configuration)"
    assert sum("set in" in text for text in engine.describe().values()) == 2  # the device, too


def test_a_cuda_graph_needs_flash_attention_and_the_fused_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True)
    assert choose_engine(EngineConfig()).launch == "graph"
    for other in (EngineConfig(dtype="float32"), EngineConfig(optimizer="plain"), EngineConfig(forward="padded")):
        launch = choose_engine(other).describe()["launch"]
        assert launch == "eager (a CUDA graph needs unpadded batches, flash attention and fused AdamW)"
    assert choose_engine(EngineConfig(device="cpu")).describe()["launch"] == "eager (graphs need a CUDA GPU)"
    for config in (EngineConfig(device="cpu", launch="graph"), EngineConfig(forward="padded", launch="graph")):
        with pytest.raises(InputError, match=r"engine\.launch = 'graph' needs a CUDA GPU, flash attention"):
            choose_engine(config)


def test_every_choice_has_its_reason() -> None:
    description = choose_engine(EngineConfig()).describe()
    assert set(description) == {"device", "dtype", "threads", *device.PARTS} == set(field_types("engine"))
    assert all(reason.endswith(")") and len(reason.partition(" (")[2]) > 5 for reason in description.values())


@pytest.mark.parametrize(
    ("forward", "attention"), [("padded", "per-review"), ("padded", "flash"), ("unpadded", "eager"), ("auto", "sdpa")]
)
def test_attention_that_does_not_match_the_forward_pass_is_refused(forward: str, attention: str) -> None:
    with pytest.raises(InputError, match=rf"engine\.attention = '{attention}' needs another engine\.forward than"):
        choose_engine(EngineConfig(device="cpu", forward=forward, attention=attention))


def test_without_flash_attention_unpadded_batches_are_computed_review_by_review(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, cuda=True)
    for config in (
        EngineConfig(device="cpu", attention="flash"),
        EngineConfig(dtype="float32", forward="unpadded", attention="flash"),
    ):
        with pytest.raises(InputError, match=r"engine\.attention = 'flash' needs a CUDA GPU that supports bfloat16"):
            choose_engine(config)
    assert choose_engine(EngineConfig(dtype="float32", forward="unpadded")).attention == "per-review"
    pretend(monkeypatch, mps=True)
    assert choose_engine(EngineConfig(forward="unpadded")).attention == "per-review"


def test_a_checkpoint_stores_every_part_but_memory_because_the_others_change_the_result() -> None:
    facts = engine_facts(choose_engine(EngineConfig(device="cpu")), 1)
    assert set(device.PARTS) - set(facts) == {"memory"}


def test_each_changed_fact_is_named_with_both_values() -> None:
    before = {"dtype": "float32", "threads": 2, "world_size": 1}
    assert changed_facts(before, before) == ""
    assert changed_facts(before, {**before, "threads": 4, "dtype": "bfloat16"}) == (
        "dtype float32 → bfloat16, threads 2 → 4"
    )


def test_memory_is_reused_only_with_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(device, "has_glibc", lambda: False)
    assert choose_engine(EngineConfig()).describe()["memory"] == "release (reuse needs glibc)"
    with pytest.raises(InputError, match=r"engine\.memory = 'reuse' needs glibc"):
        choose_engine(EngineConfig(memory="reuse"))
