"""The two themes of our own, and the colours of curves."""

from __future__ import annotations

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
