"""The base class of the pages of Model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.inspection.target import Resolved
from tui.panes import page
from tui.panes.page import failed, grid_text, right

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane
    from tui.workers.inspection import Work

__all__ = ["Page", "failed", "grid_text", "right"]


class Page(page.Page):
    """One view of the model that ``pane`` has open."""

    def __init__(self, pane: ModelPane) -> None:
        super().__init__()
        self.pane = pane

    def inspect(self, work: Work, *, heavy: bool) -> bool:
        """Start an inspection for this page; return False if a live run forbids it."""
        return self.pane.inspect(self.title, work, heavy=heavy)

    def show_model(self, resolved: Resolved) -> None:
        """Show another model, or another configuration of it."""

    def show_result(self, result: Any) -> None:
        """Show the result of an inspection of this page."""
