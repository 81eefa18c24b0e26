"""The Model pane: its pages and the widgets that draw tensors."""
