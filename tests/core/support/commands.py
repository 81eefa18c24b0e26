"""Shared by the tests of the command line: a preset that trains quickly, and ways to run commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import console
from core.cli.main import run_command

Call = Callable[..., tuple[int, str, str]]
"""Run one command in this process; return exit code, stdout and stderr."""


def caller(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        console.out.width = console.err.width = 10_000  # whatever the stream was when it was first imported
        code = run_command([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def refused(answer: tuple[int, str, str]) -> str:
    """Return the one line on stderr that refuses invalid input."""
    code, out, err = answer
    assert (code, out) == (2, "")
    assert err.startswith("imdb-tui: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "IMDB_TUI_PRESETS": str(tmp_path / "own-presets"), "PYTHONFAULTHANDLER": "1"}


def start(tmp_path: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "core", *map(str, arguments)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
