"""Classes: the model classes of DistilBERT, and what each adds to the encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import DataTable, Static

from core.inspection.target import Resolved
from tui.panes.model.page import Page, failed, grid_text, right

if TYPE_CHECKING:
    from core.inspection.model_classes import HeadClass
    from tui.panes.model.pane import ModelPane


class ClassesPage(Page):
    """A table with one row per class, and the details of the selected one."""

    title = "Classes"

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._heads: list[HeadClass] = []
        self._of: Any = None

    def compose(self) -> ComposeResult:
        yield DataTable(id="classes-table", cursor_type="row", zebra_stripes=True)
        yield Static("counting parameters …", id="class-details", markup=False)

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column("class", width=35)
        table.add_column(right("+ parameters"), width=12)
        table.add_column(right("tensors"), width=7)
        table.add_column("output shape", width=16)

    def main_widget(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def show_model(self, resolved: Resolved) -> None:
        if self.display and resolved.encoder is not self._of:
            self.activate()

    def activate(self) -> None:
        resolved = self.pane.resolved
        if resolved is None or resolved.encoder is self._of:
            return

        def work(_: Any) -> Any:
            from core.inspection.model_classes import head_classes

            return resolved.encoder, head_classes(resolved.encoder)

        self.inspect(work, heavy=False)

    def show_result(self, result: Any) -> None:
        self._of, self._heads = result
        table: DataTable[Text] = self.query_one(DataTable)
        table.clear()
        for one in self._heads:
            ours = one.name == "DistilBertClassifier"
            shape = " ".join("x".join(map(str, shape)) for shape in dict.fromkeys(one.outputs.values()))
            table.add_row(
                grid_text(one.name + (" ◀ ours" if ours else ""), "bold" if ours else ""),
                right(f"{one.added:,}"),
                right(str(one.tensors)),
                grid_text(shape),
            )
        self._show_current()

    @on(DataTable.RowHighlighted)
    def _show_current(self) -> None:
        row = self.query_one(DataTable).cursor_row
        if row >= len(self._heads):
            return
        one = self._heads[row]
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        table.add_row("purpose", Text(one.purpose, style="bold"))
        table.add_row(
            "adds", Text(", ".join(one.modules) or "nothing: this is the encoder that the other classes contain")
        )
        if one.shared:
            table.add_row("shared", Text(f"{', '.join(one.shared)} belongs to the encoder and is not counted again"))
        for name, shape in one.inputs.items():
            table.add_row("input" if name == "input_ids" else "", f"{name} {list(shape)}")
        for number, (name, shape) in enumerate(one.outputs.items()):
            table.add_row("" if number else "output", Text(f"{name} {list(shape)}: {_axes(one.name, name)}"))
        table.add_row("total", f"{one.total:,} parameters")
        self.query_one("#class-details", Static).update(table)

    def show_message(self, message: str) -> None:
        self.query_one("#class-details", Static).update(failed(message))


def _axes(name: str, output: str) -> str:
    """Name the axes of an output."""
    if output == "last_hidden_state":
        return "text, position, hidden unit"
    if name == "DistilBertForMaskedLM":
        return "text, position, token of the vocabulary"
    if name == "DistilBertForTokenClassification":
        return "text, position, label"
    if name == "DistilBertForSequenceClassification":
        return "text, label"
    if name == "DistilBertForMultipleChoice":
        return "question, choice"
    return "text, position" if "_" in output else "text"
