"""The base class of the pages of Results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.panes import page
from tui.panes.page import failed, grid_text, right

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from tui.panes.results.pane import ResultsPane
    from tui.panes.results.subject import SubjectData
    from tui.workers.inspection import Work

__all__ = ["Page", "failed", "grid_text", "right"]


class Page(page.Page):
    """One view of the subject of ``pane``.

    A page is created when it first comes to the front. :meth:`activate` is called each time it does, and
    :meth:`show_data` once per subject. What a page shows is computed by :meth:`compute` in a thread.
    The letters of all pages are bound by the pane; a page uses other letters for its own keys.
    """

    needs_subject = True
    """Whether the page shows nothing without predictions of a run."""

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__()
        self.pane = pane
        self.shown: SubjectData | None = None
        """The data that the page shows or computes."""

    @property
    def data(self) -> SubjectData:
        """The data of the subject; there is one whenever the page is in front and active."""
        assert self.pane.data is not None
        return self.pane.data

    def compute(
        self,
        work: Work,
        then: Callable[[Any], None],
        *,
        heavy: bool = False,
        failed: Callable[[str], None] | None = None,
        libraries: bool = True,
    ) -> None:
        """Run ``work`` in a thread, then call ``then`` with its result, in the thread of the user interface.

        ``work`` gets an Inspection: it calls it between its steps, which raises if the work shall end, and may
        ``report`` its progress, which :meth:`show_progress` gets. If it raises InputError, ``failed``, else
        :meth:`show_message`, gets the message. A new work with the same ``then`` cancels the one before. Heavy work
        (more than a fraction of a second of the processor) waits while a run is live, is started again after a run
        that interrupted it, and can be cancelled with escape. Without ``libraries``, the work runs at once also
        before torch is imported, and must not import it.
        """
        self.pane.work.start(self, work, then, heavy=heavy, failed=failed or self.show_message, libraries=libraries)

    def ask(self, dialog: ModalScreen[Any], answered: Callable[[Any], None]) -> None:
        """Open a dialog that a thread prepared, unless another one was opened or another page came to the front."""
        if self.display and self.pane.display and self.app.screen is self.screen:
            self.app.push_screen(dialog, answered)

    def show_data(self) -> None:
        """Show another subject: compute what the page shows first."""

    def activate(self) -> None:
        if self.pane.data is not None and self.shown is not self.pane.data:
            self.shown = self.pane.data
            self.show_data()

    def leave(self) -> None:
        """Another page comes to the front: cancel heavy work that nobody sees, and that others would wait for."""

    def show_progress(self, progress: str) -> None:
        """Show the progress of a heavy work, or an empty string at its end. The line above the pages has it, too."""

    def show_cancelled(self) -> None:
        """Escape has cancelled the heavy work of this page."""

    def current_text(self) -> str:
        """The text under the cursor, which is offered to the next page; empty if there is none."""
        return ""

    def offer_text(self, text: str) -> None:
        """The text under the cursor of the page before; a page may show it where nothing is lost by that."""

    def take_text(self, text: str) -> None:
        """Show a text that another page hands over."""

    def escape(self) -> bool:
        """Go one step back inside the page, and return whether there was one."""
        return False
