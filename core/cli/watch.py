"""Follow a run as lines of text; on a terminal, the console does it with curves."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from core import formatting
from core.cli.console import Reporter, out
from core.cli.options import AsJson, RunsDir
from core.runs import summary
from core.runs.directory import find_run, runs_root
from core.runs.events import to_line
from core.runs.follow import follow


def watch(
    run: Annotated[str, typer.Argument(help="A run, the beginning of its name, or `last`.")],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Follow a run that another process trains, or look at one that has ended; --json prints its events, one a line."""
    found = find_run(runs_root(runs_dir), run)
    with Reporter(out) as reporter:
        for events in follow(found, threading.Event().wait):
            for event in events:
                if json:
                    print(to_line(event), flush=True)  # noqa: T201
                else:
                    reporter(event)
    state = found.state(steps=False)
    if json:
        return
    reason = f": {state.finished.error or state.finished.reason}" if state.finished else ""
    out.print(formatting.printable(summary.status_words(state.status) + reason), soft_wrap=True)
