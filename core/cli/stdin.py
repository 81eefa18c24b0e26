"""Read the texts of a command from its arguments or from stdin."""

from __future__ import annotations

import sys
from typing import TextIO

from core.errors import InputError


def read_texts(texts: list[str] | None, *, lines: bool, example: str) -> list[str]:
    """Return the texts of the arguments. ``-`` or no argument reads stdin: one text, or with ``lines`` one per line."""
    if not texts and (_stdin() is None or sys.stdin.isatty()):
        raise InputError(f"no text given; write it after the command: {example}")
    found = []
    for text in texts or ["-"]:
        if text != "-":
            found.append(text)
            continue
        content = all_of_stdin()
        found += _lines(content) if lines else [content]
    if not found:
        raise InputError("stdin is empty; write one text per line")
    return found


def _lines(content: str) -> list[str]:
    """Split at line feeds and nowhere else, so that each answer belongs to the line of the same number."""
    lines = content.removesuffix("\n").split("\n") if content.strip() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise InputError(f"line {number} of stdin is empty; remove it or write a text")
    return [line.removesuffix("\r") for line in lines]


def all_of_stdin() -> str:
    """Read stdin to its end. Raises InputError if it is closed."""
    if _stdin() is None:
        raise InputError("stdin is closed; pipe the input into the command, or write it after the command")
    return sys.stdin.buffer.read().decode(errors="replace")


def _stdin() -> TextIO | None:
    """Return stdin, or None if it is closed."""
    return sys.stdin
