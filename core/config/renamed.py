"""Fields and values of a configuration that have another name now; files with an old one are refused with the new."""

from __future__ import annotations

from typing import Any

from core.errors import InputError

RENAMED_FIELDS = {
    "model.architecture": 'is now the table [model.encoder]; write for example "n_layers = 2" below [model.encoder]',
    "engine.layout": "is now engine.forward",
    "engine.encodings": "was removed: reviews are encoded at the start of each run",
}
"""``section.field`` to what replaced it."""

RENAMED_VALUES: dict[tuple[str, Any], Any] = {
    ("engine.dropout", "lanes"): "fast",
    ("engine.memory", "kept"): "reuse",
    ("engine.memory", "returned"): "release",
}
"""``(section.field, old value)`` to the new value."""


def check_renamed(name: str, value: Any) -> None:
    """Raises InputError if ``name`` is an old field or ``value`` an old value of it; the message gives the new one."""
    if name in RENAMED_FIELDS:
        raise InputError(f"{name} {RENAMED_FIELDS[name]}")
    if isinstance(value, str) and (name, value) in RENAMED_VALUES:
        raise InputError(f"{name} = {value!r} is now {RENAMED_VALUES[name, value]!r}")
