"""Train a preset without a screen."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from core import report
from core.commands.options import INTERRUPTED, RUN_FAILED, AsJson, Debug, RunsDir
from core.config import NAMED_SOURCES, configure
from core.control import Control
from core.presets import load_preset
from core.reviews import read_reviews
from core.runs import runs_root
from core.terminal import Reporter, err


def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset; `imdb-tui presets` lists them.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="SECTION.FIELD=VALUE, as often as wanted.")] = None,
    data: Annotated[str | None, typer.Option("--data", help="hub, embedded, or a CSV or parquet file.")] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> int:
    """Train a preset."""
    config = configure(load_preset(preset), set_ or [], data)
    if config.data.source not in NAMED_SOURCES:
        read_reviews(Path(config.data.source).expanduser())  # refused here, before a run is made and torch imported
    root = runs_root(runs_dir)
    control = Control()
    restore = _stop_on_signals(control)
    try:
        from core.train import train as run_training

        with Reporter() as reporter:
            writer = run_training(config, root, control, reporter)
    finally:
        restore()
    err.print(reporter.ending(), soft_wrap=True)
    run, state = writer.run, writer.run.state()
    if json:
        print(report.as_json(report.run_summary(run, state)))  # noqa: T201
    if state.status == "failed":
        if Debug.wanted and state.finished:
            err.print(state.finished.traceback)
        return RUN_FAILED
    return INTERRUPTED if state.status == "stopped" else 0


def _stop_on_signals(control: Control) -> Callable[[], None]:
    """SIGINT, SIGTERM and SIGHUP stop the run at the next step; a second one ends the process at once."""
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in names}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:  # nohup: the terminal may go, the run goes on
        del before[signal.SIGHUP]

    def stop(number: int, _: object) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop(f"signal {signal.Signals(number).name}")

    for number in before:
        signal.signal(number, stop)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
