"""Attention: the weights of one head as a shaded matrix, and one of its rows over the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from core.formatting import printable
from core.inspection.target import Resolved
from tui.panes.model.page import Page, failed
from tui.panes.model.shades import Shades
from tui.widgets.cells import one_line
from tui.widgets.field import Field

if TYPE_CHECKING:
    from core.inspection.attention_maps import Attention
    from tui.panes.model.pane import ModelPane

FIRST_TEXT = "The plot was dull and tedious, but the last scene of this film is a joy to watch."
_HINT = "Press enter to show what each position of this text attends to, / to type another text."
STRONG = ((0.66, "bold reverse"), (0.33, "bold underline"), (0.12, "bold"), (0.04, ""), (0.0, "dim"))
"""The style of a token by its share of the largest weight; all differ without colour."""


class AttentionPage(Page):
    """Up and down change the layer, left and right the head, j and k the position whose row is shown."""

    title = "Attention"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "inspect_text", "show"),
        Binding("slash", "type", "text", key_display="/"),
        Binding("right_square_bracket,right,l", "head(1)", "head", key_display="→"),
        Binding("left_square_bracket,left,h", "head(-1)", "head", show=False, key_display="←"),
        Binding("down", "layer(1)", "layer", key_display="↓"),
        Binding("up", "layer(-1)", "layer", show=False, key_display="↑"),
        Binding("j", "position(1)", "next position", show=False),
        Binding("k", "position(-1)", "previous position", show=False),
        Binding("m", "mean", "mean"),
    ]

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._found: Attention | None = None
        self._layer, self._head, self._position = 0, 0, 0
        self._mean = False

    def compose(self) -> ComposeResult:
        yield Field(FIRST_TEXT, id="attention-text", placeholder="type a review", compact=True, select_on_focus=False)
        yield Static(_HINT, id="attention-summary", markup=False)
        with Horizontal():
            yield Matrix(id="attention-matrix")
            with VerticalScroll(id="attention-right", can_focus=False):
                yield Static(id="attention-row", markup=False)

    def main_widget(self) -> Shades:
        return self.query_one(Matrix)

    def show_model(self, resolved: Resolved) -> None:
        self._found = None
        self.query_one("#attention-summary", Static).update(_HINT)
        self._draw()

    @on(Input.Submitted, "#attention-text")
    def action_inspect_text(self) -> None:
        resolved, text = self.pane.resolved, self.query_one(Input).value
        if resolved is None:
            return

        def work(check_cancelled: Any) -> Any:
            import torch

            from core.engine.device import usable_cores
            from core.inspection.attention_maps import attention_of_text

            torch.set_num_threads(usable_cores())
            check_cancelled()
            return attention_of_text(resolved, text)

        if self.inspect(work, heavy=True):
            self.query_one("#attention-summary", Static).update("computing attention …")

    def show_result(self, result: Any) -> None:
        self._found = result
        self._layer = min(self._layer, result.layers - 1)
        self._head = min(self._head, result.heads - 1)
        self._position = min(self._position, len(result.encoding.tokens) - 1)
        self._draw()
        if self.query_one(Input).has_focus:
            self.screen.set_focus(self.query_one(Matrix))

    def _draw(self) -> None:
        found = self._found
        row = self.query_one("#attention-row", Static)
        if found is None:
            self.query_one(Shades).show(None)
            row.update("")
            return
        matrix = found.matrix(self._layer, None if self._mean else self._head)
        which = "mean of all heads" if self._mean else f"head {self._head} of 0–{found.heads - 1}"
        summary = f"layer {self._layer} of 0–{found.layers - 1} · {which} · logit {found.logit:+.3f}"
        summary += f" · {len(found.encoding.tokens)} tokens"
        if cut := found.truncation_note():
            summary += f" · {cut}"
        self.query_one("#attention-summary", Static).update(summary)
        labels = [one_line(token.token) for token in found.encoding.tokens]
        self.query_one(Shades).show(matrix, labels, self._position)
        row.update(self._row(matrix[self._position]))

    def _row(self, weights: Any) -> Text:
        """Format the text, each token by its weight in the row of the current position; then the largest weights."""
        assert self._found is not None
        text, tokens = self._found.encoding.text, self._found.encoding.tokens
        most = float(weights.max()) or 1.0
        line = Text()
        line.append(f"{self._position} {printable(tokens[self._position].token)}", style="bold")
        line.append(" attends to\n", style="dim")
        at = 0
        for token, weight in zip(tokens, weights.tolist(), strict=True):
            style = next(style for least, style in STRONG if weight / most >= least)
            if token.start == token.end:
                line.append(printable(token.token), style=style)
                line.append(" ")
                continue
            line.append(printable(text[at : token.start]), style="dim")
            line.append(printable(text[token.start : token.end]), style=style)
            at = token.end
        line.append("\n\n")
        for place in weights.argsort()[::-1][:8].tolist():
            token = tokens[place]
            bar = "█" * round(float(weights[place]) / most * 12)
            line.append(f"{weights[place]:.3f} {place:>3} {printable(token.token)[:14]:<14} {bar}\n")
        line.append("Rows attend to columns; a fuller block is a larger weight. j and k change the row.", style="dim")
        return line

    def action_type(self) -> None:
        self.screen.set_focus(self.query_one(Input))

    def action_head(self, step: int) -> None:
        if self._found is not None:
            self._mean = False
            self._head = (self._head + step) % self._found.heads
            self._draw()

    def action_layer(self, step: int) -> None:
        if self._found is not None:
            self._layer = (self._layer + step) % self._found.layers
            self._draw()

    def action_position(self, step: int) -> None:
        """Show the row of another position."""
        if self._found is not None:
            self._position = (self._position + step) % len(self._found.encoding.tokens)
            self._draw()

    def on_matrix_clicked(self, message: Matrix.Clicked) -> None:
        self.action_position(message.row - self._position)

    def action_mean(self) -> None:
        self._mean = not self._mean
        self._draw()

    def show_message(self, message: str) -> None:
        self._found = None
        self._draw()
        self.query_one("#attention-summary", Static).update(failed(message))


class Matrix(Shades, can_focus=True):
    """The matrix of one head; a click selects a row."""

    class Clicked(Message):
        """A row of the matrix was clicked."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def on_click(self, event: events.Click) -> None:
        if (row := self.row_at(event.y)) is not None:
            self.post_message(self.Clicked(row))
