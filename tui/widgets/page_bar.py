"""The names of a pane's pages in one line, each with its key, the one in front standing out; a click goes to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class PageName:
    """``short`` is for narrow terminals; empty where the name is short."""

    key: str
    name: str
    short: str = ""


class PageBar(Widget):
    """Each name follows its key, as in ``t Tokens``; work in progress is named at the right."""

    DEFAULT_CSS = """
    PageBar { height: 1; background: $surface; padding: 0 1; }
    """

    @dataclass
    class Chosen(Message):
        """A name was clicked."""

        name: str

    def __init__(self, pages: Sequence[PageName]) -> None:
        super().__init__()
        self._pages = pages
        self._current = pages[0].name
        self._words = ""

    def show(self, current: str, words: str = "") -> None:
        """Show one page as the current one; ``words`` name the work in progress."""
        if (current, words) != (self._current, self._words):
            self._current, self._words = current, words
            self.refresh()

    def _labels(self) -> Iterator[tuple[str, str]]:
        """Name and what is shown of it."""
        wide = self.size.width >= sum(len(page.name) + 4 for page in self._pages)
        for page in self._pages:
            words = page.name if wide else page.short or page.name
            yield page.name, f" {page.key} {words[:1].upper()}{words[1:]} "

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        for name, label in self._labels():
            line.append(label, style="bold reverse" if name == self._current else "")
        room = self.size.width - line.cell_len
        if len(self._words) < room:
            line.append(" " * (room - len(self._words)))
            line.append(self._words, style="bold italic")
        return line

    def on_click(self, event: events.Click) -> None:
        offset, end = event.get_content_offset(self), 0
        for name, label in self._labels():
            end += len(label)
            if offset is not None and offset.x < end:
                self.post_message(self.Chosen(name))
                return
