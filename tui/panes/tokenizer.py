"""The tokenizer playground: type, and the table of tokens follows each key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Input, Label, Static

from core.report import printable
from core.tokenization import SPECIAL_MEANINGS, Encoding, Token, encode
from tui.messages import TokenizerReady
from tui.widgets.field import Field

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FIRST_TEXT = "hello my name is kevin"
_STYLES = {"word": "", "continuation": "italic", "special": "bold magenta", "unknown": "bold reverse red"}
MOST_ROWS = 512


class TokenizerPane(Vertical):
    """Text on top, tinted by token; under it the table; settings in one line between."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_special", "special tokens"),
        Binding("ctrl+l", "max_length", "max length"),
        Binding("slash", "type", "type", key_display="/"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._tokenizer: Tokenizer | None = None
        self._origin = "looking for the tokenizer …"
        self._encoding: Encoding | None = None
        self._specials = True
        self._max_length: int | None = None

    def compose(self) -> ComposeResult:
        yield Field(FIRST_TEXT, id="text", placeholder="type a sentence", select_on_focus=False)
        yield Static(id="tinted", markup=False)
        with Horizontal(id="token-settings"):
            yield Static(id="token-summary", markup=False)
            yield Label("max_length ")
            yield Field("", id="max-length", placeholder="none", compact=True, restrict=r"[0-9]*", max_length=3)
        yield DataTable(id="tokens", cursor_type="row", zebra_stripes=True)
        yield Static(id="token-note", markup=False)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_column(Text("pos", justify="right"), width=4)
        table.add_column(Text("id", justify="right"), width=6)
        table.add_column("token", width=20)
        table.add_column(Text("span", justify="right"), width=9)
        table.add_column("kind", width=13)
        self.query_one("#token-summary", Static).update("looking for the tokenizer …")
        threading.Thread(target=self._find_tokenizer, name="tokenizer", daemon=True).start()

    def _find_tokenizer(self) -> None:
        from core.config import ModelConfig
        from core.sources import open_tokenizer

        try:
            tokenizer, origin = open_tokenizer(ModelConfig().checkpoint)
            message = TokenizerReady(tokenizer, origin, "")
        except Exception as error:
            message = TokenizerReady(None, None, str(error))
        self.post_message(message)

    def on_tokenizer_ready(self, message: TokenizerReady) -> None:
        self._tokenizer = message.tokenizer
        self._origin = message.origin.words() if message.origin else message.error
        self._refresh()

    @on(Input.Changed, "#text")
    def _typed(self) -> None:
        self._refresh()

    @on(Input.Changed, "#max-length")
    def _length_typed(self, event: Input.Changed) -> None:
        number = int(event.value) if event.value else None
        valid = number is None or 3 <= number <= 512
        event.input.set_class(not valid, "invalid")
        if valid:
            self._max_length = number
            self._refresh()
        else:
            self.query_one("#token-note", Static).update("✗ max_length is between 3 and 512")

    def _refresh(self) -> None:
        """Encodes and shows; a review takes a fraction of a millisecond."""
        if self._tokenizer is None:
            self.query_one("#token-summary", Static).update(printable(self._origin))
            return
        text = self.query_one("#text", Input).value
        encoding = encode(self._tokenizer, text, add_special_tokens=self._specials, max_length=self._max_length)
        table = self.query_one(DataTable)
        row = table.cursor_row
        with self.app.batch_update():
            table.clear()
            for token in encoding.tokens[:MOST_ROWS]:
                table.add_row(*self._row(token))
            table.move_cursor(row=min(row, max(len(encoding.tokens) - 1, 0)))
            self.query_one("#tinted", Static).update(_tinted(encoding))
            unknown = sum(token.kind == "unknown" for token in encoding.tokens)
            words = f"{len(encoding.tokens)} tokens · specials {'on' if self._specials else 'off'}"
            if unknown:
                words += f" · {unknown} unknown"
            self.query_one("#token-summary", Static).update(words)
            self._encoding = encoding
            self._note()

    def _row(self, token: Token) -> tuple[Text, ...]:
        style = _STYLES[token.kind]
        span = "–" if token.start == token.end else f"{token.start}–{token.end}"
        return (
            Text(str(token.position), justify="right"),
            Text(str(token.id), justify="right"),
            Text(printable(token.token), style=style, no_wrap=True, overflow="ellipsis"),
            Text(span, justify="right"),
            Text(token.kind, style=style),
        )

    @on(DataTable.RowHighlighted)
    def _note(self) -> None:
        """What the token under the cursor is for, and what was cut."""
        encoding = self._encoding
        if encoding is None:
            return
        note = Text()
        row = self.query_one(DataTable).cursor_row
        if row < len(encoding.tokens):
            token = encoding.tokens[row]
            meaning = SPECIAL_MEANINGS.get(token.token, "") if token.kind in ("special", "unknown") else ""
            if token.kind == "continuation":
                meaning = "goes on with the word before it; ## marks that no space was between"
            elif token.kind == "word":
                meaning = "begins a word"
            note.append(printable(token.token), style="bold")
            note.append(f"  {meaning}\n")
        if encoding.cut_from is not None:
            lost = encoding.full_length - len(encoding.tokens)
            note.append(f"cut off: {lost} tokens ", style="bold")
            note.append(printable(encoding.cut_text[:200]), style="strike")
            note.append("\n")
        if len(encoding.tokens) > MOST_ROWS:
            note.append(f"the table shows the first {MOST_ROWS} of {len(encoding.tokens)} tokens\n")
        note.append(f"tokenizer: {printable(self._origin)}", style="dim")
        self.query_one("#token-note", Static).update(note)

    def shown(self) -> None:
        self.screen.set_focus(self.query_one("#text", Input))

    def leave_field(self) -> None:
        self.screen.set_focus(self.query_one(DataTable))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """While text is typed, / is a letter like any other."""
        return action != "type" or not isinstance(self.app.focused, Input)

    def action_type(self) -> None:
        self.screen.set_focus(self.query_one("#text", Input))

    def action_max_length(self) -> None:
        self.screen.set_focus(self.query_one("#max-length", Input))

    def action_toggle_special(self) -> None:
        self._specials = not self._specials
        self._refresh()

    def action_move(self, step: int) -> None:
        table = self.query_one(DataTable)
        (table.action_cursor_down if step > 0 else table.action_cursor_up)()


def _tinted(encoding: Encoding) -> Text:
    """The source text, words tinted in turn, continuations like their word, the cut part struck through."""
    text = Text(overflow="fold")
    at, word = 0, -1
    for token in encoding.tokens[:MOST_ROWS]:
        if token.start == token.end:
            continue
        word += token.kind != "continuation"
        text.append(printable(encoding.text[at : token.start]))
        style = _STYLES["unknown"] if token.kind == "unknown" else ("cyan underline", "yellow")[word % 2]
        text.append(printable(encoding.text[token.start : token.end]), style=style)
        at = max(at, token.end)
    rest = encoding.text[at : at + 400]
    text.append(printable(rest), style="dim strike" if encoding.cut_from is not None else "")
    return text
