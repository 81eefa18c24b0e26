"""List all runs, or show one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from core import formatting
from core.cli.console import describe_origin, err, out
from core.cli.options import AsJson, RunsDir
from core.config.schema import SECTIONS, field_types, format_value
from core.errors import InputError
from core.runs import summary
from core.runs.directory import Run, find_run, list_runs, runs_root
from core.runs.state import RunState


def runs(runs_dir: RunsDir = None, json: AsJson = False) -> None:
    """List all runs, newest first."""
    found = [(run, run.state(steps=False)) for run in list_runs(runs_root(runs_dir))]
    if json:
        print(formatting.as_json([summary.run_summary(run, state) for run, state in found]))  # noqa: T201
        return
    if not found:
        err.print(f"no runs in {runs_root(runs_dir)} yet; `imdb-tui train quick` makes one", soft_wrap=True)
        return
    table = Table("status", "run", "epochs", "best val acc", "time", box=None, pad_edge=False)
    for run, state in found:
        planned = state.num_epochs or "?"
        table.add_row(
            summary.status_label(state.status),
            formatting.printable(run.name),
            f"{len(state.epochs)}/{planned}",
            formatting.percent(state.best_val_accuracy),
            formatting.duration(state.elapsed),
        )
    out.print(table)
    for run, state in found:
        if state.skipped_lines:  # below the table, where a narrow terminal does not fold it
            out.print(
                f"! {formatting.printable(run.name)}: {summary.skipped_text(state.skipped_lines)}", soft_wrap=True
            )


def show(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, or `last`.")],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Show one run: its epochs, configuration and log."""
    found = find_run(runs_root(runs_dir), run)
    state = found.state()
    if json:
        print(formatting.as_json(summary.run_details(found, state)))  # noqa: T201
        return
    _print_run(found, state)


def _print_run(run: Run, state: RunState) -> None:
    out.print(f"{formatting.printable(run.name)}  {summary.status_label(state.status)}")
    if state.started:
        out.print(f"{state.started.device}, {state.started.dtype} ({state.started.dtype_reason})")
        for part, choice in state.started.engine.items():
            if part not in ("device", "dtype"):
                out.print(f"{part}: {formatting.printable(choice)}", soft_wrap=True)
        for thing, origin in state.started.origins.items():
            out.print(f"{thing}: {formatting.printable(describe_origin(origin))}", soft_wrap=True)
    _print_config(run)
    table = Table("epoch", "train loss", "train acc", "val loss", "val acc", "time", box=None, pad_edge=False)
    for epoch in state.epochs:
        table.add_row(
            str(epoch.epoch),
            f"{epoch.train_loss:.3f}",
            formatting.percent(epoch.train_accuracy),
            f"{epoch.val_loss:.3f}",
            formatting.percent(epoch.val_accuracy),
            formatting.duration(epoch.seconds),
        )
    if state.epochs:
        out.print(table)
    for moment, message in state.log:
        out.print(f"{formatting.clock(moment)} {formatting.printable(message)}", soft_wrap=True)
    if state.skipped_lines:
        out.print(summary.skipped_text(state.skipped_lines))
    out.print(f"files: {formatting.printable(str(run.path))}", soft_wrap=True)


def _print_config(run: Run) -> None:
    """One line per section, or the error if the configuration cannot be read."""
    try:
        config = run.config()
    except InputError as error:
        out.print(f"✗ {formatting.printable(str(error))}", soft_wrap=True)
        return
    for section in SECTIONS:
        values = {key: format_value(config.get(f"{section}.{key}")) or "–" for key in field_types(section)}
        text = " · ".join(f"{key} {value}" for key, value in values.items())
        out.print(f"{section}: {formatting.printable(text)}", soft_wrap=True)
