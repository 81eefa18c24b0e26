"""What the commands share: common options and exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError

RUN_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def _folder(words: str) -> Path:
    if not words:
        raise typer.BadParameter("it is empty; name a directory")
    return Path(words)


RunsDir = Annotated[
    Path | None, typer.Option("--runs-dir", help="Where runs are kept.", parser=_folder, metavar="PATH")
]
AsJson = Annotated[bool, typer.Option("--json", help="One machine-readable answer on stdout.")]


def require_with(option: str, is_given: bool, others: dict[str, object]) -> None:
    """Raises InputError for one of ``others`` that was given without ``option``, to which they belong."""
    for other, value in others.items():
        if value is not None and not is_given:
            raise InputError(f"{other} goes with {option}; add that, or leave {other} away")


class Debug:
    """Whether tracebacks are shown: ``--debug``, before the command or among its options."""

    wanted = False
