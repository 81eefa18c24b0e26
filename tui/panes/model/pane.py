"""The model of a preset or a run: seven pages over one target, each worked out in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from core.config.encoder_overrides import parse_architecture
from core.config.presets import check_name, save_preset
from core.config.schema import RunConfig
from core.errors import InputError
from core.formatting import memory, operations, printable
from core.inspection.target import Resolved
from core.model.flops import classifier_flops
from core.model.parameter_tree import leaves
from tui.messages import LookDone
from tui.panes.model.attention import AttentionPage
from tui.panes.model.classes import ClassesPage
from tui.panes.model.configuration import ConfigurationPage
from tui.panes.model.difference import DifferencePage
from tui.panes.model.page import Page, failed
from tui.panes.model.parameters import ParametersPage
from tui.panes.model.trace import TracePage
from tui.panes.model.weights import WeightsPage
from tui.panes.pane import Pane
from tui.screens.confirm import AskText, message_of
from tui.widgets.page_bar import PageBar, PageName
from tui.workers.inspection import REFUSED, Between, Looks, Work

if TYPE_CHECKING:
    from core.inspection.weights import Weights
    from tui.panes.pane import Console

PAGES = (
    PageName("c", "Configuration", "Config"),
    PageName("s", "Classes", "Classes"),
    PageName("p", "Parameters", "Params"),
    PageName("w", "Weights", "Weights"),
    PageName("d", "Difference", "Diff"),
    PageName("t", "Trace", "Trace"),
    PageName("a", "Attention", "Attention"),
)
_HEAD = "head"


class ModelPane(Pane):
    """The row of pages, what is looked at, and the page. No torch runs in the UI thread."""

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
        self._page = PAGES[0].name
        # What is opened, what a page counts, and what it computes: each replaces only its own kind.
        self._opening, self._light, self._heavy = (Looks(self.post_message, self._run_is_live) for _ in range(3))
        self._weights: tuple[Any, Weights] | None = None

    def _run_is_live(self) -> bool:
        return self.console.session.is_live

    def compose(self) -> ComposeResult:
        yield PageBar(PAGES)
        yield Static("importing torch and transformers …", id="model-head", markup=False)
        with ContentSwitcher(initial=f"model-{self._page.lower()}"):
            for page in self._make_pages():
                page.id = f"model-{page.name_.lower()}"
                yield page

    @staticmethod
    def _make_pages() -> list[Page]:
        return [ConfigurationPage(), ClassesPage(), ParametersPage(), WeightsPage(), DifferencePage(), TracePage(),
                AttentionPage()]  # fmt: skip

    def on_mount(self) -> None:
        self._open(self.console.first_preset or "pretrained")

    @property
    def page(self) -> Page:
        return self.query_one(f"#model-{self._page.lower()}", Page)

    # What is looked at

    def _open(self, name: str) -> None:
        root = self.console.root

        def work(_: Between) -> Any:
            from core.inspection.target import find_target, resolve

            return resolve(find_target(name, root))

        self._opening.start(_HEAD, work, heavy=False)

    def change(self, field: str, value: Any) -> None:
        """Another configuration of the same model, which is then counted anew. Raises InputError as RunConfig.set."""
        before, config = self.resolved, self.config.set(field, value)
        if before is None or config == self.config:
            return

        def work(_: Between) -> Any:
            from core.inspection.target import edited

            return edited(before, config)

        self.config = config
        self._opening.start(_HEAD, work, heavy=False)

    @property
    def is_trained(self) -> bool:
        """Whether its weights are a file's: it is looked at, and not changed."""
        return self.resolved is not None and self.resolved.target.file is not None

    def may_edit(self) -> bool:
        """Whether what is looked at can be changed; says why not."""
        if self.is_trained:
            self.app.notify("a trained model is what it is; o opens a preset, which can be changed", severity="warning")
            return False
        return self.resolved is not None

    @property
    def edited_fields(self) -> set[str]:
        """The configuration's fields that the person, or the preset, sets."""
        return set(parse_architecture(self.config.model.architecture))

    def look(self, page: str, work: Work, *, heavy: bool) -> bool:
        """Starts a look of a page; a heavy one is refused while a run is live, and then ends all that is held."""
        if heavy and self.console.session.is_live:
            self._weights = None
            self._heavy.cancel()
            self.app.notify(REFUSED, severity="warning")
            self.query_one(f"#model-{page.lower()}", Page).say(REFUSED)
            return False
        (self._heavy if heavy else self._light).start(page, work, heavy=heavy)
        return True

    def weights_of(self, resolved: Resolved) -> Any:
        """Opens the weights in a look, and keeps them for the next one while they are of the same target."""

        def opened(between: Between) -> Weights:
            from core.inspection.weights import open_weights

            between()
            if self._weights is None or self._weights[0] != resolved.target:
                self._weights = None
                self._weights = resolved.target, open_weights(resolved)
            return self._weights[1]

        return opened

    def on_look_done(self, message: LookDone) -> None:
        if message.page != _HEAD:
            page = self.query_one(f"#model-{message.page.lower()}", Page)
            if message.error:
                page.say(message.error)
            else:
                page.look_done(message.result)
            return
        if message.error:
            if self.resolved is None:
                self.query_one("#model-head", Static).update(failed(message.error))
            else:
                self.config = self.resolved.target.config
                self.page.say(message.error)
            return
        other = self.resolved is None or self.resolved.target.name != message.result.target.name
        self.resolved = message.result
        self.config = message.result.target.config
        if other:
            self._original = self.config
        self._show_head()
        self.refresh_bindings()
        for page in self.query(Page):
            page.show_model(message.result)

    def _show_head(self) -> None:
        """What it is and what it costs, beside what it was before the edits."""
        assert self.resolved is not None
        resolved, tree, config = self.resolved, self.resolved.tree, self.config
        tensors = sum(1 for _ in leaves(tree))
        batch, length = config.train.batch_size, config.data.max_length
        head = Text(f"{printable(resolved.target.name)}", style="bold", no_wrap=True, overflow="ellipsis")
        if config != self._original:
            changed = [*config.model.architecture, *(f"freeze {name}" for name in config.model.freeze)]
            head.append(f" • edited: {printable(', '.join(changed) or config.model.init)}")
        head.append(f"  {printable(resolved.origin)}\n", style="not bold dim")
        trained = "all trained" if tree.trainable_count == tree.count else f"{tree.trainable_count:,} trained"
        parts = [f"{tree.count:,} numbers in {tensors} tensors", trained, memory(tree.bytes)]
        parts.append(f"{operations(classifier_flops(resolved.encoder, batch, length))} a batch of {batch} x {length}")
        head.append(" · ".join(parts), style="not bold")
        self.query_one("#model-head", Static).update(head)

    # Pages

    def on_hide(self) -> None:
        """Nothing large stays in memory for a run that starts elsewhere."""
        self._weights = None

    def leave_field(self) -> None:
        self.screen.set_focus(self.page.main())

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
        self.screen.set_focus(page.main())
        if self.resolved is not None:
            page.shown()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """What has been trained cannot be drawn anew, and is no preset."""
        return not self.is_trained or action not in ("init", "save_as", "undo")

    def action_batch(self) -> None:
        """The shapes of one real batch, on the Trace page."""
        self.action_page("Trace")
        self.query_one(TracePage).run_batch()

    def action_other(self) -> None:
        question = "Open a preset, a run, RUN@step-300, or a path"
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

            def work(_: Between) -> Any:
                from core.inspection.target import edited

                return edited(before, config)

            self._opening.start(_HEAD, work, heavy=False)

    def action_save_as(self) -> None:
        if self.may_edit():
            assert self.resolved is not None
            name = f"my-{self.resolved.target.name}".replace("/", "-")
            question = "Save this as a preset of your own under the name"
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
        self.app.notify(f"saved as {path}; 1 shows it among the presets")

    def action_move(self, way: str) -> None:
        action = getattr(self.page.main(), f"action_cursor_{way}", None)
        if action is not None:
            action()
