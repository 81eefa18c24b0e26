"""Pad several texts to one batch, as the collator of transformers does, and count the padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.tokenization.encode import Encoding, encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Side = Literal["right", "left"]


@dataclass(frozen=True, slots=True)
class PaddedBatch:
    """A padded batch. ``input_ids`` and ``attention_mask`` are [texts, longest]; the mask is 1 for tokens."""

    input_ids: list[list[int]]
    attention_mask: list[list[int]]
    cut: list[int]
    """The number of tokens that max_length truncates per text."""

    @property
    def longest(self) -> int:
        return max(map(len, self.input_ids), default=0)

    @property
    def tokens(self) -> int:
        """The number of ids that are not padding."""
        return sum(map(sum, self.attention_mask))

    @property
    def padding(self) -> int:
        return self.longest * len(self.input_ids) - self.tokens

    @property
    def padding_share(self) -> float:
        """Padding divided by all ids, 0 to 1."""
        return self.padding / max(self.padding + self.tokens, 1)


def pad_id(tokenizer: Tokenizer) -> int:
    """Return the id of [PAD]; 0 if the vocabulary has none."""
    for name in ("[PAD]", "<pad>"):
        if (found := tokenizer.token_to_id(name)) is not None:
            return int(found)
    return 0


def pad_batch(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    add_special_tokens: bool = True,
    max_length: int | None = None,
    side: Side = "right",
) -> PaddedBatch:
    """Encode ``texts`` and pad them to the longest, as ``tokenizer.pad(…, padding="longest")`` of transformers does.

    Raises ValueError for a max_length below 3.
    """
    encodings = [
        encode(tokenizer, text, add_special_tokens=add_special_tokens, max_length=max_length) for text in texts
    ]
    return pad_encodings(tokenizer, encodings, side=side)


def pad_encodings(tokenizer: Tokenizer, encodings: Sequence[Encoding], *, side: Side = "right") -> PaddedBatch:
    """Pad encoded texts to the longest one."""
    rows = [encoding.input_ids for encoding in encodings]
    longest = max(map(len, rows), default=0)
    fill = pad_id(tokenizer)

    def padded(row: list[int], value: int) -> list[int]:
        rest = [value] * (longest - len(row))
        return row + rest if side == "right" else rest + row

    ids = [padded(row, fill) for row in rows]
    mask = [padded([1] * len(row), 0) for row in rows]
    return PaddedBatch(ids, mask, [each.full_length - len(each.tokens) for each in encodings])


def padding_share(lengths: Sequence[int], batch_size: int, *, by_length: bool = False) -> float:
    """Return the share of padding, 0 to 1, if each batch of texts of these lengths is padded to its longest.

    ``by_length`` sorts the texts by length first, which gives the least padding.
    """
    ordered = sorted(lengths) if by_length else list(lengths)
    batches = [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
    total = sum(max(batch) * len(batch) for batch in batches)
    return 1 - sum(ordered) / total if total else 0.0
