"""The six panes. Each package holds one: its widgets, its pages and its style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.css.stylesheet import Stylesheet

    from tui.panes.pane import Console, Pane

PANES = ("presets", "tokenizer", "model", "train", "runs", "results")


def make_pane(name: str, console: Console, stylesheet: Stylesheet) -> Pane:
    """Import a pane, read its style sheet and create it; done only when the pane is first shown."""
    path = Path(__file__).parent / name / "pane.tcss"
    stylesheet.add_source(path.read_text(encoding="utf-8"), read_from=(str(path), ""))
    match name:
        case "presets":
            from tui.panes.presets.pane import PresetsPane

            return PresetsPane(console, id=name)
        case "tokenizer":
            from tui.panes.tokenizer.pane import TokenizerPane

            return TokenizerPane(console, id=name)
        case "model":
            from tui.panes.model.pane import ModelPane

            return ModelPane(console, id=name)
        case "train":
            from tui.panes.train.pane import TrainPane

            return TrainPane(console, id=name)
        case "runs":
            from tui.panes.runs.pane import RunsPane

            return RunsPane(console, id=name)
        case _:
            from tui.panes.results.pane import ResultsPane

            return ResultsPane(console, id=name)
