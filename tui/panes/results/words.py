"""Words: what each word does to the predictions on average, beside its weight in a bag of words."""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from core.formatting import counted
from tui.panes.results.page import Page, failed
from tui.widgets.cells import one_line
from tui.widgets.field import Field
from tui.widgets.rows import Rows
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.word_effects import WordEffects, WordTotal
    from tui.panes.results.pane import ResultsPane

    _Row = tuple[str, WordTotal | None, float | None]

REVIEWS, PER_REVIEW = 100, 24
"""How many reviews are measured, and how many random words of each."""
LEAST = 3
"""Words that occur less often are left out."""
HEAVIEST = 100
"""Words of the bag of words that are listed before the model is measured."""
ORDERS = ("effect", "count", "disagreement")


class WordsPage(Page):
    """Before the model is measured, the heaviest words of a bag of words; then both side by side."""

    title = "Words"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "measure", "measure the model"),
        Binding("x", "stop", "stop", show=False),
        Binding("o", "sort", "sort by the next column"),
        Binding("slash", "find", "find", key_display="/"),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._coefficients: dict[str, float] = {}
        self._effects: WordEffects | None = None
        self._rows: list[_Row] = []
        self._order = ORDERS[0]
        self._stop: threading.Event | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="words-line", markup=False)
        yield Field("", id="words-find", placeholder="part of a word", compact=True)
        yield Rows(id="words-rows")

    def on_mount(self) -> None:
        self.query_one("#words-find").display = False

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    def show_data(self) -> None:
        self._effects, self._coefficients = None, {}
        data = self.data

        def work(_: Inspection) -> Any:
            from core.analysis.bag_of_words import fit_bag_of_words

            reviews = data.run_reviews()
            labels = [reviews.reviews[row].label for row in reviews.train]
            found = fit_bag_of_words(reviews.texts(reviews.train), labels).by_word()
            return dict(sorted(found.items(), key=lambda pair: -abs(pair[1])))  # sorted here and not at each key

        self._say("fitting a bag of words on the training reviews …")
        self.main_widget().show_rows(0, self._row, empty="")
        self.compute(work, self._fitted, heavy=True)

    def _say(self, text: str | Text) -> None:
        self.query_one("#words-line", Static).update(text)

    def _fitted(self, coefficients: dict[str, float]) -> None:
        self._coefficients = coefficients
        self.refresh_bindings()
        self._say("The heaviest words of a bag of words, fitted on the training reviews. n measures the model's own.")
        self._list()

    # The model's own words

    def action_measure(self) -> None:
        """Measure the mean effect of the words of the reviews, by leaving each out."""
        data, coefficients, stop = self.data, self._coefficients, threading.Event()
        self._stop = stop

        def work(inspection: Inspection) -> Any:
            from core.analysis.word_effects import overall_word_effects

            scorer, texts = data.scorer(), data.texts()[:REVIEWS]

            def is_stopped() -> bool:
                inspection()
                return stop.is_set()

            def progress(done: int, total: int) -> None:
                inspection.report(f"{done:,} of {total:,} reviews · x stops and keeps these · escape cancels")

            return overall_word_effects(
                scorer, texts, coefficients, per_review=PER_REVIEW, on_progress=progress, is_stopped=is_stopped
            )

        self._say("measuring …")
        self.compute(work, self._measured, heavy=True)

    def action_stop(self) -> None:
        """Stop measuring, and show what was measured."""
        if self._stop is not None:
            self._stop.set()

    def _measured(self, found: WordEffects) -> None:
        self._effects, self._stop = found, None
        self._say(
            f"Mean change of the logit by a word, from {counted(found.done, 'review')} with up to {PER_REVIEW} random "
            f"words each; words measured fewer than {LEAST} times are left out."
        )
        self._list()
        self.refresh_bindings()

    def show_cancelled(self) -> None:
        self._say("cancelled · n measures the model's words")

    def show_message(self, message: str) -> None:
        self._say(failed(message))

    # The list

    def _list(self) -> None:
        wanted = self.query_one("#words-find", Input).value.casefold()
        if self._effects is None:
            heaviest = list(islice((word for word in self._coefficients if wanted in word), HEAVIEST))
            found: list[_Row] = [(word, None, self._coefficients[word]) for word in heaviest]
        else:
            found = [(one.word, one, one.coefficient) for one in self._frequent() if wanted in one.word]
            found.sort(key=self._key)
        self._rows = found
        order_name = self._order if self._effects is not None else "bag of words"
        header = Text(
            f"{'word':<20}{'mean effect':>13}{'count':>7}{'bag of words':>13}  sorted by {order_name}",
            style="dim",
        )
        self.main_widget().show_rows(len(found), self._row, row=0, header=header, empty="no word matches")

    def _frequent(self) -> list[WordTotal]:
        """The words that were measured often enough, without punctuation."""
        assert self._effects is not None
        return [one for one in self._effects.frequent(LEAST) if any(char.isalnum() for char in one.word)]

    def _key(self, row: _Row) -> float:
        _, total, coefficient = row
        assert total is not None
        if self._order == "count":
            return -total.count
        if self._order == "disagreement":
            return total.mean_effect * coefficient if coefficient is not None else 0.0
        return -abs(total.mean_effect)

    def _row(self, row: int) -> Text:
        word, total, coefficient = self._rows[row]
        effect = f"{total.mean_effect:+.3f}".replace("-", "−") if total is not None else "–"
        count = f"{total.count:,}" if total is not None else "–"
        weight = f"{coefficient:+.2f}".replace("-", "−") if coefficient is not None else "–"
        positive = total.mean_effect > 0 if total is not None else (coefficient or 0.0) > 0
        name = one_line(word)[:19]
        line = Text.assemble((name, "bold" if positive else "underline"), " " * (20 - len(name)))
        line.append(f"{effect:>13}{count:>7}{weight:>13}")
        if total is not None and coefficient is not None and total.mean_effect * coefficient < 0:
            line.append("  ≠")
        return line

    def action_sort(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._list()

    def action_find(self) -> None:
        field = self.query_one("#words-find")
        field.display = True
        self.screen.set_focus(field)

    @on(Input.Changed, "#words-find")
    def _typed(self) -> None:
        self._list()

    @on(Input.Submitted, "#words-find")
    def _found(self) -> None:
        self.screen.set_focus(self.main_widget())

    def escape(self) -> bool:
        """Show all words again."""
        field = self.query_one("#words-find", Input)
        if not field.display:
            return False
        field.value, field.display = "", False
        self._list()
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Sort only what was measured, and measure only after the bag of words is fitted."""
        return (action != "sort" or self._effects is not None) and (action != "measure" or bool(self._coefficients))
