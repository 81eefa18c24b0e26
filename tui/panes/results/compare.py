"""Compare: which of two runs or epochs is better, how sure that is, and which reviews they predict differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from core.errors import InputError
from core.formatting import counted, percent, printable
from tui.panes.results.difference_view import CellTable, DifferenceBar
from tui.panes.results.evaluate_both import entries, evaluate_both, plan, question
from tui.panes.results.opponents import (
    Comparison,
    Opponent,
    at_epoch,
    compare_with,
    compare_with_nearest,
    opponents,
)
from tui.panes.results.page import Page, failed
from tui.panes.results.review_panel import BROAD, start_of
from tui.screens.choose import Choose
from tui.widgets.cells import one_line
from tui.widgets.rows import Rows
from tui.widgets.tinted_text import TintedText
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.comparison import AtEpoch, Cell, Flip
    from core.analysis.evaluation_plan import EvaluationPlan
    from tui.panes.results.pane import ResultsPane

FLIPPED: tuple[Cell, ...] = ("only_first", "only_second")
LISTS: tuple[tuple[Cell, ...], ...] = (FLIPPED, ("only_second",), ("only_first",), ("neither",), ("both",))
"""The lists of reviews, in the order of the key for the next one."""
_LIST_NAMES = {
    FLIPPED: "predicted differently",
    ("only_second",): "only second right",
    ("only_first",): "only first right",
    ("neither",): "both wrong",
    ("both",): "both right",
}
_RIGHT: dict[Cell, str] = {"both": "both", "only_first": "first", "only_second": "second", "neither": "neither"}
_LABELS = ("negative", "positive")


class ComparedRows(Rows):
    """The list of reviews."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "to the Tokenizer", show=False)]


class ComparePage(Page):
    """The verdict and the interval on top, the reviews of a cell below them, and the review under the cursor."""

    title = "Compare"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "choose", "compare with"),
        Binding("x", "cell(1)", "other cell"),
        Binding("X", "cell(-1)", "previous cell", show=False),
        Binding("n", "evaluate", "evaluate both"),
        Binding("y", "copy", "copy the verdict"),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._chosen: AtEpoch | None = None
        """What the user chose to compare with; None for the nearest."""
        self._given: Any = None
        """The other run of the subject that was compared last."""
        self._found: Comparison | None = None
        self._verdict = ""
        self._texts: list[str] = []
        self._cells = FLIPPED
        self._listed: list[Flip] = []

    def compose(self) -> ComposeResult:
        yield Static(id="compare-names", markup=False)
        yield Static(id="compare-verdict", markup=False)
        with Container(id="compare-top"):
            yield DifferenceBar(id="compare-bar")
            yield CellTable(id="compare-cells")
        yield Static(id="compare-line", markup=False)
        with Container(id="compare-body"):
            yield ComparedRows(id="compare-rows")
            with Vertical(id="compare-right"):
                yield Static(id="compare-head", markup=False)
                yield TintedText(id="compare-text")

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= BROAD, "broad")

    def current_text(self) -> str:
        return self._text_of(self._listed[self.main_widget().row]) if self._listed else ""

    # The comparison

    def show_data(self) -> None:
        subject = self.data.subject
        if subject.other is not None and subject.other != self._given:
            from core.analysis.comparison import AtEpoch

            self._given, self._chosen = subject.other, AtEpoch(subject.other)
        self._compare()

    def _compare(self) -> None:
        subject, chosen, root = self.data.subject, self._chosen, self.pane.console.root

        def work(_: Inspection) -> Comparison:
            first = at_epoch(subject)
            if chosen is not None and not (chosen.run == first.run and chosen.finished().epoch == first.epoch):
                return compare_with(first, chosen)
            return compare_with_nearest(root, subject)

        self._static("compare-names", Text("comparing …", style="dim"))
        self.compute(work, self._show, libraries=False)

    def _static(self, name: str, content: Text | str) -> None:
        self.query_one(f"#{name}", Static).update(content)

    def _show(self, found: Comparison) -> None:
        self._found, self._texts, self._verdict = found, [], ""
        one, other = found.names
        names = Text(no_wrap=True, overflow="ellipsis")
        names.append("first ", style="dim").append(printable(one), style="bold")
        if found.second is not None:
            names.append("   second ", style="dim").append(printable(other), style="bold")
        pair = found.paired
        if pair is None or found.predictions is None:
            self._static("compare-names", names)
            self._static("compare-verdict", self._why_not(found))
            self._draw_counts()
            self._list()
            return
        first, second = found.predictions
        shares = [percent(float(each.correct.mean())) for each in (first, second)]
        names.append(f"   {shares[0]} and {shares[1]} of {first.label} · McNemar p = {pair.p_value:.2g}", style="dim")
        self._verdict = pair.verdict(one, other)
        self._static("compare-names", names)
        self._static("compare-verdict", Text(printable(self._verdict), style="bold"))
        self._draw_counts()
        self._list()
        self._read_texts(found)

    def _why_not(self, found: Comparison) -> Text:
        if found.second is None:
            return Text("There is no other run with predictions, and no other epoch. Train a second run, then press o.")
        return Text.assemble(
            failed(found.problem), "\nPress n to evaluate both on the same reviews, or o to compare with another run."
        )

    def _draw_counts(self) -> None:
        found = self._found
        pair = found.paired if found is not None else None
        self.query_one("#compare-top").display = pair is not None
        self.query_one(DifferenceBar).show(pair, found.names if found is not None else ("", ""))
        self.query_one(CellTable).show(pair, self._cells)

    def show_message(self, message: str) -> None:
        self._found, self._verdict = None, ""
        self._static("compare-names", "")
        self._static("compare-verdict", failed(message))
        self._draw_counts()
        self._list()

    def action_choose(self) -> None:
        """Ask what to compare with."""
        root, subject = self.pane.console.root, self.data.subject
        self.compute(lambda _: opponents(root, subject), self._ask, libraries=False)

    def _ask(self, found: list[Opponent]) -> None:
        if not found:
            self.notify("There is no other run with predictions, and no other epoch. Train a second run.")
            return
        current = self._found.second if self._found is not None else None
        places = [i for i, each in enumerate(found) if current is not None and each.at.run == current.run]

        def chosen(place: int | None) -> None:
            if place is not None and place >= 0:
                self._chosen = found[place].at
                self._compare()

        names = [each.description for each in found]
        self.ask(Choose("Compare with:", names, places[0] if places else 0), chosen)

    def action_copy(self) -> None:
        """Copy the verdict to the clipboard, through the terminal (OSC 52)."""
        if self._verdict:
            self.app.copy_to_clipboard(self._verdict)
            self.notify("Copied the verdict.")

    # The reviews

    def _list(self) -> None:
        """List the reviews in the chosen cells, the largest change of P(positive) first."""
        from core.analysis.comparison import compared_reviews

        predictions = self._found.predictions if self._found is not None else None
        self._listed = compared_reviews(*predictions, self._cells) if predictions is not None else []
        line = f"{counted(len(self._listed), 'review')} {_LIST_NAMES[self._cells]} · largest change first"
        self._static("compare-line", line if predictions is not None else "")
        self.query_one(CellTable).show(self._found.paired if self._found is not None else None, self._cells)
        header = Text("label  P first  P second  right    review", style="dim")
        empty = "no review is in this cell; x lists another" if predictions is not None else ""
        self.main_widget().show_rows(
            len(self._listed), self._row, row=0, header=header if predictions is not None else Text(), empty=empty
        )
        self._show_review()

    def _row(self, row: int) -> Text:
        found = self._listed[row]
        numbers = f"{found.first_probability:7.3f}  {found.second_probability:8.3f}"
        line = Text(f"{_LABELS[found.label][:3]:5}  {numbers}  {_RIGHT[found.cell]:7}  ")
        return line.append(one_line(start_of(self._text_of(found))))

    def _text_of(self, found: Flip) -> str:
        return self._texts[found.row] if self._texts else ""

    def _read_texts(self, found: Comparison) -> None:
        def work(_: Inspection) -> Any:
            from core.analysis.stored_evaluations import texts_of

            assert found.predictions is not None
            assert found.second is not None
            try:
                return found, texts_of(found.first.run, found.predictions[0])
            except InputError:
                return found, texts_of(found.second.run, found.predictions[1])

        self.compute(work, self._show_texts, failed=self._no_texts, libraries=False)

    def _show_texts(self, result: tuple[Comparison, list[str]]) -> None:
        found, texts = result
        if found is self._found:
            self._texts = texts
            self.main_widget().refresh_changes()
            self._show_review()

    def _no_texts(self, message: str) -> None:
        self._static("compare-line", failed(f"the reviews cannot be read: {message}"))

    @on(Rows.Highlighted, "#compare-rows")
    def _show_review(self) -> None:
        found = self._listed[self.main_widget().row] if self._listed else None
        head = Text(no_wrap=True, overflow="ellipsis")
        if found is not None:
            head.append(f"{_LABELS[found.label]} · ", style="bold")
            head.append(f"first {found.first_probability:.3f} {_sign(found.first_is_correct)} · ", style="bold")
            head.append(f"second {found.second_probability:.3f} {_sign(found.second_is_correct)}", style="bold")
            head.append(f" · row {found.id}", style="dim")
        self._static("compare-head", head)
        self.query_one(TintedText).show(self._text_of(found) if found is not None else "")

    @on(Rows.Selected, "#compare-rows")
    async def _open_in_tokenizer(self) -> None:
        if text := self.current_text():
            found = self._listed[self.main_widget().row]
            await self.pane.console.show_text(text, f"review {found.id} of {self.data.subject.source}")

    def action_cell(self, step: int) -> None:
        """List the reviews of the next cell."""
        self._choose_cells(LISTS[(LISTS.index(self._cells) + step) % len(LISTS)])

    @on(CellTable.Chosen)
    def _cell_chosen(self, message: CellTable.Chosen) -> None:
        self._choose_cells((cast("Cell", message.cell),))

    def _choose_cells(self, cells: tuple[Cell, ...]) -> None:
        self._cells = cells
        self._list()

    def escape(self) -> bool:
        """List the reviews that are predicted differently again."""
        if self._cells == FLIPPED or self.pane.work.is_computing(self):
            return False
        self._choose_cells(FLIPPED)
        return True

    # Evaluate both

    def action_evaluate(self) -> None:
        """Ask how many reviews to evaluate both on."""
        found = self._found
        if found is None or found.second is None:
            self.notify("Choose what to compare with first: press o.")
            return
        data = self.data
        self.compute(lambda _: plan(data), self._ask_size, libraries=False)

    def _ask_size(self, found: EvaluationPlan) -> None:
        def chosen(place: int | None) -> None:
            if place is not None and place >= 0:
                self._evaluate(found.sizes[place].n)

        pair = self._found.paired if self._found is not None else None
        self.ask(Choose(question(pair), entries(found)), chosen)

    def _evaluate(self, limit: int) -> None:
        found = self._found
        assert found is not None
        assert found.second is not None
        both = found.first, found.second
        self.pane.release()
        self._static("compare-line", "evaluating both · escape stops and keeps what is done")
        self.compute(
            lambda inspection: evaluate_both(*both, limit, inspection),
            self._evaluated,
            heavy=True,
            failed=self._not_evaluated,
        )

    def _evaluated(self, _: None) -> None:
        self._compare()

    def _not_evaluated(self, message: str) -> None:
        self._static("compare-line", failed(message))

    def show_progress(self, progress: str) -> None:
        if progress:
            self._static("compare-line", f"{progress} · escape stops and keeps what is done")

    def show_cancelled(self) -> None:
        self._compare()


def _sign(is_correct: bool) -> str:
    return "✓" if is_correct else "✗"
