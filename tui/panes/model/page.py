"""What the pages of the Model pane have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from core.formatting import printable
from core.inspection.target import Resolved

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane
    from tui.workers.inspection import Work


class Page(Vertical):
    """One view of the model that the pane has open. Only handlers touch its widgets."""

    name_: str = ""
    """Its name in the row of pages."""

    @property
    def pane(self) -> ModelPane:
        return cast("ModelPane", next(node for node in self.ancestors if node.id == "model"))

    def look(self, work: Work, *, heavy: bool) -> bool:
        """Starts a look for this page; False, said in a notice, where a live run forbids it."""
        return self.pane.look(self.name_, work, heavy=heavy)

    def main(self) -> Widget:
        """What has the focus when the page is shown."""
        raise NotImplementedError

    def show_model(self, resolved: Resolved) -> None:
        """Another model, or another configuration of it."""

    def shown(self) -> None:
        """The page has come to the front."""

    def look_done(self, result: Any) -> None:
        """What a look of this page found."""

    def say(self, words: str) -> None:
        """Why there is nothing to see, or what is going on."""


def failed(words: str) -> Text:
    """A reason, marked as one without colour too."""
    return Text(f"✗ {printable(words)}", style="bold")


def grid_text(words: str, style: str = "") -> Text:
    """A cell that never wraps and shows that it was cut."""
    return Text(printable(words), style=style, no_wrap=True, overflow="ellipsis")


def right(words: str, style: str = "") -> Text:
    """A number, right-aligned."""
    return Text(words, style=style, justify="right", no_wrap=True)
