"""Which reviews the page Errors lists."""

from __future__ import annotations

from dataclasses import dataclass

from core.formatting import counted
from tui.panes.results.confusion import CELL_NAMES

CELLS: tuple[str | None, ...] = (None, "fp", "fn", "tp", "tn")
"""The cells in the order of the key that goes through them; None is all errors."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reviews are listed."""

    cell: str | None = None
    """A cell of the confusion matrix; None for all errors."""
    slice_name: str = ""
    """Name of a slice, see :mod:`core.analysis.slices`; empty for all."""
    containing: str = ""
    only: frozenset[int] | None = None
    """Ids of the only reviews that may be listed; None for all."""
    only_name: str = ""
    """What ``only`` are."""

    def describe(self, count: int) -> str:
        parts = [counted(count, CELL_NAMES[self.cell] if self.cell is not None else "error")]
        parts += [part for part in (self.slice_name and f"slice {self.slice_name}", self.only_name) if part]
        if self.containing:
            parts.append(f"with “{self.containing}”")
        return " · ".join(parts)
