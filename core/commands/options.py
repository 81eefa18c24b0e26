"""What the commands share: common options and exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RUN_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

RunsDir = Annotated[Path | None, typer.Option("--runs-dir", help="Where runs are kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="One machine-readable answer on stdout.")]


class Debug:
    """Whether tracebacks are shown: ``--debug`` before the command."""

    wanted = False
