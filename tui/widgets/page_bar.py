"""One line with the names and keys of a pane's pages; the current page is highlighted, and a click shows a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class PageName:
    """The key and the name of a page; ``short`` is the name in narrow terminals, if it differs."""

    key: str
    name: str
    short: str = ""


class PageBar(Widget):
    """Names after their keys, as in ``t Tokens``, and at the right a label for work in progress."""

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
        self._activity = ""

    def show(self, current: str, activity: str = "") -> None:
        """Highlight the current page; ``activity`` describes work in progress."""
        if (current, activity) != (self._current, self._activity):
            self._current, self._activity = current, activity
            self.refresh()

    def _labels(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each page and its label."""
        wide = self.size.width >= sum(len(page.name) + 4 for page in self._pages)
        titles = [page.name if wide else page.short or page.name for page in self._pages]
        gap = " " if self.size.width >= sum(len(title) + 4 for title in titles) else ""
        for page, title in zip(self._pages, titles, strict=True):
            yield page.name, f" {page.key} {title[:1].upper()}{title[1:]}{gap}"

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        for name, label in self._labels():
            line.append(label, style="bold reverse" if name == self._current else "")
        room = self.size.width - line.cell_len
        if len(self._activity) < room:
            line.append(" " * (room - len(self._activity)))
            line.append(self._activity, style="bold italic")
        return line

    def on_click(self, event: events.Click) -> None:
        offset, end = event.get_content_offset(self), 0
        for name, label in self._labels():
            end += len(label)
            if offset is not None and offset.x < end:
                self.post_message(self.Chosen(name))
                return
