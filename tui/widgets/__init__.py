"""Widgets that several panes use; none of them knows a pane or the app."""
