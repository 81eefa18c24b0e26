"""The imports of core, checked in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

CORE = """
import importlib, pkgutil, sys
import core
for module in pkgutil.walk_packages(core.__path__, "core."):
    if module.name != "core.__main__":
        importlib.import_module(module.name)
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""
LIGHT = """
import importlib, sys
for name in (
    "cli.main", "config.presets", "data.reviews", "runs.directory", "runs.events", "runs.summary", "sources.hub",
    "sources.resolve", "tokenization.encode",
):
    importlib.import_module(f"core.{name}")
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported_by(code: str) -> set[str]:
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr == ""
    return set(eval(answer.stdout))


def test_no_module_of_core_imports_a_screen() -> None:
    everything = imported_by(CORE)
    assert everything & {"tui", "textual", "plotext", "textual_plotext"} == set()
    assert {"torch", "transformers"} <= everything


def test_the_command_line_and_what_the_console_needs_at_first_import_nothing_heavy() -> None:
    assert imported_by(LIGHT) & {"torch", "transformers", "datasets", "huggingface_hub", "pyarrow"} == set()
