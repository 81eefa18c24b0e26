"""Format numbers, durations, sizes and texts for the screen, tables and JSON."""

from __future__ import annotations

import json
import math
import time
from typing import Any

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Characters for bars: a cell filled from the bottom by 0 to 8 eighths."""


def as_json(content: Any) -> str:
    """Return JSON as one line of ASCII, safe for every terminal and encoding; NaN and infinities become null."""
    return json.dumps(_finite(content), allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content


def percent(value: float | None) -> str:
    """``85.8 %``; a dash if there is no value."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.1%}".replace("%", " %")


def counted(count: int, noun: str) -> str:
    """``1 review``, ``2,000 reviews``: a count and its noun, which forms its plural with an s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """``0:41``, ``12:05``, ``1:02:03``; a dash if there is no value."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory(count: float) -> str:
    """Bytes as ``512 B``, ``23.4 kB``, ``265 MB``, in powers of 1000 with three digits."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def operations(count: float) -> str:
    """Floating point operations as ``768 FLOP``, ``43.5 GFLOP``."""
    return _scaled(count, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"))


def _scaled(count: float, units: tuple[str, ...]) -> str:
    step = 0
    while abs(count) >= 999.5 and step < len(units) - 1:
        count, step = count / 1000, step + 1
    return f"{count:.3g} {units[step]}"


def relative_change(value: float) -> str:
    """A relative change in percent; exactly ``0`` for no change, ``from 0`` for an infinite one."""
    if math.isinf(value):
        return "from 0"
    return "0" if value == 0 else f"{value:.3%}" if value < 10 else f"{value:,.0%}"


def clock(moment: float) -> str:
    """The local time of a Unix time: ``14:05:59``; dashes for a time that no clock shows."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(moment))
    except (OverflowError, ValueError, OSError):
        return "--:--:--"


def printable(text: str) -> str:
    """Replace control and directional characters in ``text`` by visible symbols, so that it is safe to print."""
    return "".join(_visible(char) for char in text)


def shortened(text: str, most: int = 60) -> str:
    """Shorten a text to ``most`` characters on one line, with line breaks written as ``\\n``."""
    return repr(printable(text[: most + 1]))[1:-1][:most] + ("…" if len(text) > most else "")


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0 or code in _DIRECTIONAL or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return char


_DIRECTIONAL = frozenset([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029])
