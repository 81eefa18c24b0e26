"""``imdb-tui export``: write the model of a run as a folder for transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core import formatting
from core.cli.console import err
from core.cli.options import AsJson, RunsDir
from core.errors import InputError
from core.runs.directory import MODEL, find_run, runs_root
from core.training.preload import preload
from core.user_path import user_path


def export(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, or `last`.")],
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="The folder to create.")],
    checkpoint: Annotated[str, typer.Option(help="last, best, or a name such as step-300.")] = "last",
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Export the model of a run: configuration, weights and tokenizer, for transformers."""
    found = find_run(runs_root(runs_dir), run)
    if not (found.path / MODEL).is_dir():
        raise InputError(
            f"run {found.name} has no tokenizer and configuration, so it cannot be exported; train it again"
        )
    preload()
    from core.checkpoints.export import choose_checkpoint
    from core.checkpoints.export import export as write

    taken = choose_checkpoint(found, checkpoint).name  # resolve once: a live run may write a newer one meanwhile
    path = write(found, user_path(destination), which=taken)
    head = found.config().model.head
    load = f'pipeline("text-classification", "{path}")'
    if json:
        answer = {"run": found.name, "path": str(path), "head": head, "load": load, "checkpoint": taken}
        print(formatting.as_json(answer))  # noqa: T201
        return
    message = f"exported {found.name}@{taken} to {path}; load it with {load}"
    err.print(formatting.printable(message), soft_wrap=True)
