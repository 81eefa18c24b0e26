"""``python -m core``: the headless commands."""

from core.cli import main

main()
