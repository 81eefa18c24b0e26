"""Warnings about parts of a text that a tokenizer drops or changes without an error.

Unknown words, deleted control characters, stripped accents, text beyond max_length: each is reported with its kind
and the characters concerned.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from core.tokenization.encode import Encoding, Token
from core.tokenization.stages import typed_specials

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WarningKind = Literal[
    "long_word", "full_width", "unknown", "special", "deleted", "accent", "case", "replaced", "truncated"
]

MEANINGS: dict[WarningKind, str] = {
    "long_word": "longer than {limit} characters: the whole word becomes one unknown token",
    "full_width": "full-width letters, not in the vocabulary: unknown token",
    "unknown": "not in the vocabulary: unknown token",
    "special": "typed in the text and encoded as a special token",
    "deleted": "control or zero-width characters, deleted",
    "accent": "accents stripped",
    "case": "converted to lower case",
    "replaced": "replaced by other characters",
    "truncated": "truncated at max_length",
}


class TextWarning(NamedTuple):
    """A part of the source text that is lost or changed: ``text``, the characters ``start`` to ``end``."""

    kind: WarningKind
    start: int
    end: int
    text: str


def text_warnings(tokenizer: Tokenizer, encoding: Encoding) -> list[TextWarning]:
    """List the parts of the text of ``encoding`` that were lost or changed, sorted by position.

    The tokenizer's own normalizer is run on each character to find its effect. Adjacent characters of the same kind
    give one warning.
    """
    text = encoding.text
    typed = typed_specials(tokenizer, encoding)
    end = len(text) if encoding.cut_from is None else encoding.cut_from
    found = [TextWarning("special", start, stop, text[start:stop]) for start, stop in typed]
    found += [
        _unknown(tokenizer, text, token)
        for token in encoding.tokens
        if token.kind == "unknown" and token.start < token.end and (token.start, token.end) not in typed
    ]
    found += _normalized(tokenizer, text, end, typed)
    if encoding.cut_from is not None:
        found.append(TextWarning("truncated", encoding.cut_from, len(text), encoding.cut_text))
    return sorted(found, key=lambda warning: (warning.start, warning.end))


def meaning(tokenizer: Tokenizer, kind: WarningKind) -> str:
    """Describe a kind of warning in one phrase."""
    return MEANINGS[kind].format(limit=_word_limit(tokenizer) or 0)


def _word_limit(tokenizer: Tokenizer) -> int | None:
    return getattr(tokenizer.model, "max_input_chars_per_word", None)


def _unknown(tokenizer: Tokenizer, text: str, token: Token) -> TextWarning:
    part = text[token.start : token.end]
    limit = _word_limit(tokenizer)
    normalised = part if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(part)
    kind: WarningKind = "unknown"
    if limit is not None and len(normalised.strip()) > limit:
        kind = "long_word"
    elif any("\uff01" <= char <= "\uff5e" for char in part):
        kind = "full_width"
    return TextWarning(kind, token.start, token.end, part)


def _normalized(tokenizer: Tokenizer, text: str, end: int, typed: list[tuple[int, int]]) -> list[TextWarning]:
    """Find runs of characters that the normalizer deletes or replaces, except in typed special tokens."""
    kinds = {char: kind for char in set(text) if (kind := _normalizer_effect(tokenizer, char)) is not None}
    if not kinds:
        return []
    skipped = {i for start, stop in typed for i in range(start, stop)}
    found = []
    for run in re.compile(f"[{re.escape(''.join(sorted(kinds)))}]+").finditer(text, 0, end):
        for kind, positions in groupby(range(*run.span()), lambda i: None if i in skipped else kinds[text[i]]):
            if kind is not None:
                start, *rest = positions
                stop = start + 1 + len(rest)
                found.append(TextWarning(kind, start, stop, text[start:stop]))
    return found


@lru_cache(maxsize=65536)
def _normalizer_effect(tokenizer: Tokenizer, char: str) -> WarningKind | None:
    """Return how the normalizer changes one character; None if it does not, or if white space stays white space."""
    if tokenizer.normalizer is None:
        return None
    result = tokenizer.normalizer.normalize_str(char)
    if result == char or (char.isspace() and result.isspace()):
        return None
    result = result.strip()  # BertNormalizer puts spaces around Chinese characters
    if result == char:
        return None
    if not result:
        return "accent" if unicodedata.category(char) in ("Mn", "Mc", "Me") else "deleted"
    if result == char.lower():
        return "case"
    if any(unicodedata.combining(part) for part in unicodedata.normalize("NFD", char)):
        return "accent"
    return "replaced"
