"""The styles of the characters of a text: the tint of their token, the mark of the selected token, and the caret."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

Look = tuple[str, ...]
"""The component classes that style a character, in the order in which they are applied."""


class Tint(NamedTuple):
    """A span of the text and the component class that styles it."""

    start: int
    end: int
    look: str


class Run(NamedTuple):
    """Characters with the same look, from the end of the previous run up to ``end``."""

    end: int
    look: Look


class Tints:
    """The tints of one text and its marked span. Tints are sorted and do not overlap."""

    def __init__(self) -> None:
        self._tints: Sequence[Tint] = ()
        self._ends: list[int] = []
        self.mark = (0, 0)

    def replace(self, tints: Sequence[Tint]) -> None:
        self._tints = tints
        self._ends = [tint.end for tint in tints]

    def drop_after(self, index: int) -> None:
        """Drop the tints that end after ``index``, where the text has changed."""
        self.replace(self._tints[: bisect_right(self._ends, index)])

    def runs(self, start: int, end: int, caret: int | None) -> list[Run]:
        """Divide the characters from ``start`` to ``end`` into runs; ``caret`` is None if the text has no focus."""
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
    """Cut runs that begin at ``start`` at both ends of ``span``, and change the look inside the span."""
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
