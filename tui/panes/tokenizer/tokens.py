"""Tokens: a table of the tokens, the stages beside or below it, and the text warnings."""

from __future__ import annotations

from functools import lru_cache

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from core.formatting import printable
from core.tokenization.encode import SPECIAL_MEANINGS, Kind, Token
from tui.panes.tokenizer.page import Page, cell
from tui.panes.tokenizer.stages_view import StagesView
from tui.panes.tokenizer.state import Playground
from tui.panes.tokenizer.warning_lines import warning_line
from tui.widgets.cells import one_line
from tui.widgets.lines import Lines
from tui.widgets.rows import Rows

WIDE = 110
"""Cells of width from which the stages are beside the table."""
_STYLES: dict[Kind, str] = {"word": "", "continuation": "italic", "special": "bold", "unknown": "bold reverse"}


class TokensPage(Page):
    """The span of the selected token is marked in the text and in the stages."""

    class TokenChosen(Message):
        """Another token was selected."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    _tokens: tuple[Token, ...] | None = None
    """The tokens that the table shows."""

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
        """Fill the table and select one token, without posting a message."""
        tokens, rows = playground.encoding.tokens, self.query_one(Rows)
        if tokens is self._tokens and position in (None, rows.row):
            return
        self._tokens = tokens
        rows.show_rows(len(tokens), lambda i: _row(tokens[i]), row=position, empty="No tokens: type a text above.")

    def show_stages(self, playground: Playground) -> None:
        super().show_stages(playground)
        rest = len(playground.encoding.text) - playground.staged
        self.query_one(StagesView).show_stages(playground.stages, playground.mark, rest=rest)

    def draw_mark(self, playground: Playground) -> None:
        """Draw what depends on the selected token. Outdated stages stay until the next frame replaces them."""
        if not playground.stale:
            self.show_stages(playground)
        tokens, row = playground.encoding.tokens, self.query_one(Rows).row
        self.query_one(Lines).show(
            _meaning(tokens[row]) if row < len(tokens) else Text(""),
            warning_line(playground),
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
    meaning = "starts a word"
    if token.kind in ("special", "unknown"):
        meaning = SPECIAL_MEANINGS.get(token.token, "a special token of this vocabulary")
    elif token.kind == "continuation":
        meaning = "continues the word before it; ## means that there is no space between them"
    return Text.assemble((one_line(token.token), "bold"), f"  {meaning}")
