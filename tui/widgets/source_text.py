"""A text editor that tints spans of its text, such as tokens.

Textual's ``TextArea`` (8.2.8) does not serve here. It changes the text: form feeds, U+0085 and U+2028 become carriage
returns. It wraps by the width of grapheme clusters and not by the cells shown here: 20 joined families take 99 cells of
a line of 35. It needs 0.3 s per key in a line of 200,000 characters.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.caret import caret_target
from tui.widgets.cells import HOLDER, Layout
from tui.widgets.history import History
from tui.widgets.line_view import LineView
from tui.widgets.tints import Tint, Tints

LARGE = 50_000
"""A longer text is broken into lines in a thread, in characters."""


class SourceText(LineView, can_focus=True):
    """A small editor that wraps, shows each character in a known number of cells, and builds only the lines in view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "source--even", "source--odd", "source--even-more", "source--odd-more", "source--special", "source--unknown",
        "source--lost", "source--cut", "source--marked", "source--caret", "source--hint",
    }  # fmt: skip
    DEFAULT_CSS = """
    SourceText { background: $background; border-left: outer $panel; padding: 0 0 0 1; overflow-x: hidden;
                 overflow-y: auto; }
    SourceText:focus { border-left: outer $primary; }
    SourceText .source--even { color: $text-primary; background: $primary-muted; }
    SourceText .source--odd { color: $text-warning; background: $warning-muted; }
    SourceText .source--even-more { color: $text-primary; background: $primary-muted; text-style: underline; }
    SourceText .source--odd-more { color: $text-warning; background: $warning-muted; text-style: underline; }
    SourceText .source--special { color: $text-success; background: $success-muted; text-style: bold italic; }
    SourceText .source--unknown { color: $error; text-style: bold reverse strike; }
    SourceText .source--lost { color: $text-error; text-style: bold; }
    SourceText .source--cut { color: $text-muted; text-style: strike; }
    SourceText .source--marked { text-style: reverse bold; }
    SourceText .source--caret { text-style: reverse; }
    SourceText .source--hint { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.leave_field", "leave text", key_display="esc"),
        Binding("left", "move('left')", "move in the text", show=False),
        Binding("right", "move('right')", "move in the text", show=False),
        Binding("up", "move('up')", "move in the text", show=False),
        Binding("down", "move('down')", "move in the text", show=False),
        Binding("ctrl+left", "move('word_left')", "back or forward by a word", show=False),
        Binding("ctrl+right", "move('word_right')", "back or forward by a word", show=False),
        Binding("home", "move('home')", "ends of the line", show=False),
        Binding("end", "move('end')", "ends of the line", show=False),
        Binding("ctrl+home", "move('top')", "ends of the text", show=False),
        Binding("ctrl+end", "move('bottom')", "ends of the text", show=False),
        Binding("pageup", "move('page_up')", "back or forward by a page", show=False),
        Binding("pagedown", "move('page_down')", "back or forward by a page", show=False),
        Binding("backspace", "delete('left')", "delete a character", show=False),
        Binding("delete", "delete('right')", "delete a character", show=False),
        Binding("ctrl+w,ctrl+backspace", "delete('word_left')", "delete a word", show=False),
        Binding("ctrl+u", "delete('top')", "delete all before", show=False),
        Binding("ctrl+k", "delete('bottom')", "delete all after", show=False),
        Binding("ctrl+z", "undo", "undo", show=False),
        Binding("enter", "newline", "new line", show=False),
    ]

    class Changed(Message):
        """The text changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CaretMoved(Message):
        """The caret moved to ``index``."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class LaidOut(Message):
        """A thread broke a large text into lines."""

        def __init__(self, layout: Layout, caret: int, number: int) -> None:
            super().__init__()
            self.layout, self.caret, self.number = layout, caret, number

    def __init__(self, text: str, *, id: str, hint: str = "") -> None:
        super().__init__(id=id)
        self._styles: dict[tuple[str, ...], Style] = {}
        self._layout = Layout(text, 78)
        self._caret = len(text)
        self._tints = Tints()
        self._hint = hint
        self._history = History()
        self._wanted_column: int | None = None
        self._laying = 0
        self._unpainted = ExitStack()
        """Holds frames back from an edit until its tints are known."""
        self._patience: Timer | None = None

    @property
    def text(self) -> str:
        return self._layout.text

    @property
    def caret(self) -> int:
        return self._caret

    @property
    def is_laying_out(self) -> bool:
        """Whether a thread is breaking a large text into lines."""
        return self._laying % 2 == 1

    # What is shown

    def set_text(self, text: str) -> None:
        """Replace the text and move the caret to its start; undo restores the old text."""
        self._history.remember(self.text, self._caret)
        self._lay_out(text, 0)

    def paint(self, tints: Sequence[Tint], mark: tuple[int, int]) -> None:
        """Tint spans of the text, which are sorted and do not overlap, and mark one span."""
        self._tints.replace(tints)
        self._tints.mark = mark
        self._draw_change()

    def mark(self, start: int, end: int, *, scroll: bool = False) -> None:
        """Mark the span of the token under the cursor of the table."""
        if self._tints.mark != (start, end):
            self._tints.mark = (start, end)
            self.refresh_changes()
        if scroll and start < end:
            self._bring_into_view(start)

    def on_resize(self) -> None:
        width = self._line_width()
        if width != self._layout.width:
            if len(self.text) > LARGE:
                self._lay_out(self.text, self._caret)
                return
            self._layout = Layout(self.text, width)
        self._settle()

    def _line_width(self) -> int:
        return max(self.scrollable_content_region.width - 2, 2)  # one for the caret, one for a space at the end

    def _settle(self) -> None:
        self.resize_content(self.scrollable_content_region.width, len(self._layout))
        self._bring_into_view(self._caret)
        self.refresh_changes()

    def _bring_into_view(self, index: int) -> None:
        line = self._layout.line_of(index)
        self.scroll_to_region(Region(0, line, 1, 1), animate=False, force=True, immediate=True)

    def build_line(self, y: int) -> Strip:
        base, width = self.base_style, self.view.width
        line = y + self.view.top
        if not self.text and line == 0:
            hint = base + self.get_component_rich_style("source--hint", partial=True)
            caret = base + self.get_component_rich_style("source--caret", partial=True)
            shown = [Segment(" ", caret if self.has_focus else base), Segment(self._hint, hint)]
            return Strip(shown).adjust_cell_length(width, base)
        if line >= len(self._layout):
            return Strip.blank(width, base)
        start, end = self._layout.span(line)
        segments: list[Segment] = []
        text = self._layout.shown[start:end].replace("\n", " ")
        if text and self._layout.widths[start] == "0" and self.text[start] != "\n":
            segments.append(Segment(HOLDER, base))
        at = start
        for stop, look in self._tints.runs(start, end, self._caret if self.has_focus else None):
            segments.append(Segment(text[at - start : stop - start], self._style(look)))
            at = stop
        if self.has_focus and self._caret == end == len(self.text) and not self.text.endswith("\n", start, end):
            segments.append(Segment(" ", base + self.get_component_rich_style("source--caret", partial=True)))
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, names: tuple[str, ...]) -> Style:
        if names not in self._styles:
            parts = [self.get_component_rich_style(f"source--{name}", partial=True) for name in names]
            self._styles[names] = sum(parts, self.base_style)
        return self._styles[names]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def on_focus(self) -> None:
        self.refresh_changes()

    def on_blur(self) -> None:
        self.refresh_changes()

    # Editing

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether the key types a character, so that it starts no action."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self._edit(self._caret, self._caret, event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")  # terminals send a line break as a lone CR
        if len(text) > LARGE:
            self._history.remember(self.text, self._caret)
            whole = self.text[: self._caret] + text + self.text[self._caret :]
            self._lay_out(whole, self._caret + len(text))
        else:
            self._edit(self._caret, self._caret, text)

    def action_newline(self) -> None:
        self._edit(self._caret, self._caret, "\n")

    def action_delete(self, where: str) -> None:
        to = self._target(where)
        if to != self._caret:
            self._edit(min(to, self._caret), max(to, self._caret), "")

    def action_undo(self) -> None:
        if (before := self._history.undo()) is not None:
            self._lay_out(*before)

    def _edit(self, start: int, end: int, inserted: str) -> None:
        self._history.remember(self.text, self._caret)
        self._laying += self.is_laying_out  # the result of a running thread is out of date
        self._layout.edit(start, end - start, inserted)
        self._caret = start + len(inserted)
        self._tints.drop_after(start)  # the next encoding gives their tints
        self._changed()

    def _lay_out(self, text: str, caret: int) -> None:
        """Set the text; a thread breaks a large one into lines, and the newest text wins."""
        width = self._line_width()
        self._laying += 2 - self.is_laying_out
        if len(text) <= LARGE:
            self._take(Layout(text, width), caret)
            return
        self._laying += 1
        number = self._laying

        def work() -> None:
            self.post_message(self.LaidOut(Layout(text, width), caret, number))

        threading.Thread(target=work, name="layout", daemon=True).start()

    def on_source_text_laid_out(self, message: LaidOut) -> None:
        message.stop()
        if message.number == self._laying:
            self._laying += 1
            self._take(message.layout, message.caret)

    def _take(self, layout: Layout, caret: int) -> None:
        same = layout.text == self.text
        self._layout, self._caret = layout, min(caret, len(layout.text))
        if same:
            self._settle()
            return
        self._tints.replace(())
        self._changed()

    def _changed(self) -> None:
        self._wanted_column = None
        self._tints.mark = (0, 0)
        # The handler of Changed paints the tints, so that one frame shows both; without a handler a timer draws.
        self._release()
        self._unpainted.enter_context(self.app.batch_update())
        self._patience = self.set_timer(0.01, self._draw_change)
        self.resize_content(self.scrollable_content_region.width, len(self._layout))
        self._bring_into_view(self._caret)
        self.post_message(self.Changed(self.text))

    def _draw_change(self) -> None:
        self.refresh_changes()
        self._release()

    def _release(self) -> None:
        """Let frames be drawn again."""
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._unpainted.close()

    def on_unmount(self) -> None:
        self._release()

    # The caret

    def action_move(self, where: str) -> None:
        self._caret_to(self._target(where), keep_column=where in ("up", "down", "page_up", "page_down"))

    def _caret_to(self, index: int, *, keep_column: bool = False) -> None:
        if not keep_column:
            self._wanted_column = None
        if index != self._caret:
            self._caret = index
            self._bring_into_view(index)
            self.refresh_changes()
            self.post_message(self.CaretMoved(index))

    def _target(self, where: str) -> int:
        page = max(self.size.height - 1, 1)
        if (step := {"up": -1, "down": 1, "page_up": -page, "page_down": page}.get(where)) is None:
            return caret_target(self._layout, self._caret, where)
        if self._wanted_column is None:
            self._wanted_column = self._layout.column_of(self._caret)
        return self._layout.index_at(self._layout.line_of(self._caret) + step, self._wanted_column)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self._caret_to(self._layout.index_at(offset.y + self.scroll_offset.y, offset.x))
