"""Read and write a configuration as TOML: a preset, or a run's ``config.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from core.config.renamed import check_renamed
from core.config.schema import SECTIONS, RunConfig, field_types
from core.errors import InputError


def from_mapping(content: Mapping[str, Any], *, preset: str, where: str) -> RunConfig:
    """Create a configuration from parsed TOML. ``where`` is the file in the message of an InputError."""
    known = {"title", "description", *SECTIONS, "preset"}
    for key in content:
        if key not in known:
            raise InputError(f"{where}: unknown key {key!r}; valid keys are {', '.join(sorted(known))}")
    texts: dict[str, Any] = {}
    for key in ("preset", "title", "description"):
        texts[key] = content.get(key, preset if key == "preset" else "")
        if not isinstance(texts[key], str):
            raise InputError(f"{where}: {key} must be a text, not {texts[key]!r}")
    sections: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        table = content.get(name, {})
        if not isinstance(table, Mapping):
            raise InputError(f"{where}: [{name}] must be a section, not {table!r}")
        try:
            for key, value in table.items():
                check_renamed(f"{name}.{key}", value)
                if key not in field_types(name):
                    raise InputError(f"unknown key {name}.{key}; valid keys are {', '.join(field_types(name))}")
            sections[name] = section(**table)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
    return RunConfig(**texts, **sections)


def from_toml(text: str, *, preset: str, where: str) -> RunConfig:
    """Parse a preset or a run's ``config.toml``. Raises InputError with the file, and the line of invalid TOML."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: deeply nested lists
        raise InputError(f"{where}: not valid TOML: {error}") from None
    return from_mapping(content, preset=preset, where=where)


def to_toml(config: RunConfig) -> str:
    """Write the configuration as TOML; ``from_toml`` restores an equal one."""
    import tomli_w

    head = {"preset": config.preset, "title": config.title, "description": config.description}
    return tomli_w.dumps({**head, **config.sections()})
