"""The five panes, imported when they are first seen."""

from __future__ import annotations

from typing import Any


def make_pane(name: str) -> Any:
    """Panes are imported when they are first seen, which keeps the first frame fast."""
    match name:
        case "presets":
            from tui.panes.presets import PresetsPane

            return PresetsPane(id=name)
        case "tokenizer":
            from tui.panes.tokenizer import TokenizerPane

            return TokenizerPane(id=name)
        case "model":
            from tui.panes.model import ModelPane

            return ModelPane(id=name)
        case "train":
            from tui.panes.train import TrainPane

            return TrainPane(id=name)
        case _:
            from tui.panes.runs import RunsPane

            return RunsPane(id=name)
