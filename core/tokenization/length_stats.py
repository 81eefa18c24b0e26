"""Token counts of the reviews of a data set: lengths, tokens per word, unknown tokens, truncation."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.tokenization.encode import encodable, num_special_tokens, unknown_id

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNK = 256


class Measured(NamedTuple):
    """The counts of one text: tokens without template and truncation, words between white space, unknown tokens."""

    tokens: int
    words: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Token counts of a data set. Lengths include special tokens if they are added."""

    count: int
    mean: float
    median: float
    longest: int
    tokens_per_word: float
    unknown_share: float
    """Unknown tokens divided by all tokens, 0 to 1."""
    cut: int
    """The number of texts that are longer than max_length."""
    lost_share: float
    """Truncated tokens divided by all tokens, 0 to 1."""


def measure(tokenizer: Tokenizer, texts: Sequence[str]) -> Iterator[list[Measured]]:
    """Measure ``texts`` in order, in chunks, so that the caller can show progress or stop."""
    unknown = unknown_id(tokenizer)
    for start in range(0, len(texts), CHUNK):
        chunk = [encodable(text) for text in texts[start : start + CHUNK]]
        encodings = tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        yield [
            Measured(len(ids := encoding.ids), len(text.split()), ids.count(unknown) if unknown is not None else 0)
            for text, encoding in zip(chunk, encodings, strict=True)
        ]


def token_lengths(
    tokenizer: Tokenizer, measured: Sequence[Measured], *, add_special_tokens: bool, max_length: int | None = None
) -> list[int]:
    """Return the length of each text in a batch, with special tokens and truncation."""
    special_count = num_special_tokens(tokenizer) if add_special_tokens else 0
    lengths = [each.tokens + special_count for each in measured]
    return lengths if max_length is None else [min(length, max_length) for length in lengths]


def summarise(
    tokenizer: Tokenizer,
    measured: Sequence[Measured],
    *,
    add_special_tokens: bool = True,
    max_length: int | None = None,
) -> Summary:
    """Summarise the counts of at least one text. Raises ValueError if there are none."""
    if not measured:
        raise ValueError("there are no texts to summarise")
    lengths = token_lengths(tokenizer, measured, add_special_tokens=add_special_tokens)
    tokens, words = sum(each.tokens for each in measured), sum(each.words for each in measured)
    beyond = [length - max_length for length in lengths if max_length is not None and length > max_length]
    return Summary(
        count=len(lengths),
        mean=statistics.fmean(lengths),
        median=statistics.median(lengths),
        longest=max(lengths),
        tokens_per_word=tokens / max(words, 1),
        unknown_share=sum(each.unknown for each in measured) / max(tokens, 1),
        cut=len(beyond),
        lost_share=sum(beyond) / max(sum(lengths), 1),
    )


def histogram(lengths: Sequence[int], width: int, bins: int) -> list[int]:
    """Count the lengths in ``bins`` intervals of ``width`` tokens; the last one also counts all longer texts."""
    counts = [0] * bins
    for length in lengths:
        counts[min(length // width, bins - 1)] += 1
    return counts


def order(measured: Sequence[Measured], by: str) -> list[int]:
    """Return the positions of the texts in an order.

    ``order`` is the order of the data set; ``longest`` puts the longest first, and ``split`` those with the most tokens
    per word; ``unknown`` selects the texts with unknown tokens, those with the most first.
    """
    positions = range(len(measured))
    if by == "longest":
        return sorted(positions, key=lambda i: -measured[i].tokens)
    if by == "split":
        return sorted(positions, key=lambda i: -measured[i].tokens / max(measured[i].words, 1))
    if by == "unknown":
        return sorted((i for i in positions if measured[i].unknown), key=lambda i: -measured[i].unknown)
    return list(positions)
