"""Every key of the screen one is on."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

_MOVING = (
    ("tab · shift+tab", "go round the fields and lists"),
    ("↑ ↓ · j k · page keys", "move in a list"),
    ("escape", "leave a field, close a window"),
    ("ctrl+p", "the command palette"),
)
_NAMES = {"question_mark": "?", "slash": "/", "plus": "+"}
_MOVING_KEYS = {"j", "k", "escape"}
"""Told once, at the end, for all panes."""


def _own(node: object) -> list[Binding]:
    """The bindings that the console itself gives a widget, without those it has from Textual."""
    declared = [kind.__dict__.get("BINDINGS", ()) for kind in type(node).__mro__ if kind.__module__.startswith("tui.")]
    return list(Binding.make_bindings(binding for bindings in declared for binding in bindings))


def _help_of(below: Screen[Any]) -> tuple[tuple[str, str], ...]:
    """What the pane in front, or a page of it, has to say beside its keys: pairs of a term and its explanation."""
    node: Any = below.focused
    while node is not None:
        if found := getattr(node, "KEYS_HELP", None):
            return tuple(found)
        node = node.parent if node is not below else None
    return ()


class KeysScreen(ModalScreen[None]):
    """Lists the keys of where it was opened, also those without use at the moment, and the help of the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q,enter", "app.pop_screen", "close")]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        nodes = below.focused.ancestors_with_self if below.focused is not None else [below, below.app]
        self._rows = [
            (binding.key_display or _NAMES.get(binding.key, binding.key), binding.description)
            for node in nodes
            for binding in _own(node)
            if binding.description and binding.key not in _MOVING_KEYS
        ]

        self._help = _help_of(below)

    def compose(self) -> ComposeResult:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold")
        table.add_column()
        merged: dict[str, list[str]] = {}
        for key, words in self._rows:
            if key not in (keys := merged.setdefault(words, [])):
                keys.append(key)
        for words, keys in merged.items():
            table.add_row(" ".join(keys), words)
        for key, words in _MOVING:
            table.add_row(key, words)
        with VerticalScroll(classes="dialog keys"):
            yield Static(Text.assemble(("Keys here", "bold"), ("  · escape closes", "dim")))
            yield Static(table)
            if self._help:
                yield Static(_help_table(self._help), classes="help")


def _help_table(rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(1, 1, 0, 0))
    table.add_column(style="bold", ratio=2)
    table.add_column(ratio=3)
    for term, words in rows:
        table.add_row(Text(term), Text(words))
    return table
