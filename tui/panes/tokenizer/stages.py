"""Stages: every stage from the text to the ids, and the list of text warnings."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from tui.panes.tokenizer.page import Page, cell
from tui.panes.tokenizer.stages_view import StagesView
from tui.panes.tokenizer.state import Playground
from tui.panes.tokenizer.warning_lines import NO_WARNINGS, warning_rows
from tui.widgets.rows import Rows


class ScrollingStages(StagesView, can_focus=True):
    """The stages, scrolled with the keys."""


class StagesPage(Page):
    """The stages above, the warnings below."""

    def compose(self) -> ComposeResult:
        yield ScrollingStages(id="stages-whole")
        yield Rows(id="warning-rows", header=Text("  text warnings"))

    def show_stages(self, playground: Playground) -> None:
        super().show_stages(playground)
        rest = len(playground.encoding.text) - playground.staged
        self.query_one(ScrollingStages).show_stages(playground.stages, playground.mark, rest=rest)

    def draw(self, playground: Playground) -> None:
        self.show_stages(playground)
        lines = warning_rows(playground)
        count = f"{len(lines):,} warning{'s' * (len(lines) != 1)}"
        header = Text.assemble(cell(count, 12), cell("span", 13, right=True), " meaning and text")
        rows = self.query_one(Rows)
        rows.show_rows(
            len(lines),
            lambda i: Text.assemble(cell(lines[i][0], 12), cell(lines[i][1], 13, right=True), " ", lines[i][2]),
            header=header,
            empty=NO_WARNINGS,
        )

    def main_widget(self) -> Widget:
        return self.query_one(ScrollingStages)
