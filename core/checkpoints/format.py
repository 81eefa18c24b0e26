"""The files of a checkpoint: everything that is needed to resume a run after a step.

<run>/checkpoints/step-300/
  model.safetensors      the classifier's state, float32
  training.safetensors   AdamW's moments and step counts per parameter, the states of torch's random generators, and
                         the logit of each training review in this epoch (NaN where it is not trained yet)
  manifest.json          progress, engine and configuration of the run, and the sha256 of both files

A checkpoint is written into a temporary directory beside its target, synced to disk, and renamed. A crash therefore
leaves either a complete checkpoint or none. Nothing is unpickled.
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
NEWEST = 2
"""How many of the newest checkpoints are not removed. If one is damaged, there is another."""

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was read and verified. ``engine`` describes the device and settings of its run."""

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
    discarded: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Save ``files`` and a manifest with ``about`` as ``folder/name``.

    Returns None, and leaves nothing, if ``discarded()`` is true when all files are written. Raises OSError if they
    cannot be written, or before writing if the disk has too little free space; earlier checkpoints stay as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _require_space(folder, sum(tensor.nbytes for tensors in files.values() for tensor in tensors.values()))
    target, temporary = folder / name, folder / f".{name}.{secrets.token_hex(4)}"
    try:
        temporary.mkdir()
        hashes = {}
        for file, tensors in files.items():
            save_file(tensors, temporary / file)
            os.chmod(temporary / file, 0o644)  # other users of a shared disk may read a run
            hashes[file] = {"sha256": sha256_of(temporary / file), "bytes": (temporary / file).stat().st_size}
        (temporary / MANIFEST).write_text(json.dumps({**about, "files": hashes}, indent=1) + "\n", encoding="utf-8")
        for part in (*(temporary / file for file in files), temporary / MANIFEST, temporary):
            sync(part)
        if discarded():
            shutil.rmtree(temporary)
            return None
        if target.exists():  # damaged: the run resumed from an older one
            os.rename(target, folder / f".{name}.replaced-{secrets.token_hex(4)}")
        os.rename(temporary, target)
        sync(folder)
    except Exception as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise
        raise OSError(errno.EIO, str(error)) from error  # safetensors reports a full disk as its own kind of error
    return target


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free"
        )


def manifest_of(progress: Progress, engine: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The content of a manifest; :func:`load_checkpoint` reads it."""
    return {"progress": asdict(progress), "engine": engine, "config": config}


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first, without those that are being written or removed."""
    try:
        found = [(int(path.name.removeprefix("step-")), path) for path in folder.glob("step-*") if _is_numbered(path)]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _is_numbered(path: Path) -> bool:
    return path.name.removeprefix("step-").isdecimal()


def remove_old(folder: Path, *, best_step: int) -> None:
    """Remove all checkpoints but the newest two and that of ``best_step``, and unfinished temporary directories.

    Raises OSError if something cannot be removed.
    """
    remaining = {path.name for path in checkpoints(folder)[:NEWEST]} | {f"step-{best_step}"}
    for path in folder.iterdir():
        if path.name in remaining:
            continue
        # Hide it first: a crash during the removal must not leave an incomplete checkpoint.
        hidden = path if path.name.startswith(".") else path.rename(folder / f".{path.name}.{secrets.token_hex(4)}")
        shutil.rmtree(hidden)


def load_checkpoint(path: Path, config: dict[str, Any]) -> Checkpoint:
    """Read and verify one checkpoint of the run with that configuration.

    Raises InputError for a missing or damaged file, and for another configuration; the message names it.
    """
    manifest = read_manifest(path)
    own = manifest.get("config")
    for name in sorted(config):
        if not isinstance(own, dict) or own.get(name) != config[name]:
            raise InputError(f"{path}: belongs to another configuration ({name} differs)")
    try:
        progress, engine = Progress(**manifest["progress"]), dict(manifest["engine"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a complete checkpoint ({error})") from None
    return Checkpoint(path, progress, engine, load_weights(path), _load(path, manifest, TRAINING))


def load_weights(path: Path) -> Tensors:
    """The verified model weights of the checkpoint at ``path``. Raises InputError as load_checkpoint does."""
    return _load(path, read_manifest(path), WEIGHTS)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint at ``path``. Raises InputError if it cannot be read."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a complete checkpoint ({error})") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: not a complete checkpoint (its manifest is not a JSON object)")
    return manifest


def _load(path: Path, manifest: dict[str, Any], file: str) -> Tensors:
    try:
        expected = manifest["files"][file]["sha256"]
        found = sha256_of(path / file)
    except (OSError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a complete checkpoint ({error})") from None
    if found != expected:
        raise InputError(f"{path}: {file} is damaged (its sha256 differs from the manifest's)")
    try:
        return load_file(path / file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: {file} cannot be read ({error})") from None


def newest_intact(folder: Path, config: dict[str, Any]) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is intact, and a message for each newer one that was skipped.

    The last candidates are checkpoints that a process was replacing when it was killed.
    """
    skipped: list[str] = []
    replaced = sorted(
        folder.glob(".step-*.replaced-*"), key=lambda path: int(path.name.split(".")[1][5:]), reverse=True
    )
    for path in [*checkpoints(folder), *replaced]:
        try:
            return load_checkpoint(path, config), skipped
        except InputError as error:
            skipped.append(str(error))
    return None, skipped


# The tensors of a checkpoint


def state_tensors(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, generators: list[Tensors], others: Tensors
) -> dict[str, Tensors]:
    """The tensors of a checkpoint by file; ``generators`` are the generator states of each rank.

    ``others`` are stored beside the state of the optimizer, under their own names.
    """
    randomness = {
        f"rng.{rank}.{name}": state for rank, states in enumerate(generators) for name, state in states.items()
    }
    return {
        WEIGHTS: dict(model.state_dict()),
        TRAINING: {**optimizer_tensors(model, optimizer), **randomness, **others},
    }


def optimizer_tensors(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """``exp_avg.NAME``, ``exp_avg_sq.NAME`` and ``step.NAME`` of each parameter that has been updated."""
    return {
        f"{key}.{name}": value
        for name, parameter in _trained(model)
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """The inverse of :func:`optimizer_tensors`, on the device of each parameter."""
    for key, value in tensors.items():
        kind, _, name = key.partition(".")
        if kind in ("exp_avg", "exp_avg_sq", "step"):
            parameter = model.get_parameter(name)
            optimizer.state[parameter][kind] = value.to(parameter.device)


def _trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
