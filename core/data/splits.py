"""Reviews to batches: choose and split, encode, and put into order; the order is a pure function of (seed, epoch)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.config.schema import DataConfig
from core.data.reviews import Review
from core.errors import InputError
from core.tokenization.encode import encode_ids

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Examples:
    """Encoded reviews; ``review_ids`` are their places in the source, so that two runs can be paired."""

    input_ids: list[list[int]]
    labels: list[int]
    review_ids: list[int]
    _rows: dict[torch.device, tuple[torch.Tensor, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, device: torch.device) -> tuple[torch.Tensor, ...]:
        """Each review's ids, int64 of [tokens], on the device; they are moved there once, all together."""
        import torch

        if device not in self._rows:
            flat = torch.tensor([id_ for ids in self.input_ids for id_ in ids], device=device)
            self._rows[device] = torch.split(flat, [len(ids) for ids in self.input_ids])
        return self._rows[device]


@dataclass(frozen=True, slots=True)
class Split:
    """Reviews chosen for training and held out for validation, before they are encoded."""

    train: list[int]
    validation: list[int]
    """Both are places in the source."""
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """``input_ids`` and ``attention_mask`` are int64 of shape [batch, longest]; ``labels`` float32 of [batch]."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    tokens: int
    """How many ids are not padding."""


def split_reviews(reviews: Sequence[Review], config: DataConfig, *, seed: int, batch_size: int) -> Split:
    """Shuffles, takes ``n_samples``, and holds out ``test_size`` of them, as ``datasets`` does with this seed.

    Raises InputError where too few reviews are left for one batch or for validation.
    """
    from datasets import Dataset

    warnings = []
    taken = min(config.n_samples, len(reviews))
    if taken < config.n_samples:
        warnings.append(f"there are only {taken} reviews; all are taken instead of data.n_samples = {config.n_samples}")
    validation = -(-taken * config.test_size // 1)
    if validation >= taken:
        raise InputError(f"data.test_size = {config.test_size} of {taken} reviews leaves none to train on")
    indices = Dataset.from_dict({"review": list(range(len(reviews)))}).shuffle(seed=seed).select(range(taken))
    parts = indices.train_test_split(test_size=config.test_size, seed=seed)
    split = Split(list(parts["train"]["review"]), list(parts["test"]["review"]), warnings)
    if batch_size > len(split.train):
        raise InputError(
            f"train.batch_size = {batch_size} is more than the {len(split.train)} training reviews; make it smaller"
        )
    for name, part in (("training", split.train), ("validation", split.validation)):
        if len({reviews[i].label for i in part}) == 1:
            warnings.append(f"all {len(part)} {name} reviews have the same label; its accuracy says nothing")
    return split


def encode_examples(
    reviews: Sequence[Review],
    indices: Sequence[int],
    tokenizer: Tokenizer,
    config: DataConfig,
) -> Examples:
    """Encodes the reviews at ``indices``. A review without one token left becomes a single [UNK]."""
    input_ids = encode_ids(
        tokenizer,
        [reviews[i].text for i in indices],
        add_special_tokens=config.add_special_tokens,
        max_length=config.max_length,
    )
    unknown = tokenizer.token_to_id("[UNK]") or 0
    return Examples([ids or [unknown] for ids in input_ids], [reviews[i].label for i in indices], list(indices))


def epoch_order(n: int, *, seed: int, epoch: int, reshuffle: bool) -> list[int]:
    """The order in which an epoch visits its ``n`` examples: a function of these arguments and nothing else."""
    order = list(range(n))
    if reshuffle:
        random.Random(f"{seed}/{epoch}").shuffle(order)
    return order


def collate(input_ids: Sequence[Sequence[int]], labels: Sequence[int], device: torch.device) -> Batch:
    """Pads to the longest with id 0, which is [PAD]; the attention mask is 1 where there is a token."""
    import torch

    longest = max(map(len, input_ids))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in input_ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in input_ids])
    return Batch(
        ids.to(device),
        mask.to(device),
        torch.tensor(labels, dtype=torch.float32, device=device),
        sum(map(len, input_ids)),
    )
