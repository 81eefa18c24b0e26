"""``imdb-tui slices``: the accuracy of a run by properties of the reviews."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, EvaluationLabel, Pattern, RunName, RunsDir
from core.runs.directory import Run, find_run, runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.comparison import Paired
    from core.analysis.predicted_reviews import PredictedReviews
    from core.analysis.slices import SliceResult
    from core.analysis.truncation_cost import TruncationCost


def slices(
    run: RunName,
    label: EvaluationLabel = None,
    pattern: Pattern = None,
    truncation: Annotated[
        bool, typer.Option("--truncation", help="Also predict the reviews that are cut again, whole and by their end.")
    ] = False,
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
    cost = _truncation_cost(found, predicted) if truncation else None
    if json:
        answer: Any = [{**asdict(row), "interval": list(row.interval)} for row in rows]
        if cost is not None:
            answer = {"slices": answer, "truncation": _cost_as_dict(cost)}
        print(formatting.as_json(answer))  # noqa: T201
    else:
        out.print(_table(rows))
        if cost is not None:
            _print_cost(cost)
    reviews = formatting.counted(len(predicted.texts), "review")
    err.print(f"{found.name}: {predicted.predictions.label}, {reviews}", soft_wrap=True)
    if any(row.differs for row in rows):
        err.print("* differs from the rest: Fisher's exact test, 5 % false discoveries (Benjamini-Hochberg)")


def _table(rows: list[SliceResult]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "slice", "reviews", "accuracy", "95 % interval", "rest", "adjusted p", "what"):
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


def _truncation_cost(run: Run, predicted: PredictedReviews) -> TruncationCost:
    """Compute it with the newest checkpoint, and show the progress."""
    import time

    from core.analysis.evaluate_on import usable_engine
    from core.analysis.scorer import load_scorer
    from core.analysis.truncation_cost import truncation_cost
    from core.inspection.target import find_target, resolve

    scorer = load_scorer(resolve(find_target(str(run.path), run.path.parent)), usable_engine(run.config().engine))
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 5:
            last = time.monotonic()
            err.print(f"{done:,} of {total:,} predictions")

    return truncation_cost(scorer, predicted.predictions, predicted.texts, on_progress=show)


def _cost_as_dict(cost: TruncationCost) -> dict[str, Any]:
    def as_dict(pair: Paired | None, verdict: str) -> dict[str, Any] | None:
        if pair is None:
            return None
        values = {name: getattr(pair, name) for name in ("difference", "p_value")}
        return {**values, "interval": list(pair.interval), "verdict": verdict}

    return {
        "max_length": cost.max_length,
        "whole_length": cost.whole_length,
        "n": cost.n,
        "longer": cost.longer,
        "still_cut": cost.still_cut,
        "untrained_positions": cost.untrained_positions,
        "accuracy": {name: _accuracy(cost, name) for name in ("cut", "whole", "tail")},
        "whole": as_dict(cost.whole_against_cut, cost.verdicts[0]),
        "tail": as_dict(cost.tail_against_cut, cost.verdicts[-1]),
    }


def _accuracy(cost: TruncationCost, name: str) -> float | None:
    found = getattr(cost, name)
    return None if found is None else float(found.correct.mean())


def _print_cost(cost: TruncationCost) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("the reviews that are cut", "reviews", "accuracy"):
        table.add_column(heading, justify="left" if heading.startswith("the") else "right", no_wrap=True)
    for name, what in (
        ("cut", f"as cut: first {cost.max_length} tokens"),
        ("whole", f"whole: first {cost.whole_length} tokens"),
        ("tail", f"tail: last {cost.max_length} tokens"),
    ):
        accuracy = _accuracy(cost, name)
        if accuracy is not None:
            table.add_row(what, f"{cost.n:,}", formatting.percent(accuracy))
    out.print()
    out.print(table)
    for sentence in (*cost.verdicts, *cost.notes):
        out.print(sentence, soft_wrap=True)
