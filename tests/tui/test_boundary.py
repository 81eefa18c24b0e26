"""The first frame needs none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tui.app import ImdbTui

async def first_frame():
    app = ImdbTui(Path(sys.argv[1]), background=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Presets" in app.export_screenshot()

asyncio.run(first_frame())
heavy = {"torch", "transformers", "datasets", "sklearn", "scipy"}
print(*sorted({name.partition(".")[0] for name in sys.modules} & heavy))
"""


def test_a_fresh_interpreter_shows_the_first_frame_without_the_heavy_libraries(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_core_imports_nothing_that_draws():
    program = (
        "import core.cli.main, sys; print(*{n.partition('.')[0] for n in sys.modules} & {'tui', 'textual', 'plotext'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
