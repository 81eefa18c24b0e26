"""Saving beside the training: what is saved is the moment of the request, and a failure is told, not raised."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from core.checkpoints import async_writer as saver_module
from core.checkpoints.async_writer import Saver
from core.checkpoints.format import TRAINING, WEIGHTS, load_weights


def begin(saver: Saver, step: int, weight: torch.Tensor) -> None:
    saver.begin(step, {WEIGHTS: {"weight": weight}, TRAINING: {"n": torch.tensor(1)}}, {}, best_step=0)


def test_what_changes_after_the_copy_is_not_in_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weight, go = torch.zeros(5), threading.Event()
    save = saver_module.save_checkpoint

    def later(*arguments: Any, **options: Any) -> Any:
        assert go.wait(30)
        return save(*arguments, **options)

    monkeypatch.setattr(saver_module, "save_checkpoint", later)
    saver = Saver(tmp_path)
    saver.prepare({"weight": weight})
    for step in (1, 2):
        go.clear()
        begin(saver, step, weight)
        weight += 1
        assert saver.busy
        assert saver.take() is None
        go.set()
        saved = saver.take(wait=True)
        assert saved is not None
        assert (saved.step, saved.error, saved.path) == (step, None, tmp_path / f"step-{step}")
        assert load_weights(saved.path)["weight"].tolist() == [step - 1] * 5
    assert saver.take(wait=True) is None


def test_a_save_and_a_drop_do_not_wait_for_memory_that_is_made_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver_module, "BIT_S", 600.0)
    weight = torch.zeros(3, saver_module.BIT // 4)
    saver, dropped = Saver(tmp_path), Saver(tmp_path)
    began = time.monotonic()
    for one in (saver, dropped):
        one.prepare({"weight": weight})
    begin(saver, 1, weight)
    assert saver.take(wait=True) is not None
    dropped.drop()
    assert dropped._making is not None
    dropped._making.join()
    assert time.monotonic() - began < 60


def test_with_little_memory_the_training_waits_until_all_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=1))
    weight = torch.zeros(5)
    saver = Saver(tmp_path)
    begin(saver, 1, weight)
    assert (tmp_path / "step-1").is_dir()
    weight += 1
    saved = saver.take(wait=True)
    assert saved is not None
    assert load_weights(saved.path)["weight"].tolist() == [0.0] * 5


@pytest.mark.parametrize("error", [OSError(errno.EROFS, os.strerror(errno.EROFS)), RuntimeError("odd")])
def test_a_save_that_fails_is_told_and_lets_the_next_one_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    saver = Saver(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(saver_module, "save_checkpoint", broken)
        begin(saver, 3, torch.zeros(5))
        saved = saver.take(wait=True)
    assert saved is not None
    assert isinstance(saved.error, OSError)
    assert saver.last_step == 0
    begin(saver, 3, torch.zeros(5))
    saved = saver.take(wait=True)
    assert saved is not None
    assert saved.error is None
    assert saver.last_step == 3


def test_what_is_dropped_while_it_is_written_does_not_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, save = threading.Event(), saver_module.save_checkpoint

    def later(*arguments: Any, **options: Any) -> Any:
        assert go.wait(30)
        return save(*arguments, **options)

    monkeypatch.setattr(saver_module, "save_checkpoint", later)
    saver = Saver(tmp_path)
    begin(saver, 1, torch.zeros(5))
    threading.Timer(0.05, go.set).start()
    saver.drop()
    assert not saver.busy
    assert list(tmp_path.iterdir()) == []
