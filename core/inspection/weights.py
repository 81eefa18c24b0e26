"""Open the weights of a model and read tensors by name, one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from core.errors import InputError
from core.inspection.target import Resolved
from core.model.classifier import BODY, Classifier, build_classifier
from core.model.parameter_tree import leaves
from core.sources.files import unwrapped_name

Between = Callable[[], None]
"""Called between two steps of the work; an exception from it ends the work."""


@dataclass(frozen=True, slots=True)
class Weights:
    """``shapes`` of all tensors, with the names of our classifier's state; ``read`` returns one tensor as stored."""

    name: str
    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], torch.Tensor]


def classifier_name(name: str) -> str:
    """Convert a tensor's name from an encoder's file, or one with the prefix ``bert.``, to that in our classifier."""
    name = unwrapped_name(name)
    name = name.removeprefix("bert.") if name.startswith(("bert.embeddings", "bert.transformer")) else name
    return f"distilbert.{name}" if name.startswith(("embeddings.", "transformer.")) else name


def read_file(path: Path, name: str = "") -> Weights:
    """Open a safetensors file lazily. Raises InputError if it is damaged or incomplete."""
    stored: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - no mapping
                stored[classifier_name(key)] = key
                shapes[classifier_name(key)] = tuple(file.get_slice(key).get_shape())
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot read the weights ({error}); the file is damaged or incomplete") from None

    def read(key: str) -> torch.Tensor:
        try:
            with safe_open(path, framework="pt") as file:
                tensor: torch.Tensor = file.get_tensor(stored[key])
                return tensor
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path}: cannot read tensor {key} ({error}); the file is damaged or incomplete") from None

    return Weights(name or str(path), shapes, read)


def open_weights(resolved: Resolved) -> Weights:
    """Open the weights of a target: those of its file, or the initial weights of training with its seed.

    Raises InputError for a damaged file, a missing tensor, and a shape that differs from the configuration.
    """
    target = resolved.target
    if target.file is None:
        state = build_model(resolved).state_dict()
        shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
        return Weights(target.name, shapes, state.__getitem__)
    weights = read_file(target.file, target.name)
    for leaf in leaves(resolved.tree):
        if leaf.path not in weights.shapes:
            if not leaf.path.startswith(BODY) and target.bare:
                continue  # a file with only the encoder has no head
            raise InputError(f"{target.file}: tensor {leaf.path} is missing; the file is not a complete classifier")
        if weights.shapes[leaf.path] != leaf.shape:
            raise InputError(
                f"{target.file}: tensor {leaf.path} has shape {list(weights.shapes[leaf.path])}, "
                f"but its configuration needs {list(leaf.shape or ())}"
            )
    return weights


def build_model(resolved: Resolved) -> Classifier:
    """Build the classifier in evaluation mode, float32, on the CPU; torch's random state is not changed.

    Raises InputError as :func:`open_weights`, and if a weight is NaN or infinite.
    """
    target, checkpoint = resolved.target, resolved.checkpoint
    loaded = checkpoint.load_weights() if target.config.model.init == "pretrained" and target.file is None else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(target.config.train.seed)
        model = build_classifier(resolved.encoder, target.config.model, loaded)
    if target.file is not None:
        weights = open_weights(resolved)
        state = {key: require_finite(weights, key, weights.read(key)) for key in weights.shapes}
        if target.positive_class == 0:  # the model's logit is that of its second row minus that of its first
            state.update({key: state[key].flip(0) for key in ("classifier.weight", "classifier.bias")})
        model.load_state_dict({key: state.get(key, tensor) for key, tensor in model.state_dict().items()})
    return model.eval()


def require_finite(weights: Weights, name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return ``tensor``. Raises InputError if one of its elements is NaN or infinite."""
    if math.isfinite(tensor.sum(dtype=torch.float64).item()):  # NaN and infinities remain in a sum
        return tensor
    wrong = int((~torch.isfinite(tensor)).sum())
    raise InputError(f"{weights.name}: tensor {name} has {wrong} of {tensor.numel()} values that are NaN or infinite")
