"""Text in cells of the terminal: how each character is shown, how wide it is, and where lines break.

Each character of a text is shown as exactly one character, so an index into the text is also an index into the shown
text. Control characters and invisible characters are replaced by visible signs. Sequences that terminals draw in
different widths are shown character by character: a family of joined emoji is shown as its members.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

from rich.cells import get_character_cell_size

from core.formatting import printable

INVISIBLE = "◦"
"""Shown for a character without a width: zero-width space and joiner, variation selector, soft hyphen."""
HOLDER = "◌"
"""Drawn before a combining mark that starts a line, which would otherwise have no character to combine with."""


def _shown(char: str) -> str:
    code = ord(char)
    if 0x1F1E6 <= code <= 0x1F1FF:
        # Two regional indicators make a flag of one, two or four cells, depending on the terminal: show the letters.
        return chr(0xFF21 + code - 0x1F1E6)
    safe = printable(char)
    if safe != char:
        return safe
    if get_character_cell_size(char) > 0 and unicodedata.category(char) not in ("Cf", "Zl", "Zp"):
        return char
    combining = unicodedata.category(char) in ("Mn", "Me", "Mc")
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or code == 0x034F
    jamo = 0x1160 < code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF
    return char if (combining and not selector) or jamo else INVISIBLE


class _Shown(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = char = "\n" if code == 10 else _shown(chr(code))
        return char


class _Widths(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = width = str(get_character_cell_size(_SHOWN[code])) if code != 10 else "0"
        return width


_SHOWN, _WIDTHS = _Shown(), _Widths()


def shown(text: str) -> str:
    """Return ``text`` with each character replaced by the one shown for it; line feeds are unchanged."""
    return text.translate(_SHOWN)


def one_line(text: str) -> str:
    """Return ``text`` as :func:`shown` does, with a visible sign for each line feed."""
    return text if text.isascii() and text.isprintable() else shown(text).replace("\n", "␊")


def widths(text: str) -> str:
    """Return one digit per character, the number of cells in which it is shown: 0, 1 or 2."""
    return "1" * len(text) if text.isascii() and text.isprintable() else text.translate(_WIDTHS)


class Layout:
    """The lines of a text that is wrapped at ``width`` cells; there is always at least one line.

    A line ends after the last space that fits. If a word fills a line exactly, the space after it takes one more cell.
    """

    def __init__(self, text: str, width: int) -> None:
        self.width = max(width, 2)
        self.text, self.shown, self.widths = text, shown(text), widths(text)
        self.starts = [0]
        """The index of the first character of each line."""
        self._break(0, None)

    def _break(self, at: int, old: tuple[list[int], int] | None) -> None:
        """Append the starts of the lines after ``at``.

        ``old`` are the starts before an edit and the number of characters that the edit added after them. At the first
        break that both have, the remaining starts are copied from ``old``.
        """
        text, cells, width, starts = self.text, self.widths, self.width, self.starts
        length = len(text)
        known = set(old[0]) if old else set()
        while True:
            end = self._line_end(text, cells, at, length, width)
            if end >= length and not text.endswith("\n", at, length):
                return
            starts.append(end)
            if end >= length:
                return
            if old and end - old[1] in known:
                rest = old[0][bisect_right(old[0], end - old[1]) :]
                starts.extend(start + old[1] for start in rest)
                return
            at = end

    @staticmethod
    def _line_end(text: str, cells: str, at: int, length: int, width: int) -> int:
        newline = text.find("\n", at, min(at + 2 * width + 1, length))
        piece = cells[at : at + width]
        if "0" not in piece and "2" not in piece:
            end = at + len(piece)
        else:
            end, used = at, 0
            while end < length and (used := used + (ord(cells[end]) - 48)) <= width:
                end += 1
                if end - at > 64 * width:  # very many combining marks on one character
                    break
        if 0 <= newline < end or newline == end:
            return newline + 1
        if end >= length:
            return length
        if text[end] == " ":
            return end + 1  # the space takes one cell beyond the edge, where it is not visible
        space = text.rfind(" ", at, end)
        return space + 1 if space > at else max(end, at + 1)

    def edit(self, start: int, removed: int, inserted: str) -> None:
        """Replace ``removed`` characters at ``start`` by ``inserted``; only lines that change are computed again."""
        end = start + removed
        self.text = self.text[:start] + inserted + self.text[end:]
        self.shown = self.shown[:start] + shown(inserted) + self.shown[end:]
        self.widths = self.widths[:start] + widths(inserted) + self.widths[end:]
        old, shift = self.starts, len(inserted) - removed
        line = max(bisect_right(old, start) - 3, 0)  # a break depends on the word and on one character after it
        self.starts = old[: line + 1]
        after = old[bisect_right(old, end) :]
        self._break(self.starts[-1], (after, shift) if after else None)

    def __len__(self) -> int:
        return len(self.starts)

    def span(self, line: int) -> tuple[int, int]:
        """Return the indices of the start and the end of a line; the line feed belongs to the line."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        return self.starts[line], end

    def line_of(self, index: int) -> int:
        """Return the number of the line that contains the character at ``index``."""
        return max(bisect_right(self.starts, index) - 1, 0)

    def column_of(self, index: int) -> int:
        """Return the cell, counted from the start of its line, in which the character at ``index`` begins."""
        start = self.starts[self.line_of(index)]
        return sum(map(int, self.widths[start:index]))

    def index_at(self, line: int, column: int) -> int:
        """Return the index of the character shown at a cell, or the end of the line if the line is shorter."""
        start, end = self.span(min(max(line, 0), len(self.starts) - 1))
        used = 0
        for index in range(start, end):
            used += ord(self.widths[index]) - 48
            if used > column or self.text[index] == "\n":
                return index
        last = end == len(self.text)
        return end if last else max(end - 1, start)
