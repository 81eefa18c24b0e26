"""Texts from the arguments of a command, or from stdin."""

from __future__ import annotations

import sys
from typing import TextIO

from core.errors import InputError


def read_texts(texts: list[str] | None, *, lines: bool, example: str) -> list[str]:
    """The texts of the arguments; ``-``, or none at all, stands for stdin, which is one text or a text a line."""
    if not texts and (_stdin() is None or sys.stdin.isatty()):
        raise InputError(f"there is no text; write it after the command: {example}")
    found = []
    for text in texts or ["-"]:
        if text != "-":
            found.append(text)
            continue
        content = all_of_stdin()
        found += [line for line in content.splitlines() if line.strip()] if lines else [content]
    if not found:
        raise InputError("stdin has no line with a text; give a text a line")
    return found


def all_of_stdin() -> str:
    """Raises InputError where it was closed."""
    if _stdin() is None:
        raise InputError("stdin is closed; pipe something into it, or write it after the command")
    return sys.stdin.buffer.read().decode(errors="replace")


def _stdin() -> TextIO | None:
    """None where it was closed."""
    return sys.stdin
