"""Dynamics: the data map, which shows the reviews that a run learned early, late or never, or forgot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from core.formatting import percent
from tui.panes.results.page import Page, failed
from tui.panes.results.review_panel import BROAD
from tui.widgets.cells import one_line
from tui.widgets.chart import Chart, Series
from tui.widgets.rows import Rows
from tui.widgets.tinted_text import TintedText
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.runs.directory import Part
    from tui.panes.results.pane import ResultsPane

SCALE = 1000
"""Points of the x axis, which stand for a variability of 0 to 0.5, the largest standard deviation of a probability."""
SIGNS = ("·", "+", "x", "o")
COLOURS = ("run-1", "run-2", "run-3", "run-4")
"""How a point of each region is drawn, in the order of core's REGIONS."""
_LABELS = ("neg", "pos")


@dataclass(frozen=True, slots=True)
class DataMap:
    """What the page shows; the arrays are computed once, because those of Dynamics are computed at each access."""

    part: Part
    epochs: int
    labels: NDArray[Any]
    probabilities: NDArray[Any]
    """float64 [epochs, n]: the probability of each review's label."""
    confidence: NDArray[Any]
    variability: NDArray[Any]
    regions: dict[str, NDArray[Any]]
    """The positions of the reviews of each region, the lowest confidence first."""
    texts: list[str]


class RegionRows(Rows):
    """The list of regions."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "its reviews")]


class DynamicsPage(Page):
    """Confidence against variability of each review; a region opens its reviews."""

    title = "Dynamics"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("p", "part", "training or validation")]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._part: Part = "train"
        self._found: DataMap | None = None
        self._rows: list[int] = []

    def compose(self) -> ComposeResult:
        yield Static(id="dynamics-line", markup=False)
        with Container(id="dynamics-body"):
            yield Chart("mean probability of the label", percent=True, limits=(0.0, 1.0), id="dynamics-map")
            with Vertical(id="dynamics-lists"):
                yield RegionRows(id="dynamics-regions")
                yield Rows(id="dynamics-reviews", empty="enter on a region lists its reviews")
                yield TintedText(id="dynamics-text")

    def main_widget(self) -> RegionRows:
        return self.query_one(RegionRows)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= BROAD, "broad")

    def show_data(self) -> None:
        self._read()

    def _read(self) -> None:
        data, part = self.data, self._part

        def work(_: Inspection) -> DataMap:
            from core.analysis.example_dynamics import REGIONS, dynamics

            found = dynamics(data.subject.run, part)
            return DataMap(
                part,
                len(found.epochs),
                found.labels,
                found.probabilities,
                found.confidence,
                found.variability,
                {name: found.members(name) for name in REGIONS},
                data.run_reviews().texts(found.ids.tolist()),
            )

        self._found = None
        self.query_one("#dynamics-line", Static).update(Text("reading the predictions of each epoch …", style="dim"))
        self.compute(work, self._show)

    def _show(self, found: DataMap) -> None:
        import numpy as np

        self._found = found
        self.query_one("#dynamics-body").display = True
        part = "training" if found.part == "train" else "validation"
        line = Text(f"{len(found.texts):,} {part} reviews over {found.epochs} epochs", style="bold")
        line.append(" · up: mean probability of the label · right: its standard deviation", style="not bold dim")
        self.query_one("#dynamics-line", Static).update(line)
        across = np.rint(found.variability / 0.5 * SCALE).astype(np.int64)
        series = [
            Series(name, across[rows], found.confidence[rows], colour, mark=sign, cloud=True)
            for (name, rows), sign, colour in zip(found.regions.items(), SIGNS, COLOURS, strict=True)
        ]
        ticks = [(0, "0"), (SCALE // 2, "0.25"), (SCALE, "0.5")]
        self.query_one(Chart).show(series, x_end=SCALE, ticks=ticks)
        header = Text(f"  {'region':<16}{'reviews':>8}{'share':>9}", style="dim")
        self.main_widget().show_rows(len(found.regions), self._region_row, header=header)
        self._list([])

    def _region_row(self, row: int) -> Text:
        from core.analysis.example_dynamics import REGIONS

        assert self._found is not None
        name, meaning = list(REGIONS.items())[row]
        count = len(self._found.regions[name])
        line = Text.assemble((SIGNS[row], self.app.theme_variables[COLOURS[row]]), f" {name:<16}{count:>8,}")
        return line.append(f"{percent(count / max(len(self._found.texts), 1)):>9}").append(f"  {meaning}", style="dim")

    @on(Rows.Selected, "#dynamics-regions")
    def _open(self) -> None:
        """List the reviews of the region, those of the lowest confidence first."""
        if self._found is not None:
            self._list(list(self._found.regions.values())[self.main_widget().row].tolist())
            self.screen.set_focus(self.query_one("#dynamics-reviews"))

    def _list(self, rows: list[int]) -> None:
        self._rows = rows
        self.set_class(bool(rows), "listing")
        header = Text("label  probability of the label per epoch  review", style="dim") if rows else Text()
        self.query_one("#dynamics-reviews", Rows).show_rows(len(rows), self._review_row, row=0, header=header)
        self._show_text()

    def _review_row(self, row: int) -> Text:
        assert self._found is not None
        place = self._rows[row]
        line = Text(f"{_LABELS[int(self._found.labels[place])]}    ")
        line.append("  ".join(f"{float(each):.2f}" for each in self._found.probabilities[:, place]), style="bold")
        return line.append(f"  {one_line(self._found.texts[place][:400])}", style="not bold")

    @on(Rows.Highlighted, "#dynamics-reviews")
    def _show_text(self) -> None:
        row, found = self.query_one("#dynamics-reviews", Rows).row, self._found
        self.query_one(TintedText).show(found.texts[self._rows[row]] if self._rows and found is not None else "")

    def escape(self) -> bool:
        """Close the list of reviews."""
        if not self._rows:
            return False
        self._list([])
        return True

    def action_part(self) -> None:
        self._part = "validation" if self._part == "train" else "train"
        self._read()

    def show_message(self, message: str) -> None:
        if self._part == "train" and self.data.subject.run.path.is_dir():
            message = f"{message.partition(';')[0]}. Press p for the validation reviews"
        self.query_one("#dynamics-line", Static).update(failed(message))
        self.query_one("#dynamics-body").display = False  # rather than an empty map
