"""``imdb-tui doctor``: show versions, hardware and sources."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core import __version__, formatting
from core.cli.console import out
from core.cli.options import AsJson, RunsDir
from core.config.presets import own_presets_folder
from core.config.schema import RunConfig
from core.runs.directory import runs_root


def doctor(runs_dir: RunsDir = None, json: AsJson = False) -> None:
    """Show the versions, the device, and where data and weights would come from."""
    from core.config.schema import EngineConfig
    from core.engine.device import PARTS, choose_engine, usable_cores
    from core.sources.resolve import plan

    engine = choose_engine(EngineConfig()).describe()
    facts: dict[str, Any] = {
        "imdb-tui": __version__,
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in ("torch", "transformers", "datasets", "textual", "plotext")},
        "cores": usable_cores(),
        **{name: text for name, text in engine.items() if name not in PARTS},
        "engine": {name: text for name, text in engine.items() if name in PARTS},
        "runs": f"{runs_root(runs_dir)} ({_writable(runs_root(runs_dir))})",
        "presets": str(own_presets_folder()),
        "sources": plan(RunConfig()),
    }
    if json:
        print(formatting.as_json(facts))  # noqa: T201
        return
    _print_facts(facts)


def _print_facts(facts: dict[str, Any], indent: str = "") -> None:
    """Print one fact per line without wrapping; nested facts are indented."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if isinstance(value, dict):
            out.print(indent + name, soft_wrap=True)
            _print_facts(value, indent + "  ")
        else:
            out.print(f"{indent}{name:<{width}}  {formatting.printable(str(value))}", soft_wrap=True)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _writable(path: Path) -> str:
    """Test by writing a file. Folders that had to be created for the test are removed again."""
    made: list[Path] = []
    try:
        made += (folder for folder in (path, *path.parents) if not folder.exists())
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return "writable"
    except OSError as error:
        return f"not writable: {error.strerror}"
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
