"""The stages whole, one under the other, and the list of everything that was lost on the way."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from tui.panes.tokenizer.page import Page, cell
from tui.panes.tokenizer.state import Playground
from tui.panes.tokenizer.tokens import loss_lines
from tui.widgets.rows import Rows
from tui.widgets.stages_view import StagesView


class ScrollingStages(StagesView, can_focus=True):
    """The stages, to scroll through with the keys."""


class StagesPage(Page):
    """Stages above, losses below."""

    def compose(self) -> ComposeResult:
        yield ScrollingStages(id="stages-whole")
        yield Rows(id="loss-rows", header=Text("  silent losses"))

    def show_stages(self, playground: Playground) -> None:
        super().show_stages(playground)
        rest = len(playground.encoding.text) - playground.staged
        self.query_one(ScrollingStages).show_stages(playground.stages, playground.mark, rest=rest)

    def draw(self, playground: Playground) -> None:
        self.show_stages(playground)
        lines = loss_lines(playground)
        header = Text.assemble(cell(f"{len(lines):,} losses", 12), cell("span", 13, right=True), " what and where")
        rows = self.query_one(Rows)
        rows.show_rows(
            len(lines),
            lambda i: Text.assemble(cell(lines[i][0], 12), cell(lines[i][1], 13, right=True), " ", lines[i][2]),
            header=header,
            empty="nothing of the text is lost",
        )

    def main_widget(self) -> Widget:
        return self.query_one(ScrollingStages)
