"""A checkpoint on disk is complete or absent, and a damaged one is skipped with the reason."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from core.checkpoints import format as checkpoint
from core.checkpoints.format import (
    MANIFEST,
    TRAINING,
    WEIGHTS,
    Tensors,
    checkpoints,
    load_checkpoint,
    load_weights,
    manifest_of,
    newest_intact,
    optimizer_tensors,
    remove_old,
    restore_optimizer,
    save_checkpoint,
)
from core.checkpoints.progress import Progress
from core.errors import InputError

CONFIG = {"train.batch_size": 8, "model.freeze": []}
ENGINE = {"device": "cpu", "threads": 1}


def tensors(seed: int = 0) -> dict[str, Tensors]:
    generator = torch.Generator().manual_seed(seed)
    weights = {"weight": torch.randn(3, 4, generator=generator), "bias": torch.randn(3, generator=generator)}
    return {WEIGHTS: weights, TRAINING: {"step.weight": torch.tensor(7.0), "rng.0.cpu": torch.get_rng_state()}}


def save(folder: Path, step: int = 7, seed: int = 0) -> Path:
    about = manifest_of(Progress(3, 1e-3, step=step, loss_sum=0.1 + 0.2), ENGINE, CONFIG)
    path = save_checkpoint(folder, f"step-{step}", tensors(seed), about)
    assert path is not None
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_a_loaded_checkpoint_is_bit_identical_to_the_saved_one(tmp_path: Path) -> None:
    expected = tensors()
    loaded = load_checkpoint(save(tmp_path), CONFIG)
    assert loaded.progress == Progress(3, 1e-3, step=7, loss_sum=0.1 + 0.2)
    assert loaded.engine == ENGINE
    for own, read in ((expected[WEIGHTS], loaded.model), (expected[TRAINING], loaded.training)):
        assert own.keys() == read.keys()
        assert all(torch.equal(own[name], read[name]) and own[name].dtype == read[name].dtype for name in own)


@pytest.mark.parametrize("file", [WEIGHTS, TRAINING])
@pytest.mark.parametrize("offset", [0, 100, -1])
def test_one_damaged_byte_is_refused(tmp_path: Path, file: str, offset: int) -> None:
    path = save(tmp_path)
    flip(path / file, offset)
    with pytest.raises(InputError, match=r"safetensors is damaged \(its sha256 differs from the manifest's\)"):
        load_checkpoint(path, CONFIG)


@pytest.mark.parametrize("file", [WEIGHTS, TRAINING, MANIFEST])
@pytest.mark.parametrize("length", [None, 0, 40])
def test_a_missing_or_truncated_file_is_refused(tmp_path: Path, file: str, length: int | None) -> None:
    path = save(tmp_path)
    if length is None:
        (path / file).unlink()
    else:
        os.truncate(path / file, length)
    with pytest.raises(InputError, match=r"not a complete checkpoint|damaged"):
        load_checkpoint(path, CONFIG)


@pytest.mark.parametrize(
    "change",
    [
        {"files": None},
        {"files": {WEIGHTS: 1}},
        {"progress": None},
        {"progress": {"unknown": 1}},
        {"engine": 1},
        {"config": None},
    ],
)
def test_an_incomplete_manifest_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = save(tmp_path)
    content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    (path / MANIFEST).write_text(json.dumps(content | change), encoding="utf-8")
    with pytest.raises(InputError, match=r"not a complete checkpoint|belongs to another configuration"):
        load_checkpoint(path, CONFIG)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", "[" * 100_000])
def test_an_invalid_manifest_is_refused(tmp_path: Path, content: str) -> None:
    path = save(tmp_path)
    (path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"not a complete checkpoint|belongs to another configuration"):
        load_checkpoint(path, CONFIG)
    with pytest.raises(InputError, match="not a complete checkpoint"):
        load_weights(path)


def test_a_checkpoint_of_another_configuration_is_refused_with_the_field(tmp_path: Path) -> None:
    path = save(tmp_path)
    with pytest.raises(InputError, match=r"belongs to another configuration \(train\.batch_size differs\)"):
        load_checkpoint(path, CONFIG | {"train.batch_size": 16})


def test_the_newest_intact_checkpoint_is_used_and_each_damaged_newer_one_is_named(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        save(tmp_path, step)
    flip(tmp_path / "step-100" / TRAINING, -1)
    (tmp_path / "step-10" / MANIFEST).unlink()
    found, skipped = newest_intact(tmp_path, CONFIG)
    assert found is not None
    assert found.progress.step == 9
    assert [("step-100" in message, "step-10:" in message) for message in skipped] == [(True, False), (False, True)]
    shutil.rmtree(tmp_path / "step-9")
    found, skipped = newest_intact(tmp_path, CONFIG)
    assert (found, len(skipped)) == (None, 2)
    assert newest_intact(tmp_path / "absent", CONFIG) == (None, [])


def test_only_the_last_two_checkpoints_and_the_best_one_remain(tmp_path: Path) -> None:
    for step in (2, 9, 10, 11, 100):
        save(tmp_path, step)
    (tmp_path / ".step-12.abcd").mkdir()
    remove_old(tmp_path, best_step=9)
    assert names(tmp_path) == ["step-100", "step-11", "step-9"]
    remove_old(tmp_path, best_step=0)
    assert names(tmp_path) == ["step-100", "step-11"]
    assert [path.name for path in checkpoints(tmp_path)] == ["step-100", "step-11"]


@pytest.mark.parametrize("broken", ["save_file", "sync", "sha256_of"])
def test_a_failed_save_leaves_the_earlier_checkpoint_and_no_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    earlier = save(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, broken, full)
        with pytest.raises(OSError, match="No space left on device"):
            save(tmp_path, 2)
    assert names(tmp_path) == ["step-1"]
    load_checkpoint(earlier, CONFIG)


def test_a_full_disk_reported_by_safetensors_is_an_oserror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left on device"):
        save(tmp_path)


def test_too_little_free_space_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))

    def written(*_: object) -> None:
        raise AssertionError("a file was written")

    monkeypatch.setattr(checkpoint, "save_file", written)
    with pytest.raises(OSError, match=r"No space left on device: \d+ MB needed, 0 MB free") as caught:
        save(tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


def test_a_discarded_save_leaves_nothing(tmp_path: Path) -> None:
    assert save_checkpoint(tmp_path, "step-1", tensors(), {}, discarded=lambda: True) is None
    assert names(tmp_path) == []


def test_a_damaged_checkpoint_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    flip(save(tmp_path, 3) / WEIGHTS, -1)
    save(tmp_path, 3, seed=1)
    remove_old(tmp_path, best_step=0)
    assert names(tmp_path) == ["step-3"]
    assert torch.equal(load_checkpoint(tmp_path / "step-3", CONFIG).model["weight"], tensors(1)[WEIGHTS]["weight"])


def test_files_and_both_directories_are_synced_and_the_rename_comes_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    sync, rename = checkpoint.sync, os.rename
    monkeypatch.setattr(checkpoint, "sync", lambda path: (calls.append(path.name), sync(path)))
    monkeypatch.setattr(os, "rename", lambda a, b: (calls.append("rename"), rename(a, b)))
    save(tmp_path / "checkpoints", 4)
    temporary = calls[3]
    assert calls == [WEIGHTS, TRAINING, MANIFEST, temporary, "rename", "checkpoints"]
    assert temporary.startswith(".step-4.")


def test_a_restored_optimizer_makes_the_same_next_update() -> None:
    def trained(steps: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
        for _ in range(steps):
            update(model, optimizer)
        return model, optimizer

    def update(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        (model(torch.arange(4.0)) ** 2).sum().backward()
        optimizer.step()

    model, optimizer = trained(3)
    other, fresh = trained(0)
    other.load_state_dict(model.state_dict())
    saved = {name: tensor.clone() for name, tensor in optimizer_tensors(model, optimizer).items()}
    kinds = ("exp_avg", "exp_avg_sq", "step")
    assert sorted(saved) == [f"{kind}.{name}" for kind in kinds for name in ("bias", "weight")]
    restore_optimizer(other, fresh, {**saved, "rng.0.cpu": torch.get_rng_state()})
    update(model, optimizer)
    update(other, fresh)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
