"""How long the reviews of a data set are in tokens, and which of them a tokenizer splits most or cannot spell."""

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
    """One text: how many tokens, without template and uncut; how many words, by white space; how many unknown."""

    tokens: int
    words: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Tokens per text over a data set; lengths include the template where it is on."""

    count: int
    mean: float
    median: float
    longest: int
    tokens_per_word: float
    unknown_share: float
    """Unknown tokens over all, 0 to 1."""
    cut: int
    """How many texts are longer than max_length; 0 where there is none."""
    lost_share: float
    """Tokens that max_length cuts over all tokens, 0 to 1."""


def measure(tokenizer: Tokenizer, texts: Sequence[str]) -> Iterator[list[Measured]]:
    """Measures ``texts`` in order, a chunk at a time, so that whoever waits can show progress or stop."""
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
    """The length of each text as it would enter a batch."""
    around = num_special_tokens(tokenizer) if add_special_tokens else 0
    lengths = [each.tokens + around for each in measured]
    return lengths if max_length is None else [min(length, max_length) for length in lengths]


def summarise(
    tokenizer: Tokenizer,
    measured: Sequence[Measured],
    *,
    add_special_tokens: bool = True,
    max_length: int | None = None,
) -> Summary:
    """Raises ValueError for no texts at all."""
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
    """How many lengths lie in each of ``bins`` steps of ``width``; the last one takes everything beyond."""
    counts = [0] * bins
    for length in lengths:
        counts[min(length // width, bins - 1)] += 1
    return counts


def order(measured: Sequence[Measured], by: str) -> list[int]:
    """Places of the texts: as they come (``order``), ``longest`` or most ``split`` first, or those with ``unknown``."""
    places = range(len(measured))
    if by == "longest":
        return sorted(places, key=lambda i: -measured[i].tokens)
    if by == "split":
        return sorted(places, key=lambda i: -measured[i].tokens / max(measured[i].words, 1))
    if by == "unknown":
        return sorted((i for i in places if measured[i].unknown), key=lambda i: -measured[i].unknown)
    return list(places)
