"""The configuration that Train shows before a run is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from core.config.schema import RunConfig, field_types, format_value
from core.formatting import duration, printable

if TYPE_CHECKING:
    from tui.messages import PlanReady


def proposal_heading(config: RunConfig) -> Text:
    """Name the preset and the key that starts it."""
    return Text.assemble((printable(config.preset), "bold"), " is ready · press ", ("s", "bold"), " to start")


def proposal_table(config: RunConfig, plan: PlanReady | None) -> Table:
    """List what the preset does, its time, its origins, and its fields for data and training, without empty ones."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("preset", Text(printable(config.title or config.preset), style="bold"))
    table.add_row("", Text(printable(config.description)))
    table.add_row("", "")
    if plan is not None:
        table.add_row("time", Text(f"about {duration(plan.seconds)}, {plan.basis}"))
        for thing, origin in plan.origins.items():
            table.add_row(thing, Text(printable(origin)))
        table.add_row("", "")
    for section in ("data", "train"):
        for key in field_types(section):
            if value := format_value(config.get(f"{section}.{key}")):
                table.add_row(key, Text(printable(value)))
    return table
