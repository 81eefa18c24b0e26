"""The names of a pane's pages in one line, each with its key; a click goes there as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static


@dataclass(frozen=True, slots=True)
class PageName:
    """``short`` is for narrow terminals."""

    key: str
    name: str
    short: str


class PageBar(Horizontal):
    """One line; the page that is shown is reversed and bold, which reads without colour."""

    DEFAULT_CSS = """
    PageBar { height: 1; padding: 0 1; }
    PageBar Static { width: auto; padding: 0 1; }
    """

    @dataclass
    class Chosen(Message):
        """A name was clicked."""

        name: str

    def __init__(self, names: Sequence[PageName], current: str) -> None:
        super().__init__()
        self._names, self._current = names, current

    def compose(self) -> ComposeResult:
        for one in self._names:
            yield Static(id=f"page-{one.name.lower()}")

    def on_mount(self) -> None:
        self.show(self._current)

    def on_resize(self) -> None:
        self.show(self._current)

    def show(self, current: str) -> None:
        """Marks the page of that name."""
        self._current = current
        wide = self.size.width >= sum(len(one.name) + 4 for one in self._names) + 2
        for one in self._names:
            words = Text(no_wrap=True)
            style = "bold reverse" if one.name == current else ""
            words.append(f"{one.key} ", style=f"bold {style}")
            words.append(one.name if wide else one.short, style=style)
            self.query_one(f"#page-{one.name.lower()}", Static).update(words)

    def on_click(self, event: object) -> None:
        widget = getattr(event, "widget", None)
        for one in self._names:
            if widget is not None and widget.id == f"page-{one.name.lower()}":
                self.post_message(self.Chosen(one.name))
