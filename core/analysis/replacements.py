"""Replace a word or a pattern in many texts, within a limit of time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.analysis.patterns import MOST_CHARACTERS, TIME_LIMIT_S, compile_pattern, in_quotes, slow_pattern
from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Replacement:
    """What to replace, and by what; an empty ``replacement`` removes it."""

    pattern: str
    """A word or phrase, found only as whole words; or, with ``regex``, a regular expression."""
    replacement: str
    """With ``regex``, a template in which ``\\1`` is the first group; as it stands otherwise."""
    regex: bool = False
    ignore_case: bool = False
    """Find all spellings; a plain ``replacement`` in lower case then takes the case of what it replaces."""


PRESETS = {
    "praise": Replacement("great", "terrible", ignore_case=True),
    "names": Replacement(r"(?<=\p{Ll},? )\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)+", "Alex Morgan", regex=True),
    "negations": Replacement(
        r"(?<=\w)(?<!\b(?:ca|sha|wo))n['’]t\b|(?<=\bcan)(?:['’]t|not)\b|\b(?:not|never)\b ?",
        "",
        regex=True,
        ignore_case=True,
    ),
}
"""great -> terrible; two capitalised words inside a sentence -> one name; n't, not and never removed."""


def replaced(
    texts: Sequence[str],
    replacement: Replacement,
    *,
    time_limit: float = TIME_LIMIT_S,
    check_cancelled: Callable[[], None] = lambda: None,
) -> list[str | None]:
    """Each text with all matches replaced; None for a text that has none.

    Raises InputError for an invalid pattern or template, and if the search takes more than ``time_limit`` seconds.
    """
    compiled = _compiled(replacement)
    template = replacement.replacement if replacement.regex else _in_the_case_of(replacement)
    found: list[str | None] = []
    end = time.monotonic() + time_limit
    for row, text in enumerate(texts):
        if row % 256 == 0:
            check_cancelled()
        found.append(_substituted(compiled, template, text, end, replacement, time_limit))
    return found


def _substituted(
    compiled: Any, template: Any, text: str, end: float, replacement: Replacement, time_limit: float
) -> str | None:
    import regex

    left = end - time.monotonic()
    if left <= 0:
        raise slow_pattern(replacement.pattern, time_limit)
    try:
        result, count = compiled.subn(template, text, timeout=left)
    except TimeoutError:
        raise slow_pattern(replacement.pattern, time_limit) from None
    except (regex.error, IndexError) as error:
        raise InputError(f"the replacement {in_quotes(replacement.replacement)} is not valid: {error}") from None
    except MemoryError:
        raise InputError(f"the pattern {in_quotes(replacement.pattern)} needs too much memory; simplify it") from None
    return str(result) if count else None


def _compiled(replacement: Replacement) -> Any:
    if len(replacement.replacement) > MOST_CHARACTERS:
        characters = f"{len(replacement.replacement):,} characters"
        raise InputError(f"the replacement has {characters}; use at most {MOST_CHARACTERS:,}")
    pattern = replacement.pattern
    if not replacement.regex and pattern.strip():
        pattern = pattern.strip()
        before, after = (r"(?<!\w)" * _is_word(pattern[0]), r"(?!\w)" * _is_word(pattern[-1]))
        pattern = before + re.escape(pattern) + after
    return compile_pattern("(?i)" * (replacement.ignore_case and bool(pattern.strip())) + pattern)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _in_the_case_of(replacement: Replacement) -> Callable[[Any], str]:
    """Return a function of a match: the replacement, capitalised or in capitals where the match is."""
    new = replacement.replacement

    def of(match: Any) -> str:
        old: str = match.group()
        if not replacement.ignore_case or not new.islower():
            return new
        if old.isupper() and len(old) > 1:
            return new.upper()
        return new[:1].upper() + new[1:] if old[:1].isupper() else new

    return of
