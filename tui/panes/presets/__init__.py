"""The Presets pane."""
