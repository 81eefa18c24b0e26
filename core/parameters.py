"""The modules and parameters of a model as a tree of plain data, which a screen can show without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class ParameterNode:
    """A module or a parameter of the tree; a module's ``count`` is the sum over what is below it."""

    name: str
    path: str
    shape: tuple[int, ...] | None
    """None for a module."""
    dtype: str
    count: int
    trainable: bool
    children: tuple[ParameterNode, ...]


def parameter_tree(module: nn.Module, name: str = "classifier") -> ParameterNode:
    """The modules and parameters of ``module``, leaves being parameters; modules without any are left out."""
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
