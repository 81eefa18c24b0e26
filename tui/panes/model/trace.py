"""Trace: one batch of reviews through the model, and the output of every module, in order."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from core.formatting import counted, memory, operations, printable
from core.inspection.target import Resolved
from core.model.parameter_tree import short_name
from tui.panes.model.page import Page, failed, grid_text, right

_HINT = "Press b to run a batch of reviews through the model and show the output of every module."
MOST_REVIEWS = 5


class TracePage(Page):
    """A table with one row per module; below it the reviews with their padding, and their logits."""

    title = "Trace"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("b", "batch", "run a batch")]

    def compose(self) -> ComposeResult:
        yield Static(_HINT, id="trace-head", markup=False)
        yield DataTable(id="trace-table", cursor_type="row")
        yield Static(id="trace-batch", markup=False)

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column("module", width=31)
        table.add_column("shape", width=14)
        for name, width in (("mean", 9), ("std", 8), ("ms", 7), ("FLOP", 7), ("memory", 9)):
            table.add_column(right(name), width=width)
        table.add_column(" dtype", width=9)
        table.cell_padding = 0

    def main_widget(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def show_model(self, resolved: Resolved) -> None:
        self._clear(_HINT)

    def _clear(self, message: str) -> None:
        self.query_one("#trace-head", Static).update(message)
        self.query_one("#trace-batch", Static).update("")
        self.query_one(DataTable).clear()

    def action_batch(self) -> None:
        self.run_batch()

    def run_batch(self) -> None:
        """Start to trace a batch."""
        resolved, data = self.pane.resolved, self.pane.console.data
        if resolved is None:
            return

        def work(check_cancelled: Any) -> Any:
            import torch

            from core.engine.device import usable_cores
            from core.inspection.activations import trace_batch
            from core.sources.resolve import open_reviews

            torch.set_num_threads(usable_cores())
            source = resolved.target.config.data
            reviews, origin = open_reviews(data or source.source, source.dataset)
            check_cancelled()
            return trace_batch(resolved, reviews, origin.describe(), check_cancelled)

        if self.inspect(work, heavy=True):
            self._clear("running a batch …")

    def show_result(self, result: Any) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        reviews, length = len(result.lengths), max(result.lengths)
        dtype = result.rows[-1].dtype
        head = Text(
            f"input_ids [{reviews}, {length}], {result.padding:.0%} padding · {dtype} · {printable(result.origin)}\n"
        )
        seconds = result.rows[-1].seconds
        head.append(f"{operations(result.flops)} in {seconds:.2f} s · ◀ its hidden state at position 0 gives the logit")
        with self.app.batch_update():
            self.query_one("#trace-head", Static).update(head)
            table.clear()
            for row in result.rows:
                style = "bold" if row.note else ""
                table.add_row(
                    grid_text(short_name(row.module) + (" ◀" if row.note else ""), style),
                    grid_text("x".join(map(str, row.shape)), style),
                    right(f"{row.mean:.2g}"),
                    right(f"{row.std:.2g}"),
                    right(f"{row.seconds * 1e3:.3g}"),
                    right(operations(row.flops).removesuffix("FLOP").replace(" ", "") if row.flops else "–"),
                    right(memory(row.bytes).replace(" ", "")),
                    grid_text(f" {row.dtype}"),
                )
            self.query_one("#trace-batch", Static).update(self._batch_text(result))

    def _batch_text(self, result: Any) -> Text:
        """Format one line per review: ▲ position 0, ■ tokens, · padding, and its logit."""
        text = Text(no_wrap=True, overflow="ellipsis")
        # The size of the terminal: the page may have none yet when a fast inspection returns.
        longest, room = max(result.lengths), max(min(self.app.size.width - 40, 100), 20)
        most = MOST_REVIEWS if self.app.size.height >= 30 else 2
        for i, length in enumerate(result.lengths[:most]):
            filled = max(round(length / longest * room), 1)
            text.append("▲", style="bold")
            text.append("■" * (filled - 1) + "·" * (room - filled))
            sign = "positive" if result.logits[i] > 0 else "negative"
            token = printable(result.first_tokens[i])[:10]
            text.append(f"  {length:>3} tokens, ▲ {token}: {result.logits[i]:+.2f} {sign}\n", style="dim")
        shown = min(len(result.lengths), most)
        parts = [f"▲ position 0, ■ tokens, · padding; {shown} of {len(result.lengths)} reviews"]
        if result.cut:
            parts.append(f"{counted(result.cut, 'review')} cut at max_length {result.max_length}")
        text.append("; ".join(parts), style="dim")
        return text

    def show_message(self, message: str) -> None:
        self._clear("")
        self.query_one("#trace-head", Static).update(failed(message))
