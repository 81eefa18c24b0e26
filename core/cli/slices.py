"""``imdb-tui slices``: the accuracy of a run by properties of the reviews."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, EvaluationLabel, Pattern, RunName, RunsDir
from core.runs.directory import find_run, runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.slices import SliceResult


def slices(
    run: RunName,
    label: EvaluationLabel = None,
    pattern: Pattern = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Compare the accuracy on slices of the reviews: by length, negation, contrast, ratings, or your own pattern."""
    found = find_run(runs_root(runs_dir), run)
    preload()
    from core.analysis.predicted_reviews import predicted_reviews
    from core.analysis.slices import slices as results
    from core.analysis.slices import token_counts

    predicted = predicted_reviews(found, label)
    n_tokens, max_length = token_counts(found, predicted.texts)
    rows = results(predicted.predictions, predicted.texts, n_tokens, max_length, pattern)
    if json:
        print(formatting.as_json([{**asdict(row), "interval": list(row.interval)} for row in rows]))  # noqa: T201
    else:
        out.print(_table(rows))
    reviews = formatting.counted(len(predicted.texts), "review")
    err.print(f"{found.name}: {predicted.predictions.label}, {reviews}", soft_wrap=True)
    if any(row.differs for row in rows):
        err.print("* differs from the rest: Fisher's exact test, 5 % false discoveries (Benjamini-Hochberg)")


def _table(rows: list[SliceResult]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "slice", "reviews", "accuracy", "95 % interval", "rest", "p", "what"):
        left = heading in ("", "slice", "what")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            "*" if row.differs else "",
            row.name,
            f"{row.n:,}",
            formatting.percent(row.accuracy),
            f"{row.interval.low:.1%} to {row.interval.high:.1%}".replace("%", " %") if row.n else "–",
            formatting.percent(row.rest_accuracy),
            "–" if row.p_adjusted is None else f"{row.p_adjusted:.2g}",
            Text(formatting.shortened(row.description)),
        )
    return table
