"""Regular expressions that a user types: compiled and searched within limits of time and memory."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.formatting import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIME_LIMIT_S = 5.0
"""Seconds for a search in all texts together; a search of 25,000 film reviews takes less than one."""
MOST_CHARACTERS = 1_000
MOST_REPEATS = 10_000
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_RECURSION = re.compile(r"\(\?(?:R|&|P>|[+-]?\d)")


def in_quotes(pattern: str, most: int = 60) -> str:
    """Return a pattern as a message shows it: its first characters in quotes, with its backslashes as they are."""
    return f"'{printable(pattern[:most])}{'…' * (len(pattern) > most)}'"


def compile_pattern(pattern: str) -> Any:
    """Compile a regular expression in the syntax of the package ``regex``; case matters unless it starts with (?i).

    Search it with a ``timeout`` in seconds, as :func:`search_all` does. Raises InputError for an empty or invalid
    pattern, and for one that would need much memory: more than 1,000 characters, counted repeats whose product is more
    than 10,000 (``regex`` expands them), or recursion.
    """
    import regex

    if not pattern.strip():
        raise InputError("the pattern is empty; give a regular expression, such as 'great|superb'")
    where = f"the pattern {in_quotes(pattern)}"
    if len(pattern) > MOST_CHARACTERS:
        raise InputError(f"{where} has {len(pattern):,} characters; use at most {MOST_CHARACTERS:,}")
    repeats = 1
    for least, most in _REPEAT.findall(pattern):
        repeats *= max(1, *(int(number[:9]) for number in (least, most) if number), 1)
    if repeats > MOST_REPEATS:
        raise InputError(f"{where} repeats a part more than {MOST_REPEATS:,} times; use * or + instead of the count")
    if _RECURSION.search(pattern):
        raise InputError(f"{where} refers to itself; recursion is not supported")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise InputError(f"{where} is not a valid regular expression: {error}") from None


def search_all(pattern: str, texts: Sequence[str], *, time_limit: float = TIME_LIMIT_S) -> NDArray[np.bool_]:
    """Return for each text whether the pattern is found in it: bool [n].

    Raises InputError as :func:`compile_pattern`, and if the search takes more than ``time_limit`` seconds.
    """
    compiled = compile_pattern(pattern)
    found = np.zeros(len(texts), dtype=np.bool_)
    end = time.monotonic() + time_limit
    for row, text in enumerate(texts):
        try:
            found[row] = compiled.search(text, timeout=max(end - time.monotonic(), 0.001)) is not None
        except TimeoutError:
            raise slow_pattern(pattern, time_limit) from None
        except MemoryError:
            raise InputError(f"the pattern {in_quotes(pattern)} needs too much memory; simplify it") from None
        if row % 256 == 0 and time.monotonic() > end:
            raise slow_pattern(pattern, time_limit)
    return found


def slow_pattern(pattern: str, time_limit: float) -> InputError:
    """The error for a search that was stopped at its time limit."""
    return InputError(
        f"the pattern {in_quotes(pattern)} took more than {time_limit:.15g} s; "
        "avoid nested repeats such as (a+)+, or use a shorter pattern"
    )
