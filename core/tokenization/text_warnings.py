"""What a tokenizer takes from a text without a word: each loss with its kind and the characters it concerns."""

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

LossKind = Literal[
    "long_word", "full_width", "unknown", "special", "deleted", "accent", "case", "replaced", "truncated"
]

MEANINGS: dict[LossKind, str] = {
    "long_word": "longer than {limit} characters: the whole word is one unknown token",
    "full_width": "full-width letters are not in the vocabulary: unknown",
    "unknown": "cannot be spelled with the vocabulary: unknown",
    "special": "typed, and became the real special token",
    "deleted": "control or zero-width characters, deleted",
    "accent": "accents stripped",
    "case": "upper case folded",
    "replaced": "rewritten as other characters",
    "truncated": "cut off by max_length",
}


class Loss(NamedTuple):
    """``text`` is the source from ``start`` to ``end`` that is lost or changed."""

    kind: LossKind
    start: int
    end: int
    text: str


def losses(tokenizer: Tokenizer, encoding: Encoding) -> list[Loss]:
    """Everything that happened silently to the text of ``encoding``, by place.

    What the normaliser does to a character is asked of the normaliser itself; neighbours of one kind are one loss.
    """
    text = encoding.text
    typed = typed_specials(tokenizer, encoding)
    end = len(text) if encoding.cut_from is None else encoding.cut_from
    found = [Loss("special", start, stop, text[start:stop]) for start, stop in typed]
    found += [
        _unknown(tokenizer, text, token)
        for token in encoding.tokens
        if token.kind == "unknown" and token.start < token.end and (token.start, token.end) not in typed
    ]
    found += _rewritten(tokenizer, text, end, typed)
    if encoding.cut_from is not None:
        found.append(Loss("truncated", encoding.cut_from, len(text), encoding.cut_text))
    return sorted(found, key=lambda loss: (loss.start, loss.end))


def meaning(tokenizer: Tokenizer, kind: LossKind) -> str:
    """What such a loss is, in a few words."""
    return MEANINGS[kind].format(limit=_word_limit(tokenizer) or 0)


def _word_limit(tokenizer: Tokenizer) -> int | None:
    return getattr(tokenizer.model, "max_input_chars_per_word", None)


def _unknown(tokenizer: Tokenizer, text: str, token: Token) -> Loss:
    part = text[token.start : token.end]
    limit = _word_limit(tokenizer)
    normalised = part if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(part)
    kind: LossKind = "unknown"
    if limit is not None and len(normalised.strip()) > limit:
        kind = "long_word"
    elif any("\uff01" <= char <= "\uff5e" for char in part):
        kind = "full_width"
    return Loss(kind, token.start, token.end, part)


def _rewritten(tokenizer: Tokenizer, text: str, end: int, typed: list[tuple[int, int]]) -> list[Loss]:
    """Runs of characters that the normaliser deletes or rewrites, typed special tokens left out."""
    fates = {char: fate for char in set(text) if (fate := _fate(tokenizer, char)) is not None}
    if not fates:
        return []
    skipped = {i for start, stop in typed for i in range(start, stop)}
    found = []
    for run in re.compile(f"[{re.escape(''.join(sorted(fates)))}]+").finditer(text, 0, end):
        for kind, places in groupby(range(*run.span()), lambda i: None if i in skipped else fates[text[i]]):
            if kind is not None:
                start, *rest = places
                stop = start + 1 + len(rest)
                found.append(Loss(kind, start, stop, text[start:stop]))
    return found


@lru_cache(maxsize=65536)
def _fate(tokenizer: Tokenizer, char: str) -> LossKind | None:
    """What becomes of one character; None where it stays or where white space stays white space."""
    if tokenizer.normalizer is None:
        return None
    result = tokenizer.normalizer.normalize_str(char)
    if result == char or (char.isspace() and result.isspace()):
        return None
    result = result.strip()  # a normaliser may put spaces around a Chinese character
    if result == char:
        return None
    if not result:
        return "accent" if unicodedata.category(char) in ("Mn", "Mc", "Me") else "deleted"
    if result == char.lower():
        return "case"
    if any(unicodedata.combining(part) for part in unicodedata.normalize("NFD", char)):
        return "accent"
    return "replaced"
