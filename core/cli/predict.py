"""``imdb-tui predict``: predict the sentiment of texts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, RunsDir
from core.cli.stdin import read_texts
from core.errors import InputError
from core.runs.directory import runs_root
from core.training.preload import preload
from core.user_path import names_file

FILES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".txt", ".gz")
"""Suffixes of an argument that is meant as a file and not as a text."""


def predict(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, `last`, RUN@step-300, or a folder.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="One or more texts; - or none reads stdin, one text per line.", metavar="[TEXT]..."),
    ] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Predict the sentiment of texts with the model of a run."""
    asked = read_texts(texts, lines=True, example='imdb-tui predict last "a warm film"')
    for text in texts or ():
        if text.lower().endswith(FILES) and names_file(text):
            raise InputError(f"{text} is a file, not a text; use imdb-tui evaluate {run} --data {text}")
    preload()
    from core.analysis.predict import predict as predictions
    from core.inspection.target import find_target, resolve

    resolved = resolve(find_target(run, runs_root(runs_dir)))
    found = predictions(resolved, asked)
    if json:
        rows = [{**asdict(one), "label": one.label} for one in found]
        print(formatting.as_json({"predictions": rows, "origins": {"weights": resolved.origin}}))  # noqa: T201
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("label", "positive", "text"):
            table.add_column(heading, justify="right" if heading == "positive" else "left", no_wrap=True)
        for one in found:
            table.add_row(one.label, formatting.percent(one.probability), Text(formatting.shortened(one.text)))
        out.print(table)
    for number, one in enumerate(found, start=1):
        if one.tokens < one.full_length:
            err.print(f"truncated: text {number} has {one.full_length} tokens; the model reads the first {one.tokens}")
    err.print(formatting.printable(f"{resolved.target.name}: weights {resolved.origin}"), soft_wrap=True)
