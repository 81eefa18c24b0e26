"""Weights on disk that are either whole or not there: temporary directory, fsync, rename, manifest with sha256."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from core.errors import InputError

WEIGHTS, MANIFEST = "model.safetensors", "manifest.json"


def save_weights(folder: Path, name: str, model: torch.nn.Module, about: dict[str, Any]) -> Path:
    """Saves the model's state as ``folder/name`` and removes the checkpoints that it replaces.

    ``about`` goes into the manifest: step, epoch and whatever else describes the moment. Raises OSError where it
    cannot be written; earlier checkpoints are then untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target, temporary = folder / name, folder / f".{name}.tmp-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        weights = temporary / WEIGHTS
        save_file({key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}, weights)
        manifest = {**about, "files": {WEIGHTS: {"sha256": _sha256(weights), "bytes": weights.stat().st_size}}}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        for file in (weights, temporary / MANIFEST, temporary):
            _sync(file)
        if target.exists():
            os.rename(target, folder / f".{name}.replaced-{os.getpid()}")  # goes below, once the new one is there
        os.rename(temporary, target)
        _sync(folder)
    except Exception as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise
        raise OSError(str(error)) from error  # safetensors reports a full disk as its own kind of error
    for other in folder.iterdir():
        if other != target:
            shutil.rmtree(other, ignore_errors=True)
    return target


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state saved at ``path``. Raises InputError where a file is missing or its hash differs."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["files"][WEIGHTS]["sha256"]
        found = _sha256(path / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    if found != expected:
        raise InputError(f"{path}: {WEIGHTS} is damaged (its sha256 is not the manifest's)")
    return load_file(path / WEIGHTS)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
