"""Compare: two tokenizers side by side, on the words of the text and on the lengths of the reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from core.config.schema import DataConfig
from core.formatting import percent
from core.tokenization.compare import ComparedWord, compare, tokens_per_word
from core.tokenization.encode import Encoding, Token, encode
from core.tokenization.length_stats import Measured, histogram, summarise, token_lengths
from tui.panes.tokenizer.page import Page, cell, safe
from tui.panes.tokenizer.state import SMALL, Playground
from tui.panes.tokenizer.tokens import WIDE
from tui.widgets.cells import shown
from tui.widgets.field import Field
from tui.widgets.rows import Rows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BIN, BINS = 64, 9
"""Tokens per bar of the histogram, and the number of bars; the last one counts all longer reviews."""
LOW_BIN, LOW_BINS = 128, 5
"""The same for a page of fewer than ``HIGH`` lines, which leaves some lines for the words."""
HIGH = 22
BAR = 14


class ComparePage(Page):
    """The name of the other tokenizer, the words with their tokens, and a histogram of lengths for each tokenizer."""

    needs_data = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "other", "other tokenizer"),
        Binding("d", "only", "all/differing words"),
    ]

    class OtherRequested(Message):
        """The user wants to compare with this tokenizer."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._other: Tokenizer | None = None
        self._other_note = ""
        self._other_measured: tuple[Measured, ...] = ()
        self._only_differing = False

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Label("other  ")
            yield Field("cased", id="compare-name", compact=True,
                        placeholder="a Hub name, a folder, a file, cased, accents, lowercase=no")  # fmt: skip
        yield Static(id="compare-summary", markup=False)
        with Container(id="compare-body"):
            yield Rows(id="compare-rows", empty="No words differ. Press d to show all.")
            yield Static(id="compare-lengths", markup=False)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= WIDE, "broad")
        self.set_class(self.size.height < HIGH and not self.has_class("broad"), "low")
        self.call_after_refresh(self._draw_again)  # then the list has its new width

    def _draw_again(self) -> None:
        if self.playground is not None:
            self.draw(self.playground)

    @property
    def other(self) -> Tokenizer | None:
        return self._other

    def request_other(self) -> None:
        """Request the tokenizer that the field names."""
        self.post_message(self.OtherRequested(self.query_one("#compare-name", Input).value.strip() or "cased"))

    def set_other(self, tokenizer: Tokenizer | None, note: str) -> None:
        """Show the other tokenizer, of which ``note`` is the origin; or None and the reason in ``note``."""
        self._other, self._other_note, self._other_measured = tokenizer, note, ()
        self._draw_again()

    def set_measured(self, measured: tuple[Measured, ...]) -> None:
        self._other_measured = measured
        if self.playground is not None:
            self._draw_lengths(self.playground)

    @on(Input.Submitted, "#compare-name")
    def _named(self) -> None:
        self.request_other()
        self.screen.set_focus(self.main_widget())

    def draw(self, playground: Playground) -> None:
        summary = self.query_one("#compare-summary", Static)
        if self._other is None:
            summary.update(safe(self._other_note or "opening the other tokenizer …"))
            self.query_one(Rows).show_rows(0, lambda _: Text(), empty="Press o to name another tokenizer.")
            return
        first, second = self._encodings(playground, self._other)
        words = compare(first, second)
        differing = [word for word in words if word.differs]
        summary.update(_summary(first, second, len(words), len(differing), self._other_note))
        chosen = differing if self._only_differing else words
        column = max((self.query_one(Rows).size.width - 21) // 2, 12)  # with or without a scrollbar
        header = Text.assemble(cell("  word", 18), cell("this tokenizer", column), "other tokenizer")
        empty = "All words have the same tokens. Press d to show them." if words else "No words: type a text above."
        rows = self.query_one(Rows)
        rows.show_rows(len(chosen), lambda i: _row(chosen[i], column), header=header, empty=empty)
        self._draw_lengths(playground)

    @staticmethod
    def _encodings(playground: Playground, other: Tokenizer) -> tuple[Encoding, Encoding]:
        """Encode the start of the text with both, without truncation; short enough to answer a key at once."""
        text, special = playground.encoding.text[:SMALL], playground.settings.add_special_tokens
        first = encode(playground.tokenizer, text, add_special_tokens=special)
        return first, encode(other, text, add_special_tokens=special)

    def _draw_lengths(self, playground: Playground) -> None:
        data = playground.data
        note = Text(f"{data.status()}\n", style="dim")
        if data.is_measured:
            other = self._other_measured if len(self._other_measured) == len(data.measured) else ()
            bins = (LOW_BIN, LOW_BINS) if self.has_class("low") else (BIN, BINS)
            note = _lengths(playground, other, self._other, *bins)
        self.query_one("#compare-lengths", Static).update(note)

    # Keys

    def action_other(self) -> None:
        self.screen.set_focus(self.query_one("#compare-name"))

    def action_only(self) -> None:
        self._only_differing = not self._only_differing
        self._draw_again()

    def main_widget(self) -> Widget:
        return self.query_one(Rows)


def _summary(first: Encoding, second: Encoding, words: int, differing: int, name: str) -> Text:
    counts = [len(encoding.tokens) for encoding in (first, second)]
    rates = [tokens_per_word(encoding) for encoding in (first, second)]
    line = f"{counts[0]:,} and {counts[1]:,} tokens · {rates[0]:.2f} and {rates[1]:.2f} per word · "
    line += (
        f"{first.unknown:,} and {second.unknown:,} unknown · {differing:,} of {words:,} words differ · other: {name}"
    )
    return safe(line)


def _row(word: ComparedWord, column: int) -> Text:
    sign = "≠ " if word.differs else "  "

    def pieces(tokens: tuple[Token, ...]) -> Text:
        line = Text()
        for token in tokens:
            line.append(shown(token.token) + " ", style="bold reverse" if token.kind == "unknown" else "")
        return line

    style = "bold" if word.differs else ""
    return Text.assemble(
        cell(Text(sign + shown(word.text), style=style), 18), cell(pieces(word.first), column), pieces(word.second)
    )


def _lengths(
    playground: Playground, measured: tuple[Measured, ...], other: Tokenizer | None, width: int, bins: int
) -> Text:
    """Format the tokens per review and per word, the histograms, and where max_length truncates."""
    settings = playground.settings
    max_length = settings.max_length or DataConfig().max_length
    special = settings.add_special_tokens
    pairs = [(playground.tokenizer, playground.data.measured)]
    if other is not None and measured:
        pairs.append((other, measured))
    columns = []
    text = Text.assemble((f"{playground.data.status()} · lengths in tokens\n", "dim"))
    for name, (tokenizer, rows) in zip(("this", "other"), pairs, strict=False):
        found = summarise(tokenizer, rows, add_special_tokens=special, max_length=max_length)
        text.append(f"{name:<6}", style="bold")
        text.append(
            f"mean {found.mean:.0f} median {found.median:.0f} max {found.longest:,} · "
            f"{found.tokens_per_word:.2f}/word · {percent(found.unknown_share)} [UNK] · "
            f"{percent(found.cut / found.count)} truncated at {max_length}\n"
        )
        columns.append(histogram(token_lengths(tokenizer, rows, add_special_tokens=special), width, bins))
    most = max(max(counts) for counts in columns) or 1
    for i in range(bins):
        low, high = i * width, (i + 1) * width - 1
        label = f"{low}–{high}" if i < bins - 1 else f"{low}+"
        text.append(f"{label:>8} ", style="dim")
        for counts in columns:
            bar = "█" * round(counts[i] / most * BAR) or ("▏" if counts[i] else "")
            text.append(f"{bar:<{BAR}} {counts[i]:>6,}  ", style="strike" if low >= max_length else "")
        if low < max_length <= high + 1:
            text.append(f"◂ max_length {max_length}", style="bold")
        text.append("\n")
    return text
