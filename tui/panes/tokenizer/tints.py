"""How the characters of a text look: the tint of their token, the mark of the one under the cursor, the caret."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

Look = tuple[str, ...]
"""The component classes that paint a character."""


class Tint(NamedTuple):
    """A stretch of the source and the component class that paints it."""

    start: int
    end: int
    look: str


class Run(NamedTuple):
    """Characters up to ``end``, from where the run before ends, that look the same."""

    end: int
    look: Look


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

    def runs(self, start: int, end: int, caret: int | None) -> list[Run]:
        """The characters from ``start`` to ``end`` by how they look; ``caret`` is None without the focus."""
        runs, at = [], start
        for tint in self._tints[bisect_right(self._ends, start) :]:
            if max(tint.start, start) >= end:
                break
            if tint.start > at:
                runs.append(Run(tint.start, ()))
            at = min(tint.end, end)
            runs.append(Run(at, (tint.look,)))
        if at < end:
            runs.append(Run(end, ()))
        runs = _over(runs, start, self.mark, lambda look: (*look, "marked"))
        if caret is None:
            return runs
        return _over(
            runs, start, (caret, caret + 1), lambda look: (*(name for name in look if name != "marked"), "caret")
        )


def _over(runs: list[Run], start: int, span: tuple[int, int], change: Callable[[Look], Look]) -> list[Run]:
    """The runs from ``start`` on, cut at the ends of ``span`` and changed within."""
    low, high = span
    if not runs or low >= high or low >= runs[-1].end or high <= start:
        return runs
    cut: list[Run] = []
    for end, look in runs:
        parts = [(min(low, end), look), (min(high, end), change(look)), (end, look)]
        for stop, own in parts:
            if stop > start:
                cut.append(Run(stop, own))
                start = stop
    return cut
