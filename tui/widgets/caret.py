"""Movements of the caret: by character, by word, to the ends of a line and of the text."""

from __future__ import annotations

from tui.widgets.cells import Layout

_WORD_BREAK = " \n\t.,;:!?()[]\"'"


def caret_target(layout: Layout, caret: int, where: str) -> int:
    """Return the index to which a movement leads from ``caret``.

    ``where`` is left, right, home, end, top, bottom, word_left or word_right.
    """
    text = layout.text
    match where:
        case "left":
            return max(caret - 1, 0)
        case "right":
            return min(caret + 1, len(text))
        case "home":
            return layout.span(layout.line_of(caret))[0]
        case "end":
            start, end = layout.span(layout.line_of(caret))
            return end if end == len(text) and not text.endswith("\n", start) else max(end - 1, start)
        case "top":
            return 0
        case "word_left":
            while caret and text[caret - 1] in _WORD_BREAK:
                caret -= 1
            while caret and text[caret - 1] not in _WORD_BREAK:
                caret -= 1
            return caret
        case "word_right":
            while caret < len(text) and text[caret] not in _WORD_BREAK:
                caret += 1
            while caret < len(text) and text[caret] in _WORD_BREAK:
                caret += 1
            return caret
    return len(text)
