"""The work of the pages in threads: who waits for which result, its progress, and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.workers.inspection import Inspections

if TYPE_CHECKING:
    from textual.message import Message

    from tui.messages import InspectionDone, InspectionProgress
    from tui.panes.results.page import Page
    from tui.workers.inspection import Work


class _Waiting(NamedTuple):
    """Who gets the result of a work."""

    number: int
    page: Page
    then: Callable[[Any], None]
    failed: Callable[[str], None]
    heavy: bool


class PageWork:
    """Starts the work of pages, and passes its messages, which the pane receives, to the page that waits for them."""

    def __init__(
        self, post: Callable[[Message], Any], run_is_live: Callable[[], bool], progress_changed: Callable[[], None]
    ) -> None:
        self.light = Inspections(post, lambda: False)
        self._heavy = Inspections(post, run_is_live, wait=True)
        self._progress_changed = progress_changed
        self._waiting: dict[str, _Waiting] = {}
        self._progress: dict[str, str] = {}
        self._number = 0

    @property
    def activity(self) -> str:
        """The latest progress of a work, in one line; empty if there is none."""
        return next((text for text in reversed(self._progress.values()) if text), "")

    def start(
        self,
        page: Page,
        work: Work,
        then: Callable[[Any], None],
        *,
        heavy: bool,
        failed: Callable[[str], None],
        libraries: bool = True,
    ) -> None:
        """Run ``work`` for a page; see :meth:`tui.panes.results.page.Page.compute`."""
        name = f"{page.title}/{then.__name__}"
        self._number += 1
        self._waiting[name] = _Waiting(self._number, page, then, failed, heavy)
        threads = self._heavy if heavy else self.light
        threads.start(f"{name}#{self._number}", work, heavy=heavy, slot=name, libraries=libraries)

    def _find(self, message: str) -> tuple[str, _Waiting | None]:
        """Return the name of a work, and who waits for it; None if a newer one has replaced it."""
        name, _, number = message.rpartition("#")
        waiting = self._waiting.get(name)
        return name, waiting if waiting is not None and waiting.number == int(number) else None

    def take_result(self, message: InspectionDone) -> None:
        """Pass a result, or the reason why there is none, to the page."""
        name, waiting = self._find(message.page)
        if waiting is None:
            return
        del self._waiting[name]
        self._set_progress(name, "", waiting)
        if message.error:
            waiting.failed(message.error)
        else:
            waiting.then(message.result)

    def take_progress(self, message: InspectionProgress) -> None:
        """Show the progress of a work."""
        name, waiting = self._find(message.page)
        if waiting is not None:
            self._set_progress(name, message.progress, waiting)

    def _set_progress(self, name: str, progress: str, waiting: _Waiting | None) -> None:
        if progress != self._progress.get(name, ""):
            self._progress.pop(name, None)
            if progress:
                self._progress[name] = progress if "escape" in progress else f"{progress} · escape cancels"
            self._progress_changed()
            if waiting is not None and waiting.heavy:
                waiting.page.show_progress(progress)

    def is_computing(self, page: Page) -> bool:
        """Whether heavy work of this page computes or waits."""
        return any(waiting.page is page and waiting.heavy for waiting in self._waiting.values())

    def cancel(self, page: Page) -> bool:
        """Cancel the heavy work of a page; return whether there was any."""
        names = [name for name, waiting in self._waiting.items() if waiting.page is page and waiting.heavy]
        for name in names:
            self._heavy.cancel(name)
            del self._waiting[name]
            self._set_progress(name, "", None)
        if names:
            page.show_cancelled()
        return bool(names)

    def cancel_all(self) -> None:
        """Cancel the work of all pages, because another subject is shown."""
        self._heavy.cancel()
        self.light.cancel()
        self._waiting.clear()
        self._progress.clear()
