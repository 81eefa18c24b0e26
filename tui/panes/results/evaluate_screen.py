"""A modal screen that asks what to evaluate a checkpoint on, and on how many reviews."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from core.formatting import counted, duration, printable

if TYPE_CHECKING:
    from core.analysis.evaluation_plan import EvaluationPlan

REST = "rest"


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What to evaluate on: ``data`` as for evaluate_on, and how many reviews at most."""

    data: str
    limit: int


class EvaluateScreen(ModalScreen[EvaluationRequest | None]):
    """Dismisses with the request; escape dismisses with None."""

    def __init__(self, target: str, source: str, plan: EvaluationPlan) -> None:
        super().__init__()
        self._target, self._source, self._plan = target, source, plan

    def compose(self) -> ComposeResult:
        rest = f"rest: the {counted(self._plan.rest, 'review')} of {self._source} not seen in training"
        if not self._plan.rest:
            rest = f"rest: none, training used all reviews of {self._source}"
        with Vertical(classes="dialog"):
            yield Label(f"Evaluate {printable(self._target)} on", classes="question", markup=False)
            yield OptionList(
                Option(_line(rest), id=REST, disabled=not self._plan.rest),
                Option(_line("other reviews: a file or a data set"), id="other"),
                id="evaluate-data",
            )
            yield Input(
                id="evaluate-name", placeholder="reviews.csv, reviews.parquet, or a name on the Hub", compact=True
            )
            how = "measured" if self._plan.measured else "estimated"
            yield Label(f"reviews at most · time, {how} · 95 % interval", classes="hint", markup=False)
            yield OptionList(
                *(Option(_line(self._size_line(i))) for i in range(len(self._plan.sizes))), id="evaluate-size"
            )
            yield Static(id="problem", markup=False)
            yield Label("tab next · ↑ ↓ choose · enter starts · escape cancels", classes="hint", markup=False)

    def _size_line(self, place: int) -> str:
        size = self._plan.sizes[place]
        rest = "  all of the rest" if size.n == self._plan.rest else ""
        return f"{size.n:>7,}   {duration(size.seconds):>8}   ± {100 * size.half_width:.1f} points{rest}"

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        data, sizes = self.query_one("#evaluate-data", OptionList), self.query_one("#evaluate-size", OptionList)
        data.highlighted = 0 if self._plan.rest else 1
        # The first size is already more than most validation sets; the user sees what more would cost.
        sizes.highlighted = min(1, len(self._plan.sizes) - 1)
        (sizes if self._plan.rest else data).focus()
        self._show_name()

    @property
    def _is_rest(self) -> bool:
        return self.query_one("#evaluate-data", OptionList).highlighted == 0

    @on(OptionList.OptionHighlighted, "#evaluate-data")
    def _show_name(self) -> None:
        self.query_one("#evaluate-name").display = not self._is_rest

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def _start(self) -> None:
        name = self.query_one("#evaluate-name", Input)
        place = self.query_one("#evaluate-size", OptionList).highlighted or 0
        data = REST if self._is_rest else name.value.strip()
        if not data:
            self._refuse("type the path of a file, or the name of a data set")
            name.focus()
        elif Path(data).suffix.lower() in (".csv", ".parquet") and not Path(data).expanduser().is_file():
            self._refuse(f"there is no file {data}")
            name.focus()
        else:
            self.dismiss(EvaluationRequest(data, self._plan.sizes[place].n))

    def _refuse(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.display = True
        line.update(f"✗ {printable(problem)}")

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)


def _line(text: str) -> Text:
    return Text(printable(text), no_wrap=True, overflow="ellipsis")
