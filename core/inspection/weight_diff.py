"""Where two models differ: tensor by tensor, and summed by layer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from core.errors import InputError
from core.inspection.target import Resolved, in_shape_of
from core.inspection.tensor_stats import chunks
from core.inspection.weights import Between, Weights, open_weights, require_finite


@dataclass(frozen=True, slots=True)
class TensorDifference:
    """Change of a tensor from ``a`` to ``b``: ||b - a|| / ||a||, and the cosine similarity of the two as vectors.

    Equal tensors have exactly 0 and 1. If ``a`` is all zeros and ``b`` is not, the change is infinite and the
    cosine NaN.
    """

    name: str
    relative_l2: float
    cosine: float
    squared_change: float
    """||b - a||²; the sum over tensors is that of the model."""
    squared_norm: float
    """||a||²"""


@dataclass(frozen=True, slots=True)
class Difference:
    """All compared tensors, largest relative change first; ``notes`` lists what was not compared."""

    a: str
    b: str
    tensors: list[TensorDifference]
    notes: list[str]

    @property
    def changed(self) -> int:
        return sum(tensor.squared_change > 0 for tensor in self.tensors)

    def by_layer(self) -> dict[str, float]:
        """Return the relative change of each layer, from the embeddings to the head."""
        sums: dict[str, tuple[float, float]] = {}
        for tensor in self.tensors:
            change, norm = sums.get(layer_of(tensor.name), (0.0, 0.0))
            sums[layer_of(tensor.name)] = change + tensor.squared_change, norm + tensor.squared_norm
        return {layer: relative(*sums[layer]) for layer in sorted(sums, key=_height)}


def relative(squared_change: float, squared_norm: float) -> float:
    """||b - a|| / ||a|| from the squares: 0 for no change, infinite if ||a|| is 0."""
    if squared_change == 0:
        return 0.0
    return math.sqrt(squared_change / squared_norm) if squared_norm else math.inf


def layer_of(name: str) -> str:
    """Return the layer of a tensor: ``embeddings``, ``layer 0`` …, or ``head``."""
    parts = name.split(".")
    if "layer" in parts:
        return f"layer {parts[parts.index('layer') + 1]}"
    return "embeddings" if "embeddings" in parts else "head"


def _height(layer: str) -> int:
    return {"embeddings": -1, "head": 1 << 20}.get(layer, 0) or int(layer.partition(" ")[2])


def compare_tensors(name: str, a: torch.Tensor, b: torch.Tensor) -> TensorDifference:
    """Compare two tensors of the same shape in float64."""
    change = norm_a = norm_b = dot = 0.0
    for part_a, part_b in zip(chunks(a), chunks(b), strict=True):
        change += ((part_b - part_a) ** 2).sum().item()
        norm_a += (part_a**2).sum().item()
        norm_b += (part_b**2).sum().item()
        dot += (part_a @ part_b).item()
    if change == 0:
        return TensorDifference(name, 0.0, 1.0, 0.0, norm_a)
    cosine = math.nan
    if norm_a and norm_b:
        cosine = max(-1.0, min(1.0, dot / math.sqrt(norm_a) / math.sqrt(norm_b)))
    return TensorDifference(name, relative(change, norm_a), cosine, change, norm_a)


def compare(a: Weights, b: Weights, notes: list[str] | None = None, between: Between = lambda: None) -> Difference:
    """Compare tensors of the same name and shape. Raises InputError if there are none, and for NaN and infinities."""
    notes = list(notes or [])
    rows, reshaped = [], []
    for name, shape in a.shapes.items():
        between()
        if name not in b.shapes:
            notes.append(f"only {a.name} has {name}")
        elif b.shapes[name] != shape:
            reshaped.append(f"{name} is {list(shape)} in {a.name} and {list(b.shapes[name])} in {b.name}")
        else:
            first, second = (require_finite(one, name, one.read(name)) for one in (a, b))
            rows.append(compare_tensors(name, first, second))
    notes += [f"only {b.name} has {name}" for name in b.shapes if name not in a.shapes]
    if reshaped:
        notes.append(f"{len(reshaped)} tensors with different shapes are skipped: {reshaped[0]}")
    if not rows:
        raise InputError(f"{a.name} and {b.name} have no tensor with the same name and shape: {notes[-1]}")
    rows.sort(key=lambda row: (math.isinf(row.relative_l2), -row.relative_l2, row.name))
    return Difference(a.name, b.name, rows, notes)


def compare_targets(a: Resolved, b: Resolved, between: Between = lambda: None) -> Difference:
    """Compare two targets. Random initial weights take the shapes of the other target; a note reports it.

    Raises InputError as :func:`compare` and :func:`core.inspection.weights.open_weights`.
    """
    notes = []
    for one, other in ((a, b), (b, a)):
        if (redrawn := in_shape_of(one, other)) is not None:
            notes.append(
                f"{one.target.name} is initialised with the shapes of {other.target.name} "
                f"(dim {other.encoder.dim} instead of {one.encoder.dim}), so that the two can be compared"
            )
            a, b = (redrawn, b) if one is a else (a, redrawn)
            break
    between()
    first = open_weights(a)
    between()
    return compare(first, open_weights(b), notes, between)
