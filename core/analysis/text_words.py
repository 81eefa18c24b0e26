"""The words of a text, and the tokens of each: what attributions are given for."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from core.tokenization.encode import Encoding

_WORD = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class TextWord:
    """A word, or a run of punctuation; ``start`` and ``end`` are character offsets into the text."""

    text: str
    start: int
    end: int
    positions: tuple[int, ...]
    """Positions of its tokens in the encoding; every token but the special ones belongs to exactly one word."""


def words_of(encoding: Encoding) -> list[TextWord]:
    """The words of the part of a text that the model reads, in order, each with at least one token.

    ``don't`` and ``well-made`` are one word; punctuation beside a word is a word of its own. A token that covers
    several words belongs to the first.
    """
    spans = [found.span() for found in _WORD.finditer(encoding.text)]
    starts = [start for start, _ in spans]
    positions: dict[tuple[int, int], list[int]] = {}
    for token in encoding.tokens:
        if token.start == token.end:
            continue  # added by the tokenizer, such as [CLS]
        i = bisect_right(starts, token.start) - 1
        if i < 0 or spans[i][1] <= token.start:
            i += 1  # a token may start with characters that are no part of a word
        span = spans[i] if i < len(spans) and spans[i][0] < token.end else (token.start, token.end)
        positions.setdefault(span, []).append(token.position)
    return [
        TextWord(encoding.text[start:end], start, end, tuple(positions[start, end])) for start, end in sorted(positions)
    ]
