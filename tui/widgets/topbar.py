"""The first line of the screen: the panes with their keys, and the status of the live run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.strip import Strip

from core.formatting import duration, printable
from core.runs.status import LIVE
from core.runs.summary import progress_text, status_label
from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from core.runs.state import RunState

TITLES = 70
"""From this width on, each pane has its title after its number."""
WIDE = 90
"""Below this width the status needs the cells of the program's name."""


class TopBar(LineView, can_focus=False):
    """A line that is the same in every pane; the name of the pane in front is highlighted."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; padding: 0 1; overflow: hidden hidden; }
    """

    def __init__(self, panes: Sequence[str], pane: str) -> None:
        """``panes`` are the names of all panes in the order of their keys; ``pane`` is the one in front."""
        super().__init__(id="top")
        self._panes = panes
        self._shown: tuple[str, RunState | None, str] = (pane, None, "waiting")

    def update_bar(self, pane: str, state: RunState | None, libraries: str) -> None:
        """Draw the line for the pane in front, the run, and the imports: ``waiting``, ``ready`` or an error message."""
        self._shown = pane, state, libraries
        self.refresh_changes()

    def build_line(self, y: int) -> Strip:
        pane, state, libraries = self._shown
        room = self.view.width
        left = Text("imdb-tui " if room >= WIDE or room < TITLES else "", style="bold")
        for number, name in enumerate(self._panes, start=1):
            title = f" {name.title()}" if name == pane or room >= TITLES else ""
            left.append(f" {number}{title} ", style="bold reverse" if name == pane else "")
        right = _status(state, libraries, max(room - 2 - left.cell_len, 0))
        gap = max(room - left.cell_len - right.cell_len, 1)
        return self.make_strip(Text.assemble(left, " " * gap, right), self.base_style, room)


def _status(state: RunState | None, libraries: str, room: int) -> Text:
    """Return the longest wording of the status that fits into ``room`` cells."""
    if state is None:
        text = {"waiting": "loading torch …", "ready": ""}.get(libraries, "✗ torch")
        return Text(text if len(text) <= room else "", style="dim")
    sign = status_label(state.status)
    wordings = [f"{state.preset} {sign}", sign, sign[0]]
    if state.status in LIVE:
        share = f"{state.step}/{state.total_steps}" if state.total_steps else ""
        left = duration(state.seconds_left) if state.seconds_left is not None else ""
        wordings = [
            f"{state.preset} {sign} {progress_text(state)}",
            f"{state.preset} {sign} {share} {left}".rstrip(),
            f"{sign} {share} {left}".rstrip(),
            f"{sign} {share}".rstrip(),
            sign,
            sign[0],
        ]
    chosen = next((wording for wording in wordings if len(wording) <= room), wordings[-1])
    return Text(printable(chosen), style="bold", no_wrap=True)
