"""The tokenizer playground: a text on top, tinted as it is typed, and below it pages that tell what became of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Input, Label

from core.formatting import printable
from core.tokenization.migration_notes import OLD_WAYS
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
from tui.panes.tokenizer.page import Page
from tui.panes.tokenizer.reviews import ReviewsPage
from tui.panes.tokenizer.stages import StagesPage
from tui.panes.tokenizer.state import SMALL, Data, Playground, Settings, work_out
from tui.panes.tokenizer.tokens import TokensPage
from tui.panes.tokenizer.vocabulary import VocabularyPage
from tui.panes.tokenizer.work import find_tokenizer, measure_reviews, measure_with, open_other
from tui.widgets.field import Field
from tui.widgets.lines import Lines
from tui.widgets.page_bar import PageBar, PageName
from tui.widgets.source_text import SourceText
from tui.workers.latest import Latest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tui.panes.pane import Console

FIRST_TEXT = "hello my name is kevin"
PAGES: dict[str, tuple[str, type[Page]]] = {
    "tokens": ("t", TokensPage),
    "stages": ("s", StagesPage),
    "batch": ("b", BatchPage),
    "vocabulary": ("v", VocabularyPage),
    "compare": ("c", ComparePage),
    "reviews": ("r", ReviewsPage),
}
_TYPED = {"type", "page", "step", "copy"}
"""Actions whose keys are letters, and mean themselves while something is typed."""


class TokenizerPane(Pane):
    """Holds the text and its settings; the page in front draws what ``tokenizer_pages.state.work_out`` found."""

    KEYS_HELP: ClassVar = OLD_WAYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_special", "special tokens on/off", show=False),
        Binding("ctrl+l", "max_length", "max_length", show=False),
        Binding("slash", "type", "type", key_display="/"),
        Binding("ctrl+o", "toggle_split", "a typed [SEP] is text / is the real one", show=False),
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
        self._page = "tokens"
        self._data = Data()
        self._data_asked = False
        self._source = ""
        self._number = 0
        self._encoder, self._measurer = Latest("encoder"), Latest("other tokenizer")

    def compose(self) -> ComposeResult:
        yield SourceText(FIRST_TEXT, id="text", hint="type a sentence, or paste a review")
        yield PageBar([PageName(key, name) for name, (key, _) in PAGES.items()])
        with Horizontal(id="token-settings"):
            yield Lines(id="token-summary")
            yield Label(" ^l max_length ")
            yield Field("", id="max-length", placeholder="none", compact=True, restrict=r"[0-9]*", max_length=3)
        with Container(id="token-pages"):
            yield TokensPage(id="page-tokens")

    def on_mount(self) -> None:
        self._say(self._origin)
        threading.Thread(target=find_tokenizer, args=(self.post_message,), name="tokenizer", daemon=True).start()

    def on_tokenizer_ready(self, message: TokenizerReady) -> None:
        self._tokenizer = message.tokenizer
        self._origin = message.origin.words() if message.origin else message.error
        self._refresh()

    # From text to playground

    @on(SourceText.Changed)
    def _typed(self, event: SourceText.Changed) -> None:
        self._source = self._source.removeprefix("✓") if self._source.startswith("✓") else ""
        self._refresh()

    @on(Input.Changed, "#max-length")
    def _length_typed(self, event: Input.Changed) -> None:
        number = int(event.value) if event.value else None
        valid = number is None or 3 <= number <= 512
        event.input.set_class(not valid, "invalid")
        if valid:
            self._set(max_length=number)
        else:
            self._summarise("✗ max_length is between 3 and 512")

    def _set(self, **changes: object) -> None:
        self._settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        self._refresh()

    def _refresh(self) -> None:
        """Works the text out, a long one in a thread of which only the newest answer counts."""
        tokenizer = self._tokenizer
        if tokenizer is None:
            self._say(self._origin)
            return
        self._number += 1
        text = self.query_one(SourceText).text
        origin, settings, data, number = self._origin, self._settings, self._data, self._number
        if len(text) <= SMALL:
            before = self._playground.stages if self._playground else ()
            self._take(work_out(tokenizer, origin, text, settings, data, before))
            # Stages take longer than all the rest: text and table are on the screen before they are worked out.
            self.set_timer(0.02, lambda: self._add_stages(number))
            return

        def work() -> None:
            self.post_message(PlaygroundReady(work_out(tokenizer, origin, text, settings, data), number))

        self._encoder.submit(work)
        self._progress(f"encoding {len(text):,} characters …")

    def _add_stages(self, number: int) -> None:
        """After the text and its tokens, unless another key came first."""
        if number == self._number and self._playground is not None:
            self._playground = self._playground.with_stages()
            self.query_one(f"#page-{self._page}", Page).show_stages(self._playground)

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
        self._progress("")

    def _progress(self, words: str) -> None:
        hint = "esc + letter" if isinstance(self.app.focused, SourceText) else ""
        self.query_one(PageBar).show(self._page, words or hint)

    def _show(self) -> None:
        """Hands the playground to the page in front; the others get it when they are seen."""
        if self._playground is not None:
            self.query_one(f"#page-{self._page}", Page).show(self._playground)

    def _summarise(self, problem: str = "") -> None:
        parts = [problem] if problem else []
        if self._playground is not None:
            parts += self._playground.summary()
        if self._source:
            parts.append(self._source)
        self._say(" · ".join(parts))

    def _say(self, words: str) -> None:
        self.query_one("#token-summary", Lines).show(Text(printable(words)))

    # The cursor: in the table, in the text, in the stages

    def _follow_caret(self, caret: int) -> None:
        """Puts the table's cursor on the token before the caret."""
        if self._playground is not None:
            self.query_one(TokensPage).take_tokens(self._playground, self._playground.position_before(caret))

    def _span(self, position: int) -> tuple[int, int]:
        """The source characters of a token, which the playground keeps as its mark."""
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

    async def action_page(self, name: str) -> None:
        """Puts a page in front; it is built the first time."""
        typing = isinstance(self.app.focused, SourceText)
        if not self.query(f"#page-{name}"):
            await self.query_one("#token-pages").mount(PAGES[name][1](id=f"page-{name}"))
        self._page = name
        for page in self.query(Page):
            page.display = page.id == f"page-{name}"
        page = self.query_one(f"#page-{name}", Page)
        if page.needs_data:
            self._need_data()
        self._show()
        if isinstance(page, ComparePage) and page.other is None:
            page.ask()
        if not typing:
            self.screen.set_focus(page.main_widget())
        self._progress("")

    async def action_next_page(self) -> None:
        names = list(PAGES)
        await self.action_page(names[(names.index(self._page) + 1) % len(names)])

    @on(PageBar.Chosen)
    async def _page_clicked(self, event: PageBar.Chosen) -> None:
        await self.action_page(event.name)

    @on(BatchPage.SideAsked)
    def _other_side(self) -> None:
        self._set(side="left" if self._settings.side == "right" else "right")

    @on(ComparePage.OtherAsked)
    def _other_asked(self, event: ComparePage.OtherAsked) -> None:
        page = self.query_one(ComparePage)
        if self._tokenizer is None:
            page.take_other(None, self._origin)
            return
        page.take_other(None, f"opening {event.name} …")
        tokenizer, name = self._tokenizer, event.name
        self._measurer.submit(lambda: self.post_message(open_other(tokenizer, name)))

    def on_other_tokenizer_ready(self, message: OtherTokenizerReady) -> None:
        self.query_one(ComparePage).take_other(message.tokenizer, message.note)
        self._measure_other()

    def _measure_other(self) -> None:
        """Once both are there: the reviews as the other tokenizer of the Compare page sees them."""
        pages = self.query(ComparePage)
        other = pages.first().other if pages else None
        if other is not None and self._data.is_measured:
            reviews = self._data.reviews
            self._measurer.submit(lambda: measure_with(other, reviews, self.post_message, self._measurer))

    def on_other_measured(self, message: OtherMeasured) -> None:
        page = self.query_one(ComparePage)
        if page.other is message.tokenizer:
            page.take_measured(message.measured)

    def _need_data(self) -> None:
        """Reads and measures the current data set, once, when a page first wants it."""
        if self._data_asked or self._tokenizer is None:
            return
        self._data_asked = True
        source, tokenizer = self.console.data or "auto", self._tokenizer
        threading.Thread(
            target=measure_reviews, args=(source, tokenizer, self.post_message), name="reviews", daemon=True
        ).start()

    def on_reviews_measured(self, message: ReviewsMeasured) -> None:
        self._data = message.data
        if self._playground is not None:
            self._playground = self._playground.with_data(message.data)
            if self.query_one(f"#page-{self._page}", Page).needs_data:
                self._show()
        if message.data.is_measured:
            self._measure_other()

    @on(ReviewsPage.Taken)
    def _review_taken(self, event: ReviewsPage.Taken) -> None:
        self._source = f"✓{event.words}"
        self.query_one(SourceText).set_text(event.text)

    # Keys

    def activate(self) -> None:
        self.screen.set_focus(self.query_one(SourceText))

    def leave_field(self) -> None:
        self.screen.set_focus(self.query_one(f"#page-{self._page}", Page).main_widget())
        self._progress("")

    def on_descendant_focus(self) -> None:
        if not self._encoder.is_busy:
            self._progress("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """While text is typed, a letter is a letter like any other."""
        typing = isinstance(self.app.focused, (Input, SourceText))
        return not (typing and action in _TYPED and parameters != ("json",))

    def action_type(self) -> None:
        self.screen.set_focus(self.query_one(SourceText))

    def action_max_length(self) -> None:
        self.screen.set_focus(self.query_one("#max-length", Input))

    def action_toggle_special(self) -> None:
        self._set(add_special_tokens=not self._settings.add_special_tokens)

    def action_toggle_split(self) -> None:
        self._set(split_special_tokens=not self._settings.split_special_tokens)

    async def action_step(self, by: int) -> None:
        """The next or previous review of the Reviews page's order, from whatever page one is on."""
        if not self.query(ReviewsPage):
            reviews = ReviewsPage(id="page-reviews")
            reviews.display = False
            await self.query_one("#token-pages").mount(reviews)
        self._need_data()
        if not self._data.reviews or self._playground is None:
            self.notify(self._data.words())
            return
        page = self.query_one(ReviewsPage)
        page.show(self._playground)
        page.step(by)

    def action_copy(self, what: str) -> None:
        """To the clipboard, by the terminal (OSC 52)."""
        if self._playground is None:
            return
        encoding, copied = self._playground.encoding, self._playground.to_copy(what)
        self.app.copy_to_clipboard(copied)
        self.notify(f"copied: {what} of {len(encoding.tokens):,} tokens")
