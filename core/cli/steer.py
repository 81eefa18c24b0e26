"""``imdb-tui steer``: send a request to a run in another process, here or on a machine with the same disk."""

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
    run: Annotated[str, typer.Argument(help="A live run, the start of its name, or `last`.")],
    action: Annotated[str, typer.Argument(help=", ".join((*ACTIONS, *CHANGES)))],
    value: Annotated[
        float | None, typer.Argument(help="The new peak learning rate, or the number of epochs to add.")
    ] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Pause, resume, stop or change a live run. The run handles the request after its current step."""
    found = find_run(runs_root(runs_dir), run)
    ask(found, action, value)
    if json:
        print(formatting.as_json({"run": found.name, "action": action, "value": value}))  # noqa: T201
        return
    err.print(
        f"request sent to {formatting.printable(found.name)}: {action}{'' if value is None else f' {value:g}'}",
        soft_wrap=True,
    )
