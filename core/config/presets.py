"""The presets: the TOML files in ``presets/``, and the user's own in the user configuration directory."""

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
from core.config.schema import RunConfig
from core.config.toml_file import from_toml, to_toml
from core.errors import InputError
from core.user_path import user_path

SHIPPED_ORDER = ("quick", "pretrained", "scratch", "frozen", "improved")


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset in the list. For an invalid file ``config`` is None and ``error`` is the reason."""

    name: str
    config: RunConfig | None
    path: str
    own: bool
    error: str = ""


def own_presets_folder() -> Path:
    """Return the folder of the user's presets: ``$IMDB_TUI_PRESETS``, else one in the user's configuration."""
    given = os.environ.get("IMDB_TUI_PRESETS")
    return user_path(given) if given else Path(platformdirs.user_config_dir("imdb-tui")) / "presets"


def list_presets() -> list[Preset]:
    """Return the shipped presets, then the user's own by name; an own preset replaces a shipped one of its name."""
    presets = {preset.name: preset for preset in _shipped()}
    presets.update({preset.name: preset for preset in _own()})
    return list(presets.values())


def load_preset(name: str) -> RunConfig:
    """Return the configuration of a preset. Raises InputError for an unknown name or an invalid file."""
    presets = {preset.name: preset for preset in list_presets()}
    if name not in presets:
        near = get_close_matches(name.lower(), presets, 1)
        usable = [each.name for each in presets.values() if each.config is not None]
        message = f"there is no preset {name!r}; available are {', '.join(usable)}"
        raise InputError(f"{message}; did you mean {near[0]}?" if near else message)
    if (config := presets[name].config) is None:
        raise InputError(presets[name].error)
    return config


def check_name(name: str, *, overwrite: bool = False) -> None:
    """Check the name of a new preset. Raises InputError if it is invalid, or taken and ``overwrite`` is false."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,39}", name):
        raise InputError(f"{name!r} is not a valid preset name; use up to 40 letters, digits, - _ and .")
    taken = {preset.name for preset in list_presets()}
    if name in taken and not overwrite:
        raise InputError(f"there is already a preset {name!r}; choose another name")


def save_preset(config: RunConfig, name: str, *, overwrite: bool = False) -> Path:
    """Save ``config`` as one of the user's presets. Raises InputError as :func:`check_name` and for a failed write."""
    check_name(name, overwrite=overwrite)
    path = own_presets_folder() / f"{name}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, to_toml(replace(config, preset=name)))
    except OSError as error:
        raise InputError(f"cannot save the preset as {path} ({error.strerror})") from None
    return path


@cache
def _shipped() -> tuple[Preset, ...]:
    """Read the shipped presets, once: these files do not change while the program runs."""
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
            yield Preset(
                path.stem,
                None,
                str(path),
                own=True,
                error=f"{path}: cannot be read ({reason}); check the file and its permissions",
            )
        except InputError as error:
            yield Preset(path.stem, None, str(path), own=True, error=str(error))
        else:
            yield Preset(path.stem, replace(config, preset=path.stem), str(path), own=True)
