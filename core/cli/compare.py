"""``imdb-tui compare``: compare runs, or epochs of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
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
    compared = {each.name: pair for each, pair in zip(found[1:], pairs, strict=True) if isinstance(pair, Paired)}
    out.print()
    if compared:
        out.print(_paired_table(compared))
        out.print()
    out.print(_run_table(found, states, epochs, differing))
    if compared:
        err.print(
            formatting.printable(
                f"correctly predicted by both runs, by {found[0].name} only, by the other run only, by neither; "
                "p: McNemar's exact test"
            ),
            soft_wrap=True,
        )


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


def _paired_table(pairs: dict[str, Paired]) -> Table:
    """The four cells of each comparison with the first run."""
    several = len(pairs) > 1
    headings = [
        "",
        "of",
        "reviews",
        "both correct",
        "only first",
        "only this",
        "neither",
        "p",
        *(["p (Holm)"] * several),
    ]
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("", "of") else "right")
    for name, pair in pairs.items():
        counts = (pair.reviews, pair.both, pair.only_first, pair.only_second, pair.neither)
        p_values = [pair.p_value, *([pair.p_adjusted] * several)]
        table.add_row(
            Text(formatting.printable(name)),
            Text(formatting.printable(pair.data)),
            *(f"{n:,}" for n in counts),
            *(f"{each:.2g}" for each in p_values),
        )
    return table


def _run_table(
    found: list[AtEpoch], states: list[RunState], epochs: list[EpochFinished | None], differing: dict[str, list[Any]]
) -> Table:
    which = "last " if all(each.epoch is None for each in found) else ""
    rows = {
        "status": [summary.status_label(state.status) for state in states],
        "epochs": [f"{len(state.epochs)}/{state.num_epochs or '?'}" for state in states],
        "best val acc": [formatting.percent(state.best_val_accuracy) for state in states],
        f"{which}val acc": [formatting.percent(epoch.val_accuracy) if epoch else "–" for epoch in epochs],
        f"{which}val loss": [f"{epoch.val_loss:.3f}" if epoch else "–" for epoch in epochs],
        "time": [formatting.duration(state.elapsed) for state in states],
        **{name: [format_value(value) for value in values] for name, values in differing.items()},
    }
    table = Table("", box=None, pad_edge=False)
    for each in found:
        table.add_column(Text(formatting.printable(each.name)))
    for name, values in rows.items():
        table.add_row(name, *(Text(formatting.printable(value)) for value in values))
    return table
