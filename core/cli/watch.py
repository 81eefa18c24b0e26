"""Follow a run as lines of text. On a terminal, ``imdb-tui watch`` opens the console instead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from core import formatting
from core.cli.console import Reporter, err, out
from core.cli.options import AsJson, RunsDir
from core.runs import summary
from core.runs.directory import Run, find_run, runs_root
from core.runs.events import to_line
from core.runs.reader import POLL_S, RunReader, RunUpdate
from core.runs.state import RunState
from core.runs.status import LIVE


def watch(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, or `last`.")],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Follow a run that another process trains, or show one that has ended; --json prints its events, one per line."""
    found = find_run(runs_root(runs_dir), run)
    state = RunState()
    with Reporter(out) as reporter:
        for update in follow(found, threading.Event().wait):
            state.update(update)
            for event in update.events:
                if json:
                    print(to_line(event), flush=True)  # noqa: T201
                else:
                    reporter(event)
    if state.skipped_lines:
        (err if json else out).print(summary.skipped_text(state.skipped_lines))
    if not json:
        reason = f": {state.finished.error or state.finished.reason}" if state.finished else ""
        out.print(formatting.printable(summary.status_label(state.status) + reason), soft_wrap=True)


def follow(run: Run, wait: Callable[[float], bool]) -> Iterator[RunUpdate]:
    """What is written to the run, until it has ended or its process is gone; the first update has all there is.

    ``wait`` sleeps the given seconds and returns True to stop, as ``threading.Event.wait`` does.
    """
    reader, state = RunReader(run, steps="each"), RunState()
    while True:
        update = reader.read()
        state.update(update)
        yield update
        if state.status not in LIVE or wait(POLL_S):
            return
