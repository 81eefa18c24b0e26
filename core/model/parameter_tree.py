"""The modules and parameters of a model as a tree of plain data, which the console shows without importing torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class ParameterNode:
    """A module or a parameter; the ``count`` of a module is the number of all parameters below it."""

    name: str
    path: str
    shape: tuple[int, ...] | None
    """None for a module."""
    dtype: str
    count: int
    trainable: bool
    children: tuple[ParameterNode, ...]

    @property
    def trainable_count(self) -> int:
        """The number of trainable parameters."""
        return sum(leaf.count for leaf in leaves(self) if leaf.trainable)

    @property
    def bytes(self) -> int:
        """Memory of the weights. For trained parameters, gradients take the same again and AdamW twice that."""
        return sum(leaf.count * _BYTES.get(leaf.dtype, 4) for leaf in leaves(self))

    @property
    def state(self) -> str:
        """``trained``, ``frozen``, or ``partly frozen``."""
        trained = self.trainable_count
        return "trained" if trained == self.count else "partly frozen" if trained else "frozen"


_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int64": 8}


def leaves(node: ParameterNode) -> Iterator[ParameterNode]:
    """The parameters at and below ``node``, in the model's order."""
    if node.shape is not None:
        yield node
    for child in node.children:
        yield from leaves(child)


def with_frozen(tree: ParameterNode, freeze: Iterable[str]) -> ParameterNode:
    """The tree with exactly the parameters below the names in ``freeze`` frozen.

    Raises InputError for an unknown name, and if no parameter would be trained, as
    :func:`core.model.classifier.freeze` does.
    """
    names = tuple(freeze)
    for name in names:
        if not any(_covers(name, leaf.path) for leaf in leaves(tree)):
            raise InputError(f"model.freeze: no module or parameter is named {name!r}")
    frozen = _marked(tree, names)
    if not frozen.trainable:
        raise InputError("model.freeze leaves no parameter to train")
    return frozen


def _marked(node: ParameterNode, names: tuple[str, ...]) -> ParameterNode:
    children = tuple(_marked(child, names) for child in node.children)
    if node.shape is not None:
        return replace(node, trainable=not any(_covers(name, node.path) for name in names))
    return replace(node, children=children, trainable=any(child.trainable for child in children))


def _covers(name: str, path: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def toggle_frozen(tree: ParameterNode, path: str) -> tuple[str, ...]:
    """The value of ``model.freeze`` after the node at ``path`` is frozen, or trained if all of it was frozen.

    A module whose parameters are all frozen is named instead of its parameters. Raises InputError if no parameter
    would be trained.
    """
    node = next(found for found in walk(tree) if found.path == path)
    frozen = {leaf.path for leaf in leaves(tree) if not leaf.trainable}
    below = {leaf.path for leaf in leaves(node)}
    frozen = frozen - below if node.state == "frozen" else frozen | below
    if len(frozen) == sum(1 for _ in leaves(tree)):
        raise InputError("that would leave nothing to train; keep at least one parameter")
    return tuple(_shortest_names(tree, frozen))


def _shortest_names(node: ParameterNode, frozen: set[str]) -> Iterator[str]:
    if all(leaf.path in frozen for leaf in leaves(node)):
        yield node.path
    else:
        for child in node.children:
            yield from _shortest_names(child, frozen)


def walk(node: ParameterNode) -> Iterator[ParameterNode]:
    """The node and all below it, in the model's order."""
    yield node
    for child in node.children:
        yield from walk(child)


def short_name(path: str) -> str:
    """A path without the prefix of the encoder: ``layer.0.ffn.lin1``, ``embeddings.LayerNorm``."""
    return path.removeprefix("distilbert.").removeprefix("transformer.")


def parameter_rows(tree: ParameterNode) -> list[dict[str, Any]]:
    """One row per parameter, for JSON output and exported files."""
    return [
        {"name": leaf.path, "shape": list(leaf.shape or ()), "dtype": leaf.dtype, "count": leaf.count,
         "trainable": leaf.trainable}
        for leaf in leaves(tree)
    ]  # fmt: skip


def parameters_as_json(tree: ParameterNode) -> dict[str, Any]:
    """All parameters and their totals, for JSON output."""
    rows = parameter_rows(tree)
    return {"total": tree.count, "trainable": tree.trainable_count, "tensors": len(rows), "bytes": tree.bytes,
            "parameters": rows}  # fmt: skip


def parameters_as_csv(tree: ParameterNode) -> str:
    """CSV text with a header and one line per parameter; a shape is written as ``768x3072``."""
    text = io.StringIO()
    rows = csv.DictWriter(text, ["name", "shape", "dtype", "count", "trainable"], lineterminator="\n")
    rows.writeheader()
    for row in parameter_rows(tree):
        rows.writerow({**row, "shape": "x".join(map(str, row["shape"])), "trainable": str(row["trainable"]).lower()})
    return text.getvalue()


def parameter_tree(module: nn.Module, name: str = "classifier") -> ParameterNode:
    """The modules and parameters of ``module``; the leaves are parameters, and modules without any are left out."""
    return _node(module, name, "")


def _node(module: nn.Module, name: str, path: str) -> ParameterNode:
    prefix = f"{path}." if path else ""
    children = [
        ParameterNode(
            key, prefix + key, tuple(p.shape), str(p.dtype).removeprefix("torch."), p.numel(), p.requires_grad, ()
        )
        for key, p in module.named_parameters(recurse=False)
    ]
    below = [_node(child, key, prefix + key) for key, child in module.named_children()]
    children += [child for child in below if child.count]
    dtypes = sorted({child.dtype for child in children})
    return ParameterNode(
        name,
        path,
        None,
        "/".join(dtypes),
        sum(child.count for child in children),
        any(child.trainable for child in children),
        tuple(children),
    )
