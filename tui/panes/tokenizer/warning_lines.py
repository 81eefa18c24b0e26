"""Text warnings as the playground shows them: in one line, and as the rows of a list."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from core.tokenization.text_warnings import WarningKind, meaning
from tui.panes.tokenizer.state import Playground
from tui.widgets.cells import one_line, shown

NO_WARNINGS = "no text was lost"
_LABELS: dict[WarningKind, str] = {
    "special": "typed special tokens",
    "long_word": "words over 100",
    "full_width": "full-width, unknown",
    "unknown": "unknown",
    "deleted": "deleted",
    "replaced": "rewritten",
    "accent": "accents stripped",
    "case": "case folded",
}
"""In the order in which they are shown."""
_SERIOUS = frozenset({"special", "long_word", "full_width", "unknown", "deleted"})


def warning_line(playground: Playground) -> Text:
    """List what was truncated, then all kinds of warnings, each with its count and a first example."""
    encoding = playground.encoding
    line = Text()
    if encoding.cut_from is not None:
        lost = encoding.full_length - len(encoding.tokens)
        line.append(f"truncated: {lost:,} tokens ", style="bold")
        line.append(one_line(encoding.cut_text[:80]), style="strike")
        line.append("  ")
    order = list(_LABELS)
    counts = Counter(warning.kind for warning in playground.warnings if warning.kind != "truncated")
    for kind, count in sorted(counts.items(), key=lambda item: order.index(item[0])):
        example = next(warning.text for warning in playground.warnings if warning.kind == kind)
        line.append(f"⚠ {count:,} {_LABELS[kind]} ", style="bold" if kind in _SERIOUS else "")
        line.append(f"{shown(example[:12])}{'…' if len(example) > 12 else ''}  ".replace("\n", " "), style="dim")
    return line if line.plain else Text(NO_WARNINGS, style="dim")


def warning_rows(playground: Playground) -> list[tuple[WarningKind, str, str]]:
    """Return every warning as its kind, its span, and its meaning with the text concerned."""
    return [
        (
            warning.kind,
            f"{warning.start}–{warning.end}",
            f"{meaning(playground.tokenizer, warning.kind)}: {one_line(warning.text[:60])}",
        )
        for warning in playground.warnings
    ]
