"""The headless commands, a module for each group; ``core.cli`` puts them together."""
