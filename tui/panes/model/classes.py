"""DistilBERT's classes side by side: what each adds to the bare stack."""

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


class ClassesPage(Page):
    """A row a class; beneath it what the one under the cursor is for, and its modules and shapes."""

    name_ = "Classes"

    def __init__(self) -> None:
        super().__init__()
        self._heads: list[HeadClass] = []
        self._of: Any = None

    def compose(self) -> ComposeResult:
        yield DataTable(id="classes-table", cursor_type="row", zebra_stripes=True)
        yield Static("counting …", id="classes-words", markup=False)

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column("class", width=35)
        table.add_column(right("adds numbers"), width=12)
        table.add_column(right("tensors"), width=7)
        table.add_column("gives", width=16)

    def main(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def show_model(self, resolved: Resolved) -> None:
        if self.display and resolved.encoder is not self._of:
            self.shown()

    def shown(self) -> None:
        resolved = self.pane.resolved
        if resolved is None or resolved.encoder is self._of:
            return

        def work(_: Any) -> Any:
            from core.inspection.model_classes import head_classes

            return resolved.encoder, head_classes(resolved.encoder)

        self.look(work, heavy=False)

    def look_done(self, result: Any) -> None:
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
        table.add_row("what for", Text(one.purpose, style="bold"))
        table.add_row("adds", Text(", ".join(one.modules) or "nothing: this is the stack that all the others hold"))
        if one.shared:
            table.add_row("shared", Text(f"{', '.join(one.shared)} is the encoder's own, not counted again"))
        for name, shape in one.inputs.items():
            table.add_row("in" if name == "input_ids" else "", f"{name} {list(shape)}")
        for number, (name, shape) in enumerate(one.outputs.items()):
            table.add_row("" if number else "out", Text(f"{name} {list(shape)}: {_axes(one.name, name)}"))
        table.add_row("in all", f"{one.total:,} numbers")
        self.query_one("#classes-words", Static).update(table)

    def say(self, words: str) -> None:
        self.query_one("#classes-words", Static).update(failed(words))


def _axes(name: str, output: str) -> str:
    """What the axes of an output are."""
    if output == "last_hidden_state":
        return "text, position, number"
    if name == "DistilBertForMaskedLM":
        return "text, position, piece of the vocabulary"
    if name == "DistilBertForTokenClassification":
        return "text, position, label"
    if name == "DistilBertForSequenceClassification":
        return "text, label"
    if name == "DistilBertForMultipleChoice":
        return "question, choice"
    return "text, position" if "_" in output else "text"
