"""``imdb-tui compare``: compare runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.analysis.comparison import Paired, paired
from core.cli.console import out
from core.cli.options import AsJson, RunsDir
from core.config.schema import differences, format_value
from core.errors import InputError
from core.runs import summary
from core.runs.directory import Run, find_run, runs_root
from core.runs.state import RunState


def compare(
    names: Annotated[
        list[str], typer.Argument(help="Runs, the start of their names, or `last`.", metavar="RUN RUN...")
    ],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Compare runs: results, differences of their configurations, and their predictions with those of the first."""
    found = [find_run(runs_root(runs_dir), name) for name in names]
    if len({run.name for run in found}) < max(len(found), 2):
        raise InputError("give at least two different runs; `imdb-tui runs` lists them")
    states = [run.state(steps=False) for run in found]
    differing = differences([run.config() for run in found])
    pairs: dict[str, Paired | str] = {}
    for run in found[1:]:
        try:
            pairs[run.name] = paired(found[0], run)
        except InputError as error:
            pairs[run.name] = str(error)
    if json:
        answer = {
            "runs": [summary.run_summary(run, state) for run, state in zip(found, states, strict=True)],
            "differences": differing,
            "paired": [{"run": name, **_as_dict(pair)} for name, pair in pairs.items()],
        }
        print(formatting.as_json(answer))  # noqa: T201
        return
    _print_table(found, states, differing)
    for name, pair in pairs.items():
        out.print(formatting.printable(f"{name}: {_pair_text(pair)}"), soft_wrap=True)


def _as_dict(pair: Paired | str) -> dict[str, Any]:
    if isinstance(pair, str):
        return {"error": pair}
    return {"reviews": pair.reviews, **asdict(pair), "p_value": pair.p_value}


def _pair_text(pair: Paired | str) -> str:
    if isinstance(pair, str):
        return f"predictions not compared: {pair}"
    return (
        f"of {pair.reviews} reviews, both runs predict {pair.both} correctly, only the first {pair.only_first}, "
        f"only this one {pair.only_second}, neither {pair.neither}; McNemar's test: p = {pair.p_value:.2g}"
    )


def _print_table(runs: list[Run], states: list[RunState], differing: dict[str, list[Any]]) -> None:
    last = [state.epochs[-1] if state.epochs else None for state in states]
    rows = {
        "status": [summary.status_label(state.status) for state in states],
        "epochs": [f"{len(state.epochs)}/{state.num_epochs or '?'}" for state in states],
        "best val acc": [formatting.percent(state.best_val_accuracy) for state in states],
        "last val acc": [formatting.percent(epoch.val_accuracy) if epoch else "–" for epoch in last],
        "last val loss": [f"{epoch.val_loss:.3f}" if epoch else "–" for epoch in last],
        "time": [formatting.duration(state.elapsed) for state in states],
        **{name: [format_value(value) for value in values] for name, values in differing.items()},
    }
    table = Table("", box=None, pad_edge=False)
    for run in runs:
        table.add_column(Text(formatting.printable(run.name)))
    for name, values in rows.items():
        table.add_row(name, *(Text(formatting.printable(value)) for value in values))
    out.print(table)
