"""``imdb-tui presets``: list the presets."""

from __future__ import annotations

from rich.table import Table

from core import formatting
from core.cli.console import out
from core.cli.options import AsJson
from core.config.presets import list_presets, own_presets_folder
from core.runs import summary


def presets(json: AsJson = False) -> None:
    """List the shipped presets and your own."""
    found = list_presets()
    if json:
        print(formatting.as_json(summary.presets_as_json(found)))  # noqa: T201
        return
    table = Table("preset", "title", "description", box=None, pad_edge=False)
    for preset in found:
        if preset.config is None:
            table.add_row(formatting.printable(preset.name), "✗ invalid", formatting.printable(preset.error))
        else:
            cells = (preset.name, preset.config.title, preset.config.description)
            table.add_row(*map(formatting.printable, cells))
    out.print(table)
    out.print(f"folder of your own presets: {own_presets_folder()}", soft_wrap=True)
