"""One real batch through the classifier, and what comes out of every module, in order."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.data.batches import Batch, Examples
from core.data.reviews import Review
from core.inspection.target import Resolved
from core.inspection.weights import Between, build_model
from core.model.classifier import BODY, HEAD, Classifier
from core.model.flops import own_flops
from core.tokenization.encode import encode, encode_ids


@dataclass(frozen=True, slots=True)
class ModuleTrace:
    """What one module gave. Mean and standard deviation (n - 1) are of all its numbers, padding positions included."""

    module: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    mean: float
    std: float
    seconds: float
    """With the modules below it."""
    flops: int
    """Of its own, without the modules below it, so that they add up; see :mod:`core.model.flops`."""
    bytes: int
    """Memory of its output."""
    parameters: int
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        names = ("module", "kind", "shape", "dtype", "mean", "std", "flops", "seconds", "bytes", "parameters", "note")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """The rows in the order in which modules finish, and the batch: tokens a review, logits, and what was cut."""

    rows: list[ModuleTrace]
    lengths: list[int]
    """Tokens of each review; what is left up to the longest is padding."""
    first_tokens: list[str]
    """The token at position 0 of each review, whose vector becomes the logit."""
    logits: list[float]
    labels: list[int]
    cut: int
    """How many reviews were longer than max_length."""
    max_length: int
    origin: str

    @property
    def padding(self) -> float:
        """The share of positions that are padding."""
        return 1 - sum(self.lengths) / (max(self.lengths) * len(self.lengths))

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.rows)


MOST_REVIEWS = 32
"""A larger batch is looked at by its first ones: eager attention keeps reviews x heads x length² numbers."""
FIRST_VECTOR = "position 0 of each review is what the head reads"
NOTES = {BODY: FIRST_VECTOR, HEAD: "the logit: above 0 is positive"}


def trace_modules(
    model: Classifier, batch: Batch, between: Between = lambda: None
) -> tuple[list[ModuleTrace], list[float]]:
    """Runs ``batch`` through ``model`` in evaluation mode under eager attention; the rows, and a logit a review."""
    model.eval()
    model.distilbert.set_attn_implementation("eager")
    rows: list[ModuleTrace] = []
    began: dict[str, float] = {}
    looking = 0.0  # seconds of the hooks' own, which are no module's
    hooks = []

    def before(name: str) -> Any:
        def hook(*_: Any) -> None:
            between()
            began[name] = time.perf_counter() - looking

        return hook

    def after(name: str) -> Any:
        def hook(module: nn.Module, _: Any, output: Any) -> None:
            nonlocal looking
            now = time.perf_counter()
            rows.append(_row(name, module, _tensor(output), now - looking - began[name]))
            looking += time.perf_counter() - now

        return hook

    for name, module in model.named_modules():
        hooks += [module.register_forward_pre_hook(before(name)), module.register_forward_hook(after(name))]
    try:
        with torch.inference_mode():
            logits = model(*batch.padded())
    finally:
        for hook in hooks:
            hook.remove()
    return rows, logits.tolist()


def _tensor(output: Any) -> torch.Tensor:
    """The output itself, the hidden state of a model's named outputs, or the first of several."""
    if isinstance(output, torch.Tensor):
        return output
    first: torch.Tensor = output["last_hidden_state"] if hasattr(output, "keys") else output[0]
    return first


def _row(name: str, module: nn.Module, output: torch.Tensor, seconds: float) -> ModuleTrace:
    numbers = output.float()
    return ModuleTrace(
        name or type(module).__name__,
        type(module).__name__,
        tuple(output.shape),
        str(output.dtype).removeprefix("torch."),
        numbers.mean().item(),
        numbers.std().item() if numbers.numel() > 1 else 0.0,
        seconds,
        own_flops(module, output),
        output.numel() * output.element_size(),
        sum(parameter.numel() for parameter in module.parameters()),
        NOTES.get(name, ""),
    )


def sample_reviews(reviews: Sequence[Review], count: int, seed: int) -> list[Review]:
    """So many reviews, drawn with the run's seed: a file may have all of one class first."""
    return random.Random(seed).sample(list(reviews), min(count, len(reviews)))


def trace_batch(
    resolved: Resolved, reviews: Sequence[Review], origin: str, between: Between = lambda: None
) -> BatchTrace:
    """A batch of reviews, encoded as the run encodes them, through the target. Raises InputError as build_model."""
    config, tokenizer = resolved.target.config, resolved.tokenizer
    from core.model.classifier import require_fit

    require_fit(resolved.encoder, tokenizer.get_vocab_size(), config.data.max_length)
    chosen = sample_reviews(reviews, min(config.train.batch_size, MOST_REVIEWS), config.train.seed)
    specials, most = config.data.add_special_tokens, config.data.max_length
    ids = encode_ids(tokenizer, [one.text for one in chosen], add_special_tokens=specials, max_length=most)
    unknown = tokenizer.token_to_id("[UNK]") or 0
    ids = [row or [unknown] for row in ids]
    full = [encode(tokenizer, one.text, add_special_tokens=specials).full_length for one in chosen]
    labels = [one.label for one in chosen]
    batch = Examples(ids, labels, list(range(len(ids)))).batch(range(len(ids)), torch.device("cpu"))
    rows, logits = trace_modules(build_model(resolved), batch, between)
    first = [tokenizer.id_to_token(row[0]) or "" for row in ids]
    cut = sum(length > most for length in full)
    return BatchTrace(rows, [len(row) for row in ids], first, logits, labels, cut, most, origin)
