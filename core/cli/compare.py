"""``imdb-tui compare``: compare runs, or epochs of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import out
from core.cli.options import AsJson, RunsDir
from core.config.schema import differences, format_value
from core.errors import InputError
from core.runs import summary
from core.runs.directory import runs_root
from core.runs.events import EpochFinished
from core.runs.state import RunState

if TYPE_CHECKING:
    from core.analysis.comparison import AtEpoch, Paired


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Runs, the start of their names, or `last`; RUN@epoch-1 is a run after its first epoch.",
            metavar="RUN RUN...",
        ),
    ],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Compare runs with the first: which one is better, their results, and the differences of their configurations.

    Runs are compared on the reviews that both predicted, in validation or with `imdb-tui evaluate`. The verdict comes
    with the 95 % interval of Bonett and Price, and McNemar's exact test; for several runs after Holm's correction.
    """
    from core.analysis.comparison import Paired, compare_all, find_at_epoch

    root = runs_root(runs_dir)
    found = [find_at_epoch(root, name) for name in names]
    states = [each.run.state(steps=False) for each in found]
    epochs = [_epoch(each, state) for each, state in zip(found, states, strict=True)]
    different = {(each.run.name, epoch.epoch if epoch else None) for each, epoch in zip(found, epochs, strict=True)}
    if len(different) < max(len(found), 2):
        raise InputError(
            "give at least two different runs, or epochs of a run as RUN@epoch-1 RUN; `imdb-tui runs` lists the runs"
        )
    differing = differences([each.run.config() for each in found])
    pairs = compare_all(found[0], found[1:])
    if json:
        answer = {
            "runs": [_run_summary(each, state) for each, state in zip(found, states, strict=True)],
            "differences": differing,
            "paired": [_as_dict(found[0], each, pair) for each, pair in zip(found[1:], pairs, strict=True)],
        }
        print(formatting.as_json(answer))  # noqa: T201
        return
    for each, pair in zip(found[1:], pairs, strict=True):
        if isinstance(pair, Paired):
            out.print(formatting.printable(pair.verdict(found[0].name, each.name)), soft_wrap=True)
        else:
            out.print(formatting.printable(f"{each.name}: predictions not compared: {pair}"), soft_wrap=True)
    out.print()
    out.print(_table(found, _paired_rows(pairs), _run_rows(found, states, epochs, differing)))


def _epoch(each: AtEpoch, state: RunState) -> EpochFinished | None:
    """The epoch that is compared, the last one by default; None if the run has finished none."""
    chosen = [epoch for epoch in state.epochs if each.epoch in (None, epoch.epoch)]
    return chosen[-1] if chosen else None


def _run_summary(each: AtEpoch, state: RunState) -> dict[str, Any]:
    about = summary.run_summary(each.run, state)
    return about if each.epoch is None else {**about, "compared_epoch": each.epoch}


def _as_dict(first: AtEpoch, second: AtEpoch, pair: Paired | InputError) -> dict[str, Any]:
    if isinstance(pair, InputError):
        return {"run": second.name, "error": str(pair)}
    return {
        "run": second.name,
        "reviews": pair.reviews,
        **asdict(pair),
        "p_value": pair.p_value,
        "difference": pair.difference,
        "interval": list(pair.interval),
        "verdict": pair.verdict(first.name, second.name),
        "needed_reviews": pair.needed_reviews,
    }


def _paired_rows(pairs: list[Paired | InputError]) -> dict[str, list[str]]:
    """The four cells and the p-value of each comparison; none for the first run, with which the others are compared."""
    compared = [None if isinstance(pair, InputError) else pair for pair in pairs]
    if not any(compared):
        return {}
    cells = {
        "compared on": [pair and pair.data for pair in compared],
        "reviews": [pair and f"{pair.reviews:,}" for pair in compared],
        "both correct": [pair and f"{pair.both:,}" for pair in compared],
        "only first correct": [pair and f"{pair.only_first:,}" for pair in compared],
        "only this correct": [pair and f"{pair.only_second:,}" for pair in compared],
        "neither correct": [pair and f"{pair.neither:,}" for pair in compared],
        "p (McNemar)": [pair and f"{pair.p_value:.2g}" for pair in compared],
    }
    if len(pairs) > 1:
        cells["p (Holm)"] = [pair and f"{pair.p_adjusted:.2g}" for pair in compared]
    return {name: ["–", *(value or "–" for value in values)] for name, values in cells.items()}


def _run_rows(
    found: list[AtEpoch], states: list[RunState], epochs: list[EpochFinished | None], differing: dict[str, list[Any]]
) -> dict[str, list[str]]:
    which = "last " if all(each.epoch is None for each in found) else ""
    return {
        "status": [summary.status_label(state.status) for state in states],
        "epochs": [f"{len(state.epochs)}/{state.num_epochs or '?'}" for state in states],
        "best val acc": [formatting.percent(state.best_val_accuracy) for state in states],
        f"{which}val acc": [formatting.percent(epoch.val_accuracy) if epoch else "–" for epoch in epochs],
        f"{which}val loss": [f"{epoch.val_loss:.3f}" if epoch else "–" for epoch in epochs],
        "time": [formatting.duration(state.elapsed) for state in states],
        **{name: [format_value(value) for value in values] for name, values in differing.items()},
    }


def _table(found: list[AtEpoch], *parts: dict[str, list[str]]) -> Table:
    """One column per run, one row per property, with a blank line between the parts."""
    table = Table("", box=None, pad_edge=False)
    for each in found:
        table.add_column(Text(formatting.printable(each.name)))
    for number, part in enumerate(part for part in parts if part):
        if number:
            table.add_row()
        for name, values in part.items():
            table.add_row(name, *(Text(formatting.printable(value)) for value in values))
    return table
