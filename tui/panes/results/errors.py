"""Errors: the reviews that the model predicts wrongly, the largest loss first, and the whole review beside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Input, Static

from core.errors import InputError
from core.formatting import percent, printable
from tui.panes.results.error_filter import CELLS, Filter
from tui.panes.results.label_marks import (
    DECISION_SIGNS,
    DECISIONS,
    LABELS,
    answers_for,
    counts_text,
    store_decision,
    stored_decisions,
)
from tui.panes.results.page import Page, failed
from tui.panes.results.review_panel import BROAD, ReviewPanel, start_of
from tui.screens.choose import Choose
from tui.screens.confirm import Ask
from tui.widgets.cells import one_line
from tui.widgets.field import Field
from tui.widgets.rows import Rows
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from core.analysis.errors import ListedError
    from core.analysis.slices import SliceResult
    from core.data.corrections import Decision
    from tui.panes.results.pane import ResultsPane

_SIGNS = ("neg", "pos")


class ErrorRows(Rows):
    """The list of reviews."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "to the Tokenizer")]


class ErrorsPage(Page):
    """The list at the left or on top; the review under the cursor beside or below it."""

    title = "Errors"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cell(1)", "other cell"),
        Binding("X", "cell(-1)", "previous cell", show=False),
        Binding("slash", "find", "find", key_display="/"),
        Binding("g", "choose_slice", "slice"),
        Binding("a", "method", "method"),
        Binding("m", "mark", "mark the label"),
        Binding("T", "try_it", "to Try", show=False, key_display="T"),
        Binding("y", "copy", "copy the review", show=False),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._filter = Filter()
        self._listed: list[ListedError] = []
        self._described = ""
        self._decisions: dict[int, Decision] = {}
        """The user's decisions about labels, by the row of the review in the run's source."""

    def compose(self) -> ComposeResult:
        yield Static(id="errors-line", markup=False)
        yield Field("", id="errors-find", placeholder="part of the text", compact=True)
        with Container(id="errors-body"):
            yield ErrorRows(id="errors-rows")
            yield ReviewPanel(self)

    def on_mount(self) -> None:
        self.query_one("#errors-find").display = False

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    @property
    def _panel(self) -> ReviewPanel:
        return self.query_one(ReviewPanel)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= BROAD, "broad")

    def current_text(self) -> str:
        return self.current.text if self.current is not None else ""

    # The list

    def show_data(self) -> None:
        self._filter = replace(Filter(), cell=self._filter.cell)
        self._panel.forget()
        self._list()

    def activate(self) -> None:
        """Attribute the words of the review under the cursor, which :meth:`leave` has cancelled."""
        known = self.shown is self.pane.data
        super().activate()
        if known and self._listed:
            self._show_review()

    def leave(self) -> None:
        self.pane.work.cancel(self)

    def list_cell(self, cell: str | None) -> None:
        """List the reviews in one cell of the confusion matrix; None lists all errors."""
        self._set(Filter(cell=cell))

    def list_slice(self, name: str) -> None:
        """List the errors in a slice."""
        self._set(Filter(slice_name=name))

    def list_only(self, ids: frozenset[int], name: str) -> None:
        """List the errors among the reviews ``ids``, which ``name`` describes."""
        self._set(Filter(only=ids, only_name=name))

    def _set(self, wanted: Filter) -> None:
        if wanted != self._filter:
            self._filter = wanted
            self._list()

    def _list(self) -> None:
        data, wanted = self.data, self._filter

        def work(_: Inspection) -> Any:
            import numpy as np

            from core.analysis.errors import errors
            from core.analysis.slices import members

            predictions = data.predictions()
            problem = ""
            try:
                texts = data.texts()
            except InputError as error:
                texts, problem = [""] * len(predictions), str(error)
            chosen: NDArray[np.bool_] | None = None
            if wanted.only is not None:
                chosen = np.isin(predictions.ids, list(wanted.only))
            if wanted.slice_name and not problem:
                lengths, max_length = data.token_counts()
                inside = members(wanted.slice_name, texts, lengths, max_length)
                chosen = inside if chosen is None else chosen & inside
            listed = errors(predictions, texts, wanted.cell, chosen=chosen, containing=wanted.containing)
            return wanted, listed, problem, stored_decisions(data)

        self._say("reading the reviews …")
        self.compute(work, self._show_list)

    def _say(self, message: str) -> None:
        self.query_one("#errors-line", Static).update(printable(message))

    def _describe(self) -> None:
        """Show what is listed, and how many labels are marked."""
        marked = counts_text(self._decisions)
        self._say(f"{self._described} · {marked}" if marked else self._described)

    def _show_list(self, result: Any) -> None:
        wanted, self._listed, problem, self._decisions = result
        sorting = "largest loss first" if not problem else f"✗ the reviews cannot be read: {problem}"
        self._described = f"{wanted.describe(len(self._listed))} · {sorting}"
        self._describe()
        number = len(f"{len(self._listed):,}")
        header = Text(f"{'':{number}}  label  P(pos)  review", style="dim")
        self.main_widget().show_rows(
            len(self._listed),
            lambda row: self._row(row, number),
            row=0,
            header=header,
            empty="no review matches; escape shows all errors",
        )
        self._show_review()

    def _row(self, row: int, width: int) -> Text:
        found = self._listed[row]
        line = Text(f"{row + 1:>{width},}  ", style="dim")
        line.append(prediction_text(found, DECISION_SIGNS.get(self._decisions.get(found.id), " ")), style="not dim")
        line.append(one_line(start_of(found.text)), style="not dim")
        return line

    # The review

    @property
    def current(self) -> ListedError | None:
        """The review under the cursor."""
        return self._listed[self.main_widget().row] if self._listed else None

    @on(Rows.Highlighted, "#errors-rows")
    def _show_review(self) -> None:
        self._panel.show(self.current)

    def show_progress(self, progress: str) -> None:
        self._panel.show_progress(progress)

    def show_cancelled(self) -> None:
        self._panel.show_cancelled()

    def action_method(self) -> None:
        """Compute the effects of the words by the next method."""
        self._panel.next_method()

    async def action_try_it(self) -> None:
        """Take the review to Try."""
        if (found := self.current) is not None:
            page = await self.pane.show_page("Try")
            page.take_text(found.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Only a review can be marked or tried, and only where there is that page."""
        return action != "try_it" or self.pane.has_page("Try")

    # Keys

    def escape(self) -> bool:
        """Show all errors again."""
        if self._filter == Filter():
            return False
        self._clear_find()
        self._set(Filter())
        return True

    def _clear_find(self) -> None:
        field = self.query_one("#errors-find", Input)
        with field.prevent(Input.Changed):
            field.value = ""
        field.display = False

    def action_cell(self, step: int) -> None:
        """List the next cell of the confusion matrix."""
        place = (CELLS.index(self._filter.cell) + step) % len(CELLS)
        self._set(replace(self._filter, cell=CELLS[place]))

    def action_find(self) -> None:
        field = self.query_one("#errors-find")
        field.display = True
        self.screen.set_focus(field)

    @on(Input.Changed, "#errors-find")
    def _typed(self, event: Input.Changed) -> None:
        self._set(replace(self._filter, containing=event.value))

    @on(Input.Submitted, "#errors-find")
    def _found(self) -> None:
        self.screen.set_focus(self.main_widget())

    def action_choose_slice(self) -> None:
        """Ask for a slice of the reviews."""
        data = self.data
        self._say("counting the reviews of each slice …")
        self.compute(lambda _: data.slices(), self._ask_for_slice)

    def _ask_for_slice(self, found: list[SliceResult]) -> None:
        self._describe()
        names = ["", *(each.name for each in found)]
        entries = [
            "all reviews",
            *(f"{percent(each.accuracy):>7} of {each.n:>6,}  {each.description}" for each in found),
        ]
        place = names.index(self._filter.slice_name) if self._filter.slice_name in names else 0

        def chosen(answer: int | None) -> None:
            if answer is not None and answer >= 0:
                self._set(replace(self._filter, slice_name=names[answer]))

        self.ask(Choose("List the errors in a slice (share predicted correctly):", entries, place), chosen)

    @on(Rows.Selected, "#errors-rows")
    async def _open_in_tokenizer(self) -> None:
        if (found := self.current) is not None:
            await self.pane.console.show_text(found.text, f"review {found.id} of {self.data.subject.source}")

    def action_copy(self) -> None:
        """Copy the review to the clipboard, through the terminal (OSC 52)."""
        if (found := self.current) is not None:
            self.app.copy_to_clipboard(found.text)
            self.notify(f"Copied review {found.id}.")

    def action_mark(self) -> None:
        """Ask what to do with the label of the review under the cursor."""
        found = self.current
        if found is None:
            return
        question = f"Review {found.id} is labelled {LABELS[found.label]}. In the next run with these corrections:"

        def answered(key: str | None) -> None:
            if key in DECISIONS:
                self._decide(found.id, DECISIONS[key])

        self.app.push_screen(Ask(question, answers_for(found.label)), answered)

    def _decide(self, row: int, decision: Decision) -> None:
        data = self.data
        self.compute(
            lambda _: store_decision(data, row, decision),
            self._decided,
            failed=lambda message: self.notify(message, severity="error"),
        )

    def _decided(self, result: tuple[dict[int, Decision], Path]) -> None:
        self._decisions, path = result
        self._describe()
        self.main_widget().refresh_changes()
        self.app.notify(f"Stored in {path}. A new run with data.corrections set to this file applies it.")

    def show_message(self, message: str) -> None:
        self._listed = []
        self.query_one("#errors-line", Static).update(failed(message))
        self.main_widget().show_rows(0, lambda _: Text())
        self._show_review()


def prediction_text(found: ListedError, sign: str = " ") -> str:
    """The label and P(positive) of a row, before its text; ``sign`` is that of a decision about the label."""
    return f"{_SIGNS[found.label]} {sign}  {found.probability:6.3f}  "
