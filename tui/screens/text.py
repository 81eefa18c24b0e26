"""A modal screen that shows a long text: a traceback, a log, or the engine of a run."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from core.formatting import printable


class TextScreen(ModalScreen[None]):
    """Shows ``text`` under ``title``, scrolled to the end, where the last lines of a traceback or a log are."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter,t,i,l", "app.pop_screen", "close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide"):
            yield Static(Text(self._title, style="bold"))
            yield Static(Text("\n".join(map(printable, self._text.splitlines()))))
            yield Static("escape closes", classes="hint")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).scroll_end(animate=False)
