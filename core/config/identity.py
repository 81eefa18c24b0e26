"""The part of a configuration that must be equal for a run to be resumed from a checkpoint."""

from __future__ import annotations

import json
from typing import Any

from core.config.schema import RunConfig

FREE = frozenset(
    {
        *("data.source", "data.corrections"),
        *("train.save_steps", "train.save_seconds", "train.probe_sentences", "train.probe_steps"),
    }
)
"""Fields that may differ: where reviews and corrections are (the run stores what it read), and when it saves."""


def identity(config: RunConfig) -> dict[str, Any]:
    """Return the values that determine the result of a run, as ``{section.field: value}`` with JSON's types."""
    sections = config.sections()
    values = {f"{section}.{key}": value for section in ("model", "data", "train")
              for key, value in sections[section].items()}  # fmt: skip
    content: dict[str, Any] = json.loads(json.dumps({name: values[name] for name in values if name not in FREE}))
    return content
