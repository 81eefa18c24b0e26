"""``imdb-tui dynamics``: which reviews a run learned early, late or never, and which it forgot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, RunName, RunsDir
from core.errors import InputError
from core.runs.directory import Run, find_run, runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.example_dynamics import Dynamics

LABELS = ("negative", "positive")


def dynamics(
    run: RunName,
    part: Annotated[
        Literal["train", "validation"], typer.Option("--part", help="The reviews that the run trained or validated on.")
    ] = "train",
    region: Annotated[
        str | None,
        typer.Option("--region", help="List a region: learned early, learned late, never learned, or forgotten."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Number of reviews to list; 20 in a table, all in JSON.")
    ] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Show which reviews a run learned early, late or never, and which it forgot; the lowest confidence first."""
    found = find_run(runs_root(runs_dir), run)
    preload()
    from core.analysis.example_dynamics import NOTE
    from core.analysis.example_dynamics import dynamics as read_dynamics

    read = read_dynamics(found, part)
    listed = read.members(region)
    if json:
        rows = _rows(found, read, listed[:limit].tolist())
        about = {"run": read.run, "part": part, "epochs": read.epochs, "n": len(read), "regions": read.counts}
        print(formatting.as_json({**about, "examples": rows}))  # noqa: T201
    elif region is None:
        out.print(_regions_table(read))
    else:
        rows = _rows(found, read, listed[: limit or 20].tolist())
        out.print(_reviews_table(rows))
        err.print(f"{len(rows):,} of {formatting.counted(len(listed), 'review')}: {region}")
    note = f"; {NOTE}" if part == "train" else ""
    epochs = ", ".join(map(str, read.epochs))
    err.print(f"{read.run}: {part}, {formatting.counted(len(read), 'review')}, epochs {epochs}{note}", soft_wrap=True)


def _rows(run: Run, read: Dynamics, positions: list[int]) -> list[dict[str, object]]:
    """The reviews at ``positions``; without texts, and with a message, where the source is not available."""
    from core.analysis.run_reviews import reviews_of_run

    texts: list[str] | None = None
    try:
        texts = reviews_of_run(run).texts(read.ids[positions].tolist())
    except InputError as error:
        err.print(f"without the texts of the reviews: {formatting.printable(str(error))}", soft_wrap=True)
    confidence, variability, correctness, regions = (
        read.confidence,
        read.variability,
        read.correctness,
        read.regions,
    )
    return [
        {
            "id": int(read.ids[i]),
            "label": LABELS[int(read.labels[i])],
            "region": str(regions[i]),
            "confidence": float(confidence[i]),
            "variability": float(variability[i]),
            "correctness": float(correctness[i]),
            "logits": read.logits[:, i].tolist(),
            "text": texts[number] if texts is not None else None,
        }
        for number, i in enumerate(positions)
    ]


def _regions_table(read: Dynamics) -> Table:
    from core.analysis.example_dynamics import REGIONS

    table = Table(box=None, pad_edge=False)
    for heading in ("region", "reviews", "share", "confidence", "variability", "what"):
        table.add_column(heading, justify="left" if heading in ("region", "what") else "right", no_wrap=True)
    regions, confidence, variability = read.regions, read.confidence, read.variability
    for name, what in REGIONS.items():
        mask = regions == name
        count = int(mask.sum())
        means = [f"{values[mask].mean():.2f}" if count else "–" for values in (confidence, variability)]
        table.add_row(name, f"{count:,}", formatting.percent(count / len(read)), *means, what)
    return table


def _reviews_table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "label", "confidence", "variability", "text"):
        table.add_column(heading, justify="left" if heading in ("label", "text") else "right", no_wrap=True)
    for row in rows:
        text = Text(formatting.shortened(str(row["text"] or "–")))
        table.add_row(str(row["id"]), str(row["label"]), f"{row['confidence']:.2f}", f"{row['variability']:.2f}", text)
    return table
