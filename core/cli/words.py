"""``imdb-tui words``: the words that move the predictions of a run most."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import counting, err, out
from core.cli.options import INTERRUPTED, AsJson, EvaluationLabel, RunName, RunsDir
from core.cli.stop_signals import stop_on_signals
from core.errors import Stopped
from core.runs.directory import find_run, runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.word_effects import WordTotal


def words(
    run: RunName,
    label: EvaluationLabel = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Measure the words of the first N reviews.")] = 50,
    per_review: Annotated[
        int, typer.Option("--per-review", min=1, help="Measure so many words of a review, chosen at random.")
    ] = 32,
    least: Annotated[int, typer.Option("--least", min=1, help="Only words that occur at least so often.")] = 3,
    top: Annotated[int, typer.Option("--top", min=1, help="Number of words in the table.")] = 30,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """List the mean effect of each word on the logit, beside its coefficient in a bag of words.

    Ctrl+C ends the measurement and prints the words of the reviews that are done.
    """
    found = find_run(runs_root(runs_dir), run)
    preload()
    from core.analysis.bag_of_words import bag_of_words_of
    from core.analysis.predicted_reviews import predicted_reviews
    from core.analysis.scorer import load_scorer
    from core.analysis.word_effects import overall_word_effects
    from core.inspection.target import find_target, resolve
    from core.training.control import Control

    texts = predicted_reviews(found, label).texts[:limit]
    scorer = load_scorer(resolve(find_target(str(found.path), runs_root(runs_dir))))
    coefficients = bag_of_words_of(found).by_word()
    control = Control()
    restore = stop_on_signals(control)
    try:
        with counting("reviews") as on_progress:
            effects = overall_word_effects(
                scorer,
                texts,
                coefficients,
                per_review=per_review,
                on_progress=on_progress,
                is_stopped=lambda: control.stop_requested,
            )
    except Stopped as error:
        err.print(str(error))
        raise typer.Exit(INTERRUPTED) from None
    finally:
        restore()
    rows = effects.frequent(least)
    if json:
        answer = {
            "model": scorer.name,
            "reviews": effects.done,
            "of": effects.reviews,
            "words": [asdict(word) for word in rows],
        }
        print(formatting.as_json(answer))  # noqa: T201
        return
    out.print(_table(rows[:top]))
    reviews = formatting.counted(effects.done, "review")
    if effects.done < effects.reviews:
        reviews += f"; stopped before the other {effects.reviews - effects.done:,}"
    err.print(f"{scorer.name}: words that occur at least {least} times in {reviews}", soft_wrap=True)


def _table(rows: list[WordTotal]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("word", no_wrap=True)
    for heading in ("mean effect on the logit", "count", "reviews", "bag of words"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        coefficient = "–" if row.coefficient is None else f"{row.coefficient:+.2f}"
        word = Text(formatting.shortened(row.word, 30))
        table.add_row(word, f"{row.mean_effect:+.3f}", f"{row.count:,}", f"{row.reviews:,}", coefficient)
    return table
