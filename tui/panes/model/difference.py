"""Difference: how far two models differ by layer, and the tensors with the largest change first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Input, OptionList, Static
from textual.widgets.option_list import Option

from core.formatting import printable, relative_change
from core.inspection.target import Resolved
from core.model.parameter_tree import short_name
from tui.panes.model.page import Page, failed, grid_text, right
from tui.widgets.field import Field

if TYPE_CHECKING:
    from core.inspection.weight_diff import Difference
    from tui.panes.model.pane import ModelPane


LONGEST = 27
"""Characters of a name that fit into the list."""


class DifferencePage(Page):
    """A list of models to compare with, and the result."""

    title = "Difference"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "type_other", "other", key_display="/"),
        Binding("r", "reverse", "reverse"),
    ]

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._found: Difference | None = None
        self._other = ""
        self._reversed = False
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="difference-left"):
                yield Static("compare with", classes="hint")
                yield CompareList(id="difference-list")
                yield Field("", id="difference-other", placeholder="/ a path, RUN@step-300 …", compact=True)
            with Vertical(id="difference-right"):
                yield Static(id="difference-summary", markup=False)
                yield DataTable(id="difference-table", cursor_type="row")

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column(right("rel. L2"), width=9)
        table.add_column(right("cosine"), width=9)
        table.add_column("layer, tensor", width=34)
        self.query_one("#difference-summary", Static).update(
            "Where did fine-tuning change the weights? Choose a model to compare with and press enter."
        )

    def main_widget(self) -> OptionList:
        return self.query_one(OptionList)

    def show_model(self, resolved: Resolved) -> None:
        self._found = None
        if self.display:
            self.activate()

    def activate(self) -> None:
        root = self.pane.console.root

        def work(_: Any) -> Any:
            from core.inspection.target import candidates

            return candidates(root)

        self.inspect(work, heavy=False)

    def show_result(self, result: Any) -> None:
        if isinstance(result, list):
            self._list(result)
        else:
            self._found = result
            self._show_found()

    def _list(self, names: list[str]) -> None:
        resolved = self.pane.resolved
        names = [name for name in names if resolved is None or name != resolved.target.name]
        if names == self._names:
            return
        self._names, menu = names, self.main_widget()
        menu.clear_options()
        menu.add_options(Option(grid_text(_end_of(name))) for name in names)
        # Suggest to compare a run with its initial weights.
        start = resolved.target.config.preset if resolved is not None and resolved.target.file else "scratch"
        menu.highlighted = names.index(start) if start in names else 0

    @on(OptionList.OptionSelected, "#difference-list")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._compare(self._names[event.option_index])

    @on(Input.Submitted, "#difference-other")
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._compare(event.value.strip())
            self.screen.set_focus(self.main_widget())

    def _compare(self, other: str) -> None:
        resolved, root, turned = self.pane.resolved, self.pane.console.root, self._reversed
        if resolved is None:
            return
        self._other = other

        def work(check_cancelled: Any) -> Any:
            from core.inspection.target import find_target, resolve
            from core.inspection.weight_diff import compare_targets

            there = resolve(find_target(other, root))
            # From the initial weights to the trained ones.
            pair = (resolved, there) if turned or resolved.target.file is None else (there, resolved)
            return compare_targets(*pair, check_cancelled)

        if self.inspect(work, heavy=True):
            self.query_one("#difference-summary", Static).update(Text(f"comparing with {printable(other)} …"))

    def _show_found(self) -> None:
        found = self._found
        if found is None:
            return
        summary = Text(f"from {printable(found.a)} to {printable(found.b)}\n", style="bold")
        summary.append(f"{found.changed} of {len(found.tensors)} tensors differ\n", style="not bold")
        layers = found.by_layer()
        longest = max((value for value in layers.values() if math.isfinite(value)), default=0.0)
        room = max(self.query_one("#difference-right").size.width - 26, 8)
        colour = self.app.theme_variables["train-curve"]
        for layer, value in layers.items():
            share = min(value / longest, 1.0) if longest else 0.0
            summary.append(f"{layer:<11}{relative_change(value):>9} ", style="not bold")
            summary.append("█" * round(share * room) + "\n", style=f"not bold {colour}")
        for note in found.notes[:3]:
            summary.append(f"{printable(note)}\n", style="not bold dim")
        summary.rstrip()
        table: DataTable[Text] = self.query_one(DataTable)
        with self.app.batch_update():
            self.query_one("#difference-summary", Static).update(summary)
            table.clear()
            for row in found.tensors:
                table.add_row(
                    right(relative_change(row.relative_l2)),
                    right(f"{row.cosine:.6f}"),
                    grid_text(short_name(row.name).removeprefix("layer.")),
                )

    def on_resize(self) -> None:
        self._show_found()

    def action_type_other(self) -> None:
        self.screen.set_focus(self.query_one("#difference-other"))

    def action_reverse(self) -> None:
        self._reversed = not self._reversed
        if self._other:
            self._compare(self._other)

    def show_message(self, message: str) -> None:
        self.query_one("#difference-summary", Static).update(failed(message))


def _end_of(name: str) -> str:
    """Cut a name at its start: the checkpoints of a run differ at the end."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


class CompareList(OptionList):
    """A list in which enter compares; the footer shows that."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "compare")]
