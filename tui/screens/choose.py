"""A modal list of which one entry is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from core.formatting import printable


class Choose(ModalScreen[int]):
    """Dismisses with the position of the chosen entry; escape dismisses with -1."""

    def __init__(self, question: str, entries: Sequence[str], chosen: int = 0) -> None:
        super().__init__()
        self._question, self._entries, self._chosen = question, entries, chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._question, markup=False)
            lines = (Text(printable(entry), no_wrap=True, overflow="ellipsis") for entry in self._entries)
            menu = OptionList(*(Option(line) for line in lines), id="choices")
            menu.highlighted = self._chosen
            yield menu
            yield Label("↑ ↓ move · enter chooses · escape cancels", classes="hint", markup=False)

    @on(OptionList.OptionSelected)
    def _answered(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

    def on_key(self, event: Key) -> None:
        menu = self.query_one(OptionList)
        if event.key == "escape":
            event.stop()
            self.dismiss(-1)
        elif event.key in ("j", "k"):
            event.stop()
            (menu.action_cursor_down if event.key == "j" else menu.action_cursor_up)()
