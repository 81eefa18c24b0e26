"""Run one batch of reviews through the classifier and record the output of every module."""

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
    """The output of one module. Mean and standard deviation (n - 1) include padding positions."""

    module: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    mean: float
    std: float
    seconds: float
    """Time of the forward pass, including submodules."""
    flops: int
    """Without submodules, so that the rows add up; see :mod:`core.model.flops`."""
    bytes: int
    """Memory of its output."""
    parameters: int
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        names = ("module", "kind", "shape", "dtype", "mean", "std", "flops", "seconds", "bytes", "parameters", "note")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """The modules in the order in which they finish, and the batch: lengths, logits and truncation."""

    rows: list[ModuleTrace]
    lengths: list[int]
    """Number of tokens of each review, without padding."""
    first_tokens: list[str]
    """The token at position 0 of each review; the head reads its hidden state."""
    logits: list[float]
    labels: list[int]
    cut: int
    """Number of reviews that are longer than max_length."""
    max_length: int
    origin: str

    @property
    def padding(self) -> float:
        """Fraction of positions that are padding."""
        return 1 - sum(self.lengths) / (max(self.lengths) * len(self.lengths))

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.rows)


MOST_REVIEWS = 32
"""Maximum batch size: eager attention stores reviews x heads x length² weights."""
POSITION_0 = "the head reads position 0 of each review"
NOTES = {BODY: POSITION_0, HEAD: "the logit: above 0 is positive"}


def trace_modules(
    model: Classifier, batch: Batch, between: Between = lambda: None
) -> tuple[list[ModuleTrace], list[float]]:
    """Run ``batch`` through ``model`` in evaluation mode with eager attention; return the modules and the logits."""
    model.eval()
    model.distilbert.set_attn_implementation("eager")
    rows: list[ModuleTrace] = []
    started: dict[str, float] = {}
    in_hooks = 0.0  # seconds spent in the hooks, which belong to no module
    hooks = []

    def before(name: str) -> Any:
        def hook(*_: Any) -> None:
            between()
            started[name] = time.perf_counter() - in_hooks

        return hook

    def after(name: str) -> Any:
        def hook(module: nn.Module, _: Any, output: Any) -> None:
            nonlocal in_hooks
            now = time.perf_counter()
            rows.append(_row(name, module, _tensor(output), now - in_hooks - started[name]))
            in_hooks += time.perf_counter() - now

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
    """Return the output tensor: the output itself, last_hidden_state, or the first of several."""
    if isinstance(output, torch.Tensor):
        return output
    first: torch.Tensor = output["last_hidden_state"] if hasattr(output, "keys") else output[0]
    return first


def _row(name: str, module: nn.Module, output: torch.Tensor, seconds: float) -> ModuleTrace:
    values = output.float()
    return ModuleTrace(
        name or type(module).__name__,
        type(module).__name__,
        tuple(output.shape),
        str(output.dtype).removeprefix("torch."),
        values.mean().item(),
        values.std().item() if values.numel() > 1 else 0.0,
        seconds,
        own_flops(module, output),
        output.numel() * output.element_size(),
        sum(parameter.numel() for parameter in module.parameters()),
        NOTES.get(name, ""),
    )


def sample_reviews(reviews: Sequence[Review], count: int, seed: int) -> list[Review]:
    """Sample ``count`` reviews at random with the run's seed, because a file may be sorted by class."""
    return random.Random(seed).sample(list(reviews), min(count, len(reviews)))


def trace_batch(
    resolved: Resolved, reviews: Sequence[Review], origin: str, between: Between = lambda: None
) -> BatchTrace:
    """Run a batch of reviews, encoded as in training, through the target. Raises InputError as build_model."""
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
