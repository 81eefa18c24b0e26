"""The console's own commands in the command palette (ctrl+p)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

Action = Callable[[], Awaitable[Any] | Any]


class ConsoleCommands(Provider):
    """Go to a pane, or take a preset to Train."""

    def _commands(self) -> Iterator[tuple[str, Action, str]]:
        from core.config.presets import list_presets
        from tui.panes import PANES

        run = self.app.run_action
        for name in PANES:
            yield f"Go to {name.title()}", partial(run, f"go({name!r})"), "Show this pane"
        for preset in list_presets():
            if preset.config is not None:
                yield f"Train {preset.name}", partial(run, f"train_preset({preset.name!r})"), preset.config.title

    async def discover(self) -> Hits:
        for name, action, note in self._commands():
            yield DiscoveryHit(name, action, help=note)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, action, note in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), action, help=note)
