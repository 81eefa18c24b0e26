"""Encoded reviews, and the batches that the model reads.

A batch holds no padding: the tokens of its reviews follow one another in one flat tensor, and ``cu_seqlens`` marks
where each review starts, as in flash attention's functions for sequences of different lengths.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.tokenization.encode import encode_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Batch:
    """Some reviews as tensors on one device. ``len(batch)`` is the number of reviews."""

    input_ids: torch.Tensor
    """int64 [tokens]: the token ids of all reviews, one review after the other."""
    position_ids: torch.Tensor
    """int64 [tokens]: the position of each token in its own review."""
    cu_seqlens: torch.Tensor
    """int32 [reviews + 1]: cumulative lengths; review i has the tokens cu_seqlens[i] to cu_seqlens[i + 1]."""
    seqlens: list[int]
    """The number of tokens per review, for the host."""
    max_seqlen: int
    """The number of tokens of the longest review, or more."""
    labels: torch.Tensor
    """float32 [reviews]: 1 for positive, 0 for negative."""
    example_ids: list[int]
    """Row of each review in its source."""

    def __len__(self) -> int:
        return len(self.example_ids)

    @property
    def tokens(self) -> int:
        """The number of tokens, without those of :meth:`filled_up`."""
        return sum(self.seqlens[: len(self)])

    def select(self, chosen: Sequence[int]) -> Batch:
        """The batch of the reviews at the positions ``chosen``, for micro-batches and for several ranks."""
        rows = torch.split(self.input_ids, self.seqlens)
        positions = torch.split(self.position_ids, self.seqlens)
        return _batch(
            [rows[i] for i in chosen],
            [positions[i] for i in chosen],
            self.labels[list(chosen)],
            [self.example_ids[i] for i in chosen],
        )

    def filled_up(self, tokens: int) -> Batch:
        """The same batch with exactly ``tokens`` tokens: one more review of zeros, which has no label and no id.

        CUDA graphs need batches of equal size.
        """
        missing = tokens - sum(self.seqlens)
        seqlens = [*self.seqlens, missing]
        return Batch(
            pad(self.input_ids, (0, missing)),
            pad(self.position_ids, (0, missing)),
            _on_device([0, *accumulate(seqlens)], torch.int32, self.input_ids.device),
            seqlens,
            max(seqlens),
            self.labels,
            self.example_ids,
        )

    def padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """``input_ids`` and ``attention_mask``, int64 [reviews, longest]: padded on the right with id 0, [PAD]."""
        rows = list(torch.split(self.input_ids, self.seqlens))
        mask = [torch.ones_like(row) for row in rows]
        return pad_sequence(rows, batch_first=True), pad_sequence(mask, batch_first=True)


@dataclass(frozen=True, slots=True)
class Examples:
    """Encoded reviews and labels (0 or 1); ``example_ids`` are their rows in the source, so that runs can be paired."""

    input_ids: list[list[int]]
    labels: list[int]
    example_ids: list[int]
    _on_devices: dict[torch.device, tuple[tuple[torch.Tensor, ...], torch.Tensor]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, chosen: Sequence[int], device: torch.device) -> Batch:
        """The batch of the examples at the positions ``chosen``, on ``device``."""
        if device not in self._on_devices:  # the ids go to a GPU once, all together
            seqlens = [len(ids) for ids in self.input_ids]
            ids = torch.tensor([id_ for ids in self.input_ids for id_ in ids], device=device)
            positions = torch.arange(max(seqlens, default=0), device=device)
            self._on_devices[device] = torch.split(ids, seqlens), positions
        rows, positions = self._on_devices[device]
        return _batch(
            [rows[i] for i in chosen],
            [positions[: len(rows[i])] for i in chosen],
            _on_device([float(self.labels[i]) for i in chosen], torch.float32, device),
            [self.example_ids[i] for i in chosen],
        )


def _batch(
    rows: list[torch.Tensor], positions: list[torch.Tensor], labels: torch.Tensor, example_ids: list[int]
) -> Batch:
    seqlens = [len(row) for row in rows]
    cu_seqlens = _on_device([0, *accumulate(seqlens)], torch.int32, labels.device)
    return Batch(torch.cat(rows), torch.cat(positions), cu_seqlens, seqlens, max(seqlens), labels, example_ids)


def _on_device(values: Sequence[float], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    # From pinned memory a GPU copies when it gets there, and the host does not wait.
    return torch.tensor(values, dtype=dtype, pin_memory=device.type == "cuda").to(device, non_blocking=True)


def encode_examples(
    reviews: Sequence[Review],
    indices: Sequence[int],
    tokenizer: Tokenizer,
    config: DataConfig,
) -> Examples:
    """Encode the reviews at ``indices``. A review without any token becomes a single [UNK]."""
    input_ids = encode_ids(
        tokenizer,
        [reviews[i].text for i in indices],
        add_special_tokens=config.add_special_tokens,
        max_length=config.max_length,
    )
    unknown = tokenizer.token_to_id("[UNK]") or 0
    return Examples([ids or [unknown] for ids in input_ids], [reviews[i].label for i in indices], list(indices))


def epoch_batches(n: int, batch_size: int, *, seed: int, epoch: int, reshuffle: bool) -> list[list[int]]:
    """The positions of each batch of an epoch over ``n`` examples; the last batch may be smaller.

    A function of these arguments and nothing else, so that a resumed run sees the same batches.
    """
    order = list(range(n))
    if reshuffle:
        random.Random(f"{seed}/{epoch}").shuffle(order)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]
