"""Ask something of a run that another process trains, here or on another machine that sees the same disk."""

from __future__ import annotations

from typing import Annotated

import typer

from core import formatting
from core.cli.console import err
from core.cli.options import AsJson, RunsDir
from core.runs.directory import find_run, runs_root
from core.training.control import CHANGES
from core.training.requests import ACTIONS, ask


def steer(
    run: Annotated[str, typer.Argument(help="A live run, the beginning of its name, or `last`.")],
    action: Annotated[str, typer.Argument(help=", ".join((*ACTIONS, *CHANGES)))],
    value: Annotated[float | None, typer.Argument(help="The new peak learning rate, or how many epochs more.")] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Pause, resume, stop or change a live run; it answers between two steps, with an event of its own."""
    found = find_run(runs_root(runs_dir), run)
    ask(found, action, value)
    if json:
        print(formatting.as_json({"run": found.name, "action": action, "value": value}))  # noqa: T201
        return
    err.print(
        f"asked {formatting.printable(found.name)}: {action}{'' if value is None else f' {value:g}'}", soft_wrap=True
    )
