"""Try: type a text, and the prediction of each model and the effects of the words follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll
from textual.widget import Widget
from textual.widgets import Static

from core.errors import InputError
from tui.panes.results.page import Page, failed
from tui.panes.results.tried_card import TriedCard
from tui.panes.results.tried_models import Tried, TriedModel, Trier, candidates, live_model, stored_models
from tui.screens.choose import Choose
from tui.widgets.source_text import SourceText
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from tui.panes.results.pane import ResultsPane

MOST_MODELS = 6
HINT = "Type a sentence: the prediction and the effect of each word follow."


class TryPage(Page):
    """The text on top, and below it one column per model."""

    title = "Try"
    needs_subject = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "edit the text"),
        Binding("slash", "edit", "edit the text", show=False),
        Binding("o", "add", "add a model"),
        Binding("x", "remove", "remove the model"),
        Binding("r", "again", "compute again", show=False),
        Binding("left", "move(-1)", "model to the left", show=False),
        Binding("right", "move(1)", "model to the right", show=False),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._models: list[TriedModel] = []
        self._first: TriedModel | None = None
        """The model of the subject; another subject replaces it."""
        self._trier = Trier(self.post_message, pane.console.session)
        self._number = 0
        self._taken = ""
        """The last text from another page."""

    def compose(self) -> ComposeResult:
        yield SourceText("", id="try-text", hint=HINT)
        yield Static(id="try-line", markup=False)
        yield HorizontalScroll(id="try-cards")

    def on_mount(self) -> None:
        self._say("")

    def main_widget(self) -> Widget:
        """The text of the current column; the area of the columns if there are none."""
        cards = self.query_one("#try-cards")
        chosen = self._current_card()
        return chosen.text_widget() if chosen is not None else cards

    def _editor(self) -> SourceText:
        return self.query_one(SourceText)

    def activate(self) -> None:
        super().activate()
        live = live_model(self.pane.console.session, self.pane.console.root)
        if live is not None and not self._models:
            self._show_models([live])
        if self.pane.display and not self._editor().text:
            self.screen.set_focus(self._editor())
        self._submit()  # the weights were released when the page was left

    def on_hide(self) -> None:
        """Release the weights: a run may start in another pane."""
        self._trier.cancel()
        self._trier.release()

    # The models

    def show_data(self) -> None:
        """Try the model of the subject, instead of that of the subject before."""
        subject, session = self.data.subject, self.pane.console.session
        live = live_model(session, self.pane.console.root)
        if live is not None and live.run == subject.run:
            self._replace_first(live)
            return

        def work(_: Inspection) -> TriedModel:
            found = stored_models(subject.run)
            if not found:
                raise InputError(f"run {subject.run.name} has no checkpoint; press o to add another model")
            return next((model for model in found if model.step == subject.step), found[0])

        self.compute(work, self._replace_first, libraries=False)

    def _replace_first(self, model: TriedModel) -> None:
        others = [each for each in self._models if each not in (self._first, model)]
        self._first = model
        self._say("")
        self._show_models([model, *others])

    def show_message(self, message: str) -> None:
        self._say(message)

    def _say(self, message: str) -> None:
        line = self.query_one("#try-line", Static)
        line.update(failed(message) if message else "")
        line.display = bool(message)

    def _cards(self) -> list[TriedCard]:
        """The columns that are on the screen and not about to leave it."""
        return [card for card in self.query(TriedCard) if card.is_mounted and card.model in self._models]

    def _current_card(self) -> TriedCard | None:
        """The column with the focus, else the first one."""
        cards = self._cards()
        return next((card for card in cards if card.has_focus_within), cards[0] if cards else None)

    def _show_models(self, models: list[TriedModel]) -> None:
        self._models = models
        self._trier.release(models)
        known = {card.model: card for card in self.query(TriedCard)}
        for model, card in known.items():
            if model not in models:
                card.remove()
        area = self.query_one("#try-cards")
        for place, model in enumerate(models):
            if model not in known:
                area.mount(TriedCard(model), before=0 if place == 0 and known else None)
        if self.app.focused is None:  # it was in a column that is gone
            self.screen.set_focus(self.main_widget())

    def on_tried_card_ready(self) -> None:
        if self.display and self.pane.display and self.app.focused in (None, self.query_one("#try-cards")):
            self.screen.set_focus(self.main_widget())
        self._submit()

    def action_add(self) -> None:
        """Ask for another checkpoint or the live run."""
        if len(self._models) >= MOST_MODELS:
            self.notify(f"At most {MOST_MODELS} models fit beside each other. Remove one with x.")
            return
        root, live = self.pane.console.root, live_model(self.pane.console.session, self.pane.console.root)

        def work(_: Inspection) -> list[TriedModel]:
            found = [*([live] if live is not None else []), *candidates(root)]
            return [model for model in found if model not in self._models]

        self.compute(work, self._ask, libraries=False)

    def _ask(self, found: list[TriedModel]) -> None:
        if not found:
            self.notify("There is no other checkpoint. Train a run first, or wait for the next checkpoint.")
            return

        def chosen(place: int | None) -> None:
            if place is not None and place >= 0 and found[place] not in self._models:
                self._show_models([*self._models, found[place]])

        entries = [f"{model.describe()}  ({model.run.created:%Y-%m-%d})" for model in found]
        self.ask(Choose("Try the text also on:", entries), chosen)

    def action_remove(self) -> None:
        """Remove the model of the current column."""
        card = self._current_card()
        if card is not None and len(self._models) > 1:
            self._show_models([model for model in self._models if model != card.model])
        elif card is not None:
            self.notify("The last model stays. Add another one with o first.")

    def action_move(self, by: int) -> None:
        cards, current = self._cards(), self._current_card()
        if current is not None:
            self.screen.set_focus(cards[(cards.index(current) + by) % len(cards)].text_widget())

    # The text

    def offer_text(self, text: str) -> None:
        """Show the text of another page, unless that would replace one that was typed."""
        if self._editor().text in ("", self._taken):
            self.take_text(text)

    def take_text(self, text: str) -> None:
        """Show a text that another page hands over; undo brings the former one back."""
        self._taken = text
        self._editor().set_text(text)
        self.screen.set_focus(self.main_widget())

    def action_edit(self) -> None:
        self.screen.set_focus(self._editor())

    def action_again(self) -> None:
        """Compute again, such as after more steps of a live run."""
        self._submit()

    @on(SourceText.Changed)
    def _typed(self) -> None:
        self._editor().paint((), (0, 0))
        self._submit()

    def _submit(self) -> None:
        text = self._editor().text
        self._number += 1
        if not text.strip():
            self._trier.cancel()
            for card in self._cards():
                card.clear("no text yet")
            return
        for card in self._cards():
            card.wait()
        self._trier.submit(self._number, text, self._models)

    def on_tried(self, message: Tried) -> None:
        if message.number != self._number:
            return  # of an older text
        for card in self._cards():
            if card.model == message.model:
                card.show(message)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "remove":
            return len(self._models) > 1
        return True
