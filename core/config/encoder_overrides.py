"""``[model.encoder]``: fields of DistilBERT's configuration that a preset sets, such as ``n_layers = 2``.

The types and ranges are listed here, so that a preset is checked without importing transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.config.validation import check_value, parse_value
from core.errors import InputError

Activation = Literal["gelu", "gelu_new", "relu", "silu", "tanh"]


@dataclass(frozen=True, slots=True)
class EncoderField:
    """The type and range of a field. ``fixed_by_weights`` is true where trained weights need the value unchanged."""

    kind: Any
    least: float | None = None
    most: float | None = None
    fixed_by_weights: bool = False

    @property
    def limits(self) -> dict[str, float | None]:
        return {"least": self.least, "most": self.most}


ENCODER_FIELDS: dict[str, EncoderField] = {
    "vocab_size": EncoderField(int, 1, 1_000_000, fixed_by_weights=True),
    "max_position_embeddings": EncoderField(int, 3, 65_536, fixed_by_weights=True),
    "sinusoidal_pos_embds": EncoderField(bool, fixed_by_weights=True),
    "n_layers": EncoderField(int, 1, 96, fixed_by_weights=True),
    "n_heads": EncoderField(int, 1, 1_024, fixed_by_weights=True),
    "dim": EncoderField(int, 1, 16_384, fixed_by_weights=True),
    "hidden_dim": EncoderField(int, 1, 65_536, fixed_by_weights=True),
    "activation": EncoderField(Activation, fixed_by_weights=True),
    "dropout": EncoderField(float, 0.0, 0.95),
    "attention_dropout": EncoderField(float, 0.0, 0.95),
    "initializer_range": EncoderField(float, 1e-6, 10.0),
}
"""The fields of DistilBertConfig that the classifier uses.

n_heads and activation change no shape, but weights trained with one value do not work with another.
"""


class EncoderOverrides(Mapping[str, Any]):
    """The overridden fields and their values: an immutable, hashable mapping in the order of the preset.

    Raises InputError for an unknown field, a wrong type, or a value out of range.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = {name: _checked(name, value) for name, value in (values or {}).items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"EncoderOverrides({self._values!r})"

    def with_field(self, name: str, value: Any) -> EncoderOverrides:
        """A copy with one field set. A text is parsed as the field's type; an empty one removes the override."""
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return EncoderOverrides({key: self[key] for key in self if key != name})
            value = parse_value(value, _field(name).kind, f"model.encoder.{name}")
        return EncoderOverrides({**self, name: value})

    @classmethod
    def parse(cls, text: str) -> EncoderOverrides:
        """Parse ``"n_layers=2, dropout=0.2"``, the form of the table in a text field or on the command line."""
        overrides = cls()
        for assignment in text.split(","):
            name, equals, value = (part.strip() for part in assignment.partition("="))
            if name and not equals:
                raise InputError(f"model.encoder has {assignment!r}; write NAME=VALUE, for example n_layers=2")
            if name in overrides:
                raise InputError(f"model.encoder sets {name} twice")
            if name:
                overrides = overrides.with_field(name, value)
        return overrides


def _field(name: str) -> EncoderField:
    if name not in ENCODER_FIELDS:
        raise InputError(f"unknown field model.encoder.{name}; [model.encoder] can set {', '.join(ENCODER_FIELDS)}")
    return ENCODER_FIELDS[name]


def _checked(name: str, value: Any) -> Any:
    field = _field(name)
    return check_value(value, field.kind, f"model.encoder.{name}", field.limits)


def check_overrides(overrides: EncoderOverrides, *, pretrained: bool) -> None:
    """Check the fields against each other and, with ``pretrained``, against the checkpoint's weights.

    Raises InputError if dim is not divisible by n_heads, or if the weights were trained with another value.
    """
    if "dim" in overrides and "n_heads" in overrides:
        check_heads(overrides["dim"], overrides["n_heads"])
    fixed = [name for name in overrides if ENCODER_FIELDS[name].fixed_by_weights]
    if pretrained and fixed:
        raise InputError(
            f"{', '.join(fixed)} of model.encoder cannot change with pretrained weights; "
            "set model.init = 'scratch' as well"
        )


def check_heads(dim: int, n_heads: int) -> None:
    """Raises InputError if ``dim`` is not divisible by ``n_heads``, with the nearest numbers of heads that work."""
    if n_heads < 1 or dim % n_heads:
        near = sorted((n for n in range(1, dim + 1) if dim % n == 0), key=lambda n: (abs(n - n_heads), n))[:3]
        raise InputError(
            f"dim {dim} is not divisible by n_heads {n_heads}: each head gets dim / n_heads dimensions of a token; "
            f"use for example {', '.join(map(str, sorted(near)))} heads"
        )
