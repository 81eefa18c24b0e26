"""One review with its prediction: the whole text, how much of it the model reads, and what its words contribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from core.formatting import counted
from tui.panes.results.attribution import METHOD_NAMES, tints_of, words_lines
from tui.panes.results.label_marks import LABELS
from tui.panes.results.page import Page, failed
from tui.widgets.lines import Lines
from tui.widgets.tinted_text import TintedText
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.attribution import Attribution, Method
    from core.analysis.errors import ListedError

BROAD = 100
"""From this width of a page on, a review is beside the list."""
REST_S = 0.15
"""How long the cursor rests on a review before its words are attributed."""


class ReviewPanel(Vertical):
    """Shows a review of ``page``; its words are tinted when the cursor has rested on it for a moment."""

    def __init__(self, page: Page) -> None:
        super().__init__(id="errors-right")
        self._page = page
        self._shown: ListedError | None = None
        self._method: Method = next(iter(METHOD_NAMES))
        self._attributed: dict[tuple[int, str], Attribution] = {}
        self._delayed: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="errors-head", markup=False)
        yield TintedText(id="errors-text")
        yield Lines(id="errors-words")

    @property
    def attribution(self) -> Attribution | None:
        """The effects of the words that are shown; None while they are not known."""
        return self._attributed.get((self._shown.row, self._method)) if self._shown is not None else None

    def forget(self) -> None:
        """Forget the attributions: they are those of another model or of other reviews."""
        self._attributed.clear()

    def show(self, found: ListedError | None) -> None:
        """Show another review; None shows nothing."""
        self._shown = found
        self._show_words()
        if self._delayed is not None:
            self._delayed.stop()
        if found is None:
            self.query_one("#errors-head", Static).update("")
            self.query_one(TintedText).show("")
            return
        self._show_head(found, "")
        self.query_one(TintedText).show(found.text)
        self._read_tokens(found)
        if (found.row, self._method) in self._attributed:
            self._show_attribution((found, self._attributed[found.row, self._method]))
        else:
            self._delayed = self.set_timer(REST_S, self._attribute)

    def next_method(self) -> None:
        """Compute the effects of the words by the next method."""
        names = list(METHOD_NAMES)
        self._method = names[(names.index(self._method) + 1) % len(names)]
        self.show(self._shown)

    def _show_head(self, found: ListedError, tokens: str) -> None:
        parts = [
            f"label {LABELS[found.label]}",
            f"P(pos) {found.probability:.3f}",
            f"loss {found.loss:.2f}",
            *([tokens] if tokens else []),
            f"row {found.id}",
        ]
        self.query_one("#errors-head", Static).update(Text(" · ".join(parts), style="bold"))

    # Tokens

    def _read_tokens(self, found: ListedError) -> None:
        """Find out in a thread how much of the review the model reads."""
        data = self._page.data

        def work(_: Inspection) -> Any:
            from core.tokenization.encode import encode

            resolved = data.resolved()
            settings = resolved.target.config.data
            length = min(settings.max_length, resolved.encoder.max_position_embeddings)
            encoding = encode(
                resolved.tokenizer, found.text, add_special_tokens=settings.add_special_tokens, max_length=length
            )
            end = max((token.end for token in encoding.tokens), default=0)
            return found, len(encoding.tokens), encoding.full_length, end

        self._page.compute(work, self._show_tokens, failed=lambda _: None)

    def _show_tokens(self, result: tuple[ListedError, int, int, int]) -> None:
        found, read, full, end = result
        if self._shown is not found:  # the cursor has moved on
            return
        cut = full - read
        self._show_head(found, counted(full, "token") + (f", {cut:,} cut" if cut else ""))
        if cut:
            self.query_one(TintedText).mark_cut(end, f"the model does not read the last {counted(cut, 'token')}")

    # Words

    def _attribute(self) -> None:
        """Compute what each word of the review contributes."""
        found, data, method = self._shown, self._page.data, self._method
        if found is None or not found.text.strip():
            return

        def work(inspection: Inspection) -> Any:
            from core.analysis.attribution import attribute

            scorer = data.scorer()
            inspection()

            def progress(done: int, total: int) -> None:
                inspection.report(f"{done:,} of {total:,} forward passes")

            return found, attribute(scorer, found.text, method, inspection, progress)

        self._show_words(Text(f"{METHOD_NAMES[method]}: computing …", style="dim"))
        self._page.compute(
            work, self._show_attribution, heavy=True, failed=lambda message: self._show_words(failed(message))
        )

    def show_progress(self, progress: str) -> None:
        """Show the progress of the attribution."""
        if progress:
            self._show_words(Text(f"{METHOD_NAMES[self._method]}: {progress} · escape cancels", style="dim"))

    def show_cancelled(self) -> None:
        """Say that the attribution was cancelled."""
        self._show_words(Text("cancelled · a computes it by another method", style="dim"))

    def _show_words(self, *lines: Text) -> None:
        self.query_one("#errors-words", Lines).show(*lines)

    def _show_attribution(self, result: tuple[ListedError, Attribution]) -> None:
        found, attribution = result
        self._attributed[found.row, attribution.method] = attribution
        if self._shown is found and attribution.method == self._method:
            self.query_one(TintedText).tint(tints_of(attribution))
            self._show_words(*words_lines(attribution, self.query_one("#errors-words").size.width - 2))


def start_of(text: str) -> str:
    """The start of a review for one line, longer than any line."""
    return text[:400].replace("<br />", " ")
