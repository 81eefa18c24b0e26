"""The model of the preset under the cursor: configuration and parameters as a tree, details beside it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from core.config import RunConfig
from core.explain import explain
from core.libraries import load_training_libraries
from core.parameters import ParameterNode
from core.report import printable
from tui.messages import BatchShapeReady, ModelReady

if TYPE_CHECKING:
    from tui.app import ImdbTui

_GROUPS = ("architecture", "training", "task", "bookkeeping")


class ModelPane(Horizontal):
    """Tree left, details right. Everything is worked out in threads; no torch runs in the UI thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "batch", "run a batch"),
        Binding("i", "init", "scratch/pretrained"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("l,right", "open", "open", show=False),
        Binding("h,left", "close", "close", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._config = RunConfig()
        self._total = 0
        self._batch_rows: list[tuple[str, str]] = []
        self._looking = False

    @property
    def console(self) -> ImdbTui:
        return cast("ImdbTui", self.app)

    def compose(self) -> ComposeResult:
        tree: Tree[Any] = Tree("model", id="model-tree")
        tree.show_root = False
        tree.guide_depth = 2
        yield tree
        with VerticalScroll(id="model-details", can_focus=False):
            yield Static("importing torch and transformers …", id="model-words", markup=False)

    def on_mount(self) -> None:
        self._look()

    def _look(self) -> None:
        threading.Thread(target=self._find_model, args=(self._config,), name="model", daemon=True).start()

    def _find_model(self, config: RunConfig) -> None:
        from core.errors import InputError

        try:
            load_training_libraries()
            from core.model import encoder_config, meta_classifier
            from core.parameters import parameter_tree
            from core.sources import open_checkpoint

            checkpoint = open_checkpoint(config.model.checkpoint, pretrained=config.model.init == "pretrained")
            encoder = encoder_config(checkpoint.config)
            tree = parameter_tree(meta_classifier(encoder))
            message = ModelReady(config, encoder.to_dict(), tree, checkpoint.weights_origin.words(), "")
        except InputError as error:
            message = ModelReady(config, {}, None, "", str(error))
        except Exception as error:
            message = ModelReady(config, {}, None, "", f"{type(error).__name__}: {error}")
        self.post_message(message)

    def on_model_ready(self, message: ModelReady) -> None:
        words = self.query_one("#model-words", Static)
        if message.tree is None:
            words.update(f"✗ {printable(message.error)}")
            return
        tree: Tree[Any] = self.query_one(Tree)
        tree.clear()
        self._total, self._origin = message.tree.count, message.origin
        parameters = tree.root.add(_label("parameters", f"{message.tree.count:,}"), message.tree, expand=True)
        for child in message.tree.children:
            self._add(parameters, child)
        configuration = tree.root.add(_label("configuration", f"{len(message.fields)} fields"), "config", expand=True)
        for group in _GROUPS:
            names = [name for name in message.fields if explain(name).group == group]
            node = configuration.add(_label(group, str(len(names))), group, expand=group in ("architecture", "task"))
            for name in names:
                node.add_leaf(_label(name, _short(message.fields[name])), (name, message.fields[name]))
        tree.cursor_line = 0
        self._show(tree.cursor_node.data if tree.cursor_node else message.tree)

    def _add(self, parent: TreeNode[Any], node: ParameterNode) -> None:
        if node.shape is not None:
            parent.add_leaf(_label(node.name, "x".join(map(str, node.shape))), node)
            return
        below = parent.add(_label(node.name, f"{node.count:,}"), node, expand=node.name in ("distilbert",))
        for child in node.children:
            self._add(below, child)

    @on(Tree.NodeHighlighted)
    def _highlighted(self, event: Tree.NodeHighlighted[Any]) -> None:
        self._show(event.node.data)

    def _show(self, data: Any) -> None:
        words: Any = ""
        if isinstance(data, ParameterNode):
            words = self._parameter_words(data)
        elif isinstance(data, tuple):
            words = _field_words(*data)
        elif data == "config":
            words = "Task-agnostic fields describe the encoder; task-specific ones only a head and its labels."
        elif data in _GROUPS:
            told = "task-specific" if data == "task" else "task-agnostic"
            words = f"Fields of group {data}: {told}."
        text = Table.grid()
        text.add_row(words)
        if self._batch_rows:
            table = Table.grid(padding=(0, 2))
            table.add_column(style="dim", no_wrap=True)
            table.add_column()
            for name, value in self._batch_rows:
                table.add_row(Text(name), Text(printable(value)))
            text.add_row("")
            text.add_row(table)
        else:
            text.add_row(Text("\nb runs one real batch through it", style="dim"))
        self.query_one("#model-words", Static).update(text)

    def _parameter_words(self, node: ParameterNode) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        table.add_row("name", Text(node.path or "DistilBertClassifier", style="bold"))
        if node.shape is not None:
            table.add_row("shape", Text(str(list(node.shape))))
        else:
            table.add_row("tensors", f"{_tensors(node):,}")
        table.add_row("dtype", node.dtype)
        table.add_row("numbers", f"{node.count:,}")
        table.add_row("share", f"{node.count / self._total:.2%}")
        table.add_row("memory", f"{node.count * 4 / 1e6:,.1f} MB in float32")
        kind = "specific: the new head" if node.path.startswith("classifier") else "agnostic: the encoder"
        table.add_row("task", kind if node.path else "the encoder is task-agnostic, the head is not")
        if not node.path:
            table.add_row("weights", Text(printable(self._origin)))
            table.add_row("init", f"{self._config.model.init} (i switches)")
        return table

    # A batch, on demand

    def action_batch(self) -> None:
        """The shape of last_hidden_state on a real batch, computed in a worker."""
        if self._looking:
            return
        if self.console.run_is_live:
            self.app.notify("not while a run trains: it would slow it down", severity="warning")
            return
        self._looking = True
        self._batch_rows = [("", "running a batch …")]
        self._show_current()
        threading.Thread(target=self._run_batch, args=(self._config,), name="batch", daemon=True).start()

    def _run_batch(self, config: RunConfig) -> None:
        try:
            load_training_libraries()
            import torch

            from core.data import collate
            from core.device import usable_cores
            from core.model import build_classifier, encoder_config, hidden_state_shape
            from core.sources import open_checkpoint, open_reviews
            from core.tokenization import encode_ids

            torch.set_num_threads(usable_cores())
            pretrained = config.model.init == "pretrained"
            checkpoint = open_checkpoint(config.model.checkpoint, pretrained=pretrained)
            weights = checkpoint.load_weights() if pretrained else None
            reviews, origin = open_reviews(self.console.data or config.data.source, config.data.dataset)
            ids = encode_ids(
                checkpoint.tokenizer,
                [review.text for review in reviews[: config.train.batch_size]],
                add_special_tokens=config.data.add_special_tokens,
                max_length=config.data.max_length,
            )
            batch = collate([row or [0] for row in ids], [0] * len(ids), torch.device("cpu"))
            model = build_classifier(encoder_config(checkpoint.config), config.model, weights)
            hidden = hidden_state_shape(model, batch.input_ids)
            share = 1 - batch.tokens / batch.input_ids.numel()
            rows = [
                ("one batch of", origin.words()),
                ("input_ids", f"{list(batch.input_ids.shape)}, {share:.0%} padding"),
                ("last_hidden_state", f"{list(hidden)}: review, position, number"),
                ("first vector", f"[{hidden[0]}, {hidden[2]}]: what the head reads"),
                ("logits", f"[{hidden[0]}]: above 0 is positive"),
            ]
        except Exception as error:
            rows = [("✗", str(error))]
        self.post_message(BatchShapeReady(rows))

    def on_batch_shape_ready(self, message: BatchShapeReady) -> None:
        self._looking = False
        self._batch_rows = message.rows
        self._show_current()

    def _show_current(self) -> None:
        node = self.query_one(Tree).cursor_node
        if node is not None:
            self._show(node.data)

    # Keys

    def shown(self) -> None:
        self.screen.set_focus(self.query_one(Tree))

    def leave_field(self) -> None:
        self.screen.set_focus(self.query_one(Tree))

    def action_init(self) -> None:
        other = "scratch" if self._config.model.init == "pretrained" else "pretrained"
        self._config = self._config.set("model.init", other)
        self._batch_rows = []
        self._look()

    def action_move(self, step: int) -> None:
        tree: Tree[Any] = self.query_one(Tree)
        (tree.action_cursor_down if step > 0 else tree.action_cursor_up)()

    def action_open(self) -> None:
        node = self.query_one(Tree).cursor_node
        if node is not None:
            node.expand()

    def action_close(self) -> None:
        tree: Tree[Any] = self.query_one(Tree)
        node = tree.cursor_node
        if node is None:
            return
        if node.allow_expand and node.is_expanded:
            node.collapse()
        elif node.parent is not None and node.parent is not tree.root:
            tree.move_cursor(node.parent)


def _label(name: str, value: str) -> Text:
    return Text.assemble(name, "  ", (value, "dim"))


def _short(value: object) -> str:
    return printable(str(value))[:24]


def _field_words(name: str, value: object) -> Table:
    meaning = explain(name)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("field", Text(name, style="bold"))
    table.add_row("value", Text(printable(str(value))))
    table.add_row("task", "specific" if meaning.task_specific else "agnostic")
    table.add_row("group", meaning.group)
    table.add_row("meaning", meaning.meaning)
    return table


def _tensors(node: ParameterNode) -> int:
    return 1 if node.shape is not None else sum(_tensors(child) for child in node.children)
