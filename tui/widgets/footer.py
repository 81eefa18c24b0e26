"""The footer: one line with the keys that do something now; a click on a key presses it.

Textual's own footer creates one widget per key and creates all of them again whenever the focus moves. That takes
longer than drawing the rest of a pane.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget


class Entry(NamedTuple):
    """One entry of the footer: ``keys`` are pairs of a key and its displayed name; keys of a group share a label."""

    keys: tuple[tuple[str, str], ...]
    label: str
    enabled: bool


class Part(NamedTuple):
    """A piece of the line, and the key that a click on it presses."""

    text: str
    is_key: bool
    key: str
    enabled: bool


class Footer(Widget, can_focus=False):
    """The active bindings of its screen. If they do not fit, the last ones are left out, but never the help key."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key", "footer--hover"}
    DEFAULT_CSS = """
    Footer { dock: bottom; height: 1; color: $footer-foreground; background: $panel; }
    Footer > .footer--key { color: $footer-key-foreground; text-style: bold; }
    Footer > .footer--hover { background: $block-hover-background; }
    """

    def __init__(self, *, help_key: str) -> None:
        """``help_key`` is the key that is always shown."""
        super().__init__()
        self._help_key = help_key
        self._entries: tuple[Entry, ...] = ()
        self._under_mouse = ""
        self._is_scheduled = False

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if not self._is_scheduled and screen.app.app_focus and self.is_attached and screen is self.screen:
            self._is_scheduled = True
            self.call_after_refresh(self._update_entries)

    def _update_entries(self) -> None:
        """Read the bindings once for all changes since the last call."""
        self._is_scheduled = False
        entries = tuple(self._active_entries())
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def _active_entries(self) -> Iterator[Entry]:
        firsts: dict[str, tuple[Binding, bool]] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                firsts.setdefault(active.binding.action, (active.binding, active.enabled))
        for group, members in groupby(firsts.values(), lambda first: first[0].group):
            for entry in [tuple(members)] if group is not None else [(member,) for member in members]:
                keys = tuple((binding.key, self.app.get_key_display(binding)) for binding, _ in entry)
                label = group.description if group is not None else entry[0][0].description
                yield Entry(keys, label, any(enabled for _, enabled in entry))

    def _parts(self) -> Iterator[Part]:
        """Yield the parts of the line from left to right."""
        entries = list(self._entries)
        while (
            len(entries) > 1 and sum(_width(part) for entry in entries for part in _parts_of(entry)) > self.size.width
        ):
            last = next(i for i in reversed(range(len(entries))) if entries[i].keys[0][0] != self._help_key)
            del entries[last]
        for entry in entries:
            yield from _parts_of(entry)

    def render(self) -> Text:
        line = Text(no_wrap=True)
        key_style, hover = self.get_component_rich_style("footer--key"), self.get_component_rich_style("footer--hover")
        for part in self._parts():
            start = len(line)
            line.append(part.text, key_style if part.is_key else "")
            if not part.enabled:
                line.stylize("dim", start)
            if part.key == self._under_mouse:
                line.stylize(hover, start)
        return line

    def _at(self, event: events.MouseEvent) -> Part | None:
        end = 0
        for part in self._parts():
            end += _width(part)
            if event.x < end:
                return part
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        part = self._at(event)
        self._hover(part.key if part is not None else "")

    def on_leave(self) -> None:
        self._hover("")

    def _hover(self, key: str) -> None:
        if key != self._under_mouse:
            self._under_mouse = key
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        part = self._at(event)
        if part is None:
            return
        if part.enabled:
            self.app.simulate_key(part.key)
        else:
            self.app.bell()


def _parts_of(entry: Entry) -> Iterator[Part]:
    keys, label, enabled = entry
    yield Part(" ", False, keys[0][0], enabled)
    for key, shown in keys:
        yield Part(shown, True, key, enabled)
    yield Part(f" {label} ", False, keys[-1][0], enabled)


def _width(part: Part) -> int:
    return cell_len(part.text)
