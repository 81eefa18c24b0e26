"""Summary: how good the predictions are, in one sentence, and the confusion matrix."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from core.formatting import counted, duration, percent
from tui.panes.results.confusion import ConfusionMatrix
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.evaluate_screen import EvaluateScreen, EvaluationRequest
from tui.panes.results.page import Page, failed
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.evaluate_on import EvaluationProgress, EvaluationResult
    from core.analysis.evaluation_plan import EvaluationPlan
    from tui.panes.results.pane import ResultsPane


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
        self._stop: threading.Event | None = None
        """Set to stop the evaluation that runs; None if none does."""

    def compose(self) -> ComposeResult:
        yield Static(id="summary-sentence", markup=False)
        yield Static(id="summary-note", markup=False)
        with Horizontal(id="summary-body"):
            yield ConfusionMatrix(id="confusion")

    def main_widget(self) -> ConfusionMatrix:
        return self.query_one(ConfusionMatrix)

    def show_data(self) -> None:
        data = self.data
        self._say("")
        self.query_one("#summary-sentence", Static).update(Text("computing …", style="dim"))

        def work(_: Inspection) -> Any:
            import numpy as np

            from core.analysis.errors import CELLS, cells
            from core.analysis.intervals import wilson

            predictions = data.predictions()
            found = cells(predictions)
            tn, fp, fn, tp = (int(np.sum(found == cell)) for cell in CELLS)
            return wilson(tn + tp, len(predictions)), ((tn, fp), (fn, tp))

        self.compute(work, self._show, libraries=False)

    def _show(self, result: Any) -> None:
        interval, ((tn, fp), (fn, tp)) = result
        n = tn + fp + fn + tp
        self._sentence = (
            f"{percent((tn + tp) / n)} of {n:,} reviews are predicted correctly "
            f"(95 % interval {interval.low * 100:.1f} to {interval.high * 100:.1f})."
        )
        self.query_one("#summary-sentence", Static).update(Text(self._sentence, style="bold"))
        self.main_widget().show(((tn, fp), (fn, tp)))

    def show_message(self, message: str) -> None:
        self._sentence = ""
        self.query_one("#summary-sentence", Static).update(failed(message))
        self.main_widget().show(None)

    def _say(self, note: str | Text) -> None:
        line = self.query_one("#summary-note", Static)
        line.update(note)
        line.display = bool(note)

    async def on_confusion_matrix_chosen(self, message: ConfusionMatrix.Chosen) -> None:
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
        self.app.push_screen(screen, lambda request: self._evaluate(request) if request is not None else None)

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
        if self._stop is not None and progress:
            stopping = self._stop.is_set()
            self._say("stopping …" if stopping else f"evaluating · {progress} · escape stops and keeps what is done")

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
        self._say("cancelled")

    def escape(self) -> bool:
        """Stop the evaluation that runs; what it has predicted is kept."""
        if self._stop is None or self._stop.is_set():
            return False
        self._stop.set()
        self._say("stopping …")
        return True


def _progress_text(progress: EvaluationProgress) -> str:
    parts = [f"{progress.done:,} of {counted(progress.total, 'review')}"]
    if progress.correct is not None and progress.counted:
        parts.append(f"{percent(progress.correct / progress.counted)} so far")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return " · ".join(parts)
