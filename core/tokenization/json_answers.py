"""The answers of ``imdb-tui tokenize --json``, as dictionaries and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.tokenization.compare import compare, tokens_per_word
from core.tokenization.decode import Decoded, RoundTrip
from core.tokenization.encode import Encoding
from core.tokenization.length_stats import Summary
from core.tokenization.padding import PaddedBatch
from core.tokenization.stages import stages
from core.tokenization.text_warnings import text_warnings

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def encoding_answer(tokenizer: Tokenizer, encoding: Encoding) -> dict[str, Any]:
    """One text: its tokens with offsets, the text that was truncated, and the text warnings."""
    return {
        "text": encoding.text,
        "input_ids": encoding.input_ids,
        "tokens": [token.token for token in encoding.tokens],
        "offsets": [[token.start, token.end] for token in encoding.tokens],
        "kinds": [token.kind for token in encoding.tokens],
        "special_tokens_mask": [int(token.kind == "special") for token in encoding.tokens],
        "full_length": encoding.full_length,
        "cut_text": encoding.cut_text,
        "warnings": [
            {"kind": warning.kind, "span": [warning.start, warning.end], "text": warning.text}
            for warning in text_warnings(tokenizer, encoding)
        ],
    }


def stages_answer(
    tokenizer: Tokenizer, text: str, *, add_special_tokens: bool, max_length: int | None
) -> list[dict[str, Any]]:
    found = stages(tokenizer, text, add_special_tokens=add_special_tokens, max_length=max_length)
    return [{"name": stage.name, "output": stage.output} for stage in found]


def batch_answer(batch: PaddedBatch, side: str) -> dict[str, Any]:
    return {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "longest": batch.longest,
        "tokens": batch.tokens,
        "padding": batch.padding,
        "padding_share": batch.padding_share,
        "padding_side": side,
        "cut": batch.cut,
    }


def comparison_answer(name: str, first: Encoding, second: Encoding) -> dict[str, Any]:
    """Two encodings of one text, and the words that differ."""
    return {
        "name": name,
        "input_ids": second.input_ids,
        "tokens": [token.token for token in second.tokens],
        "tokens_per_word": [tokens_per_word(first), tokens_per_word(second)],
        "unknown": [first.unknown, second.unknown],
        "differences": [
            {
                "span": [word.start, word.end],
                "text": word.text,
                "tokens": [[token.token for token in tokens] for tokens in (word.first, word.second)],
            }
            for word in compare(first, second)
            if word.differs
        ],
    }


def summary_answer(summary: Summary) -> dict[str, Any]:
    return asdict(summary)


def decoded_answer(decoded: Decoded) -> dict[str, Any]:
    return {
        "text": decoded.text,
        "input_ids": list(decoded.input_ids),
        "tokens": list(decoded.tokens),
        "again": list(decoded.again),
        "first_difference": decoded.first_difference,
    }


def round_trip_answer(trip: RoundTrip) -> dict[str, Any]:
    return {"decoded": trip.decoded, "same": trip.same, "differences": [list(pair) for pair in trip.differences]}


def padding_answer(lengths: Sequence[int], batch_size: int) -> dict[str, Any]:
    from core.tokenization.padding import padding_share

    return {
        "batch_size": batch_size,
        "padding_share": padding_share(lengths, batch_size),
        "padding_share_sorted": padding_share(lengths, batch_size, by_length=True),
    }
