"""The dark and the light theme, and the colours of the curves."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

# Train and validation have the first two colours everywhere; up to six runs in one chart have one each.
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


def apply_theme(app: App[Any], wanted: str | None) -> str:
    """Register our themes and select ``wanted``, or the dark one if it is None or unknown.

    Returns ``wanted`` if there is no such theme, else an empty string.
    """
    for theme in (DARK, LIGHT):
        app.register_theme(theme)
    # Set as a default: a change of theme would parse all style sheets twice before the first frame.
    app.set_reactive(App.theme, DARK.name)
    app.stylesheet.set_variables(app.get_css_variables())
    if wanted and wanted not in app.available_themes:
        return wanted
    if wanted and wanted != DARK.name:
        app.theme = wanted
    return ""
