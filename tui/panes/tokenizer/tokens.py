"""The tokens: a table of any length, the stages beside it or under it, and what was lost."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from core.formatting import printable
from core.tokenization.encode import SPECIAL_MEANINGS, Kind, Token
from core.tokenization.text_warnings import LossKind, meaning
from tui.panes.tokenizer.page import Page, cell
from tui.panes.tokenizer.state import Playground
from tui.widgets.cells import one_line, shown
from tui.widgets.lines import Lines
from tui.widgets.rows import Rows
from tui.widgets.stages_view import StagesView

WIDE = 110
"""Cells from which the stages stand beside the table."""
_STYLES: dict[Kind, str] = {"word": "", "continuation": "italic", "special": "bold", "unknown": "bold reverse"}


class TokensPage(Page):
    """Its cursor is the playground's: the token's span is marked in the source and in the stages."""

    class TokenChosen(Message):
        """The cursor is on another token."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    _tokens: tuple[Token, ...] | None = None
    """Those in the table."""

    def compose(self) -> ComposeResult:
        with Container(id="token-body"):
            yield Rows(id="token-rows", header=_header(20))
            yield StagesView(id="token-stages", compact=True)
        yield Lines(id="token-note")

    def on_resize(self) -> None:
        wide = self.size.width >= WIDE
        self.set_class(wide, "broad")
        stages = self.query_one(StagesView)
        if stages.compact is wide:
            stages.compact = not wide
            stages.on_resize()

    def draw(self, playground: Playground) -> None:
        self.take_tokens(playground)
        self.draw_mark(playground)

    def take_tokens(self, playground: Playground, position: int | None = None) -> None:
        """Puts the tokens into the table and its cursor on one of them, without telling anybody."""
        tokens, rows = playground.encoding.tokens, self.query_one(Rows)
        if tokens is self._tokens and position in (None, rows.row):
            return
        self._tokens = tokens
        rows.show_rows(len(tokens), lambda i: _row(tokens[i]), row=position, empty="no tokens: type something above")

    def show_stages(self, playground: Playground) -> None:
        super().show_stages(playground)
        rest = len(playground.encoding.text) - playground.staged
        self.query_one(StagesView).show_stages(playground.stages, playground.mark, rest=rest)

    def draw_mark(self, playground: Playground) -> None:
        """Only what follows the cursor; stages of the text before are left alone, being replaced in the next frame."""
        if not playground.stale:
            self.show_stages(playground)
        tokens, row = playground.encoding.tokens, self.query_one(Rows).row
        self.query_one(Lines).show(
            _meaning(tokens[row]) if row < len(tokens) else Text(""),
            _losses(playground),
            Text(f"tokenizer: {printable(playground.origin)}", style="dim"),
        )

    @property
    def position(self) -> int:
        return self.query_one(Rows).row

    @on(Rows.Highlighted, "#token-rows")
    def _chosen(self, event: Rows.Highlighted) -> None:
        event.stop()
        self.post_message(self.TokenChosen(event.row))

    def main_widget(self) -> Widget:
        return self.query_one(Rows)


def _header(width: int) -> Text:
    columns = [cell("pos", 6, right=True), cell("id", 6, right=True), cell("token", width)]
    return Text.assemble(*columns, cell("span", 13, right=True), " kind")


@lru_cache(maxsize=2048)
def _row(token: Token) -> Text:
    style = _STYLES[token.kind]
    span = "–" if token.start == token.end else f"{token.start}–{token.end}"
    piece = Text(one_line(token.token), style=style)
    return Text.assemble(
        cell(str(token.position), 6, right=True),
        cell(str(token.id), 6, right=True),
        cell(piece, 20),
        cell(span, 13, right=True),
        " ",
        Text(token.kind, style=style),
    )


def _meaning(token: Token) -> Text:
    words = "begins a word"
    if token.kind in ("special", "unknown"):
        words = SPECIAL_MEANINGS.get(token.token, "a special token of this vocabulary")
    elif token.kind == "continuation":
        words = "goes on with the word before it; ## marks that no space was between"
    return Text.assemble((one_line(token.token), "bold"), f"  {words}")


def _losses(playground: Playground) -> Text:
    """All kinds of silent loss with their counts and a first example, what was cut before the others."""
    encoding = playground.encoding
    line = Text()
    if encoding.cut_from is not None:
        lost = encoding.full_length - len(encoding.tokens)
        line.append(f"cut off: {lost:,} tokens ", style="bold")
        line.append(one_line(encoding.cut_text[:80]), style="strike")
        line.append("  ")
    counts = Counter(loss.kind for loss in playground.losses if loss.kind != "truncated")
    for kind, count in sorted(counts.items(), key=lambda item: _ORDER.index(item[0])):
        example = next(loss.text for loss in playground.losses if loss.kind == kind)
        line.append(f"⚠ {count:,} {_NAMES[kind]} ", style="bold" if kind in _GRAVE else "")
        line.append(f"{shown(example[:12])}{'…' if len(example) > 12 else ''}  ".replace("\n", " "), style="dim")
    return line if line.plain else Text("nothing of the text is lost", style="dim")


def loss_lines(playground: Playground) -> list[tuple[LossKind, str, str]]:
    """Every loss as (kind, span, meaning and text), for a list of them."""
    return [
        (
            loss.kind,
            f"{loss.start}–{loss.end}",
            f"{meaning(playground.tokenizer, loss.kind)}: {one_line(loss.text[:60])}",
        )
        for loss in playground.losses
    ]


_NAMES: dict[LossKind, str] = {
    "special": "typed special",
    "long_word": "word over 100",
    "full_width": "full-width, unknown",
    "unknown": "unknown",
    "deleted": "deleted",
    "replaced": "rewritten",
    "accent": "accent stripped",
    "case": "case folded",
}
_ORDER = list(_NAMES)
_GRAVE = frozenset({"special", "long_word", "full_width", "unknown", "deleted"})
