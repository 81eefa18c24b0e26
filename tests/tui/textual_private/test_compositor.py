"""A frame costs what is different in it, and shows the very cells that Textual's own would."""

from __future__ import annotations

import random

import pyte
import pytest
from textual._compositor import Compositor
from textual.geometry import Region
from textual.widget import Widget

from core.sources.origin import Origin
from tests.tui.fakes import small_tokenizer
from tui.textual_private.compositor import SparingCompositor
from tui.widgets.line_view import LineView

WIDTH, HEIGHT = 90, 30


@pytest.fixture(autouse=True)
def _small_vocabulary(monkeypatch):
    monkeypatch.setattr(
        "core.sources.resolve.open_tokenizer",
        lambda *_, **__: (small_tokenizer(), Origin("embedded", "small vocabulary")),
    )


def cells(compositor, changed, how):
    """What a blank terminal shows, characters and colours, after a frame of these changed regions."""
    compositor._dirty_regions = set(changed)
    terminal = pyte.Screen(WIDTH, HEIGHT)
    terminal.set_mode(pyte.modes.LNM)
    pyte.Stream(terminal).feed(how(compositor).render_segments(compositor.root.app.console))
    return {y: dict(line) for y, line in terminal.buffer.items()}


def somewhere(draw):
    """A few regions, most of them a line high."""
    for _ in range(draw.randint(1, 4)):
        x, y = draw.randrange(WIDTH - 1), draw.randrange(1, HEIGHT)
        yield Region(x, y, draw.randint(1, WIDTH - x), draw.choice([1, 1, draw.randint(1, HEIGHT - y)]))


@pytest.mark.parametrize("keys", [["1"], ["2"], ["2", "escape", "s"], ["3"], ["4"], ["5"]], ids="-".join)
async def test_any_part_of_a_screen_is_drawn_as_by_textual(open_console, keys):
    async with open_console(size=(WIDTH, HEIGHT)) as console:
        await console.press(*keys)
        await console.settle()
        compositor = console.app.screen._compositor
        assert isinstance(compositor, SparingCompositor)
        draw = random.Random("".join(keys))
        for _ in range(100):
            changed = list(somewhere(draw))
            own = cells(compositor, changed, SparingCompositor.render_partial_update)
            assert own == cells(compositor, changed, Compositor.render_partial_update)
            assert any(own.values())


async def test_a_letter_asks_only_the_widgets_that_it_changes(open_console, monkeypatch):
    asked = set()

    def note(kind, render_lines):
        def noting(self, crop):
            asked.add(type(self).__name__)
            return render_lines(self, crop)

        monkeypatch.setattr(kind, "render_lines", noting)

    async with open_console(size=(WIDTH, HEIGHT)) as console:
        await console.press("2")
        await console.see("7 tokens")
        await console.settle()
        for kind in (Widget, LineView):
            note(kind, kind.render_lines)
        await console.press("x")
        await console.until(lambda: {"SourceText", "Rows"} <= asked, "a frame with the letter and its token")
        assert not asked & {"TopBar", "Footer", "TokenizerPane", "ContentSwitcher", "SparingScreen"}
