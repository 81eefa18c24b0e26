"""One line of page names with their keys, the page in front standing out; a click goes to a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget


class PageBar(Widget):
    """Each name begins with its key, as in ``t Tokens``; what is under way stands at the right."""

    DEFAULT_CSS = """
    PageBar { height: 1; background: $surface; padding: 0 1; }
    """

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, page: str) -> None:
            super().__init__()
            self.page = page

    def __init__(self, pages: Sequence[tuple[str, str]], *, id: str) -> None:
        """``pages`` are pairs of a key and a name."""
        super().__init__(id=id)
        self._pages = pages
        self._current = pages[0][1]
        self._words = ""

    def show(self, current: str, words: str) -> None:
        """Puts one page in front; ``words`` tell what is under way."""
        if (current, words) != (self._current, self._words):
            self._current, self._words = current, words
            self.refresh()

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        for key, name in self._pages:
            line.append(f" {key} {name.title()} ", style="bold reverse" if name == self._current else "")
        room = self.size.width - line.cell_len
        if len(self._words) < room:
            line.append(" " * (room - len(self._words)))
            line.append(self._words, style="bold italic")
        return line

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = 0
        for key, name in self._pages:
            at += len(key) + len(name) + 3
            if offset is not None and offset.x < at:
                self.post_message(self.Chosen(name))
                return
