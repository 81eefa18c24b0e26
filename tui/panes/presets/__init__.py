"""The Presets pane: the list of presets and the list of fields to edit."""
