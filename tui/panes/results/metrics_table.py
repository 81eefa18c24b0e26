"""The tables of Summary: the accuracies with their intervals on one axis, and the other metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from core.formatting import percent

if TYPE_CHECKING:
    from core.analysis.intervals import Interval
    from core.analysis.mcnemar import Paired
    from core.analysis.metrics import Metrics

NARROWEST, WIDEST = 20, 100
"""Limits of the width of the axis, in cells."""
_METRICS = {
    "loss": "loss",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "ece": "calibration error",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What Summary shows: the metrics of the subject, and those of the bag of words on the same reviews."""

    metrics: Metrics
    sentence: str
    baseline: Metrics | None = None
    paired: Paired | None = None


def accuracy_table(found: Measured, width: int) -> Table:
    """Accuracy of the model, of the bag of words, and of guessing, with their intervals on one axis."""
    metrics, baseline = found.metrics, found.baseline
    points = [("this model", metrics.accuracy, metrics.accuracy_interval)]
    if baseline is not None:
        points.append(("bag of words", baseline.accuracy, baseline.accuracy_interval))
    guess = (f"always {metrics.majority_label}", metrics.majority_accuracy, None)
    lowest = min([metrics.majority_accuracy, *(interval.low for _, _, interval in points)])
    start = math.floor(lowest * 10) / 10 if lowest < 1 else 0.9
    cells = min(max(width - 45, NARROWEST), WIDEST)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    ends = f"{start:.0%}".replace("%", " %"), "100 %"
    table.add_column(f"{ends[0]}{ends[1]:>{cells - len(ends[0])}}", no_wrap=True)
    for place, (name, value, interval) in enumerate([*points, guess]):
        style = "bold" if place == 0 else ""
        shown = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if interval is not None else ""
        table.add_row(name, percent(value), shown, interval_bar(value, interval, start, cells), style=style)
    return table


def interval_bar(value: float, interval: Interval | None, start: float, cells: int) -> Text:
    """A point, and its interval, on an axis from ``start`` to 1."""

    def place(share: float) -> int:
        return min(max(round((share - start) / (1 - start) * (cells - 1)), 0), cells - 1)

    bar = ["·"] * cells
    if interval is not None:
        low, high = place(interval.low), place(interval.high)
        bar[low : high + 1] = "━" * (high - low + 1)
        bar[low], bar[high] = "┣", "┫"
    bar[place(value)] = "●"
    text = Text("".join(bar), no_wrap=True)
    for i, char in enumerate(bar):
        if char == "·":
            text.stylize("dim", i, i + 1)
    return text


def metrics_table(found: Measured) -> Table:
    """The other metrics with their intervals, and those of the bag of words."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for heading in ("value", "95 % interval", *(["bag of words"] if found.baseline is not None else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, label in _METRICS.items():
        interval = found.metrics.intervals[name]
        row = [label, _number(getattr(found.metrics, name)), range_text(interval)]
        if found.baseline is not None:
            row.append(_number(getattr(found.baseline, name)))
        table.add_row(*row)
    return table


def range_text(interval: Interval | None) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}" if interval is not None else "–"


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"
