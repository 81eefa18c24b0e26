"""How the characters of a text look: the tint of their token, the mark of the one under the cursor, the caret."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Tint(NamedTuple):
    """A stretch of the source and the component class that paints it."""

    start: int
    end: int
    look: str


class Tints:
    """The tints of one text, which are sorted and do not overlap, and the span that is marked."""

    def __init__(self) -> None:
        self._tints: Sequence[Tint] = ()
        self._ends: list[int] = []
        self.mark = (0, 0)

    def replace(self, tints: Sequence[Tint]) -> None:
        self._tints = tints
        self._ends = [tint.end for tint in tints]

    def keep_before(self, index: int) -> None:
        """Drops what ends behind ``index``: from there on the text is another."""
        self.replace(self._tints[: bisect_right(self._ends, index)])

    def looks(self, start: int, end: int, caret: int | None) -> list[tuple[str, ...]]:
        """The component classes of each character from ``start`` to ``end``; ``caret`` is None without the focus."""
        looks: list[tuple[str, ...]] = [()] * (end - start)
        for tint in self._tints[bisect_right(self._ends, start) :]:
            if tint.start >= end:
                break
            for i in range(max(tint.start, start), min(tint.end, end)):
                looks[i - start] = (tint.look,)
        for i in range(max(self.mark[0], start), min(self.mark[1], end)):
            looks[i - start] = (*looks[i - start], "marked")
        if caret is not None and start <= caret < end:
            looks[caret - start] = (*(name for name in looks[caret - start] if name != "marked"), "caret")
        return looks
