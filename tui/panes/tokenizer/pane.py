"""Tokenizer: a text that is coloured by its tokens as it is typed, and pages that analyse it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

from core.formatting import printable
from core.tokenization.migration_notes import MIGRATION_NOTES
from tui.panes.pane import Pane
from tui.panes.tokenizer.batch import BatchPage
from tui.panes.tokenizer.compare import ComparePage
from tui.panes.tokenizer.messages import (
    OtherMeasured,
    OtherTokenizerReady,
    PlaygroundReady,
    ReviewsMeasured,
    TokenizerReady,
)
from tui.panes.tokenizer.pages import PAGES, PageStack
from tui.panes.tokenizer.reviews import ReviewsPage
from tui.panes.tokenizer.state import SMALL, Data, Playground, Settings, analyse
from tui.panes.tokenizer.tokens import TokensPage
from tui.panes.tokenizer.work import PlaygroundThreads
from tui.widgets.field import Field
from tui.widgets.lines import Lines
from tui.widgets.page_bar import PageBar, PageName
from tui.widgets.source_text import SourceText

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tui.panes.pane import Console

FIRST_TEXT = "hello my name is kevin"
_LETTER_ACTIONS = {"edit_text", "page", "step", "copy"}
"""Actions whose keys are letters; disabled while a text field has the focus."""


class TokenizerPane(Pane):
    """Has the text and its settings; the page in front draws their analysis, a ``Playground``."""

    KEYS_HELP: ClassVar = MIGRATION_NOTES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_special", "special tokens on/off", show=False),
        Binding("ctrl+l", "max_length", "max_length", show=False),
        Binding("slash", "edit_text", "edit text", key_display="/"),
        Binding("ctrl+o", "toggle_split", "typed [SEP] as text / as special token", show=False),
        Binding("ctrl+n", "next_page", "next page", show=False),
        *(Binding(key, f"page('{name}')", f"page {name}", show=False) for name, (key, _) in PAGES.items()),
        Binding("n", "step(1)", "next review", show=False),
        Binding("N", "step(-1)", "previous review", show=False, key_display="N"),
        Binding("y", "copy('ids')", "copy the ids", show=False),
        Binding("Y", "copy('tokens')", "copy the tokens", show=False, key_display="Y"),
        Binding("ctrl+y", "copy('json')", "copy all as JSON", show=False),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self._tokenizer: Tokenizer | None = None
        self._origin = "looking for the tokenizer …"
        self._settings = Settings()
        self._playground: Playground | None = None
        self._data = Data()
        self._review_text, self._review_label = "", ""
        self._number = 0
        self._threads = PlaygroundThreads(self.post_message)

    def compose(self) -> ComposeResult:
        yield SourceText(FIRST_TEXT, id="text", hint="type a sentence, or paste a review")
        yield PageBar([PageName(key, name) for name, (key, _) in PAGES.items()])
        with Horizontal(id="token-settings"):
            yield Lines(id="token-summary")
            yield Label(" ^l max_length ")
            yield Field("", id="max-length", placeholder="none", compact=True, restrict=r"[0-9]*", max_length=3)
        yield PageStack(id="token-pages")

    def on_mount(self) -> None:
        self._show_summary(self._origin)
        self._threads.find_tokenizer()

    def on_tokenizer_ready(self, message: TokenizerReady) -> None:
        self._tokenizer = message.tokenizer
        self._origin = message.origin.describe() if message.origin else message.error
        self._refresh()

    # From text to playground

    @on(SourceText.Changed)
    def _typed(self, event: SourceText.Changed) -> None:
        if self.query_one(SourceText).text != self._review_text:
            self._review_label = ""
        self._refresh()

    @on(Input.Changed, "#max-length")
    def _length_typed(self, event: Input.Changed) -> None:
        number = int(event.value) if event.value else None
        valid = number is None or 3 <= number <= 512
        event.input.set_class(not valid, "invalid")
        if valid:
            self._set(max_length=number)
        else:
            self._summarise("✗ max_length must be between 3 and 512")

    def _set(self, **changes: object) -> None:
        self._settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        self._refresh()

    def _refresh(self) -> None:
        """Analyse the text. A long text is analysed in a thread, of which only the newest answer is used."""
        tokenizer = self._tokenizer
        if tokenizer is None:
            self._show_summary(self._origin)
            return
        self._number += 1
        text = self.query_one(SourceText).text
        origin, settings, data, number = self._origin, self._settings, self._data, self._number
        if len(text) <= SMALL:
            before = self._playground.stages if self._playground else ()
            self._take(analyse(tokenizer, origin, text, settings, data, before))
            # Stages take longer than all the rest: the text and its tokens are drawn first.
            self.set_timer(0.02, lambda: self._add_stages(number))
            return

        self._threads.encode(number, lambda: analyse(tokenizer, origin, text, settings, data))
        self._show_progress(f"encoding {len(text):,} characters …")

    def _add_stages(self, number: int) -> None:
        """Add the stages, unless another key was pressed first."""
        if number == self._number and self._playground is not None:
            self._playground = self._playground.with_stages()
            self._pages.current.show_stages(self._playground)

    def on_playground_ready(self, message: PlaygroundReady) -> None:
        if message.number == self._number:
            self._take(message.playground.with_data(self._data))

    def _take(self, playground: Playground) -> None:
        source, tokens = self.query_one(SourceText), self.query_one(TokensPage)
        first, self._playground = self._playground is None, playground
        with self.app.batch_update():
            if source.has_focus or first:
                self._follow_caret(source.caret)
            span = self._span(min(tokens.position, max(len(playground.encoding.tokens) - 1, 0)))
            source.paint(playground.tints, span)
            self._show()
            self._summarise()
        self._show_progress("")

    def _show_progress(self, message: str) -> None:
        hint = "esc + letter" if isinstance(self.app.focused, SourceText) else ""
        self.query_one(PageBar).show(self._pages.name_in_front, message or hint)

    def _show(self) -> None:
        """Draw the page in front; the others are drawn when they are shown."""
        if self._playground is not None:
            self._pages.current.show(self._playground)

    def _summarise(self, problem: str = "") -> None:
        parts = [problem] if problem else []
        if self._playground is not None:
            parts += self._playground.summary()
        if self._review_label:
            parts.append(self._review_label)
        self._show_summary(" · ".join(parts))

    def _show_summary(self, summary: str) -> None:
        self.query_one("#token-summary", Lines).show(Text(printable(summary)))

    # The selected token: in the table, in the text, in the stages

    def _follow_caret(self, caret: int) -> None:
        """Select the token before the caret."""
        if self._playground is not None:
            self.query_one(TokensPage).take_tokens(self._playground, self._playground.position_before(caret))

    def _span(self, position: int) -> tuple[int, int]:
        """Return the span of a token in the text, and mark it in the playground."""
        if self._playground is None or position >= len(self._playground.encoding.tokens):
            return 0, 0
        token = self._playground.encoding.tokens[position]
        self._playground = self._playground.with_mark(token.start, token.end)
        return token.start, token.end

    def _mark(self, position: int, *, scroll: bool = False) -> None:
        self.query_one(SourceText).mark(*self._span(position), scroll=scroll)

    @on(SourceText.CaretMoved)
    def _caret_moved(self, event: SourceText.CaretMoved) -> None:
        self._follow_caret(event.index)
        self._mark(self.query_one(TokensPage).position)
        self._show()

    @on(TokensPage.TokenChosen)
    def _token_chosen(self, event: TokensPage.TokenChosen) -> None:
        self._mark(event.position, scroll=True)
        if self._playground is not None:
            self.query_one(TokensPage).draw_mark(self._playground)

    # Pages

    @property
    def _pages(self) -> PageStack:
        return self.query_one(PageStack)

    async def action_page(self, name: str) -> None:
        """Show a page; it is created the first time."""
        page = await self._pages.go(name)
        if page.needs_data:
            self._read_reviews()
        self._show()
        if isinstance(page, ComparePage) and page.other is None:
            page.request_other()
        if not isinstance(self.app.focused, SourceText):
            self.screen.set_focus(page.main_widget())
        self._show_progress("")

    async def action_next_page(self) -> None:
        await self.action_page(self._pages.next_name())

    @on(PageBar.Chosen)
    async def _page_clicked(self, event: PageBar.Chosen) -> None:
        await self.action_page(event.name)

    @on(BatchPage.SideToggled)
    def _other_side(self) -> None:
        self._set(side="left" if self._settings.side == "right" else "right")

    @on(ComparePage.OtherRequested)
    def _other_requested(self, event: ComparePage.OtherRequested) -> None:
        page = self.query_one(ComparePage)
        if self._tokenizer is None:
            page.set_other(None, self._origin)
            return
        page.set_other(None, f"opening {event.name} …")
        tokenizer, name = self._tokenizer, event.name
        self._threads.open_other(tokenizer, name)

    def on_other_tokenizer_ready(self, message: OtherTokenizerReady) -> None:
        self.query_one(ComparePage).set_other(message.tokenizer, message.note)
        self._measure_other()

    def _measure_other(self) -> None:
        """Measure the reviews with the other tokenizer, once both are available."""
        pages = self.query(ComparePage)
        other = pages.first().other if pages else None
        if other is not None and self._data.is_measured:
            self._threads.measure_with(other, self._data.reviews)

    def on_other_measured(self, message: OtherMeasured) -> None:
        page = self.query_one(ComparePage)
        if page.other is message.tokenizer:
            page.set_measured(message.measured)

    def _read_reviews(self) -> None:
        """Read and measure the data set, when a page first needs it."""
        if self._tokenizer is not None:
            self._threads.read_reviews(self.console.data or "auto", self._tokenizer)

    def on_reviews_measured(self, message: ReviewsMeasured) -> None:
        self._data = message.data
        if self._playground is not None:
            self._playground = self._playground.with_data(message.data)
            if self._pages.current.needs_data:
                self._show()
        if message.data.is_measured:
            self._measure_other()

    @on(ReviewsPage.Opened)
    def _review_opened(self, event: ReviewsPage.Opened) -> None:
        self.show_text(event.text, event.label)

    def show_text(self, text: str, label: str) -> None:
        """Replace the text; ``label`` is shown until it is edited."""
        source = self.query_one(SourceText)
        source.set_text(text)
        self._review_text, self._review_label = source.text, label

    # Keys

    def activate(self) -> None:
        self.screen.set_focus(self.query_one(SourceText))

    def leave_field(self) -> None:
        self.screen.set_focus(self._pages.current.main_widget())
        self._show_progress("")

    def on_descendant_focus(self) -> None:
        if not self._threads.is_encoding:
            self._show_progress("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Disable the letter keys while a text field has the focus."""
        typing = isinstance(self.app.focused, (Input, SourceText))
        return not (typing and action in _LETTER_ACTIONS and parameters != ("json",))

    def action_edit_text(self) -> None:
        self.screen.set_focus(self.query_one(SourceText))

    def action_max_length(self) -> None:
        self.screen.set_focus(self.query_one("#max-length", Input))

    def action_toggle_special(self) -> None:
        self._set(add_special_tokens=not self._settings.add_special_tokens)

    def action_toggle_split(self) -> None:
        self._set(split_special_tokens=not self._settings.split_special_tokens)

    async def action_step(self, by: int) -> None:
        """Open the next or previous review in the order of the Reviews page."""
        page = await self._pages.create("reviews")
        self._read_reviews()
        if not self._data.reviews or self._playground is None:
            self.notify(self._data.status())
            return
        assert isinstance(page, ReviewsPage)
        page.show(self._playground)
        page.step(by)

    def action_copy(self, what: str) -> None:
        """Copy to the clipboard, through the terminal (OSC 52)."""
        if self._playground is None:
            return
        labels = {"ids": "ids", "tokens": "tokens", "json": "tokens as JSON"}
        encoding, copied = self._playground.encoding, self._playground.to_copy(what)
        self.app.copy_to_clipboard(copied)
        self.notify(f"Copied {len(encoding.tokens):,} {labels[what]}.")
