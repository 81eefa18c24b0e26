"""Batch: several texts as one padded batch, with the attention mask and the share of padding."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from core.config.schema import DataConfig, TrainConfig
from core.formatting import counted, percent
from core.tokenization.encode import Encoding, encode
from core.tokenization.length_stats import token_lengths
from core.tokenization.padding import PaddedBatch, pad_encodings, padding_share
from tui.panes.tokenizer.page import Page
from tui.panes.tokenizer.state import Playground
from tui.widgets.rows import Rows

EXAMPLES = ("a warm and moving film", "dull")
"""The first batch holds these texts and the one above."""
COLUMN = 6
LABEL = 5


class BatchPage(Page):
    """A table with two rows per text, ids and mask; only visible columns are built."""

    needs_data = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add text"),
        Binding("f", "fill", "add reviews"),
        Binding("d", "drop", "drop"),
        Binding("p", "side", "padding side"),
        Binding("left,h", "scroll_columns(-1)", "columns", show=False),
        Binding("right,l", "scroll_columns(1)", "columns", show=False),
    ]

    class SideToggled(Message):
        """The user wants the padding on the other side."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._extras: list[str] = list(EXAMPLES)
        self._first = 0
        self._next_review = 0
        self._batch: PaddedBatch | None = None
        self._encoded: dict[tuple[str, object], Encoding] = {}

    def compose(self) -> ComposeResult:
        yield Rows(id="batch-rows", header=Text(""))
        yield Static(id="batch-note", markup=False)

    def draw(self, playground: Playground) -> None:
        extras = [self._encode(playground, text) for text in self._extras]
        self._batch = pad_encodings(playground.tokenizer, [playground.encoding, *extras], side=playground.settings.side)
        self._first = min(self._first, max(self._batch.longest - 1, 0))
        self._draw_rows()
        self.query_one("#batch-note", Static).update(self._note(playground, self._batch))

    def _encode(self, playground: Playground, text: str) -> Encoding:
        settings = playground.settings
        key = (text, (id(playground.tokenizer), settings.add_special_tokens, settings.max_length))
        if key not in self._encoded:
            if len(self._encoded) > 200:
                self._encoded.clear()
            self._encoded[key] = encode(
                playground.tokenizer,
                text,
                add_special_tokens=settings.add_special_tokens,
                max_length=settings.max_length,
            )
        return self._encoded[key]

    def _columns(self) -> range:
        longest = self._batch.longest if self._batch else 0
        room = max((self.query_one(Rows).size.width - 1 - LABEL) // COLUMN, 1)  # a cell for the scrollbar
        return range(self._first, min(self._first + room, longest))

    def _draw_rows(self) -> None:
        assert self._batch is not None
        columns = self._columns()
        header = Text(" " * LABEL + "".join(f"{i:>{COLUMN}}" for i in columns))
        self.query_one(Rows).show_rows(2 * len(self._batch.input_ids), self._row, header=header)

    def _row(self, row: int) -> Text:
        assert self._batch is not None
        number, is_mask = divmod(row, 2)
        ids, mask = self._batch.input_ids[number], self._batch.attention_mask[number]
        line = Text("mask ".rjust(LABEL), style="dim") if is_mask else Text(f"{number + 1:>3}  ", style="bold")
        for i in self._columns():
            value = mask[i] if is_mask else ids[i]
            line.append(f"{value:>{COLUMN}}", style="" if mask[i] else "dim italic")
        return line

    def _note(self, playground: Playground, batch: PaddedBatch) -> Text:
        settings, data = playground.settings, playground.data
        total = batch.tokens + batch.padding
        summary = (
            f"{counted(len(batch.input_ids), 'text')} x {batch.longest} = {total:,} ids: {batch.tokens:,} tokens, "
            f"{batch.padding:,} padding on the {settings.side} ({percent(batch.padding_share)})"
        )
        if any(batch.cut):
            summary += " · truncated: " + ", ".join(
                f"text {i + 1} by {cut:,}" for i, cut in enumerate(batch.cut) if cut
            )
        note = Text(f"{summary}\n")
        if not data.is_measured:
            note.append(data.status(), style="dim")
            return note
        max_length, batch_size = settings.max_length or DataConfig().max_length, TrainConfig().batch_size
        lengths = token_lengths(
            playground.tokenizer, data.measured, add_special_tokens=settings.add_special_tokens, max_length=max_length
        )
        note.append(
            f"padding {percent(padding_share(lengths, batch_size))} in data order (as in the notebook), "
            f"{percent(padding_share(lengths, batch_size, by_length=True))} sorted by length\n"
        )
        note.append(f"in batches of {batch_size} at max_length {max_length}: {data.status()}", style="dim")
        return note

    def on_resize(self) -> None:
        if self._batch is not None:
            self._draw_rows()

    # Keys

    def action_add(self) -> None:
        if self.playground is not None:
            self._extras.append(self.playground.encoding.text)
            self.draw(self.playground)

    def action_fill(self) -> None:
        if self.playground is None:
            return
        reviews = self.playground.data.reviews
        if not reviews:
            self.notify(self.playground.data.status())
            return
        for _ in range(4):
            self._extras.append(reviews[self._next_review % len(reviews)].text)
            self._next_review += 1
        self.draw(self.playground)

    def action_drop(self) -> None:
        """Drop the selected text, but not the first one, which is the text above."""
        number = self.query_one(Rows).row // 2
        if number and self.playground is not None:
            del self._extras[number - 1]
            self.draw(self.playground)
        else:
            self.notify("Text 1 is the text above. Select another one to drop it.")

    def action_side(self) -> None:
        self.post_message(self.SideToggled())

    def action_scroll_columns(self, direction: int) -> None:
        if self._batch is None:
            return
        step = max(len(self._columns()) - 1, 1)
        self._first = max(min(self._first + direction * step, self._batch.longest - 1), 0)
        self._draw_rows()

    def main_widget(self) -> Widget:
        return self.query_one(Rows)
