"""What is on the screen of an app under test.

The one private name of Textual (8.2.8) that the tests use: the public ``App.export_screenshot`` takes tens of
milliseconds for an SVG, and tests look at the screen thousands of times while they wait.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.strip import Strip


def screen_strips(app: App[Any]) -> list[Strip]:
    """The lines of styled segments that would go to the terminal."""
    return list(app.screen._compositor.render_strips())


def screen_text(app: App[Any]) -> str:
    """The lines of the screen without their styles."""
    return "\n".join(strip.text for strip in screen_strips(app))
