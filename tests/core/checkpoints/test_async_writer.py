"""Checkpoints that are written while training continues contain the tensors as they were when the save started."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from core.checkpoints import async_writer
from core.checkpoints.async_writer import AsyncWriter
from core.checkpoints.format import TRAINING, WEIGHTS, load_weights


def start(writer: AsyncWriter, step: int, weight: torch.Tensor) -> None:
    writer.start(step, {WEIGHTS: {"weight": weight}, TRAINING: {"n": torch.tensor(1)}}, {}, best_step=0)


def test_tensors_that_change_after_the_copy_are_stored_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight, go = torch.zeros(5), threading.Event()
    save = async_writer.save_checkpoint

    def later(*arguments: Any, **options: Any) -> Any:
        assert go.wait(30)
        return save(*arguments, **options)

    monkeypatch.setattr(async_writer, "save_checkpoint", later)
    writer = AsyncWriter(tmp_path)
    for step in (1, 2):
        go.clear()
        start(writer, step, weight)
        weight += 1
        assert writer.busy
        assert writer.result() is None
        go.set()
        saved = writer.result(wait=True)
        assert saved is not None
        assert (saved.step, saved.error, saved.path) == (step, None, tmp_path / f"step-{step}")
        assert load_weights(saved.path)["weight"].tolist() == [step - 1] * 5
    assert writer.result(wait=True) is None


def test_with_little_memory_training_waits_until_the_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=1))
    weight = torch.zeros(5)
    writer = AsyncWriter(tmp_path)
    start(writer, 1, weight)
    assert (tmp_path / "step-1").is_dir()
    weight += 1
    saved = writer.result(wait=True)
    assert saved is not None
    assert load_weights(saved.path)["weight"].tolist() == [0.0] * 5


@pytest.mark.parametrize("error", [OSError(errno.EROFS, os.strerror(errno.EROFS)), RuntimeError("odd")])
def test_a_failed_save_is_returned_with_its_error_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    writer = AsyncWriter(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(async_writer, "save_checkpoint", broken)
        start(writer, 3, torch.zeros(5))
        saved = writer.result(wait=True)
    assert saved is not None
    assert isinstance(saved.error, OSError)
    assert writer.last_step == 0
    start(writer, 3, torch.zeros(5))
    saved = writer.result(wait=True)
    assert saved is not None
    assert saved.error is None
    assert writer.last_step == 3


def test_a_checkpoint_that_is_discarded_while_it_is_written_does_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, save = threading.Event(), async_writer.save_checkpoint

    def later(*arguments: Any, **options: Any) -> Any:
        assert go.wait(30)
        return save(*arguments, **options)

    monkeypatch.setattr(async_writer, "save_checkpoint", later)
    writer = AsyncWriter(tmp_path)
    start(writer, 1, torch.zeros(5))
    threading.Timer(0.05, go.set).start()
    writer.discard()
    assert not writer.busy
    assert list(tmp_path.iterdir()) == []


def test_without_memory_for_a_thread_the_checkpoint_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    writer = AsyncWriter(tmp_path)
    start(writer, 1, torch.ones(5))
    saved = writer.result(wait=True)
    assert saved is not None
    assert (saved.step, saved.error) == (1, None)
    writer.discard()
