"""What the palette (ctrl+p) offers beyond Textual's own commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from tui.app import ImdbTui

Action = Callable[[], Awaitable[Any] | Any]


class ConsoleCommands(Provider):
    """Go to a pane, take a preset to Train, leave."""

    def _commands(self) -> Iterator[tuple[str, Action, str]]:
        from core.config.presets import list_presets
        from tui.panes import PANES

        app = cast("ImdbTui", self.app)
        for name in PANES:
            yield f"Go to {name.title()}", partial(app.action_go, name), "show this pane"
        for preset in list_presets():
            if preset.config is not None:
                yield f"Train {preset.name}", partial(app.show_train, preset.config), preset.config.title
        yield "Quit imdb-tui", app.action_leave, "asks first while a run is live"

    async def discover(self) -> Hits:
        for name, action, words in self._commands():
            yield DiscoveryHit(name, action, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, action, words in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), action, help=words)
