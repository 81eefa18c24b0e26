"""The Model pane and its pages."""
