"""Model: the model of a preset or a run, on seven pages. Threads inspect it; the pages show the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from core.config.presets import check_name, save_preset
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import Resolved
from tui.messages import InspectionDone
from tui.panes.model.attention import AttentionPage
from tui.panes.model.classes import ClassesPage
from tui.panes.model.configuration import ConfigurationPage
from tui.panes.model.difference import DifferencePage
from tui.panes.model.header import header_text
from tui.panes.model.page import Page, failed
from tui.panes.model.parameters import ParametersPage
from tui.panes.model.trace import TracePage
from tui.panes.model.weights import WeightsPage
from tui.panes.pane import Pane
from tui.screens.confirm import AskText, message_of
from tui.widgets.page_bar import PageBar, PageName
from tui.workers.inspection import REFUSED, CheckCancelled, Inspections, Work

if TYPE_CHECKING:
    from core.inspection.weights import Weights
    from tui.panes.pane import Console

PAGES: dict[PageName, type[Page]] = {
    PageName("c", "Configuration", "Config"): ConfigurationPage,
    PageName("s", "Classes", "Classes"): ClassesPage,
    PageName("p", "Parameters", "Params"): ParametersPage,
    PageName("w", "Weights", "Weights"): WeightsPage,
    PageName("d", "Difference", "Diff"): DifferencePage,
    PageName("t", "Trace", "Trace"): TracePage,
    PageName("a", "Attention", "Attention"): AttentionPage,
}
_HEADER = "header"
"""The page name of inspections that open a model for all pages."""


class ModelPane(Pane):
    """Has the open model and its edited configuration. No torch code runs in the thread of the user interface."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(page.key, f"page('{page.name}')", page.name, show=False) for page in PAGES),
        Binding("b", "batch", "run a batch", show=False),
        Binding("o", "other", "open"),
        Binding("i", "init", "scratch or pretrained", show=False),
        Binding("u", "undo", "undo edits", show=False),
        Binding("ctrl+s", "save_as", "save as a preset", show=False),
        Binding("j", "move('down')", "down", show=False),
        Binding("k", "move('up')", "up", show=False),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self.resolved: Resolved | None = None
        self.config = RunConfig()
        self._original = RunConfig()
        self._page = "Configuration"
        # Opening a model, light inspections and heavy ones: each cancels only the one before of its own kind.
        self._opening, self._light, self._heavy = (Inspections(self.post_message, self._run_is_live) for _ in range(3))
        self._weights: tuple[Any, Weights] | None = None

    def _run_is_live(self) -> bool:
        return self.console.session.is_live

    def compose(self) -> ComposeResult:
        yield PageBar(list(PAGES))
        yield Static("importing torch and transformers …", id="model-head", markup=False)
        with ContentSwitcher(initial=f"model-{self._page.lower()}"):
            for kind in PAGES.values():
                page = kind(self)
                page.id = f"model-{page.title.lower()}"
                yield page

    def on_mount(self) -> None:
        self._open(self.console.first_preset or "pretrained")

    @property
    def page(self) -> Page:
        return self.query_one(f"#model-{self._page.lower()}", Page)

    # The open model

    def _open(self, name: str) -> None:
        root = self.console.root

        def work(_: CheckCancelled) -> Any:
            from core.inspection.target import find_target, resolve

            return resolve(find_target(name, root))

        self._opening.start(_HEADER, work, heavy=False)

    def change(self, field: str, value: Any) -> None:
        """Edit the configuration and count the model again. Raises InputError as RunConfig.set does."""
        before, config = self.resolved, self.config.set(field, value)
        if before is None or config == self.config:
            return

        def work(_: CheckCancelled) -> Any:
            from core.inspection.target import edited

            return edited(before, config)

        self.config = config
        self._opening.start(_HEADER, work, heavy=False)

    @property
    def is_trained(self) -> bool:
        """Whether the weights come from a file; such a model cannot be edited."""
        return self.resolved is not None and self.resolved.target.file is not None

    def may_edit(self) -> bool:
        """Return whether the model can be edited; if not, notify the user."""
        if self.is_trained:
            self.app.notify("A trained model cannot be edited. Press o to open a preset.", severity="warning")
            return False
        return self.resolved is not None

    @property
    def edited_fields(self) -> set[str]:
        """The fields of the configuration that the user or the preset sets."""
        return set(self.config.model.encoder)

    def inspect(self, page: str, work: Work, *, heavy: bool) -> bool:
        """Start an inspection for a page. While a run is live, refuse a heavy one and release the weights."""
        if heavy and self.console.session.is_live:
            self._weights = None
            self._heavy.cancel()
            self.app.notify(REFUSED, severity="warning")
            self.query_one(f"#model-{page.lower()}", Page).show_message(REFUSED)
            return False
        (self._heavy if heavy else self._light).start(page, work, heavy=heavy)
        return True

    def weights_of(self, resolved: Resolved) -> Any:
        """Return a function that opens the weights; they stay open for later inspections of the same model."""

        def opened(check_cancelled: CheckCancelled) -> Weights:
            from core.inspection.weights import open_weights

            check_cancelled()
            if self._weights is None or self._weights[0] != resolved.target:
                self._weights = None
                self._weights = resolved.target, open_weights(resolved)
            return self._weights[1]

        return opened

    def on_inspection_done(self, message: InspectionDone) -> None:
        if message.page != _HEADER:
            page = self.query_one(f"#model-{message.page.lower()}", Page)
            if message.error:
                page.show_message(message.error)
            else:
                page.show_result(message.result)
            return
        if message.error:
            if self.resolved is None:
                self.query_one("#model-head", Static).update(failed(message.error))
            else:
                self.config = self.resolved.target.config
                self.page.show_message(message.error)
            return
        other = self.resolved is None or self.resolved.target.name != message.result.target.name
        self.resolved = message.result
        self.config = message.result.target.config
        if other:
            self._original = self.config
        self._show_header()
        self.refresh_bindings()
        for page in self.query(Page):
            page.show_model(message.result)

    def _show_header(self) -> None:
        assert self.resolved is not None
        self.query_one("#model-head", Static).update(header_text(self.resolved, self.config, self._original))

    # Pages

    def on_hide(self) -> None:
        """Release the weights: a run may start in another pane."""
        self._weights = None

    def leave_field(self) -> None:
        self.screen.set_focus(self.page.main_widget())

    def on_page_bar_chosen(self, message: PageBar.Chosen) -> None:
        self.action_page(message.name)

    def action_page(self, name: str) -> None:
        selected = self.query_one(ParametersPage).selected if self._page == "Parameters" else None
        self._page = name
        self.query_one(ContentSwitcher).current = f"model-{name.lower()}"
        self.query_one(PageBar).show(name)
        page = self.page
        if isinstance(page, WeightsPage) and selected is not None:
            page.select(selected.path)
        self.screen.set_focus(page.main_widget())
        if self.resolved is not None:
            page.activate()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Disable the keys that edit, for a trained model."""
        return not self.is_trained or action not in ("init", "save_as", "undo")

    def action_batch(self) -> None:
        """Run a batch, on the Trace page."""
        self.action_page("Trace")
        self.query_one(TracePage).run_batch()

    def action_other(self) -> None:
        question = "Open a preset, a run, RUN@step-300, or a path:"
        self.app.push_screen(AskText(question, "last"), lambda name: self._open(name) if name else None)

    def action_init(self) -> None:
        if not self.may_edit():
            return
        other = "scratch" if self.config.model.init == "pretrained" else "pretrained"
        try:
            self.change("model.init", other)
        except InputError as error:
            self.app.notify(str(error), severity="error")

    def action_undo(self) -> None:
        if self.resolved is not None and self.config != self._original:
            before, self.config = self.resolved, self._original
            config = self.config

            def work(_: CheckCancelled) -> Any:
                from core.inspection.target import edited

                return edited(before, config)

            self._opening.start(_HEADER, work, heavy=False)

    def action_save_as(self) -> None:
        if self.may_edit():
            assert self.resolved is not None
            name = f"my-{self.resolved.target.name}".replace("/", "-")
            question = "Save this configuration as a preset named:"
            self.app.push_screen(AskText(question, name, check=message_of(check_name)), self._save)

    def _save(self, name: str | None) -> None:
        if not name:
            return
        try:
            path = save_preset(self.config, name)
        except InputError as error:
            self.app.notify(str(error), severity="error")
            return
        self.console.preset_saved(name)
        self.app.notify(f"Saved as {path}. Press 1 to see it in Presets.")

    def action_move(self, direction: str) -> None:
        action = getattr(self.page.main_widget(), f"action_cursor_{direction}", None)
        if action is not None:
            action()
