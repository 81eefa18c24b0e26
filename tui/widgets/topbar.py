"""The first line of the screen: the panes with their keys, and the status of the live run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.strip import Strip

from core.formatting import duration, printable
from core.runs.status import LIVE
from core.runs.summary import progress_text, status_label
from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from core.runs.state import RunState

NAMES = ("presets", "tokenizer", "model", "train", "runs")


class TopBar(LineView, can_focus=False):
    """The same line in every pane."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; padding: 0 1; overflow: hidden hidden; }
    """

    def __init__(self, pane: str) -> None:
        super().__init__(id="top")
        self._shown: tuple[str, RunState | None, str] = (pane, None, "waiting")

    def update_bar(self, pane: str, state: RunState | None, libraries: str) -> None:
        """Draw the line for this pane, this run and this state of the imported libraries."""
        self._shown = pane, state, libraries
        self.refresh_changes()

    def build_line(self, y: int) -> Strip:
        pane, state, libraries = self._shown
        room = self.view.width
        left = Text("imdb-tui ", style="bold")
        for number, name in enumerate(NAMES, start=1):
            title = f" {name.title()}" if name == pane or room >= 64 else ""
            left.append(f" {number}{title} ", style="bold reverse" if name == pane else "")
        right = _status(state, libraries, max(room - 2 - left.cell_len, 0))
        gap = max(room - left.cell_len - right.cell_len, 1)
        return self.make_strip(Text.assemble(left, " " * gap, right), self.base_style, room)


def _status(state: RunState | None, libraries: str, room: int) -> Text:
    """The longest of several wordings that fits into ``room`` cells."""
    if state is None:
        words = {"waiting": "loading torch …", "ready": ""}.get(libraries, "✗ torch")
        return Text(words if len(words) <= room else "", style="dim")
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
    chosen = next((words for words in wordings if len(words) <= room), wordings[-1])
    return Text(printable(chosen), style="bold", no_wrap=True)
