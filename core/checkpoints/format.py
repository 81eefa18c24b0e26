"""Checkpoints: all that a run needs to go on after a step, on disk either whole or not at all.

<run>/checkpoints/step-300/
  model.safetensors      the classifier's state, float32
  training.safetensors   AdamW's moments and step counts, a tensor a parameter, and the state of torch's generators
  manifest.json          where the run stood, on what it ran, its configuration, and the sha256 of both files

A checkpoint is written into a directory beside its target, which is synced, renamed, and synced again in its parent.
Nothing in it is ever unpickled.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.atomic_write import sha256_of, sync
from core.checkpoints.progress import Progress
from core.errors import InputError

WEIGHTS, TRAINING, MANIFEST = "model.safetensors", "training.safetensors", "manifest.json"
KEPT = 2
"""So many of the newest checkpoints stay: should one be damaged, there is another."""

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it was read, its hashes verified. ``engine`` says on what it was computed."""

    path: Path
    progress: Progress
    engine: dict[str, Any]
    model: Tensors
    training: Tensors


def save_checkpoint(
    folder: Path,
    name: str,
    files: Mapping[str, Tensors],
    about: dict[str, Any],
    *,
    wanted: Callable[[], bool] = lambda: True,
) -> Path | None:
    """Saves ``files`` and a manifest with ``about`` as ``folder/name``.

    None where ``wanted`` says, once all is written, that nothing shall appear. Raises OSError where it cannot be
    written, also for want of room before a byte is; earlier checkpoints are then untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, sum(tensor.nbytes for tensors in files.values() for tensor in tensors.values()))
    target, temporary = folder / name, folder / f".{name}.{secrets.token_hex(4)}"
    try:
        temporary.mkdir()
        hashes = {}
        for file, tensors in files.items():
            save_file(tensors, temporary / file)
            os.chmod(temporary / file, 0o644)  # a run on a shared disk is for everyone to see
            hashes[file] = {"sha256": sha256_of(temporary / file), "bytes": (temporary / file).stat().st_size}
        (temporary / MANIFEST).write_text(json.dumps({**about, "files": hashes}, indent=1) + "\n", encoding="utf-8")
        for part in (*(temporary / file for file in files), temporary / MANIFEST, temporary):
            sync(part)
        if not wanted():
            shutil.rmtree(temporary)
            return None
        if target.exists():  # a damaged one, which the run has passed over
            os.rename(target, folder / f".{name}.replaced-{secrets.token_hex(4)}")
        os.rename(temporary, target)
        sync(folder)
    except Exception as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise
        raise OSError(errno.EIO, str(error)) from error  # safetensors reports a full disk as its own kind of error
    return target


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} free"
        )


def manifest_of(progress: Progress, engine: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of itself; :func:`load_checkpoint` reads it back."""
    return {"progress": asdict(progress), "engine": engine, "config": config}


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first; what is still being written or removed is not among them."""
    try:
        found = [(int(path.name.removeprefix("step-")), path) for path in folder.glob("step-*") if _is_numbered(path)]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _is_numbered(path: Path) -> bool:
    return path.name.removeprefix("step-").isdecimal()


def remove_old(folder: Path, *, best_step: int) -> None:
    """Removes all but the newest two, that of ``best_step``, and remains of what was not finished.

    Raises OSError where something cannot be removed.
    """
    kept = {path.name for path in checkpoints(folder)[:KEPT]} | {f"step-{best_step}"}
    for path in folder.iterdir():
        if path.name in kept:
            continue
        # First out of sight: a crash amid the removal must leave no half checkpoint behind.
        hidden = path if path.name.startswith(".") else path.rename(folder / f".{path.name}.{secrets.token_hex(4)}")
        shutil.rmtree(hidden)


def load_checkpoint(path: Path, config: dict[str, Any]) -> Checkpoint:
    """Reads and verifies one checkpoint of the run with that configuration.

    Raises InputError naming what is wrong: a file missing or damaged, or another configuration.
    """
    manifest = read_manifest(path)
    own = manifest.get("config")
    for name in sorted(config):
        if not isinstance(own, dict) or own.get(name) != config[name]:
            raise InputError(f"{path}: belongs to another configuration ({name} differs)")
    try:
        progress, engine = Progress(**manifest["progress"]), dict(manifest["engine"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    return Checkpoint(path, progress, engine, load_weights(path), _load(path, manifest, TRAINING))


def load_weights(path: Path) -> Tensors:
    """Only the model's state of the checkpoint at ``path``, verified. Raises InputError as load_checkpoint does."""
    return _load(path, read_manifest(path), WEIGHTS)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint at ``path``. Raises InputError where there is none that can be read."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: not a whole checkpoint (its manifest is no object)")
    return manifest


def _load(path: Path, manifest: dict[str, Any], file: str) -> Tensors:
    try:
        expected = manifest["files"][file]["sha256"]
        found = sha256_of(path / file)
    except (OSError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    if found != expected:
        raise InputError(f"{path}: {file} is damaged (its sha256 is not the manifest's)")
    try:
        return load_file(path / file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: {file} cannot be read ({error})") from None


def newest_whole(folder: Path, config: dict[str, Any]) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that verifies, and in words each newer one that was passed over and why."""
    skipped: list[str] = []
    for path in checkpoints(folder):
        try:
            return load_checkpoint(path, config), skipped
        except InputError as error:
            skipped.append(str(error))
    return None, skipped


# The tensors of a checkpoint


def state_tensors(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, generators: list[Tensors]
) -> dict[str, Tensors]:
    """The tensors of a checkpoint by file; ``generators`` are the generator states of each rank."""
    randomness = {
        f"rng.{rank}.{name}": state for rank, states in enumerate(generators) for name, state in states.items()
    }
    return {WEIGHTS: dict(model.state_dict()), TRAINING: {**optimizer_tensors(model, optimizer), **randomness}}


def optimizer_tensors(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """``exp_avg.NAME``, ``exp_avg_sq.NAME`` and ``step.NAME`` of every parameter that has been updated."""
    return {
        f"{key}.{name}": value
        for name, parameter in _trained(model)
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """The inverse of :func:`optimizer_tensors`, on the parameters' own device."""
    for key, value in tensors.items():
        kind, _, name = key.partition(".")
        if kind in ("exp_avg", "exp_avg_sq", "step"):
            parameter = model.get_parameter(name)
            optimizer.state[parameter][kind] = value.to(parameter.device)


def _trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
