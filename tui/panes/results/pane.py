"""Results: what the predictions of a run are worth, on pages of which each has a letter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Input, Static

from core.errors import InputError
from core.formatting import printable
from core.runs.directory import Run
from tui.messages import InspectionDone, InspectionProgress
from tui.panes.pane import Pane
from tui.panes.results.calibration import CalibrationPage
from tui.panes.results.compare import ComparePage
from tui.panes.results.dynamics import DynamicsPage
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.page import Page, failed
from tui.panes.results.page_work import PageWork
from tui.panes.results.slices import SlicesPage
from tui.panes.results.subject import Subject, SubjectData, newest_with_predictions, subjects_of
from tui.panes.results.summary import SummaryPage
from tui.panes.results.try_text import TryPage
from tui.panes.results.what_if import WhatIfPage
from tui.panes.results.words import WordsPage
from tui.screens.choose import Choose
from tui.widgets.page_bar import PageBar, PageName
from tui.workers.inspection import Inspection, Work

if TYPE_CHECKING:
    from tui.panes.pane import Console

PAGES: dict[PageName, type[Page]] = {
    PageName("s", "Summary"): SummaryPage,
    PageName("e", "Errors"): ErrorsPage,
    PageName("l", "Slices"): SlicesPage,
    PageName("c", "Calibration", "Calib"): CalibrationPage,
    PageName("w", "Words"): WordsPage,
    PageName("f", "What if"): WhatIfPage,
    PageName("d", "Dynamics"): DynamicsPage,
    PageName("v", "Compare", "Cmp"): ComparePage,
    PageName("t", "Try"): TryPage,
}
"""The pages in the order of their names on screen. Letters: s e l c w f d v t; pages bind other letters."""
_EMPTY = (
    "No run has finished an epoch yet.\n\n"
    "Press 1 to choose a preset, enter to open it in Train, and s to start.\n"
    "Press 5 to see the runs; enter shows the results of one, or compares two that are marked with space.\n"
    "While a run trains, press t to try a sentence on it."
)
_OPENING = "open"


class ResultsPane(Pane):
    """Has the subject and its data. No page computes in the thread of the user interface."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(page.key, f"page('{page.name}')", page.name, show=False) for page in PAGES),
        Binding("b", "choose_subject", "epoch or evaluation", show=False),
        Binding("left_square_bracket", "step(-1)", "previous epoch or evaluation", show=False, key_display="["),
        Binding("right_square_bracket", "step(1)", "next epoch or evaluation", show=False, key_display="]"),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self.data: SubjectData | None = None
        """The data of the subject; None until a run is open."""
        self.subjects: list[Subject] = []
        """All predictions of the open run."""
        self._page = next(iter(PAGES)).name
        self.work = PageWork(self.post_message, lambda: self.console.session.is_live, self._show_head)
        self._wanted = ""

    @property
    def subject(self) -> Subject | None:
        """What the pages are about."""
        return self.data.subject if self.data is not None else None

    @property
    def page(self) -> Page | None:
        """The page in front."""
        found = self.query(f"#{_page_id(self._page)}")
        return found.first(Page) if found else None

    def compose(self) -> ComposeResult:
        yield PageBar(list(PAGES))
        yield Static(id="results-head", markup=False)
        yield Static(id="results-empty", markup=False)
        yield Container(id="results-pages")

    def on_mount(self) -> None:
        empty = self.query_one("#results-empty")
        empty.can_focus = True
        empty.display = False
        self._show_head()

    # The subject

    def open(self, run: Run, other: Run | None = None) -> None:
        """Show a run; with ``other``, compare the two."""

        def work(_: Inspection) -> list[Subject]:
            return [replace(subject, other=other) for subject in subjects_of(run)]

        self._open(work)

    def _open_newest(self) -> None:
        root = self.console.root

        def work(_: Inspection) -> list[Subject]:
            run = newest_with_predictions(root)
            return subjects_of(run) if run is not None else []

        self._open(work)

    def _open(self, work: Work, label: str = "") -> None:
        """List the predictions of a run in a thread; then show those named ``label``, else the best ones."""
        self._wanted = label
        self.work.light.start(_OPENING, work, heavy=False, slot=_OPENING, libraries=False)
        if self.data is None:
            self.query_one("#results-head", Static).update(Text("reading the runs …", style="dim"))

    async def _opened(self, subjects: list[Subject], error: str) -> None:
        if subjects:
            compared = subjects[0].other is not None and "Compare" in _NAMES
            wanted = [subject for subject in subjects if subject.label == self._wanted]
            await self._take(subjects, best_subject(wanted or subjects), "Compare" if compared else self._page)
            return
        if self.data is not None:  # keep what is shown
            self.app.notify(error, severity="warning")
            return
        self.query_one("#results-head", Static).update("")
        empty = self.query_one("#results-empty", Static)
        empty.update(Text.assemble(failed(error), "\n\n", _EMPTY.partition("\n\n")[2]) if error else _EMPTY)
        empty.display = self.page is None
        if self.display and empty.display and self.app.focused is None:
            self.screen.set_focus(empty)

    async def _take(self, subjects: list[Subject], subject: Subject, page: str) -> None:
        self.subjects = subjects
        self.query_one("#results-empty").display = False
        if self.subject != subject:
            self.release()
            self.work.cancel_all()
            shared = self.data.of_run if self.data is not None and self.data.subject.run == subject.run else None
            self.data = SubjectData(subject, shared)
        self._show_head()
        await self.action_page(page)

    def reload(self, label: str | None = None) -> None:
        """List the predictions of the run again, because one was added; show the evaluation ``label``, if given."""
        subject = self.subject
        if subject is None:
            return
        run, other = subject.run, subject.other

        def work(_: Inspection) -> list[Subject]:
            return [replace(each, other=other) for each in subjects_of(run)]

        self._open(work, label or subject.label)

    def _show_head(self) -> None:
        """The run, what it was evaluated on, and what is being computed."""
        subject = self.subject
        if subject is None:
            return
        line = Text(printable(subject.run.name), style="bold", no_wrap=True, overflow="ellipsis")
        activity = self.work.activity
        line.append(
            f"  {printable(activity or subject.describe())}", style="not bold italic" if activity else "not bold dim"
        )
        self.query_one("#results-head", Static).update(line)

    def action_step(self, by: int) -> None:
        """Show the predictions after the next epoch, or of the next evaluation."""
        if self.subject in self.subjects and len(self.subjects) > 1:
            place = self.subjects.index(self.subject) + by
            self._choose(place % len(self.subjects))

    def action_choose_subject(self) -> None:
        """Ask which predictions of the run to show."""
        if self.subject in self.subjects:
            entries = [subject.describe() for subject in self.subjects]
            place = self.subjects.index(self.subject)
            self.app.push_screen(Choose("Show the predictions of:", entries, place), self._chosen)

    def _chosen(self, place: int | None) -> None:
        if place is not None and place >= 0:
            self._choose(place)

    def _choose(self, place: int) -> None:
        self.call_next(self._take, self.subjects, self.subjects[place], self._page)

    async def on_inspection_done(self, message: InspectionDone) -> None:
        if message.page == _OPENING:
            await self._opened(message.result or [], message.error)
        else:
            self.work.take_result(message)

    def on_inspection_progress(self, message: InspectionProgress) -> None:
        self.work.take_progress(message)

    # Memory

    def release(self) -> None:
        """Release the weights of the subject."""
        if self.data is not None:
            self.data.release_weights()

    def on_hide(self) -> None:
        """Release the weights: a run may start in another pane."""
        self.release()

    def run_ended(self) -> None:
        if self.data is None and self.display:
            self._open_newest()

    # Pages

    def activate(self) -> None:
        super().activate()
        if self.data is None:
            self._open_newest()

    def leave_field(self) -> None:
        """Move from a field to the page; there, cancel its computation, or go one step back."""
        page = self.page
        if page is None:
            self.screen.set_focus(self.query_one("#results-empty"))  # so that the letters of the pages are ours
        elif self.app.focused is page.main_widget():
            if not page.escape():
                self.work.cancel(page)
        else:
            self.screen.set_focus(page.main_widget())

    async def on_page_bar_chosen(self, message: PageBar.Chosen) -> None:
        await self.action_page(message.name)

    async def action_page(self, name: str) -> None:
        """Show a page; it is created the first time."""
        if not self._can_show(name):
            return
        self.query_one("#results-empty").display = False
        before = self.page
        if self.page is not None and name != self._page:
            self.page.leave()
        self._page = name
        pages = self.query_one("#results-pages")
        if self.page is None:
            page = _NAMES[name](self)
            page.id = _page_id(name)
            await pages.mount(page)
        for each in pages.query(Page):
            each.display = each is self.page
        self.query_one(PageBar).show(name)
        if (shown := self.page) is not None:
            if self.display:
                self.screen.set_focus(shown.main_widget())
            shown.activate()
            if before not in (None, shown) and (text := before.current_text()):
                shown.offer_text(text)
            self.refresh_bindings()

    def _can_show(self, name: str) -> bool:
        """Whether a page has something to show: predictions, or for Try the live run."""
        return self.data is not None or (not _NAMES[name].needs_subject and self.console.session.is_live)

    def has_page(self, name: str) -> bool:
        """Whether there is a page of this name."""
        return name in _NAMES

    async def show_page(self, name: str) -> Page:
        """Show a page and return it, for a page that hands something over to another."""
        await self.action_page(name)
        page = self.page
        if page is None:
            raise InputError(f"there is no page {name}")
        return page

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Disable the letters of the pages while a text field has the focus, and all keys without a run."""
        if action == "page":
            return self._can_show(str(parameters[0])) and not isinstance(self.app.focused, Input)
        if action in ("step", "choose_subject"):
            return self.data is not None and not isinstance(self.app.focused, Input)
        return True


_NAMES = {page.name: kind for page, kind in PAGES.items()}


def _page_id(name: str) -> str:
    return f"results-{name.lower().replace(' ', '-')}"


def best_subject(subjects: list[Subject]) -> Subject:
    """The predictions of the newest state of the model; of those, the ones of the most reviews."""
    newest = max(subject.step for subject in subjects)
    return max((subject for subject in subjects if subject.step == newest), key=lambda subject: subject.n)
