"""The five stages of tokenization in one list; the changes of each stage and the selected piece are highlighted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from core.tokenization.stages import Piece, Stage
from tui.widgets.cells import one_line
from tui.widgets.line_view import LineView

NAME_WIDTH = 14
LONGEST = 40
"""The longest piece of text, in characters, that is not divided at the end of a line."""
_WORDS = re.compile(rf"\s{{1,{LONGEST}}}|\w{{1,{LONGEST}}}|[^\w\s]+")


class StagesView(LineView, can_focus=False):
    """``compact``: one line per stage, starting so that the marked piece is visible. Otherwise all lines scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"stages--name", "stages--hint", "stages--changed", "stages--marked"}
    DEFAULT_CSS = """
    StagesView { background: $background; overflow-x: hidden; overflow-y: auto; padding: 0 1; }
    StagesView .stages--name { color: $text-accent; text-style: bold; }
    StagesView .stages--hint { color: $text-muted; }
    StagesView .stages--changed { color: $text-warning; text-style: bold underline; }
    StagesView .stages--marked { text-style: reverse bold; }
    """

    def __init__(self, *, id: str, compact: bool = False) -> None:
        super().__init__(id=id)
        self.compact = compact
        self._stages: Sequence[Stage] = ()
        self._pieces: list[list[Piece]] = []
        self._shown: list[list[str]] = []
        self._lines: list[tuple[int, int, int]] = []
        self._mark = (0, 0)
        self._rest = 0

    def show_stages(self, stages: Sequence[Stage], mark: tuple[int, int], *, rest: int = 0) -> None:
        """Show ``stages`` and mark the pieces in the span ``mark``; ``rest`` characters of the text have no stages."""
        if stages is self._stages and mark == self._mark:
            return
        if stages is not self._stages:
            self._stages, self._rest = stages, rest
            self._pieces = [_display_pieces(stage) for stage in stages]
            self._shown = [[one_line(piece.text) for piece in pieces] for pieces in self._pieces]
            self._break()
        self._mark = mark
        self._show_mark()
        self.refresh_changes()

    def on_resize(self) -> None:
        self._break()
        self._show_mark()
        self.refresh_changes()

    def _width(self) -> int:
        return max(self.scrollable_content_region.width, 8)

    def _separator(self, stage: int) -> str:
        return "" if isinstance(self._stages[stage].output, str) else "│"

    def _break(self) -> None:
        """Compute the lines as (stage, first piece, piece after the last); a heading is (stage, -1, -1)."""
        self._lines = []
        if not self.compact:
            width = self._width()
            for number, texts in enumerate(self._shown):
                self._lines.append((number, -1, -1))
                gap = len(self._separator(number))
                first, used = 0, 2
                for i, text in enumerate(texts):
                    cells = (len(text) if text.isascii() else cell_len(text)) + gap
                    if used + cells > width and i > first:
                        self._lines.append((number, first, i))
                        first, used = i, 2
                    used += cells
                self._lines.append((number, first, len(texts)))
            if self._rest:
                self._lines.append((-1, 0, 0))
        self.resize_content(self._width(), len(self._stages) if self.compact else len(self._lines))

    def _is_marked(self, piece: Piece) -> bool:
        start, end = self._mark
        return start < end and piece.start < end and piece.end > start

    def _show_mark(self) -> None:
        if self.compact or self._mark[0] == self._mark[1] or not self.size.height:
            return
        for y, (number, first, last) in enumerate(self._lines):
            if number == 3 and any(self._is_marked(piece) for piece in self._pieces[number][first:last]):
                self.scroll_to_region(Region(0, max(y - 1, 0), 1, 2), animate=False, force=True)
                return

    def build_line(self, y: int) -> Strip:
        base, width = self.base_style, self.view.width
        line = y + self.view.top
        if line >= self.virtual_size.height:
            return Strip.blank(width, base)
        name_style = base + self.get_component_rich_style("stages--name", partial=True)
        hint_style = base + self.get_component_rich_style("stages--hint", partial=True)
        if self.compact:
            segments = [Segment(self._stages[line].name.ljust(NAME_WIDTH)[:NAME_WIDTH], name_style)]
            segments += self._compact_pieces(line, width - NAME_WIDTH, base, hint_style)
            return Strip(segments).adjust_cell_length(width, base)
        number, first, last = self._lines[line]
        if number < 0:
            note = f"stages of the first {len(self._stages[0].output):,} characters; {self._rest:,} more are not shown"
            return Strip([Segment(note, hint_style)]).adjust_cell_length(width, base)
        if first < 0:
            stage = self._stages[number]
            count = "" if isinstance(stage.output, str) else f" · {len(stage.output):,}"
            heading = [
                Segment(f"{number + 1} {stage.name}", name_style), Segment(f"  {stage.meaning}{count}", hint_style)
            ]  # fmt: skip
            return Strip(heading).adjust_cell_length(width, base)
        segments = [Segment("  ", base), *self._segments(number, range(first, last), base, hint_style)]
        return Strip(segments).adjust_cell_length(width, base)

    def _segments(self, number: int, places: range, base: Style, hint: Style) -> list[Segment]:
        separator = self._separator(number)
        changed = base + self.get_component_rich_style("stages--changed", partial=True)
        marked = self.get_component_rich_style("stages--marked", partial=True)
        segments = []
        for i in places:
            piece = self._pieces[number][i]
            style = changed if piece.changed else base
            segments.append(Segment(self._shown[number][i], style + marked if self._is_marked(piece) else style))
            if separator and i + 1 < len(self._pieces[number]):
                segments.append(Segment(separator, hint))
        return segments

    def _compact_pieces(self, number: int, room: int, base: Style, hint: Style) -> list[Segment]:
        texts, gap = self._shown[number], len(self._separator(number))
        pieces = self._pieces[number]
        at = next((i for i, piece in enumerate(pieces) if self._is_marked(piece)), 0)
        first, used = at, 0
        while first > 0 and used + cell_len(texts[first - 1]) + gap <= room // 2:
            first -= 1
            used += cell_len(texts[first]) + gap
        if first <= 2 and sum(cell_len(text) + gap for text in texts[: at + 1]) <= room - 2:
            first = 0
        last, used = first, 0
        while last < len(texts) and used < room:
            used += cell_len(texts[last]) + gap
            last += 1
        segments = [Segment("…", hint)] if first else []
        strip = Strip([*segments, *self._segments(number, range(first, last), base, hint)])
        if strip.cell_length > room or last < len(texts):
            return [*strip.crop(0, room - 1), Segment("…", hint)]
        return list(strip)


def _display_pieces(stage: Stage) -> list[Piece]:
    """Return the pieces of a stage; text is divided into words, so that it can wrap and be marked."""
    if not isinstance(stage.output, str):
        return list(stage.pieces)
    pieces = []
    for piece in stage.pieces:
        whole = piece.end - piece.start == len(piece.text)
        if not whole and len(piece.text) <= LONGEST:
            pieces.append(piece)
            continue
        for match in _WORDS.finditer(piece.text):
            start, end = (piece.start + match.start(), piece.start + match.end()) if whole else (piece.start, piece.end)
            pieces.append(Piece(match[0], start, end, piece.changed))
    return pieces
