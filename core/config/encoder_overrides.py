"""Fields of the encoder's configuration that a preset sets itself, written as NAME=VALUE texts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.errors import InputError

ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu", "tanh")


@dataclass(frozen=True, slots=True)
class Editable:
    """What one field may be. ``shapes`` is true where weights that were trained with another value do not fit."""

    kind: type
    least: float = -math.inf
    most: float = math.inf
    shapes: bool = False


EDITABLE: dict[str, Editable] = {
    "vocab_size": Editable(int, 1, 1_000_000, shapes=True),
    "max_position_embeddings": Editable(int, 3, 65_536, shapes=True),
    "sinusoidal_pos_embds": Editable(bool, shapes=True),
    "n_layers": Editable(int, 1, 96, shapes=True),
    "n_heads": Editable(int, 1, 1_024, shapes=True),
    "dim": Editable(int, 1, 16_384, shapes=True),
    "hidden_dim": Editable(int, 1, 65_536, shapes=True),
    "activation": Editable(str, shapes=True),
    "dropout": Editable(float, 0.0, 0.95),
    "attention_dropout": Editable(float, 0.0, 0.95),
    "initializer_range": Editable(float, 1e-6, 10.0),
}
"""The fields that our classifier uses. n_heads and activation change no shape, but weights learned with them."""


def parse_value(name: str, words: str) -> Any:
    """The value of one field as its type. Raises InputError for an unknown field and a value it cannot take."""
    if name not in EDITABLE:
        raise InputError(f"model.architecture cannot set {name!r}; it can set {', '.join(EDITABLE)}")
    words, rule = words.strip(), EDITABLE[name]
    if rule.kind is str:
        if words not in ACTIVATIONS:
            raise InputError(f"{name} = {words!r} is not one of {', '.join(ACTIVATIONS)}")
        return words
    if rule.kind is bool:
        if words.lower() not in ("true", "false"):
            raise InputError(f"{name} = {words!r} must be true or false")
        return words.lower() == "true"
    try:
        value = rule.kind(words)
    except ValueError:
        wanted = "a whole number" if rule.kind is int else "a number"
        raise InputError(f"{name} = {words!r} must be {wanted}") from None
    if not rule.least <= value <= rule.most:  # false for NaN as well
        raise InputError(f"{name} = {words} must be between {rule.least:g} and {rule.most:g}")
    return value


def parse_architecture(assignments: Iterable[str]) -> dict[str, Any]:
    """``["dim=256", "n_heads=8"]`` as fields. Raises InputError for one that is wrong, and for one set twice."""
    fields: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, words = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise InputError(f"model.architecture has {assignment!r}; write NAME=VALUE, for example dim=256")
        if name in fields:
            raise InputError(f"model.architecture sets {name} twice")
        fields[name] = parse_value(name, words)
    return fields


def check_architecture(assignments: Iterable[str], *, pretrained: bool) -> None:
    """Raises InputError for what :func:`parse_architecture` refuses, a width that the heads cannot share, and,

    with ``pretrained``, for a field with which the weights of the checkpoint would not be what they were.
    """
    fields = parse_architecture(assignments)
    if "dim" in fields and "n_heads" in fields:
        check_heads(fields["dim"], fields["n_heads"])
    shaping = [name for name in fields if EDITABLE[name].shapes]
    if pretrained and shaping:
        raise InputError(
            f"model.architecture changes {', '.join(shaping)}, which the checkpoint's weights were trained with; "
            "set model.init = 'scratch' as well"
        )


def check_heads(dim: int, n_heads: int) -> None:
    """Raises InputError where ``n_heads`` heads cannot share ``dim`` numbers evenly."""
    if n_heads < 1 or dim % n_heads:
        near = sorted((n for n in range(1, dim + 1) if dim % n == 0), key=lambda n: (abs(n - n_heads), n))[:3]
        raise InputError(
            f"dim {dim} is not divisible by n_heads {n_heads}: every head takes dim / n_heads numbers of a token; "
            f"{', '.join(map(str, sorted(near)))} heads would do"
        )


def with_field(assignments: Iterable[str], name: str, words: str) -> tuple[str, ...]:
    """The assignments with one more or changed; empty ``words`` take it out. Raises InputError as parse_value."""
    kept = {part.partition("=")[0].strip(): part for part in assignments}
    kept.pop(name, None)
    if words.strip():
        value = parse_value(name, words)
        kept[name] = f"{name}={str(value).lower() if isinstance(value, bool) else value}"
    return tuple(kept.values())
