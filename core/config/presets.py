"""The presets: shipped TOML files, and a person's own beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path

import platformdirs

from core.atomic_write import write_text_atomically
from core.config.schema import RunConfig, from_toml, to_toml
from core.errors import InputError

SHIPPED_ORDER = ("quick", "pretrained", "scratch", "frozen", "improved")


@dataclass(frozen=True, slots=True)
class Preset:
    """An entry of the menu. A file that cannot be used has ``config`` None and the reason in ``error``."""

    name: str
    config: RunConfig | None
    path: str
    own: bool
    error: str = ""


def own_presets_folder() -> Path:
    """Where a person's presets live: ``$IMDB_TUI_PRESETS``, else ``presets`` in the user configuration directory."""
    given = os.environ.get("IMDB_TUI_PRESETS")
    return Path(given).expanduser() if given else Path(platformdirs.user_config_dir("imdb-tui")) / "presets"


def list_presets() -> list[Preset]:
    """The shipped presets, then the person's own by name; one of the same name takes the shipped one's place."""
    presets = {preset.name: preset for preset in _shipped()}
    presets.update({preset.name: preset for preset in _own()})
    return list(presets.values())


def load_preset(name: str) -> RunConfig:
    """The configuration of the preset of that name. Raises InputError for an unknown or a broken one."""
    presets = {preset.name: preset for preset in list_presets()}
    if name not in presets:
        near = get_close_matches(name.lower(), presets, 1)
        usable = [each.name for each in presets.values() if each.config is not None]
        words = f"there is no preset {name!r}; there are {', '.join(usable)}"
        raise InputError(f"{words}; did you mean {near[0]}?" if near else words)
    if (config := presets[name].config) is None:
        raise InputError(presets[name].error)
    return config


def check_name(name: str, *, overwrite: bool = False) -> None:
    """Raises InputError for a name that no preset can have, or that one has already."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,39}", name):
        raise InputError(f"{name!r} cannot name a preset; use up to 40 letters, digits, - _ and .")
    taken = {preset.name for preset in list_presets()}
    if name in taken and not overwrite:
        raise InputError(f"there is already a preset {name!r}; choose another name")


def save_preset(config: RunConfig, name: str, *, overwrite: bool = False) -> Path:
    """Saves ``config`` among the person's own presets. Raises InputError as :func:`check_name`."""
    check_name(name, overwrite=overwrite)
    path = own_presets_folder() / f"{name}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, to_toml(replace(config, preset=name)))
    except OSError as error:
        raise InputError(f"the preset cannot be saved as {path} ({error.strerror})") from None
    return path


@cache
def _shipped() -> tuple[Preset, ...]:
    """Read once: these files are part of the program."""
    return tuple(_read_shipped(name) for name in SHIPPED_ORDER)


def _read_shipped(name: str) -> Preset:
    file = resources.files("presets") / f"{name}.toml"
    config = from_toml(file.read_text(encoding="utf-8"), preset=name, where=f"{name}.toml")
    return Preset(name, config, str(file), own=False)


def _own() -> Iterator[Preset]:
    try:
        paths = sorted(own_presets_folder().glob("*.toml"))
    except OSError:
        return
    for path in paths:
        try:
            config = from_toml(path.read_text(encoding="utf-8"), preset=path.stem, where=str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            yield Preset(path.stem, None, str(path), own=True, error=f"{path}: cannot be read ({reason})")
        except InputError as error:
            yield Preset(path.stem, None, str(path), own=True, error=str(error))
        else:
            yield Preset(path.stem, replace(config, preset=path.stem), str(path), own=True)
