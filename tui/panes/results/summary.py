"""Summary: how good the predictions are, in one sentence, and the confusion matrix."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from core.formatting import percent
from tui.panes.results.confusion import ConfusionMatrix
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.page import Page, failed
from tui.workers.inspection import Inspection


class SummaryPage(Page):
    """The sentence, and the matrix whose cells open the list of their reviews."""

    title = "Summary"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "copy the sentence")]

    def compose(self) -> ComposeResult:
        yield Static(id="summary-sentence", markup=False)
        with Horizontal(id="summary-body"):
            yield ConfusionMatrix(id="confusion")
        self._sentence = ""

    def main_widget(self) -> ConfusionMatrix:
        return self.query_one(ConfusionMatrix)

    def show_data(self) -> None:
        data = self.data
        self.query_one("#summary-sentence", Static).update(Text("computing …", style="dim"))

        def work(_: Inspection) -> Any:
            import numpy as np

            from core.analysis.errors import CELLS, cells
            from core.analysis.intervals import wilson

            predictions = data.predictions()
            found = cells(predictions)
            tn, fp, fn, tp = (int(np.sum(found == cell)) for cell in CELLS)
            return wilson(tn + tp, len(predictions)), ((tn, fp), (fn, tp))

        self.compute(work, self._show, libraries=False)

    def _show(self, result: Any) -> None:
        interval, ((tn, fp), (fn, tp)) = result
        n = tn + fp + fn + tp
        self._sentence = (
            f"{percent((tn + tp) / n)} of {n:,} reviews are predicted correctly "
            f"(95 % interval {interval.low * 100:.1f} to {interval.high * 100:.1f})."
        )
        self.query_one("#summary-sentence", Static).update(Text(self._sentence, style="bold"))
        self.main_widget().show(((tn, fp), (fn, tp)))

    def show_message(self, message: str) -> None:
        self.query_one("#summary-sentence", Static).update(failed(message))
        self.main_widget().show(None)

    async def on_confusion_matrix_chosen(self, message: ConfusionMatrix.Chosen) -> None:
        page = await self.pane.show_page(ErrorsPage.title)
        assert isinstance(page, ErrorsPage)
        page.list_cell(message.cell)

    def action_copy(self) -> None:
        """Copy the sentence to the clipboard, through the terminal (OSC 52)."""
        if self._sentence:
            self.app.copy_to_clipboard(self._sentence)
            self.notify("Copied the sentence.")
