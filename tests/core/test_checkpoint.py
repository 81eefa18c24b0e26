"""Weights on disk are whole or not there."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import torch

from core import checkpoint
from core.checkpoint import MANIFEST, WEIGHTS, load_weights, save_weights
from core.errors import InputError


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_loaded_is_bit_for_bit_what_was_saved(model: torch.nn.Module, tmp_path: Path) -> None:
    path = save_weights(tmp_path / "checkpoints", "step-7", model, {"step": 7, "epoch": 1})
    loaded, own = load_weights(path), model.state_dict()
    assert loaded.keys() == own.keys()
    assert all(torch.equal(loaded[name], own[name]) and loaded[name].dtype == own[name].dtype for name in own)
    manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    assert (manifest["step"], manifest["epoch"]) == (7, 1)
    assert manifest["files"][WEIGHTS]["bytes"] == (path / WEIGHTS).stat().st_size


def test_a_new_checkpoint_replaces_the_earlier_one_and_leaves_nothing_else(
    model: torch.nn.Module, tmp_path: Path
) -> None:
    for step in (1, 2, 2):
        save_weights(tmp_path, f"step-{step}", model, {"step": step})
    assert names(tmp_path) == ["step-2"]
    load_weights(tmp_path / "step-2")


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_damaged_byte_is_noticed(model: torch.nn.Module, tmp_path: Path, place: int) -> None:
    path = save_weights(tmp_path, "step-1", model, {})
    content = bytearray((path / WEIGHTS).read_bytes())
    content[place] ^= 1
    (path / WEIGHTS).write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors is damaged \(its sha256 is not the manifest's\)"):
        load_weights(path)


@pytest.mark.parametrize("file", [WEIGHTS, MANIFEST])
def test_a_missing_file_is_noticed(model: torch.nn.Module, tmp_path: Path, file: str) -> None:
    path = save_weights(tmp_path, "step-1", model, {})
    (path / file).unlink()
    with pytest.raises(InputError, match="not a whole checkpoint"):
        load_weights(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {"model.safetensors": 1}}'])
def test_a_manifest_that_is_none_is_noticed(model: torch.nn.Module, tmp_path: Path, content: str) -> None:
    path = save_weights(tmp_path, "step-1", model, {})
    (path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="not a whole checkpoint"):
        load_weights(path)


@pytest.mark.parametrize("broken", ["save_file", "_sync", "_sha256"])
def test_a_save_that_fails_leaves_the_earlier_checkpoint_and_no_rubbish(
    model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    earlier = save_weights(tmp_path, "step-1", model, {})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, broken, full)
        with pytest.raises(OSError, match="No space left on device"):
            save_weights(tmp_path, "step-2", model, {})
    assert names(tmp_path) == ["step-1"]
    load_weights(earlier)


def test_a_full_disk_as_safetensors_reports_it_is_an_oserror(
    model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left on device"):
        save_weights(tmp_path, "step-1", model, {})
    assert names(tmp_path) == []


def test_everything_is_on_the_disk_before_it_gets_its_name(
    model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = checkpoint._sync, os.rename
    monkeypatch.setattr(checkpoint, "_sync", lambda path: (done.append(path.name), sync(path)))
    monkeypatch.setattr(os, "rename", lambda a, b: (done.append("rename"), rename(a, b)))
    save_weights(tmp_path, "step-1", model, {})
    before = done[: done.index("rename")]
    assert WEIGHTS in before
    assert MANIFEST in before
    assert done[-1] == tmp_path.name
