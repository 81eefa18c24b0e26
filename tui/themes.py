"""The two themes of our own, and the colours of curves."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

# Train and validation keep these two colours in every chart, table and word; runs over one another take six.
ON_DARK = {
    "train-curve": "#4c9ef5",
    "validation-curve": "#f0a03c",
    "run-1": "#4c9ef5",
    "run-2": "#f0a03c",
    "run-3": "#5ac878",
    "run-4": "#c88cf0",
    "run-5": "#50c8c8",
    "run-6": "#f06464",
}
ON_LIGHT = {
    "train-curve": "#1c5fc0",
    "validation-curve": "#b85c00",
    "run-1": "#1c5fc0",
    "run-2": "#b85c00",
    "run-3": "#1f7a3a",
    "run-4": "#7a35b8",
    "run-5": "#0a7a7a",
    "run-6": "#c02828",
}
DARK = Theme(
    "imdb-dark",
    primary="#4c9ef5",
    accent="#4c9ef5",
    warning="#f0b43c",
    error="#f06464",
    success="#5ac878",
    background="#14171c",
    surface="#1b1f26",
    panel="#252b34",
    dark=True,
    variables=ON_DARK,
)
LIGHT = Theme(
    "imdb-light",
    primary="#1c6fd0",
    accent="#1c6fd0",
    warning="#9a6a00",
    error="#c02828",
    success="#1f7a3a",
    background="#fafafa",
    surface="#f2f3f5",
    panel="#e4e7eb",
    dark=False,
    variables=ON_LIGHT,
)


def dress(app: App[Any], wanted: str | None) -> str:
    """Gives the app our themes and puts on the one that is ``wanted``, else the dark one.

    Returns what was wanted if there is no such theme.
    """
    for theme in (DARK, LIGHT):
        app.register_theme(theme)
    # As a default is: to set it as a change would have all style sheets read twice before the first frame.
    app.set_reactive(App.theme, DARK.name)
    app.stylesheet.set_variables(app.get_css_variables())
    if wanted and wanted not in app.available_themes:
        return wanted
    if wanted and wanted != DARK.name:
        app.theme = wanted
    return ""
