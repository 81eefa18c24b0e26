"""Options and exit codes that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError

RUN_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def _folder(text: str) -> Path:
    if not text:
        raise typer.BadParameter("the path is empty; give a directory")
    return Path(text)


RunsDir = Annotated[
    Path | None, typer.Option("--runs-dir", help="Directory of the runs.", parser=_folder, metavar="PATH")
]
RunName = Annotated[str, typer.Argument(help="A run, the start of its name, or `last`.", metavar="RUN")]
EvaluationLabel = Annotated[
    str | None, typer.Option("--label", help="Name of an evaluation; without it, the validation reviews.")
]
Pattern = Annotated[
    str | None, typer.Option("--pattern", help="Regular expression; case matters unless it starts with (?i).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON on stdout.")]


def require_with(option: str, is_given: bool, others: dict[str, object]) -> None:
    """Raises InputError if one of ``others`` is given without ``option``, which they need."""
    for other, value in others.items():
        if value is not None and not is_given:
            raise InputError(f"{other} needs {option}; add it, or remove {other}")


class Debug:
    """The state of ``--debug``: whether to show tracebacks."""

    wanted = False
