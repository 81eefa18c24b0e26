"""Slices: the accuracy on groups of reviews, and what the truncation of long reviews costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from core.formatting import counted, percent, printable
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.metrics_table import interval_bar
from tui.panes.results.page import Page, failed
from tui.widgets.cells import one_line
from tui.widgets.field import Field
from tui.widgets.rows import Rows
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.slices import SliceResult
    from core.analysis.truncation_cost import TruncationCost
    from tui.panes.results.pane import ResultsPane

PATTERN = "pattern"
"""The name of the slice of the user's own regular expression, as in core.analysis.slices."""
NARROWEST, WIDEST = 12, 60
"""Limits of the width of the axis, in cells."""


class SliceRows(Rows):
    """The list of slices."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "list its errors")]


class SlicesPage(Page):
    """One row per slice, its interval on a common axis; below it what the slice is, and how sure the difference."""

    title = "Slices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "pattern", "own pattern", key_display="/"),
        Binding("u", "truncation", "what cutting costs"),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._found: list[SliceResult] = []
        self._pattern = ""
        self._cost = ""

    def compose(self) -> ComposeResult:
        yield Static(id="slices-line", markup=False)
        yield Field("", id="slices-pattern", placeholder="regular expression, then enter", compact=True)
        yield SliceRows(id="slices-rows")
        yield Static(id="slices-detail", markup=False)

    def on_mount(self) -> None:
        self.query_one("#slices-pattern").display = False

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    def show_data(self) -> None:
        self._cost = ""
        self._measure()

    def _measure(self) -> None:
        data, pattern = self.data, self._pattern

        def work(_: Inspection) -> Any:
            from core.analysis.slices import slices

            if not pattern:
                return data.slices()
            return slices(data.predictions(), data.texts(), *data.token_counts(), pattern)

        self._say("comparing the accuracy of each slice with the rest …")
        self.compute(work, self._show)

    def _say(self, text: str | Text) -> None:
        self.query_one("#slices-line", Static).update(text)

    def _show(self, found: list[SliceResult]) -> None:
        self._found = found
        marked = sum(one.differs for one in found)
        sure = f"{marked:,} of them {'differs' if marked == 1 else 'differ'} from the rest (marked *)"
        self._say(Text(f"{len(found)} slices; {sure if marked else 'none differs clearly from the rest'}", style="dim"))
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if not self._found:
            return
        low = min((one.interval.low for one in self._found if one.n), default=0.0)
        start = min(int(low * 10) / 10, 0.9)
        cells = min(max(self.size.width - 58, NARROWEST), WIDEST)
        end = f"{start:.0%}".replace("%", " %")
        header = Text(f"  {'slice':<11}{'n':>7}  {'accuracy':>9}  {'95 % interval':>14}  {end}", style="dim")
        header.append(f"{'100 %':>{max(cells - len(end), 5)}}")
        self.main_widget().show_rows(len(self._found), lambda row: self._row(row, start, cells), header=header)
        self._detail()

    def _row(self, row: int, start: float, cells: int) -> Text:
        one = self._found[row]
        line = Text(f"{'*' if one.differs else ' '} {one.name:<11}{one.n:>7,}  ")
        if not one.n:
            return line.append("no review", style="dim")
        line.append(f"{percent(one.accuracy):>9}  ", style="bold" if one.differs else "")
        line.append(f"{100 * one.interval.low:>5.1f} to {100 * one.interval.high:>5.1f}  ", style="dim")
        return line.append_text(interval_bar(one.accuracy, one.interval, start, cells))

    @on(Rows.Highlighted, "#slices-rows")
    def _detail(self) -> None:
        if not self._found:
            return
        one = self._found[self.main_widget().row]
        text = Text(f"{one.name}: {printable(one.description)}. ", style="bold")
        if one.p_adjusted is None:
            text.append("Too few reviews for a test.", style="not bold")
        else:
            text.append(
                f"{percent(one.accuracy)} here, {percent(one.rest_accuracy)} in the rest; "
                f"p = {one.p_adjusted:.2g} (Fisher's exact test, Benjamini-Hochberg).",
                style="not bold",
            )
        if self._cost:
            text.append(f"\n{self._cost}", style="not bold")
        self.query_one("#slices-detail", Static).update(text)

    def show_message(self, message: str) -> None:
        self._pattern = ""  # it is refused for the next run as well
        self._say(failed(message))

    @on(Rows.Selected, "#slices-rows")
    async def _open(self) -> None:
        """List the errors of the slice under the cursor."""
        if not self._found:
            return
        one = self._found[self.main_widget().row]
        if one.name == PATTERN:
            data, pattern = self.data, self._pattern

            def work(_: Inspection) -> Any:
                from core.analysis.patterns import search_all

                return frozenset(data.predictions().ids[search_all(pattern, data.texts())].tolist())

            self.compute(work, self._open_ids)
        else:
            page = await self.pane.show_page("Errors")
            assert isinstance(page, ErrorsPage)
            page.list_slice(one.name)

    def _open_ids(self, ids: frozenset[int]) -> None:
        async def show() -> None:
            page = await self.pane.show_page("Errors")
            assert isinstance(page, ErrorsPage)
            page.list_only(ids, f"matching {one_line(self._pattern)}")

        self.call_next(show)

    # The user's own pattern

    def action_pattern(self) -> None:
        field = self.query_one("#slices-pattern")
        field.display = True
        self.screen.set_focus(field)

    @on(Input.Submitted, "#slices-pattern")
    def _given(self, event: Input.Submitted) -> None:
        self._pattern = event.value
        self.query_one("#slices-pattern").display = bool(event.value)
        self.screen.set_focus(self.main_widget())
        self._measure()

    # What cutting costs

    def action_truncation(self) -> None:
        """Predict long reviews whole and by their end, and compare."""
        data = self.data

        def work(inspection: Inspection) -> Any:
            from core.analysis.truncation_cost import truncation_cost

            scorer = data.scorer()

            def progress(done: int, total: int) -> None:
                inspection()
                inspection.report(f"predicting {done:,} of {total:,}")

            return truncation_cost(scorer, data.predictions(), data.texts(), on_progress=progress)

        self._cost = "Predicting the long reviews again, whole and by their end …"
        self._detail()
        self.compute(work, self._show_cost, heavy=True, failed=self._no_cost)

    def _show_cost(self, found: TruncationCost) -> None:
        reviews = counted(found.n, "review")
        self._cost = " ".join([f"{reviews} longer than {found.max_length} tokens:", *map(printable, found.verdicts)])
        self._detail()

    def _no_cost(self, message: str) -> None:
        self._cost = f"✗ {printable(message)}"
        self._detail()

    def show_cancelled(self) -> None:
        self._cost = ""
        self._detail()
