"""Weights: statistics of one tensor, a histogram, and the nearest neighbours of a token's embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from core.formatting import memory, printable
from core.inspection.target import Resolved
from core.model.parameter_tree import leaves, short_name
from tui.panes.model.histogram import Histogram
from tui.panes.model.page import Page, failed, grid_text
from tui.widgets.field import Field

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane

EMBEDDINGS = "distilbert.embeddings.word_embeddings.weight"
FIRST_TOKEN = "film"


class WeightsPage(Page):
    """A list of tensors, and the statistics of the selected one."""

    title = "Weights"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "token", "token", key_display="/")]

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._names: list[str] = []
        self._bytes: dict[str, int] = {}
        self._shown_key: tuple[Any, ...] = ()
        self._table: Table | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield OptionList(id="weights-list")
            with Vertical(id="weights-right"):
                yield Static(id="weights-statistics", markup=False)
                yield Histogram(id="weights-histogram")
                yield Field(FIRST_TOKEN, id="weights-token", placeholder="a token", compact=True)
                yield Static(id="weights-neighbours", markup=False)

    def main_widget(self) -> OptionList:
        return self.query_one(OptionList)

    def show_model(self, resolved: Resolved) -> None:
        if self.display:
            self.activate()

    def _list(self, resolved: Resolved) -> None:
        """Fill the list of tensors, unless it shows these already."""
        self._bytes = {leaf.path: leaf.bytes for leaf in leaves(resolved.tree)}
        names = list(self._bytes)
        if names != self._names:
            self._names = names
            menu = self.main_widget()
            with menu.prevent(OptionList.OptionHighlighted):
                menu.clear_options()
                menu.add_options(Option(grid_text(short_name(name))) for name in names)
                menu.highlighted = 0

    def select(self, path: str) -> None:
        """Select a tensor, or the first one of a module."""
        if self.pane.resolved is not None:
            self._list(self.pane.resolved)
        places = [i for i, name in enumerate(self._names) if name == path or name.startswith(f"{path}.")]
        if places and path:
            self.main_widget().highlighted = places[0]

    @property
    def _selected(self) -> str:
        place = self.main_widget().highlighted
        return self._names[place] if place is not None and place < len(self._names) else ""

    @on(OptionList.OptionHighlighted, "#weights-list")
    def activate(self) -> None:
        resolved = self.pane.resolved
        if resolved is None or not self.display:
            return
        self._list(resolved)
        name = self._selected
        key = (resolved.target, name)
        if key == self._shown_key:
            return
        self._shown_key = key
        near = name == EMBEDDINGS
        self.query_one("#weights-token").display = self.query_one("#weights-neighbours").display = near
        self.refresh_bindings()
        token = self.query_one("#weights-token", Input).value.strip()
        weights = self.pane.weights_of(resolved)

        def work(check_cancelled: Any) -> Any:
            from core.errors import InputError
            from core.inspection.tensor_stats import nearest_tokens, tensor_statistics

            opened = weights(check_cancelled)
            numbers = tensor_statistics(opened, name)
            check_cancelled()
            try:
                found = nearest_tokens(opened, resolved.tokenizer, token) if near and token else []
            except InputError as error:
                return numbers, token, str(error)
            return numbers, token, found

        self.query_one("#weights-neighbours", Static).update("")
        # One small tensor of a file can be read while a run trains; all weights of a preset cannot.
        heavy = resolved.target.file is None or self._bytes[name] > 16_000_000
        if self.inspect(work, heavy=heavy):
            message = f"{printable(name)}: reading {memory(self._bytes[name])} …"
            self.query_one("#weights-statistics", Static).update(message)
        else:
            self._shown_key = ()

    def show_result(self, result: Any) -> None:
        numbers, token, near = result
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in numbers.summary():
            alarm = name == "NaN, Inf" and numbers.nan + numbers.inf
            table.add_row(name, Text(printable(value), style="bold reverse" if alarm else ""))
        self.query_one("#weights-statistics", Static).update(table)
        self.query_one(Histogram).show(numbers.edges, numbers.bins)
        if isinstance(near, str):
            self.query_one("#weights-neighbours", Static).update(failed(near))
        elif near:
            neighbours = Text(f"nearest to {printable(token)}: ", style="bold")
            for one in near:
                neighbours.append(f"{printable(one.token)} ", style="not bold")
                neighbours.append(f"{one.cosine:.2f}  ", style="not bold dim")
            self.query_one("#weights-neighbours", Static).update(neighbours)

    @on(Input.Submitted, "#weights-token")
    def _token_typed(self) -> None:
        self._shown_key = ()
        self.activate()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Only the embeddings have tokens."""
        return action != "token" or self._selected == EMBEDDINGS

    def action_token(self) -> None:
        self.screen.set_focus(self.query_one("#weights-token"))

    def show_message(self, message: str) -> None:
        self._shown_key = ()
        self.query_one("#weights-statistics", Static).update(failed(message))
        self.query_one(Histogram).show([], [])
