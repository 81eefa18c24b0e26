"""Vocabulary: search by id, token or pattern, turn ids into text, and compare the round trip."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from core.errors import InputError
from core.tokenization.decode import decode, parse_ids, round_trip
from core.tokenization.encode import special_ids
from core.tokenization.vocabulary import Entry, entries, search
from tui.panes.tokenizer.page import Page, cell, safe
from tui.panes.tokenizer.state import SMALL, Playground
from tui.widgets.cells import one_line, shown
from tui.widgets.field import Field
from tui.widgets.rows import Rows


class VocabularyPage(Page):
    """A search and its results; below them a field for ids, and the text that they stand for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "find", "search"),
        Binding("i", "ids", "ids to text"),
        Binding("w", "filter", "filter"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._found: list[Entry] = []
        self._starts_word: bool | None = None
        self._tokenizer: object = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Label("search ")
            yield Field("", id="vocab-query", placeholder="an id, a part of a token, play*, ^un.*ly$", compact=True)
        yield Rows(id="vocab-rows", empty="No token of the vocabulary matches.")
        with Horizontal(classes="field-line"):
            yield Label("ids    ")
            yield Field("", id="vocab-ids", placeholder="ids to text: 101 7592 102", compact=True)
        yield Static(id="vocab-note", markup=False)

    def draw(self, playground: Playground) -> None:
        if self._tokenizer is not playground.tokenizer:
            self._tokenizer = playground.tokenizer
            self._search()
        self._decode()

    @on(Input.Changed, "#vocab-query")
    def _search(self) -> None:
        playground = self.playground
        if playground is None:
            return
        rows = self.query_one(Rows)
        query = self.query_one("#vocab-query", Input)
        try:
            found = search(playground.tokenizer, query.value)
        except InputError as error:
            rows.show_rows(0, lambda _: Text(), empty=f"✗ {error}")
            query.add_class("invalid")
            return
        query.remove_class("invalid")
        special = special_ids(playground.tokenizer)
        if self._starts_word is not None:
            found = [entry for entry in found if entry.begins_word is self._starts_word and entry.id not in special]
        self._found = found
        kinds = {None: "all tokens", True: "tokens that start a word", False: "tokens inside a word"}
        header = Text.assemble(
            cell("id", 7, right=True), cell("token", 28), f"{len(found):,} · {kinds[self._starts_word]} (w)"
        )
        empty = "No token of the vocabulary matches."
        rows.show_rows(len(found), self._row, header=header, empty=empty)
        rows.go_to(0, post=False)

    def _row(self, row: int) -> Text:
        entry = self._found[row]
        special = self.playground is not None and entry.id in special_ids(self.playground.tokenizer)
        kind = "special" if special else "starts a word" if entry.begins_word else "inside a word"
        style = "bold" if special else "" if entry.begins_word else "italic"
        piece = Text(one_line(entry.token), style=style)
        return Text.assemble(cell(str(entry.id), 7, right=True), cell(piece, 28), (kind, "dim"))

    @on(Rows.Selected, "#vocab-rows")
    def _neighbours(self, event: Rows.Selected) -> None:
        """Show the selected entry among those with the ids around it."""
        event.stop()
        entry = self._found[event.row]
        self._starts_word = None
        with self.prevent(Input.Changed):
            self.query_one("#vocab-query", Input).value = ""
        self._search()
        assert self.playground is not None
        known = [each.id for each in entries(self.playground.tokenizer)]
        self.query_one(Rows).go_to(known.index(entry.id))

    @on(Input.Changed, "#vocab-ids")
    def _decode(self) -> None:
        playground = self.playground
        if playground is None:
            return
        field = self.query_one("#vocab-ids", Input)
        field.remove_class("invalid")
        note = Text(no_wrap=False)
        if field.value.strip():
            try:
                found = decode(playground.tokenizer, parse_ids(field.value, playground.tokenizer))
            except InputError as error:
                field.add_class("invalid")
                self.query_one("#vocab-note", Static).update(safe(f"✗ {error}"))
                return
            note.append("text   ", style="dim")
            note.append(shown(found.text), style="bold")
            position = found.first_difference
            result = "encodes to the same ids" if position is None else f"encodes to other ids from position {position}"
            note.append(f"\n       {result}\n", style="dim")
        note.append(_round_trip(playground))
        self.query_one("#vocab-note", Static).update(note)

    # Keys

    def action_find(self) -> None:
        self.screen.set_focus(self.query_one("#vocab-query"))

    def action_ids(self) -> None:
        self.screen.set_focus(self.query_one("#vocab-ids"))

    def action_filter(self) -> None:
        self._starts_word = {None: True, True: False, False: None}[self._starts_word]
        self._search()

    def main_widget(self) -> Widget:
        return self.query_one(Rows)


def _round_trip(playground: Playground) -> Text:
    """Compare the text above with itself after encoding and decoding."""
    text = playground.encoding.text
    trip = round_trip(playground.tokenizer, text[:SMALL], most_words=300)
    where = f" (its first {SMALL:,} characters)" if len(text) > SMALL else ""
    if trip.same:
        return Text(f"round trip of the text above{where}: unchanged", style="dim")
    line = Text(f"round trip of the text above{where}: ", style="dim")
    line.append(one_line(trip.decoded[:200]))
    for ours, theirs in trip.differences[:6]:
        line.append("\n  differs: ", style="dim")
        line.append(shown(ours[:60]), style="strike")
        line.append(" → ")
        line.append(shown(theirs[:60]) or "nothing", style="bold")
    return line
