"""Find the model to inspect by name: a preset, a checkpoint of a run, a weights file, or a DistilBERT."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.presets import list_presets, load_preset
from core.config.schema import ModelConfig, RunConfig
from core.errors import InputError
from core.inspection.class_order import positive_class
from core.model.parameter_tree import ParameterNode, parameter_tree, with_frozen
from core.runs.directory import MODEL, Run, find_run, list_runs
from core.sources.files import unwrapped_name
from core.user_path import user_path

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import DistilBertConfig

    from core.sources.resolve import ModelSource

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Target:
    """A model by name. Without ``file``, its weights are the initial weights of training."""

    name: str
    config: RunConfig
    file: Path | None = None
    run: Run | None = None
    """The run of the checkpoint, if it is one."""
    bare: bool = False
    """Whether ``file`` has only the encoder; the head is then initialised at random."""
    positive_class: int = 1
    """Row of a two-label head in ``file`` that is positive, as its config.json names the classes."""
    unusable_head: str = ""
    """Why the head of ``file`` cannot predict the sentiment; empty if it can or if there is none."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A target with its configuration, tokenizer and parameter tree; the weights are not loaded yet."""

    target: Target
    encoder: DistilBertConfig
    tree: ParameterNode
    checkpoint: ModelSource

    @property
    def tokenizer(self) -> Tokenizer:
        return self.checkpoint.tokenizer

    @property
    def origin(self) -> str:
        """Return the source of the weights as text."""
        return str(self.target.file) if self.target.file else self.checkpoint.weights_origin.describe()


def find_target(name: str, root: Path) -> Target:
    """Find a model by name, in this order: a preset, a path, a run, a name on the Hub.

    A path can be a run, a checkpoint, a weights file or a folder of a DistilBERT. A run is named as in
    ``imdb-tui show``; ``RUN@step-300`` is one of its checkpoints. Raises InputError if nothing matches.
    """
    if not name.strip():
        raise InputError("the name of the model is empty; give a preset, a run, or a path")
    if name in {preset.name for preset in list_presets()}:
        return Target(name, load_preset(name))
    path = user_path(name)
    if path.is_file():
        return _of_file(name, path)
    if path.is_dir():
        return _of_folder(name, path)
    run_name, at, step = name.rpartition("@")
    if at and not step:
        raise InputError(
            f"{name} has no checkpoint after the @; write for example {name}step-300, or {run_name} for the newest"
        )
    try:
        run = find_run(root, run_name if at else name)
    except InputError as error:
        if "/" in name and not at:
            return Target(name, _of_checkpoint(name))
        presets = ", ".join(preset.name for preset in list_presets())
        raise InputError(f"{error}; presets are {presets}") from None
    return _of_run(run, step if at else "")


def _of_run(run: Run, step: str) -> Target:
    """Return the newest checkpoint of a run, or the one of ``step``."""
    found = checkpoints(run)
    if step:
        wanted = f"step-{step.removeprefix('step-')}"
        if wanted not in found:
            raise InputError(f"{run.name} has no checkpoint {wanted}; it has {', '.join(found) or 'none'}")
        return Target(f"{run.name}@{wanted}", run.config(), found[wanted], run)
    if not found:
        raise InputError(f"{run.name} has no checkpoint; use its preset to see the initial weights")
    newest = next(reversed(found))
    return Target(f"{run.name}@{newest}", run.config(), found[newest], run)


def candidates(root: Path, most_runs: int = 20) -> list[str]:
    """Return names of models: the presets, then every checkpoint of the newest runs, newest first."""
    names = [preset.name for preset in list_presets() if preset.config is not None]
    for run in list_runs(root)[:most_runs]:
        names += [f"{run.name}@{step}" for step in reversed(checkpoints(run))]
    return names


def checkpoints(run: Run) -> dict[str, Path]:
    """Return the name and weights file of each checkpoint of a run, oldest first."""
    folders = (run.path / "checkpoints").glob("step-*")
    numbered = [(int(folder.name[5:]), folder) for folder in folders if folder.name[5:].isdecimal()]
    return {folder.name: file for _, folder in sorted(numbered) if (file := _weights_file(folder)) is not None}


def _weights_file(folder: Path) -> Path | None:
    """Return ``model.safetensors``, or the only safetensors file in ``folder``."""
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    found = list(folder.glob("*.safetensors"))
    return found[0] if len(found) == 1 else None


def _of_folder(name: str, path: Path) -> Target:
    if (path / "config.toml").is_file():
        return _of_run(Run(path), "")
    if (path / "config.json").is_file():
        file = _weights_file(path)
        whole = _of_classifier(file) if file is not None else None
        if file is None or whole is None:
            return _with_class_order(Target(name, _of_checkpoint(str(path))), file)
        return _with_class_order(Target(name, whole, file), file)
    if (file := _weights_file(path)) is not None:
        return _of_file(name, file)
    raise InputError(f"{path} is not a run, a checkpoint, or a folder written by save_pretrained")


def _of_file(name: str, path: Path) -> Target:
    """Return the target of a weights file, with the configuration of its run or its folder."""
    path = path.absolute()
    run = next((parent for parent in path.parents[:3] if (parent / "config.toml").is_file()), None)
    if run is not None:
        return Target(name, Run(run).config(), path, Run(run))
    if (path.parent / "config.json").is_file():
        whole = _of_classifier(path)
        target = Target(name, whole or _of_checkpoint(str(path.parent)), path, bare=whole is None)
        return _with_class_order(target, path)
    raise InputError(f"{path}: no configuration for these weights; put the config.json of the model beside the file")


def _of_checkpoint(name: str) -> RunConfig:
    return RunConfig(preset="checkpoint", model=ModelConfig(checkpoint=name))


def _of_classifier(file: Path) -> RunConfig | None:
    """Read the configuration from a folder of a classifier: its head, and the tokenizer's length and special tokens.

    Returns None for a file with only the encoder, with an unknown head, or that is unreadable (refused later).
    """
    found = _head_of(file)
    if found is None:
        return None
    labels, names = found
    head = {1: "linear", 2: "sequence-classification"}.get(labels)
    if head is None or (labels == 2) != ("pre_classifier.weight" in names):
        return None
    config = _of_checkpoint(str(file.parent)).set("model.head", head)
    with suppress(OSError, ValueError, TypeError, KeyError):
        tokenizer = json.loads((file.parent / "tokenizer.json").read_text(encoding="utf-8"))
        config = config.set("data.add_special_tokens", tokenizer["post_processor"] is not None)
    with suppress(OSError, ValueError, TypeError, KeyError, InputError):
        about = json.loads((file.parent / "tokenizer_config.json").read_text(encoding="utf-8"))
        config = config.set("data.max_length", about["model_max_length"])
    return config


def _head_of(file: Path) -> tuple[int, set[str]] | None:
    """The number of classes of the head in a weights file, 0 without one, and the names of all tensors."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as tensors:
            stored = {unwrapped_name(name): name for name in tensors.keys()}  # noqa: SIM118 - no mapping
            head = stored.get("classifier.weight")
            shape = tensors.get_slice(head).get_shape() if head is not None else [0]
    except (SafetensorError, OSError):
        return None
    return (shape[0] if shape else 0), set(stored)


def _with_class_order(target: Target, file: Path | None) -> Target:
    """Return ``target`` with the order of the classes in the head of ``file``, or why it cannot be used."""
    found = _head_of(file) if file is not None else None
    if file is None or found is None or found[0] < 2:
        return target
    try:
        return replace(target, positive_class=positive_class(file.parent, found[0]))
    except InputError as error:
        return replace(target, unusable_head=str(error))


def resolve(target: Target) -> Resolved:
    """Build the configuration and parameter tree of a target on the meta device, without memory for weights.

    Raises InputError if its configuration is not available or invalid.
    """
    from core.runs.stored_model import stored_model
    from core.sources.resolve import open_checkpoint

    model = target.config.model
    if target.run is not None and (target.run.path / MODEL).is_dir():
        checkpoint = stored_model(target.run)
    else:
        checkpoint = open_checkpoint(model.checkpoint, pretrained=model.init == "pretrained")
    return Resolved(target, *_built(checkpoint, model), checkpoint)


def edited(resolved: Resolved, config: RunConfig) -> Resolved:
    """Return the target with an edited configuration; resolve it again if its checkpoint or init changed.

    Takes milliseconds otherwise. Raises InputError as :func:`resolve`.
    """
    before = resolved.target.config.model
    if (before.checkpoint, before.init) != (config.model.checkpoint, config.model.init):
        return resolve(replace(resolved.target, config=config))
    encoder, tree = _built(resolved.checkpoint, config.model)
    return replace(resolved, target=replace(resolved.target, config=config), encoder=encoder, tree=tree)


def _built(checkpoint: ModelSource, model: ModelConfig) -> tuple[DistilBertConfig, ParameterNode]:
    from core.model.classifier import encoder_config

    encoder = encoder_config(checkpoint.config, model.encoder)
    return encoder, _tree(encoder, model)


def _tree(encoder: DistilBertConfig, model: ModelConfig) -> ParameterNode:
    from core.model.classifier import meta_classifier

    return with_frozen(parameter_tree(meta_classifier(encoder, model)), model.freeze)


def in_shape_of(one: Resolved, other: Resolved) -> Resolved | None:
    """Return ``one`` with the encoder configuration of ``other`` if their shapes differ, else None.

    Only possible for random initial weights whose preset does not override the encoder itself.
    """
    model = one.target.config.model
    fresh = one.target.file is None and model.init == "scratch" and not model.encoder
    if not fresh or _shapes(one) == _shapes(other):
        return None
    return replace(one, encoder=other.encoder, tree=_tree(other.encoder, model))


def _shapes(one: Resolved) -> dict[str, tuple[int, ...] | None]:
    from core.model.parameter_tree import leaves

    return {leaf.path: leaf.shape for leaf in leaves(one.tree)}
