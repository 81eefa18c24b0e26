"""Summary: how good the predictions are, in one sentence, and the confusion matrix."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from core.formatting import counted, duration, percent, printable
from tui.panes.results.confusion import ConfusionMatrix
from tui.panes.results.errors import ErrorsPage, prediction_text
from tui.panes.results.evaluate_screen import EvaluateScreen, EvaluationRequest
from tui.panes.results.metrics_table import Measured, accuracy_table, metrics_table
from tui.panes.results.page import Page, failed
from tui.panes.results.review_panel import start_of
from tui.widgets.cells import one_line
from tui.widgets.lines import Lines
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.errors import ListedError
    from core.analysis.evaluate_on import EvaluationProgress, EvaluationResult
    from core.analysis.evaluation_plan import EvaluationPlan
    from core.analysis.predictions import Predictions
    from tui.panes.results.pane import ResultsPane
    from tui.panes.results.subject import SubjectData

MOST_WORST = 40
"""Errors below the tables; as many of them are shown as there is room for."""


class SummaryPage(Page):
    """The sentence, and the matrix whose cells open the list of their reviews."""

    title = "Summary"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "evaluate", "evaluate on more"),
        Binding("y", "copy", "copy the sentence"),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._sentence = ""
        self._found: Measured | None = None
        self._stop: threading.Event | None = None
        """Set to stop the evaluation that runs; None if none does."""

    def compose(self) -> ComposeResult:
        yield Static(id="summary-sentence", markup=False)
        yield Static(id="summary-note", markup=False)
        yield Static(id="summary-accuracy", markup=False)
        yield ConfusionMatrix(id="confusion")
        yield Static(id="summary-metrics", markup=False)
        yield Lines(id="summary-worst")

    def main_widget(self) -> ConfusionMatrix:
        return self.query_one(ConfusionMatrix)

    def show_data(self) -> None:
        data = self.data
        self._say("")
        self._show(None)
        self.query_one("#summary-sentence", Static).update(Text("computing …", style="dim"))
        self.query_one("#summary-worst", Lines).show()
        self.compute(lambda _: _measure(data, data.baseline()), self._measured, libraries=False)

    def _measured(self, found: Measured) -> None:
        data = self.data
        self._show(found)
        self.compute(lambda _: _worst(data), self._show_worst, failed=lambda _: None)
        if found.baseline is None:
            self._fit_baseline()

    def _show_worst(self, found: list[ListedError]) -> None:
        """Fill the room below the tables with the first rows of Errors."""
        lines = [Text("largest losses, with label and P(positive) · e lists all errors", style="dim")] if found else []
        lines += [Text.assemble(prediction_text(each), one_line(start_of(each.text))) for each in found]
        self.query_one("#summary-worst", Lines).show(*lines)

    def _show(self, found: Measured | None) -> None:
        self._found = found
        self._sentence = found.sentence if found is not None else ""
        self.query_one("#summary-sentence", Static).update(Text(self._sentence, style="bold"))
        self.main_widget().show(found.metrics if found is not None else None)
        self.query_one("#summary-metrics", Static).update(metrics_table(found) if found is not None else "")
        self._draw_accuracy()

    def _draw_accuracy(self) -> None:
        found, width = self._found, self.size.width - 2
        self.query_one("#summary-accuracy", Static).update(accuracy_table(found, width) if found is not None else "")

    def on_resize(self) -> None:
        self._draw_accuracy()

    def _fit_baseline(self) -> None:
        """Fit the bag of words on the run's training reviews, and compare."""
        data = self.data

        def work(inspection: Inspection) -> Measured:
            from core.analysis.stored_evaluations import store_baseline

            inspection.report("fitting the bag of words", now=True)
            store_baseline(data.subject.run, data.subject.label)
            inspection()
            return _measure(data, data.baseline())

        self._say(Text("bag of words on the same reviews: fitting …", style="dim"))
        self.compute(work, self._compared, heavy=True, failed=self._no_baseline)

    def _compared(self, found: Measured) -> None:
        self._say("")
        self._show(found)

    def _no_baseline(self, message: str) -> None:
        self._say(Text(f"There is no bag of words to compare with: {printable(message)}", style="dim"))

    def show_message(self, message: str) -> None:
        self._show(None)
        self.query_one("#summary-sentence", Static).update(failed(message))

    def _say(self, note: str | Text) -> None:
        line = self.query_one("#summary-note", Static)
        line.update(note)
        line.display = bool(note)

    @on(ConfusionMatrix.Chosen)
    async def _cell_chosen(self, message: ConfusionMatrix.Chosen) -> None:
        page = await self.pane.show_page(ErrorsPage.title)
        assert isinstance(page, ErrorsPage)
        page.list_cell(message.cell)

    def action_copy(self) -> None:
        """Copy the sentence to the clipboard, through the terminal (OSC 52)."""
        if self._sentence:
            self.app.copy_to_clipboard(self._sentence)
            self.notify("Copied the sentence.")

    # Evaluate on more reviews

    def action_evaluate(self) -> None:
        """Ask what to evaluate on, then do it."""
        if self._stop is not None:
            self.notify("An evaluation is running. Press escape to stop it; what it has predicted is kept.")
            return
        data = self.data

        def work(_: Inspection) -> EvaluationPlan:
            from core.analysis.evaluation_plan import plan_evaluation

            return plan_evaluation(data.subject.run, data.predictions())

        self.compute(work, self._ask, failed=self._not_evaluated, libraries=False)

    def _ask(self, plan: EvaluationPlan) -> None:
        subject = self.data.subject
        screen = EvaluateScreen(subject.target, subject.source, plan)
        self.ask(screen, lambda request: self._evaluate(request) if request is not None else None)

    def _evaluate(self, request: EvaluationRequest) -> None:
        data, stop = self.data, threading.Event()
        self._stop = stop
        self.pane.release()  # the evaluation loads the weights as the run's engine has them

        def work(inspection: Inspection) -> EvaluationResult:
            from core.analysis.evaluate_on import evaluate_on

            def ends() -> bool:
                return stop.is_set() or inspection.must_end

            result = evaluate_on(
                data.resolved(),
                request.data,
                limit=request.limit,
                on_progress=lambda progress: inspection.report(_progress_text(progress)),
                stop=ends,
            )
            if not stop.is_set():
                inspection()  # after a run that has started meanwhile, the evaluation continues
            return result

        self._say("reading the reviews …")
        self.compute(work, self._evaluated, heavy=True, failed=self._not_evaluated)

    def show_progress(self, progress: str) -> None:
        if self._stop is None and progress:
            self._say(Text(f"bag of words on the same reviews: {progress} …", style="dim"))
        elif self._stop is not None and progress:
            stopping = self._stop.is_set()
            self._say("stopping …" if stopping else f"evaluating: {progress}")

    def _evaluated(self, result: EvaluationResult) -> None:
        self._stop = None
        stored = result.stored
        done = "Evaluated" if stored.complete else "Stopped after"
        left_out = f" Left out: {counted(stored.left_out, 'leak or duplicate')}." if stored.left_out else ""
        self.app.notify(f"{done} {counted(stored.n, 'review')} of {stored.source.get('name', stored.data)}.{left_out}")
        self._say("")
        self.pane.reload(stored.label)

    def _not_evaluated(self, message: str) -> None:
        self._stop = None
        self._say(failed(message))

    def show_cancelled(self) -> None:
        self._stop = None
        self._say(Text("cancelled", style="dim"))

    def escape(self) -> bool:
        """Stop the evaluation that runs; what it has predicted is kept."""
        if self._stop is None or self._stop.is_set():
            return False
        self._stop.set()
        self._say("stopping …")
        return True


def _measure(data: SubjectData, baseline: Predictions | None) -> Measured:
    """The metrics of a subject, beside those of the baseline if there is one."""
    from core.analysis.comparison import compare_predictions
    from core.analysis.metrics import metrics, summary_sentence
    from core.libraries import load_statistics_libraries

    load_statistics_libraries()
    predictions = data.predictions()
    own = metrics(predictions)
    if baseline is None:
        return Measured(own, summary_sentence(own, predictions))
    other, paired = metrics(baseline), compare_predictions(baseline, predictions)
    return Measured(own, summary_sentence(own, predictions, other, paired), other, paired)


def _worst(data: SubjectData) -> list[ListedError]:
    from core.analysis.errors import errors

    return errors(data.predictions(), data.texts(), limit=MOST_WORST)


def _progress_text(progress: EvaluationProgress) -> str:
    parts = [f"{progress.done:,} of {progress.total:,}"]
    if progress.correct is not None and progress.counted:
        parts.append(f"{percent(progress.correct / progress.counted)} so far")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return " · ".join([*parts, "escape stops and keeps it"])
