"""The help screen: every key that works where the user is."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

_NAVIGATION = (
    ("tab · shift+tab", "next or previous field or list"),
    ("↑ ↓ · j k · page keys", "move in a list"),
    ("escape", "leave a field, close a dialog"),
    ("ctrl+p", "the command palette"),
)
_NAMES = {"question_mark": "?", "slash": "/", "plus": "+"}
_NAVIGATION_KEYS = {"j", "k", "escape"}
"""Keys of single panes that ``_NAVIGATION`` describes for all of them."""


def _own(node: object) -> list[Binding]:
    """Return the bindings that this project adds to a widget, without those of Textual."""
    declared = [kind.__dict__.get("BINDINGS", ()) for kind in type(node).__mro__ if kind.__module__.startswith("tui.")]
    return list(Binding.make_bindings(binding for bindings in declared for binding in bindings))


def _help_of(below: Screen[Any]) -> tuple[tuple[str, str], ...]:
    """Return the further help of the focused pane or page: pairs of a term and its explanation."""
    node: Any = below.focused
    while node is not None:
        if found := getattr(node, "KEYS_HELP", None):
            return tuple(found)
        node = node.parent if node is not below else None
    return ()


class KeysScreen(ModalScreen[None]):
    """Lists all keys of the screen ``below``, also those that do nothing at the moment, and the help of its pane."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q,enter", "app.pop_screen", "close")]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        nodes = below.focused.ancestors_with_self if below.focused is not None else [below, below.app]
        self._rows = [
            (binding.key_display or _NAMES.get(binding.key, binding.key), binding.description)
            for node in nodes
            for binding in _own(node)
            if binding.description and binding.key not in _NAVIGATION_KEYS
        ]

        self._help = _help_of(below)

    def compose(self) -> ComposeResult:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold")
        table.add_column()
        merged: dict[str, list[str]] = {}
        for key, label in self._rows:
            if key not in (keys := merged.setdefault(label, [])):
                keys.append(key)
        for label, keys in merged.items():
            table.add_row(" ".join(keys), label)
        for key, label in _NAVIGATION:
            table.add_row(key, label)
        with VerticalScroll(classes="dialog keys"):
            yield Static(Text.assemble(("Keys", "bold"), ("  · escape closes", "dim")))
            yield Static(table)
            if self._help:
                yield Static(_help_table(self._help), classes="help")


def _help_table(rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(1, 1, 0, 0))
    table.add_column(style="bold", ratio=2)
    table.add_column(ratio=3)
    for term, explanation in rows:
        table.add_row(Text(term), Text(explanation))
    return table
