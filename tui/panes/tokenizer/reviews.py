"""Reviews: the data set in several orders; a review can be opened in the playground."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from core.tokenization.length_stats import order
from tui.panes.tokenizer.page import Page, cell
from tui.panes.tokenizer.state import Playground
from tui.widgets.cells import one_line
from tui.widgets.rows import Rows

ORDERS = {
    "order": "data order",
    "longest": "longest first",
    "split": "most tokens per word first",
    "unknown": "with unknown tokens",
}


class ReviewsPage(Page):
    """A table with one row per review; enter opens one as the text above."""

    needs_data = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "order", "order")]

    class Opened(Message):
        """A review was opened; ``label`` describes it."""

        def __init__(self, text: str, label: str) -> None:
            super().__init__()
            self.text, self.label = text, label

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._by = "order"
        self._places: list[int] = []
        self._drawn: tuple[object, str, str] | None = None

    def compose(self) -> ComposeResult:
        yield Rows(id="review-rows", header=Text(""))

    def draw(self, playground: Playground) -> None:
        data = playground.data
        drawn = (data.reviews, data.status(), self._by)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        by_measure = self._by != "order" and data.is_measured
        self._places = order(data.measured, self._by) if by_measure else list(range(len(data.reviews)))
        columns = [cell("review", 7, right=True), cell("label", 5), cell("tokens", 7, right=True)]
        columns += [cell("per word", 8, right=True), cell("unknown", 7, right=True)]
        header = Text.assemble(*columns, f" {len(self._places):,} · {ORDERS[self._by]} (o) · enter opens one")
        empty = data.status() if not data.reviews else "No review has an unknown token."
        rows = self.query_one(Rows)
        rows.show_rows(len(self._places), self._row, header=header, empty=empty)

    def _row(self, row: int) -> Text:
        assert self.playground is not None
        data, place = self.playground.data, self._places[row]
        review = data.reviews[place]
        numbers = [("…", 7), ("…", 8), ("…", 7)]
        if place < len(data.measured):
            found = data.measured[place]
            numbers = [(f"{found.tokens:,}", 7), (f"{found.tokens / max(found.words, 1):.2f}", 8)]
            numbers.append((f"{found.unknown:,}", 7))
        return Text.assemble(
            cell(f"{place:,}", 7, right=True),
            cell("pos" if review.label else "neg", 5),
            *(cell(number, width, right=True) for number, width in numbers),
            " ",
            one_line(review.text[:240]),
        )

    def step(self, by: int) -> None:
        """Open the next or the previous review in this order."""
        rows = self.query_one(Rows)
        if rows.count:
            rows.go_to((rows.row + by) % rows.count, post=False)
            self._open(rows.row)

    def _open(self, row: int) -> None:
        assert self.playground is not None
        place = self._places[row]
        review = self.playground.data.reviews[place]
        label = "positive" if review.label else "negative"
        self.post_message(self.Opened(review.text, f"review {place:,}, {label}, {ORDERS[self._by]}"))

    @on(Rows.Selected, "#review-rows")
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._open(event.row)

    def action_order(self) -> None:
        names = list(ORDERS)
        self._by = names[(names.index(self._by) + 1) % len(names)]
        if self.playground is not None:
            self.query_one(Rows).go_to(0, post=False)
            self.draw(self.playground)

    def main_widget(self) -> Widget:
        return self.query_one(Rows)
