"""``imdb-tui errors``: the reviews that a run predicts wrongly."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, EvaluationLabel, Pattern, RunName, RunsDir
from core.data.corrections import LABELS
from core.runs.directory import find_run, runs_root
from core.training.preload import preload


def errors(
    run: RunName,
    label: EvaluationLabel = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Number of reviews; 20 in a table, all in JSON.")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option("--cell", help="Only one cell of the confusion matrix: fp or fn; tp or tn list correct ones."),
    ] = None,
    slice_: Annotated[
        str | None, typer.Option("--slice", help="Only a slice, such as negation; `imdb-tui slices` lists them.")
    ] = None,
    pattern: Pattern = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """List the reviews that a run predicts wrongly, those with the largest loss first."""
    found = find_run(runs_root(runs_dir), run)
    preload()
    from core.analysis.errors import errors as wrong
    from core.analysis.patterns import search_all
    from core.analysis.predicted_reviews import predicted_reviews
    from core.analysis.slices import members, token_counts

    predicted = predicted_reviews(found, label)
    predictions, texts = predicted.predictions, predicted.texts
    chosen = None
    if slice_ is not None:
        chosen = members(slice_, texts, *token_counts(found, texts), pattern)
    if pattern is not None:
        matching = search_all(pattern, texts)
        chosen = matching if chosen is None else chosen & matching
    listed = wrong(predictions, texts, cell, chosen=chosen)
    shown = listed[: limit or (None if json else 20)]
    if json:
        rows = [
            {"id": one.id, "label": LABELS[one.label], "probability": one.probability, "loss": one.loss,
             "text": one.text, "cell": one.cell}
            for one in shown
        ]  # fmt: skip
        print(formatting.as_json(rows))  # noqa: T201
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("id", "label", "positive", "loss", "text"):
            table.add_column(heading, justify="left" if heading in ("label", "text") else "right", no_wrap=True)
        for one in shown:
            text = Text(formatting.shortened(one.text))
            table.add_row(str(one.id), LABELS[one.label], formatting.percent(one.probability), f"{one.loss:.2f}", text)
        out.print(table)
    what = "wrong predictions" if cell in (None, "fp", "fn") else "predictions"
    count = f"{len(shown):,} of {len(listed):,} {what}" if len(shown) < len(listed) else f"{len(listed):,} {what}"
    err.print(f"{found.name}: {count}; {predictions.label}, {len(texts):,} reviews", soft_wrap=True)
