"""``python -m core``: the headless commands."""

from core.cli.main import main

main()
