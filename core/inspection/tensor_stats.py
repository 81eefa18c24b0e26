"""Statistics of one tensor, and the tokens with the most similar embeddings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.errors import InputError
from core.inspection.weights import Weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS, FIRST = 60, 8
EMBEDDINGS = "distilbert.embeddings.word_embeddings.weight"
_CHUNK = 1 << 20
"""Number of elements that are converted to float64 at once."""


@dataclass(frozen=True, slots=True)
class TensorStatistics:
    """Statistics of the finite elements, NaN if there are none; the counts include all elements."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    count: int
    mean: float
    std: float
    """With n - 1 in the denominator, as torch's; 0 for a single element."""
    min: float
    max: float
    quantiles: dict[float, float]
    sparsity: float
    """Fraction of elements that are exactly 0."""
    nan: int
    inf: int
    edges: list[float]
    """Bin edges of the histogram, from the smallest to the largest element; one more than ``bins``."""
    bins: list[int]
    first: list[float]
    """The first elements in memory order, including NaN and infinities."""

    def summary(self) -> list[tuple[str, str]]:
        """Return names and values as texts, without the histogram."""
        return [
            ("tensor", self.name),
            ("shape", f"{list(self.shape)}, {self.count:,} {self.dtype}"),
            ("mean, std", f"{self.mean:.4g}, {self.std:.4g}"),
            ("min, max", f"{self.min:.4g}, {self.max:.4g}"),
            ("quantiles", "  ".join(f"{share:.0%} {value:.3g}" for share, value in self.quantiles.items())),
            ("zeros", f"{self.sparsity:.2%}"),
            ("NaN, Inf", f"{self.nan:,}, {self.inf:,}"),
            ("first", "  ".join(f"{value:.3g}" for value in self.first)),
        ]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "quantiles": {f"{share:g}": value for share, value in self.quantiles.items()}}


def chunks(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the elements of ``tensor`` in order, in float64 chunks."""
    flat = tensor.reshape(-1)
    for start in range(0, flat.numel(), _CHUNK):
        yield flat[start : start + _CHUNK].double()


def statistics(name: str, tensor: torch.Tensor) -> TensorStatistics:
    """Compute the statistics of a tensor of any float type."""
    flat = tensor.detach().reshape(-1).float()
    is_nan, is_finite = torch.isnan(flat), torch.isfinite(flat)
    finite = flat if bool(is_finite.all()) else flat[is_finite]
    n, values = finite.numel(), finite.numpy()
    mean = std = low = high = math.nan
    quantiles, edges, bins = dict.fromkeys(QUANTILES, math.nan), [], []
    if n:
        mean = sum(part.sum().item() for part in chunks(finite)) / n
        squares = sum(((part - mean) ** 2).sum().item() for part in chunks(finite))
        std = math.sqrt(squares / (n - 1)) if n > 1 else 0.0
        low, high = float(values.min()), float(values.max())
        quantiles = dict(zip(QUANTILES, map(float, np.quantile(values, QUANTILES)), strict=True))
        counts, borders = np.histogram(values, bins=BINS, range=(low, high) if low < high else (low - 0.5, low + 0.5))
        edges, bins = borders.tolist(), counts.tolist()
    return TensorStatistics(
        name,
        tuple(tensor.shape),
        str(tensor.dtype).removeprefix("torch."),
        flat.numel(),
        mean,
        std,
        low,
        high,
        quantiles,
        int((flat == 0).sum()) / flat.numel() if flat.numel() else 0.0,
        int(is_nan.sum()),
        int(torch.isinf(flat).sum()),
        edges,
        bins,
        flat[:FIRST].tolist(),
    )


def tensor_statistics(weights: Weights, name: str) -> TensorStatistics:
    """Compute the statistics of a tensor by name. Raises InputError for an unknown name."""
    if name not in weights.shapes:
        near = [key for key in weights.shapes if name.lower() in key.lower()]
        hint = f"; did you mean {', '.join(near[:3])}?" if near else "; --params lists them"
        raise InputError(f"{weights.name} has no tensor {name!r}{hint}")
    return statistics(name, weights.read(name))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A token and the cosine similarity of its embedding with that of another token."""

    token: str
    id: int
    cosine: float


def nearest_tokens(weights: Weights, tokenizer: Tokenizer, token: str, *, count: int = 12) -> list[Neighbour]:
    """Return the tokens with the most similar word embeddings (cosine), without ``token`` itself.

    Raises InputError if ``token`` is not a single token of the vocabulary.
    """
    id_ = token_id(tokenizer, token)
    table = weights.read(EMBEDDINGS).float()
    if id_ >= len(table):
        raise InputError(f"{token!r} has id {id_}, but {weights.name} has only {len(table)} embeddings")
    length = table.norm(dim=1).clamp_min(1e-12)
    cosine = torch.nan_to_num((table @ table[id_]) / (length * length[id_]), nan=-2.0)
    cosine[id_] = -2.0
    best = cosine.topk(min(count, len(table) - 1))
    return [
        Neighbour(tokenizer.id_to_token(i) or f"[{i}]", i, value)
        for i, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """Return the id of a token of the vocabulary, or of a word that is one token. Raises InputError otherwise."""
    if (known := tokenizer.token_to_id(token)) is not None:
        return int(known)
    encoding = tokenizer.encode(token, add_special_tokens=False)
    if len(encoding.ids) != 1:
        pieces = " ".join(encoding.tokens[:6]) or "nothing"
        raise InputError(f"{token!r} is not one token of the vocabulary but {pieces}; give a single token")
    return int(encoding.ids[0])
