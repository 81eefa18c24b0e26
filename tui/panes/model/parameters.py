"""Parameters: the modules and tensors as a tree, with counts, shares, memory, and what is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.fuzzy import FuzzySearch
from textual.widgets import Input, Static, Tree
from textual.widgets.tree import TreeNode

from core.atomic_write import write_text_atomically
from core.errors import InputError
from core.formatting import as_json, memory, printable
from core.inspection.target import Resolved
from core.model.parameter_tree import (
    ParameterNode,
    leaves,
    parameters_as_csv,
    parameters_as_json,
    short_name,
    toggle_frozen,
    walk,
)
from tui.panes.model.page import Page
from tui.screens.confirm import AskText
from tui.widgets.field import Field

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane

MOST_FOUND = 40


class ParametersPage(Page):
    """The tree and the details of the selected node. A search lists the nodes whose path matches, best first."""

    title = "Parameters"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "freeze", "freeze"),
        Binding("slash", "search", "search", key_display="/"),
        Binding("x", "export", "export"),
        Binding("ctrl+s", "save_as", "save"),
        Binding("l,right", "open", "open", show=False),
        Binding("h,left", "close", "close", show=False),
    ]

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._tree: ParameterNode | None = None
        self._shut: set[str] = set()
        self._match = FuzzySearch()

    def compose(self) -> ComposeResult:
        yield Field("", id="parameter-search", placeholder="/ to search: lin1, emb, norm bias …", compact=True)
        with Horizontal():
            tree: Tree[ParameterNode] = Tree("model", id="parameter-tree")
            tree.show_root = False
            tree.guide_depth = 2
            yield tree
            with VerticalScroll(id="parameter-details", can_focus=False):
                yield Static(id="parameter-text", markup=False)

    def main_widget(self) -> Tree[ParameterNode]:
        return self.query_one(Tree)

    def show_model(self, resolved: Resolved) -> None:
        before, self._tree = self._tree, resolved.tree
        if before is None or [n.path for n in walk(before)] != [n.path for n in walk(resolved.tree)]:
            self._shut = {node.path for node in walk(resolved.tree) if node.path.count(".") >= 2}
            self._fill()
        else:
            now = {node.path: node for node in walk(resolved.tree)}
            for node in _nodes(self.main_widget().root):
                self._update_node(node, now)
        self._show_current()

    def _update_node(self, node: TreeNode[ParameterNode], now: dict[str, ParameterNode]) -> None:
        """Update the counts of a node; the cursor and the expanded nodes stay."""
        if node.data is not None:
            node.data = now[node.data.path]
            node.set_label(self._label(node.data, whole=bool(self._searched)))

    def _fill(self) -> None:
        """Show the whole tree; or, while something is searched for, the matching nodes."""
        assert self._tree is not None
        tree, wanted = self.main_widget(), self._searched
        tree.clear()
        if not wanted:
            self._add(tree.root, self._tree)
        else:
            scored = [(self._match.match(wanted, node.path)[0], node) for node in walk(self._tree) if node.path]
            scored = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
            for _, node in scored[:MOST_FOUND]:
                tree.root.add_leaf(self._label(node, whole=True), node)
            if not scored:
                tree.root.add_leaf("no parameter has this name")
        tree.root.expand()
        tree.cursor_line = 0

    def _add(self, parent: TreeNode[ParameterNode], node: ParameterNode) -> None:
        if node.shape is not None:
            parent.add_leaf(self._label(node), node)
            return
        below = parent.add(self._label(node), node, expand=node.path not in self._shut)
        if node.path not in self._shut:  # nodes are created only where the tree is expanded
            self._add_below(below, node)

    def _add_below(self, parent: TreeNode[ParameterNode], node: ParameterNode) -> None:
        for child in node.children:
            self._add(parent, child)

    @on(Tree.NodeExpanded)
    def _opened(self, event: Tree.NodeExpanded[ParameterNode]) -> None:
        if event.node.data is not None and not event.node.children:
            self._add_below(event.node, event.node.data)

    def _label(self, node: ParameterNode, whole: bool = False) -> Text:
        value = "x".join(map(str, node.shape)) if node.shape is not None else f"{node.count:,}"
        share = f"{node.count / self._tree.count:.1%}" if self._tree else ""
        state = "" if node.state == "trained" else f"  * {node.state}"
        name = printable(short_name(node.path) if whole else node.name)
        return Text.assemble(name, "  ", (value, "dim"), "  ", (share, "dim"), (state, "bold"))

    @on(Tree.NodeHighlighted)
    def _show_current(self) -> None:
        node = self.selected
        if node is None or self._tree is None:
            self.query_one("#parameter-text", Static).update("")
            return
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        tensors = sum(1 for _ in leaves(node))
        table.add_row("name", Text(printable(node.path or "DistilBertClassifier"), style="bold"))
        if node.shape is not None:
            table.add_row("shape", Text(str(list(node.shape))))
        else:
            table.add_row("tensors", f"{tensors:,}")
        table.add_row("dtype", node.dtype)
        table.add_row("parameters", f"{node.count:,}")
        table.add_row("trained", f"{node.trainable_count:,}" + ("" if node.state == "trained" else f", {node.state}"))
        table.add_row("share", f"{node.count / self._tree.count:.2%}")
        training = memory(node.bytes + 12 * node.trainable_count)  # gradients and AdamW's two moments, float32
        table.add_row("memory", f"{memory(node.bytes)}; while training {training}")
        kind = "agnostic: the encoder" if node.path.startswith("distilbert") else "specific: the new head"
        table.add_row("task", kind if node.path else "the encoder is agnostic, the head is specific")
        head = next((child for child in self._tree.children if child.name == "classifier"), None)
        if head is not None:
            table.add_row("the head", f"classifier is {head.state}")
        if node.shape is not None:
            table.add_row("", Text("press w for its statistics", style="dim"))
        self.query_one("#parameter-text", Static).update(table)

    @property
    def _searched(self) -> str:
        return self.query_one("#parameter-search", Input).value.strip()

    @property
    def selected(self) -> ParameterNode | None:
        node = self.main_widget().cursor_node
        return node.data if node is not None else None

    @on(Input.Changed, "#parameter-search")
    def _typed(self) -> None:
        if self._tree is not None:
            self._fill()

    @on(Input.Submitted, "#parameter-search")
    def _found(self) -> None:
        self.screen.set_focus(self.main_widget())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        return self.pane.check_action(action, parameters)

    def action_save_as(self) -> None:
        self.pane.action_save_as()

    def action_search(self) -> None:
        self.screen.set_focus(self.query_one("#parameter-search"))

    def action_freeze(self) -> None:
        node = self.selected
        if node is None or self._tree is None or not self.pane.may_edit():
            return
        try:
            names = toggle_frozen(self._tree, node.path)
        except InputError as error:
            self.app.notify(str(error), severity="warning")
            return
        self.pane.change("model.freeze", names)

    def action_export(self) -> None:
        question = "Export the parameters to a .csv or .json file:"
        self.app.push_screen(AskText(question, "parameters.csv"), self._export)

    def _export(self, name: str | None) -> None:
        if not name or self._tree is None:
            return
        path = Path(name).expanduser().absolute()
        if path.suffix == ".json":
            text = as_json(parameters_as_json(self._tree)) + "\n"
        else:
            text = parameters_as_csv(self._tree)
        if path.suffix not in (".json", ".csv"):
            self.app.notify(f"{path.name}: the name must end in .csv or .json.", severity="error")
            return
        if path.exists():
            self.app.notify(f"{path} exists already. Choose another name.", severity="error")
            return
        try:
            write_text_atomically(path, text)
        except OSError as error:
            self.app.notify(f"{path} cannot be written ({error.strerror}).", severity="error")
            return
        self.app.notify(f"Parameters written to {path}.")

    def action_open(self) -> None:
        if (node := self.main_widget().cursor_node) is not None:
            node.expand()

    def action_close(self) -> None:
        tree = self.main_widget()
        node = tree.cursor_node
        if node is None:
            return
        if node.allow_expand and node.is_expanded:
            node.collapse()
        elif node.parent is not None and node.parent is not tree.root:
            tree.move_cursor(node.parent)


def _nodes(node: TreeNode[Any]) -> list[TreeNode[Any]]:
    return [node, *(below for child in node.children for below in _nodes(child))]
