"""``imdb-tui labels``: find labels that are likely wrong, and decide about them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, RunName, RunsDir
from core.data.corrections import DECISIONS, LABELS, Decision
from core.errors import InputError
from core.runs.directory import Run, find_run, runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.run_reviews import RunReviews


def labels(
    run: RunName,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="ID=keep, ID=flip or ID=drop; may be repeated.", metavar="ID=DECISION"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Number of reviews; 20 in a table, all in JSON.")
    ] = None,
    training: Annotated[
        bool, typer.Option(help="Also judge the training reviews, by a cross-validated bag of words.")
    ] = True,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """List reviews whose label is likely wrong, or decide about some (--set) in the run's corrections.csv."""
    decisions = _parse(set_ or [])
    found = find_run(runs_root(runs_dir), run)
    preload()
    from core.analysis.run_reviews import reviews_of_run

    reviews = reviews_of_run(found)
    if decisions:
        _decide(found, reviews, decisions, json)
    else:
        _list(found, reviews, limit, training, json)


def _parse(assignments: list[str]) -> dict[int, Decision]:
    """Parse ``17=flip``; the last decision about a review counts."""
    decisions: dict[int, Decision] = {}
    for assignment in assignments:
        row, _, value = assignment.partition("=")
        decision = next((one for one in DECISIONS if one == value.strip()), None)
        row = row.strip()
        if not (row.isascii() and row.isdecimal() and len(row) < 19) or decision is None:
            raise InputError(f"--set {assignment!r} is not a decision; write for example 17=keep, 17=flip or 17=drop")
        decisions[int(row)] = decision
    return decisions


def _decide(run: Run, reviews: RunReviews, decisions: dict[int, Decision], json: bool) -> None:
    from core.analysis.label_decisions import corrections_path, decide

    counts = Counter(one.decision for one in decide(run, reviews, decisions))
    path = corrections_path(run)
    if json:
        print(formatting.as_json({"corrections": str(path), **{each: counts[each] for each in DECISIONS}}))  # noqa: T201
    total = ", ".join(f"{counts[each]} {each}" for each in DECISIONS)
    err.print(formatting.printable(f"{path} has {total}; use it with --set data.corrections={path}"), soft_wrap=True)


def _list(run: Run, reviews: RunReviews, limit: int | None, training: bool, json: bool) -> None:
    from core.analysis.label_decisions import decisions_of
    from core.analysis.wrong_labels import suspects_of_run

    decided = decisions_of(run, reviews)

    def show(what: str, done: int, total: int) -> None:
        err.print(f"{what}: {done} of {total}")

    found = suspects_of_run(run, reviews, training=training, on_progress=show)
    shown = found[: limit or (None if json else 20)]
    if json:
        rows: list[dict[str, Any]] = [
            {"id": one.id, "label": LABELS[one.label], "probability": one.probability,
             "suggested": LABELS[one.suggested], "score": one.score, "predicted_by": one.predicted_by,
             "decision": decided.get(one.id), "text": one.text}
            for one in shown
        ]  # fmt: skip
        print(formatting.as_json(rows))  # noqa: T201
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("id", "label", "positive", "predicted by", "decision", "text"):
            table.add_column(heading, justify="right" if heading in ("id", "positive") else "left", no_wrap=True)
        for one in shown:
            table.add_row(
                str(one.id),
                LABELS[one.label],
                formatting.percent(one.probability),
                formatting.printable(one.predicted_by),
                decided.get(one.id, ""),
                Text(formatting.shortened(one.text)),
            )
        out.print(table)
    count = f"{len(shown):,} of {len(found):,}" if len(shown) < len(found) else f"{len(found):,}"
    err.print(f"{run.name}: {count} labels are likely wrong; decide with --set ID=keep, flip or drop", soft_wrap=True)
