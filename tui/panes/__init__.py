"""The five panes, imported when they are first seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.css.stylesheet import Stylesheet

PANES = ("presets", "tokenizer", "model", "train", "runs")


def make_pane(name: str, stylesheet: Stylesheet) -> Any:
    """Panes are imported when they are first seen, and their style is read then: the first frame waits for neither."""
    path = Path(__file__).parent / name / "pane.tcss"
    stylesheet.add_source(path.read_text(encoding="utf-8"), read_from=(str(path), ""))
    match name:
        case "presets":
            from tui.panes.presets.pane import PresetsPane

            return PresetsPane(id=name)
        case "tokenizer":
            from tui.panes.tokenizer.pane import TokenizerPane

            return TokenizerPane(id=name)
        case "model":
            from tui.panes.model.pane import ModelPane

            return ModelPane(id=name)
        case "train":
            from tui.panes.train.pane import TrainPane

            return TrainPane(id=name)
        case _:
            from tui.panes.runs.pane import RunsPane

            return RunsPane(id=name)
